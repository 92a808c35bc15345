"""Archives of recordings on many cores or machines; needs dask and pandas.

>>> from nap_sdr.dask import decode_files
>>> table = decode_files(["fixtures/recordings/rc1_two_uplinks.sigmf-meta"])
>>> table.compute()["payload"].to_list()
['ac1706c18dedf41e89cc', '71a0f59d61c1b8ec5e17d6']

``table.to_parquet("messages")`` writes the messages as they come.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterable, Iterator, Mapping, Optional, Union

try:
    import dask.dataframe as dd
    import fsspec  # type: ignore[import-untyped]
    import pandas as pd
    from dask.delayed import delayed
    from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]
except ImportError as error:
    raise ImportError("nap_sdr.dask needs dask: pip install 'nap-sdr[dask]'") from error

from . import _nap
from ._devices import portable
from ._errors import ConfigurationError, RecordingWarning
from ._message import Message, messages_to_dataframe
from ._options import (
    ChannelsOptions,
    FileOptions,
    PathLike,
    RecordingOptions,
    settings,
    shows,
    split,
    with_defaults,
)
from ._receiver import Receiver
from ._recording import Recording

if TYPE_CHECKING:
    from distributed import Client
    from typing_extensions import Unpack

__all__ = ["decode_files"]

#: Bytes from the start of a file that hold all headers.
_HEAD = 1 << 20
#: Bytes that are fetched from a store at once.
_CHUNK = 1 << 24


@shows(FileOptions, Recording, Receiver)
def decode_files(
    paths: Union[PathLike, Iterable[PathLike]],
    client: Optional[Client] = None,
    *,
    piece_s: float = 300.0,
    storage_options: Optional[Mapping[str, Any]] = None,
    **options: Unpack[FileOptions],
) -> dd.DataFrame:
    """Decode many recordings with dask.

    Long recordings are cut into pieces as ``nap_sdr.decode_file`` cuts them for its threads: they
    overlap by the longest message and what a receiver looks back for, half a minute, and a message
    belongs to the piece in which its first received frame starts. So no message is lost at a cut,
    none is reported twice, and messages, times and frames are those of one go. What may differ,
    rarely, is a message on the brink: of the false messages that may be expected
    (``false_messages_per_day``), each piece has its share by time. Where the radio was tuned elsewhere
    for a while, that part has pieces of its own.

    Parameters
    ----------
    paths : path, URL, or iterable of them
        The recordings: SigMF (its ``.sigmf-meta``), WAV or raw. URLs are opened with fsspec, such
        as ``s3://bucket/x.sigmf-meta``; of a long remote recording a worker fetches its piece
        only. What is compressed is one piece.
    client : distributed.Client, optional
        The cluster. Work begins at once then. If left out, nothing is done until the result is
        asked for, by dask's usual scheduler.
    piece_s : float
        Length of the pieces, s, 1 or more; all pieces of a recording are equally long. Below a
        minute most of the work is done twice.
    storage_options : mapping, optional
        What fsspec needs to know about the store.
    **options
        As for ``nap_sdr.decode_file``, but for ``offset_s``, ``duration_s``, ``threads`` and
        ``progress``. A table of devices is read here and sent along.

    Returns
    -------
    dask.dataframe.DataFrame
        A partition for each recording, in their order, with the columns of
        ``nap_sdr.messages_to_dataframe``, of which ``recording`` is the path. Messages come in the
        order of ``nap_sdr.decode_file``, and with its ``message_id``.

    Raises
    ------
    OSError, RecordingError
        If a recording cannot be read or is not described well enough.
    ConfigurationError
        If a setting cannot be.

    Warns
    -----
    RecordingWarning
        As ``nap_sdr.decode_file``, of what headers tell.
    """
    if not piece_s >= 1:
        raise ConfigurationError(f"piece_s={piece_s} has to be 1 s or more")
    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    urls = [os.fspath(path) for path in paths]
    if not urls:
        raise ConfigurationError("there is nothing to decode; give one path at least")
    options["devices"] = portable(options.get("devices"))
    of_recording, of_channel = split("decode_files", options)
    how = _How(dict(storage_options or {}), of_recording, with_defaults(of_channel, Receiver))
    with ThreadPoolExecutor(16) as pool:
        planned = list(pool.map(lambda url: _plan(url, how, piece_s), urls))
    decode, merge = delayed(_decode_piece, pure=False), delayed(_merge, pure=False)
    parts = [
        merge(url, pieces, [decode(url, how, piece) for piece in pieces])
        for url, pieces in zip(urls, planned)
    ]
    table: dd.DataFrame = dd.from_delayed(
        parts, meta=messages_to_dataframe([]), verify_meta=False
    )
    if client is not None:
        table = client.persist(table)
    return table


@dataclass(frozen=True)
class _How:
    """How recordings are fetched, read, and listened to."""

    store: Mapping[str, Any]
    recording: RecordingOptions
    channel: ChannelsOptions


def _plan(url: str, how: _How, piece_s: float) -> list[_nap.Piece]:
    """The pieces of a recording; raises what decoding it would."""
    with _local(url, how) as path:
        if not os.path.isfile(path) and os.path.exists(path):
            raise ConfigurationError(f"{url}: only files can be decoded in pieces")
        with Recording(path, **how.recording) as recording:
            pieces, notes = _nap.plan_pieces(recording._native, settings(how.channel), piece_s)
    for note in notes:
        warnings.warn(f"{url}: {note}", RecordingWarning, stacklevel=2)
    return pieces


def _decode_piece(url: str, how: _How, piece: _nap.Piece) -> list[str]:
    """What is found in a piece, and so near to its edges that a neighbor may find it too."""
    with warnings.catch_warnings():
        # What is wrong with the recording was told when it was planned.
        warnings.simplefilter("ignore", RecordingWarning)
        with _local(url, how, piece) as path, Recording(path, **how.recording) as recording:
            return _nap.decode_piece(recording._native, piece, settings(how.channel))


def _merge(url: str, pieces: list[_nap.Piece], found: list[list[str]]) -> pd.DataFrame:
    """The messages of all pieces, those that two have found once."""
    messages = (Message._from_json(record) for record in _nap.sew_pieces(pieces, found))
    return messages_to_dataframe(replace(message, recording=url) for message in messages)


@contextmanager
def _local(url: str, how: _How, piece: Optional[_nap.Piece] = None) -> Iterator[str]:
    """A local file with the headers of a recording, and its samples of a piece.

    Of a remote recording this is a sparse file of the same size: what was not fetched takes no
    room and is not read.
    """
    file_system, path = fsspec.core.url_to_fs(url, **how.store)
    if isinstance(file_system, LocalFileSystem):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="nap-") as folder:
        source = path
        for suffix in (".sigmf-meta", ".sigmf-data"):
            if path.endswith(suffix):
                source = path[: -len(suffix)] + ".sigmf-data"
                meta = path[: -len(suffix)] + ".sigmf-meta"
                file_system.get_file(meta, str(Path(folder, Path(meta).name)))
        local = Path(folder, Path(source).name)
        size = file_system.size(source)
        with open(local, "wb") as file:
            file.truncate(size)
            file.write(file_system.cat_file(source, 0, min(_HEAD, size)))
        if piece is not None:
            first, last = _byte_range(str(local), size, how, piece)
            with open(local, "r+b") as file:
                for start in range(first, last, _CHUNK):
                    file.seek(start)
                    file.write(file_system.cat_file(source, start, min(start + _CHUNK, last)))
        yield str(local)


def _byte_range(path: str, size: int, how: _How, piece: _nap.Piece) -> tuple[int, int]:
    """Where the samples of a piece are in a file, wherever the samples as a whole are."""
    with Recording(path, **how.recording) as recording:
        pass
    total, width = recording.total_samples, recording.bytes_per_sample
    if total is None:
        # Nobody knows where in a compressed file.
        return 0, size
    around = size - total * width
    # Times count on over samples that are missing.
    first, last = (recording._native.sample_at(position) for position in piece.read)
    return first * width, min((last + 1) * width + around, size)
