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
from typing import TYPE_CHECKING, Any, Iterable, Iterator, Mapping, Optional, Sequence, Union

try:
    import dask.dataframe as dd
    import fsspec  # type: ignore[import-untyped]
    import pandas as pd
    from dask.delayed import delayed
    from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]
except ImportError as error:
    raise ImportError("nap_sdr.dask needs dask: pip install 'nap-sdr[dask]'") from error

from ._devices import portable
from ._errors import ConfigurationError, RecordingWarning
from ._message import Message, messages_to_dataframe
from ._options import ChannelOptions, FileOptions, PathLike, shows, split
from ._receiver import Receiver
from ._recording import Recording, decode_file

if TYPE_CHECKING:
    from distributed import Client
    from typing_extensions import Unpack

__all__ = ["decode_files"]

#: Longer than any message from its first frame to its last, s: three frames of 2.1 s, and the
#: pauses between them of 2.5 s at most.
LONGEST_MESSAGE_S = 12.0

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
    overlap_s: float = 15.0,
    storage_options: Optional[Mapping[str, Any]] = None,
    **options: Unpack[FileOptions],
) -> dd.DataFrame:
    """Decode many recordings with dask.

    Long recordings are cut into pieces that overlap: each piece is decoded with ``overlap_s`` more
    on both sides, and a message belongs to the piece in which its first frame starts. So no
    message is lost at a cut and none is reported twice, and the receiver of each piece knows the
    noise before its first message. Where the radio was tuned elsewhere for a while, that part has
    pieces of its own.

    Parameters
    ----------
    paths : path, URL, or iterable of them
        The recordings: SigMF (its ``.sigmf-meta``), WAV or raw. URLs are opened with fsspec, such
        as ``s3://bucket/x.sigmf-meta``; of a long remote recording a worker fetches its piece
        only.
    client : distributed.Client, optional
        The cluster. Work begins at once then. If left out, nothing is done until the result is
        asked for, by dask's usual scheduler.
    piece_s : float
        Length of the pieces, s.
    overlap_s : float
        How far pieces reach into their neighbours, s; 12 s or more, the length of a message. From
        15 s on a piece also has the noise floor that the whole recording would have.
    storage_options : mapping, optional
        What fsspec needs to know about the store.
    **options
        As for ``nap_sdr.decode_file``, but for ``offset_s``, ``duration_s``, ``threads`` and
        ``progress``, and of one channel.
        A table of devices is read here and sent along.

    Returns
    -------
    dask.dataframe.DataFrame
        A partition for each recording, in their order, with the columns of
        ``nap_sdr.messages_to_dataframe``, of which ``recording`` is the path. Messages are sorted
        by time, and their ``message_id`` counts in this order.

    Raises
    ------
    OSError, RecordingError
        If a recording cannot be read or is not described well enough.
    ConfigurationError
        If a setting cannot be.
    """
    if not (piece_s > 0 and overlap_s >= LONGEST_MESSAGE_S):
        raise ConfigurationError(
            f"piece_s={piece_s} has to be above 0, and overlap_s={overlap_s} "
            f"{LONGEST_MESSAGE_S} or more, the length of a message"
        )
    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    urls = [os.fspath(path) for path in paths]
    if not urls:
        raise ConfigurationError("there is nothing to decode; give one path at least")
    options["devices"] = portable(options.get("devices"))
    store = dict(storage_options or {})
    with ThreadPoolExecutor(16) as pool:
        planned = list(
            pool.map(lambda url: _plan(url, store, piece_s, overlap_s, options), urls)
        )
    decode, merge = delayed(_decode_piece, pure=False), delayed(_merge, pure=False)
    parts = [
        merge(url, [decode(url, store, piece, options) for piece in pieces])
        for url, pieces in zip(urls, planned)
    ]
    table: dd.DataFrame = dd.from_delayed(parts, meta=_table("", []), verify_meta=False)
    if client is not None:
        table = client.persist(table)
    return table


@dataclass(frozen=True)
class _Piece:
    """A part of a recording: what is kept, and what is decoded for it, s."""

    keep_from_s: float
    keep_to_s: float
    from_s: float
    to_s: float


def _pieces(first_s: float, last_s: float, piece_s: float, overlap_s: float) -> list[_Piece]:
    """A stretch of a recording cut into pieces, which do not reach out of it."""
    count = max(1, round((last_s - first_s) / piece_s))
    edges = [first_s + index * (last_s - first_s) / count for index in range(count + 1)]
    return [
        _Piece(start_s, end_s, max(first_s, start_s - overlap_s), min(last_s, end_s + overlap_s))
        for start_s, end_s in zip(edges, edges[1:])
    ]


def _decode_piece(
    url: str, store: Mapping[str, Any], piece: _Piece, options: FileOptions
) -> list[Message]:
    """The messages of a piece, and those so near to its edges that a neighbour may see them there."""
    with warnings.catch_warnings():
        # What is wrong with the recording was told when it was planned.
        warnings.simplefilter("ignore", RecordingWarning)
        with _local(url, store, options, piece) as path:
            messages = decode_file(
                path,
                offset_s=piece.from_s,
                duration_s=piece.to_s - piece.from_s,
                # The cluster decides how many pieces are decoded at once.
                threads=1,
                **options,
            )
    margin_s = 1.0
    return [
        message
        for message in messages
        if piece.keep_from_s - margin_s <= message.time_s < piece.keep_to_s + margin_s
    ]


def _merge(url: str, pieces: Sequence[Sequence[Message]]) -> pd.DataFrame:
    """The messages of all pieces, those that two have seen once."""
    kept: list[Message] = []
    found = (message for piece in pieces for message in piece)
    for message in sorted(found, key=lambda message: -len(message.frames)):
        if not any(_same(message, other) for other in kept):
            kept.append(message)
    kept.sort(key=lambda message: message.time_s)
    return _table(url, [replace(one, message_id=n) for n, one in enumerate(kept, 1)])


def _same(message: Message, other: Message) -> bool:
    """Whether two messages are one: within the time of a message, no device repeats a number."""
    names = ("device_id", "sequence_number", "kind", "payload", "bit_rate")
    return abs(message.time_s - other.time_s) < LONGEST_MESSAGE_S and all(
        getattr(message, name) == getattr(other, name) for name in names
    )


def _table(url: str, messages: Sequence[Message]) -> pd.DataFrame:
    return messages_to_dataframe(replace(message, recording=url) for message in messages)


def _plan(
    url: str, store: Mapping[str, Any], piece_s: float, overlap_s: float, options: FileOptions
) -> list[_Piece]:
    """The pieces of a recording that hold samples; raises what decoding it would."""
    with _local(url, store, options) as path, _open(path, options) as recording:
        pass
    heard = _heard(recording, options)
    if recording.duration_s is None:
        raise ConfigurationError(f"{url}: a pipe cannot be cut into pieces; give a file")
    rate_hz, sample_at = recording.sample_rate_hz, recording._native.sample_at
    return [
        piece
        for first_s, last_s in heard
        for piece in _pieces(first_s, last_s, piece_s, overlap_s)
        if sample_at(round(piece.from_s * rate_hz)) < sample_at(round(piece.to_s * rate_hz))
    ]


def _heard(recording: Recording, options: FileOptions) -> list[tuple[float, float]]:
    """Where the parts of a recording begin and end that hold a channel to listen to, s."""
    _, of_channel = split("decode_files", options, ChannelOptions)
    stretches = recording.stretches
    ends_s = [stretch.start_s for stretch in stretches[1:]] + [recording.duration_s or 0.0]
    heard, problem = [], None
    for stretch, end_s in zip(stretches, ends_s):
        try:
            Receiver(recording.sample_rate_hz, stretch.center_hz, **of_channel).close()
        except ConfigurationError as error:
            problem = error
            if len(stretches) > 1:
                left_out = f"the part from {stretch.start_s:.3f} s on is left out: {error}"
                warnings.warn(f"{recording.path}: {left_out}", RecordingWarning, stacklevel=2)
        else:
            heard.append((stretch.start_s, end_s))
    if problem is not None and not heard:
        raise problem
    return heard


def _open(path: str, options: FileOptions) -> Recording:
    of_recording, _ = split("decode_files", options, ChannelOptions)
    return Recording(path, **of_recording)


@contextmanager
def _local(
    url: str,
    store: Mapping[str, Any],
    options: FileOptions,
    piece: Optional[_Piece] = None,
) -> Iterator[str]:
    """A local file with the headers of a recording, and its samples of a piece.

    Of a remote recording this is a sparse file of the same size: what was not fetched takes no
    room and is not read.
    """
    file_system, path = fsspec.core.url_to_fs(url, **store)
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
            first, last = _byte_range(str(local), size, piece, options)
            with open(local, "r+b") as file:
                for start in range(first, last, _CHUNK):
                    file.seek(start)
                    file.write(file_system.cat_file(source, start, min(start + _CHUNK, last)))
        yield str(local)


def _byte_range(
    path: str, size: int, piece: _Piece, options: FileOptions
) -> tuple[int, int]:
    """Where the samples of a piece are in a file, wherever the samples as a whole are."""
    with _open(path, options) as recording:
        pass
    width = recording.bytes_per_sample
    total = recording.total_samples or 0
    around = size - total * width
    # Times count on over samples that are missing.
    sample_at = recording._native.sample_at
    first = sample_at(int(piece.from_s * recording.sample_rate_hz)) * width
    last = (sample_at(int(piece.to_s * recording.sample_rate_hz)) + 1) * width + around
    return first, min(last, size)
