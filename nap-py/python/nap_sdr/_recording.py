"""Recordings of all formats: SigMF, WAV, and raw samples."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, replace
from types import TracebackType
from typing import (
    TYPE_CHECKING,
    Iterable,
    Iterator,
    NamedTuple,
    Optional,
    Sequence,
    Type,
    Union,
)

from . import _nap
from ._errors import ConfigurationError, RecordingWarning, TruncatedRecordingError
from ._message import Message, MessageList
from ._options import (
    ChannelsOptions,
    FileOptions,
    PathLike,
    RecordingOptions,
    rfc3339,
    settings,
    shows,
    split,
    with_defaults,
)
from ._progress import Progress, reporter
from ._receiver import BLOCK, Receiver

if TYPE_CHECKING:
    import datetime as dt

    import numpy as np
    import numpy.typing as npt
    from typing_extensions import Unpack

@dataclass(frozen=True)
class Stretch:
    """A part of a recording with one centre frequency and one clock. Samples may be missing in it.

    Attributes
    ----------
    first_sample : int
        The first sample, counted in the samples that can be read.
    samples : int or None
        How many there are; ``None`` for a pipe.
    start_s : float
        Where it begins, s from the start of the recording, missing samples counted.
    center_hz : float or None
        Frequency of its 0 Hz, Hz, if known.
    start : str or None
        Time of its first sample, RFC 3339 in UTC, if known.
    """

    first_sample: int
    samples: Optional[int]
    start_s: float
    center_hz: Optional[float]
    start: Optional[str]


class Recording:
    """A recording that is open for reading.

    Parameters
    ----------
    path : path, or sequence of paths
        ``x.sigmf-meta``, ``x.wav``, or a raw file such as ``g001_868.13M_250k.cu8``, whose name
        tells format, sample rate and centre. Several: files that follow each other, one recording.
    sample_format : str, optional
        How the samples are stored: ``"cu8"``, ``"cs8"``, ``"cs16"``, ``"cf32"`` or a SigMF data
        type; replaces what the file says.
    sample_rate_hz : float, optional
        Samples per second; replaces what the file says.
    center_hz : float, optional
        Frequency of the centre; replaces what the file says.
    start_time : str or datetime, optional
        Time of the first sample (RFC 3339); replaces what the file says. A ``datetime`` has to have
        a time zone.
    ppm : float
        By how many millionths the crystal of the radio that made the recording was too fast:
        corrects the sample rate and the frequencies.
    swap_iq : bool
        Swap I and Q, of a recording whose spectrum is mirrored.

    Raises
    ------
    OSError
        If the file cannot be read.
    RecordingError
        If it is not what it says, or too little is known about it.

    Warns
    -----
    RecordingWarning
        If something about the recording should be known though it can be read.

    Examples
    --------
    >>> from nap_sdr import Recording
    >>> with Recording("fixtures/recordings/rc1_two_uplinks.sigmf-meta") as recording:
    ...     recording.read(250_000).shape
    (250000,)
    """

    def __init__(
        self,
        path: Union[PathLike, Sequence[PathLike]],
        *,
        sample_format: Optional[str] = None,
        sample_rate_hz: Optional[float] = None,
        center_hz: Optional[float] = None,
        start_time: Union[None, str, dt.datetime] = None,
        ppm: float = 0.0,
        swap_iq: bool = False,
    ) -> None:
        paths = paths_of(path)
        if not paths:
            raise ConfigurationError("a recording has a file at least; give its path")
        #: The path, of several files that of the first.
        self.path = paths[0]
        self._native = _nap.Recording(
            paths,
            sample_format=sample_format,
            sample_rate_hz=sample_rate_hz,
            center_hz=center_hz,
            start_time=rfc3339("start_time", start_time),
            ppm=ppm,
            swap_iq=swap_iq,
        )
        self._position = 0
        for warning in self._native.warnings:
            warnings.warn(f"{self.path}: {warning}", RecordingWarning, stacklevel=2)

    @property
    def sample_rate_hz(self) -> float:
        """Samples per second."""
        return self._native.sample_rate_hz

    @property
    def center_hz(self) -> Optional[float]:
        """Frequency of the samples' 0 Hz, Hz, if known."""
        return self._native.center_hz

    @property
    def start(self) -> Optional[str]:
        """Time of the first sample, RFC 3339 in UTC, if known."""
        return self._native.start

    @property
    def total_samples(self) -> Optional[int]:
        """How many samples the recording has; ``None`` for a pipe."""
        return self._native.total_samples

    @property
    def duration_s(self) -> Optional[float]:
        """How long the recording is, s, samples that are missing counted; ``None`` for a pipe."""
        total = self._native.time_line_samples
        return None if total is None else total / self.sample_rate_hz

    @property
    def stretches(self) -> list[Stretch]:
        """The parts between the places where the centre changes or the clock was set; mostly one.

        A ``Receiver`` knows one centre: of a recording with several, give each part to one of its
        own, or use ``decode`` or ``decode_file``, which do that.
        """
        return [Stretch(*fields) for fields in self._native.stretches()]

    @property
    def sample_format(self) -> str:
        """How the samples are stored, such as ``"cs16"``."""
        return self._native.sample_format

    @property
    def bytes_per_sample(self) -> int:
        """Bytes of a complex sample in the file."""
        return self._native.bytes_per_sample

    @property
    def description(self) -> Optional[str]:
        """What the recording says about itself."""
        return self._native.description

    @property
    def position(self) -> int:
        """How many samples were read or left out."""
        return self._position

    @property
    def samples_left(self) -> Optional[int]:
        """How many samples are still to be read; ``None`` for a pipe."""
        return None if self.total_samples is None else self.total_samples - self._position

    @property
    def time_of_next(self) -> Optional[str]:
        """Time of the sample that is read next, RFC 3339 in UTC, if known."""
        return self._native.time_at(self._position)

    def read(self, count: int) -> npt.NDArray[np.complex64]:
        """The next samples, full scale 1.0; fewer than ``count`` at the end, none after it.

        Raises
        ------
        ClosedError
            If the recording is closed.
        TruncatedRecordingError
            Once, after all samples that are there, if the recording is cut short.
        """
        samples = self._native.read(count)
        self._position += len(samples)
        return samples

    def skip(self, count: int) -> int:
        """Leave out the next samples; returns how many there were."""
        skipped = self._native.skip(count)
        self._position += skipped
        return skipped

    def blocks(self, count: Optional[int] = None) -> Iterator[npt.NDArray[np.complex64]]:
        """The next ``count`` samples, or all that are left, block by block.

        Warns
        -----
        RecordingWarning
            If the recording is cut short.
        """
        left = count
        while left is None or left > 0:
            try:
                block = self.read(BLOCK if left is None else min(BLOCK, left))
            except TruncatedRecordingError as error:
                warnings.warn(str(error), RecordingWarning, stacklevel=2)
                return
            if not len(block):
                return
            left = None if left is None else left - len(block)
            yield block

    def close(self) -> None:
        """Close the file. What is known about it stays; closing it again does nothing."""
        self._native.close()

    @property
    def closed(self) -> bool:
        """Whether the recording is closed."""
        return self._native.closed

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        center = "" if self.center_hz is None else f" at {self.center_hz / 1e6:.6f} MHz"
        length = "" if self.duration_s is None else f", {self.duration_s:.3f} s"
        state = ", closed" if self.closed else ""
        return (
            f"<Recording {self.path!r}: {self.sample_format}, "
            f"{self.sample_rate_hz:.10g} S/s{center}{length}{state}>"
        )


@shows(RecordingOptions, Recording)
def read(
    path: Union[PathLike, Sequence[PathLike]], **options: Unpack[RecordingOptions]
) -> tuple[npt.NDArray[np.complex64], Recording]:
    """All samples of a recording, and what is known about it.

    Of a recording with several centre frequencies, ``Recording.stretches`` says which samples have
    which.

    Parameters
    ----------
    path : path, or sequence of paths
        The recording, or the files that it is in.
    **options
        As for ``Recording``.

    Returns
    -------
    iq : ndarray of complex64, shape (n,)
        The samples, full scale 1.0.
    recording : Recording
        Sample rate, centre and so on; it is closed.
    """
    import numpy as np

    with Recording(path, **options) as recording:
        blocks = list(recording.blocks())
    return np.concatenate(blocks) if blocks else np.empty(0, np.complex64), recording


@shows(FileOptions, Recording, Receiver)
def decode_file(
    path: Union[PathLike, Sequence[PathLike]],
    *,
    offset_s: float = 0.0,
    duration_s: Optional[float] = None,
    threads: Optional[int] = None,
    progress: Progress = False,
    **options: Unpack[FileOptions],
) -> MessageList:
    """Find and decode all messages in a recording, as ``nap decode`` does.

    A long recording is cut into pieces that are decoded side by side. Where the radio was tuned
    elsewhere for a while, that part is decoded at its own frequency.

    Parameters
    ----------
    path : path, or sequence of paths
        The recording: SigMF, WAV or raw samples. Several: files that follow each other, one
        recording.
    offset_s : float
        Leave out the first seconds.
    duration_s : float, optional
        Stop after so many seconds.
    threads : int, optional
        How many threads decode at most; if left out, as many as there are processors.
    progress : bool or callable
        ``True``: a bar of ``tqdm``, if that is installed. A callable is called with the samples
        done and their total.
    **options
        As for ``Recording`` (how the samples are stored) and ``Receiver`` (what is listened for);
        the recording itself says when it starts. Several channels are listened to at once:
        ``radio_configuration=["RC1", "RC7"]``, or several ``channel_center_hz``.

    Returns
    -------
    MessageList
        The messages, each once with all its frames. Times count from the start of the recording.

    Raises
    ------
    OSError, RecordingError
        If the recording cannot be read.
    ConfigurationError
        If a setting cannot be, or ``offset_s`` is not before the end.

    Warns
    -----
    RecordingWarning
        If the recording is cut short, holds samples that are not numbers, or has only a part of
        the channel in its band; what can be decoded is.
    """
    of_recording, of_channel = split("decode_file", options)
    channel = with_defaults(of_channel, Receiver)
    with Recording(path, **of_recording) as recording:
        part = _Part(offset_s, duration_s, threads, progress)
        return _decode_open(recording, part, channel)


@shows(FileOptions, Recording, Receiver)
def decode_files(
    paths: Iterable[PathLike],
    *,
    join: bool = False,
    threads: Optional[int] = None,
    **options: Unpack[FileOptions],
) -> dict[str, MessageList]:
    """Find and decode all messages in several recordings, one after the other.

    ``nap_sdr.dask.decode_files`` does it on a cluster.

    Parameters
    ----------
    paths : iterable of paths
        The recordings. SigMF recordings that say that they go on where another one ends are decoded
        as one.
    join : bool
        Take recordings whose names count (``a_001.cu8``, ``a_002.cu8``), or whose times follow each
        other, for parts of one, too.
    threads : int, optional
        How many threads decode at most; if left out, as many as there are processors.
    **options
        As for ``decode_file``.

    Returns
    -------
    dict of MessageList
        The messages of each recording by its path, of several files by that of the first, in the
        order of the paths. The messages say which ``recording`` they are from.

    Raises, Warns
    -------------
    As ``decode_file``.

    Examples
    --------
    >>> import nap_sdr
    >>> found = nap_sdr.decode_files(["fixtures/recordings/rc1_two_uplinks.sigmf-meta"])
    >>> {path.rsplit("/")[-1]: len(messages) for path, messages in found.items()}
    {'rc1_two_uplinks.sigmf-meta': 2}
    """
    if isinstance(paths, (str, os.PathLike)):
        raise TypeError(f"decode_files takes several paths; for {paths!r} there is decode_file")
    groups = _nap.group(
        [os.fspath(path) for path in paths],
        join,
        sample_format=options.get("sample_format"),
        sample_rate_hz=options.get("sample_rate_hz"),
    )
    return {
        files[0]: MessageList(
            replace(message, recording=files[0])
            for message in decode_file(files, threads=threads, **options)
        )
        for files in groups
    }


class _Part(NamedTuple):
    """What is decoded of a recording, and how."""

    offset_s: float
    duration_s: Optional[float]
    threads: Optional[int]
    progress: Progress


def _decode_open(recording: Recording, part: _Part, channel: ChannelsOptions) -> MessageList:
    """The messages of a part of a recording that stands at its start."""
    rate_hz = recording.sample_rate_hz
    first = _samples("offset_s", part.offset_s, rate_hz)
    wanted = None if part.duration_s is None else _samples("duration_s", part.duration_s, rate_hz)
    # Samples that are missing count: offset and duration are times.
    sample = recording._native.sample_at(first)
    total = recording._native.time_line_samples
    if recording.skip(sample) < sample or (total is not None and first >= total):
        raise ConfigurationError(
            f"{recording.path}: offset_s={part.offset_s} is not before the end of the recording"
        )
    return decode_from(recording, first, wanted, channel, part.threads, part.progress)


def decode_from(
    recording: Recording,
    first: int,
    wanted: Optional[int],
    channel: ChannelsOptions,
    threads: Optional[int],
    progress: Progress,
) -> MessageList:
    """The messages of a recording from where it stands, ``first`` samples after its start.

    Samples that are missing count here. Afterwards the recording stands at its end.
    """
    total = recording._native.time_line_samples
    counts = [count for count in (wanted, None if total is None else total - first)
              if count is not None]
    with reporter(progress, min(counts, default=None), recording.sample_rate_hz) as report:
        records, samples, unusable, notes = _nap.decode_recording(
            recording._native,
            first,
            wanted,
            settings(channel),
            threads=threads,
            progress=report,
        )
    end = recording.total_samples
    recording._position = recording._position + samples if end is None else end
    for note in notes:
        warnings.warn(f"{recording.path}: {note}", RecordingWarning, stacklevel=3)
    _warn_of_unusable(recording, unusable)
    return MessageList(Message._from_json(record) for record in records)


def paths_of(path: Union[PathLike, Sequence[PathLike]]) -> list[str]:
    """The files of a recording, of which there is one mostly."""
    if isinstance(path, (str, os.PathLike)):
        return [os.fspath(path)]
    return [os.fspath(one) for one in path]


def _samples(name: str, seconds: float, rate_hz: float) -> int:
    if not 0 <= seconds <= 1e9:
        raise ConfigurationError(f"{name} is {seconds}, but must lie between 0 and 1e9 s")
    return round(seconds * rate_hz)


def _warn_of_unusable(recording: Recording, count: int) -> None:
    if count:
        warnings.warn(
            f"{recording.path}: samples that are not finite or absurdly large: {count}; they count as "
            "silence",
            RecordingWarning,
            stacklevel=4,
        )
