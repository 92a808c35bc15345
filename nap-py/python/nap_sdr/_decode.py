"""Samples in memory, or a recording that is open, to messages."""

from __future__ import annotations

from typing import (
    TYPE_CHECKING,
    Any,
    Iterable,
    Iterator,
    NamedTuple,
    Optional,
    Protocol,
    Union,
    cast,
)

from . import _nap
from ._errors import ClosedError, ConfigurationError
from ._message import MessageList
from ._options import ChannelsOptions, ReceiverOptions, shows, with_defaults
from ._progress import Progress, reporter
from ._receiver import BLOCK, Receiver, blocks_of, decode_blocks
from ._recording import Recording, decode_from

if TYPE_CHECKING:
    import numpy.typing as npt
    from typing_extensions import Unpack


class SigMFRecording(Protocol):
    """What is used of a recording that the package ``sigmf`` has opened."""

    @property
    def sample_count(self) -> int:
        """How many samples there are."""

    def get_global_field(self, key: str) -> Any:
        """A field of the recording."""

    def get_captures(self) -> list[dict[str, Any]]:
        """Its segments."""

    def read_samples(self, start_index: int, count: int) -> npt.NDArray[Any]:
        """Some of the samples."""


#: Samples in memory, or a recording that is open.
Samples = Union["npt.NDArray[Any]", Recording, SigMFRecording]


@shows(ReceiverOptions, Receiver)
def decode(
    iq: Samples,
    sample_rate_hz: Optional[float] = None,
    center_hz: Optional[float] = None,
    *,
    progress: Progress = False,
    **options: Unpack[ReceiverOptions],
) -> MessageList:
    """Find and decode all messages in an array of samples, or in a recording that is open.

    ``decode_file`` decodes the recording at a path, on all processors.

    Parameters
    ----------
    iq : ndarray, Recording, or SigMFFile
        The samples, as ``Receiver.push`` takes them: complex64 without a copy, others and
        memory maps converted block by block. Of a ``Recording``, those that are left, each part of
        it at its own centre, as ``decode_file`` does; of a ``SigMFFile`` of the package ``sigmf``,
        all. Recordings tell rate, centre and start.
    sample_rate_hz : float
        Samples per second, as for ``Receiver``; of a recording that tells it, another one is what
        it should have told.
    center_hz : float, optional
        Frequency of the samples' 0 Hz. Without it the receiver listens in the middle, and
        frequencies count from there.
    progress : bool or callable
        ``True``: a bar of ``tqdm``, if that is installed. A callable is called with the samples
        done and their total.
    **options
        As for ``Receiver``.

    Returns
    -------
    MessageList
        The messages, each once with all its frames, in the order in which they were completed.

    Raises
    ------
    TypeError, SampleError, ConfigurationError
        As for ``Receiver`` and ``Receiver.push``. A closed ``Recording`` is a ``ClosedError``. Where samples are missing in a ``Recording`` or its
        centre changes, what it is like is told to ``Recording`` only.

    Warns
    -----
    RecordingWarning
        Of a ``Recording``, as ``decode_file``.
    """
    if isinstance(iq, Recording):
        told = {"sample_rate_hz": sample_rate_hz, "center_hz": center_hz, **options}
        if not any(told.get(name) for name in _TOLD_BY_RECORDINGS):
            return _of_recording(iq, options, progress)
        if iq._native.has_breaks:
            given = ", ".join(name for name in _TOLD_BY_RECORDINGS if told.get(name))
            raise ConfigurationError(
                f"{iq.path}: samples are missing in the recording, or its centre changes; {given} "
                "cannot be told here: give it to Recording, which reads the recording so"
            )
    source = _source(iq)
    rate_hz = sample_rate_hz if sample_rate_hz is not None else source.sample_rate_hz
    if rate_hz is None:
        raise TypeError("an array of samples needs sample_rate_hz")
    if source.start is not None:
        options.setdefault("start", source.start)
    options.setdefault("start_s", source.start_s)
    receiver = Receiver(rate_hz, source.center_hz if center_hz is None else center_hz, **options)
    with reporter(progress, source.total, rate_hz) as report:
        return decode_blocks(receiver, source.blocks, report)


#: What a recording tells itself, and ``Receiver`` takes besides.
_TOLD_BY_RECORDINGS = (
    "sample_rate_hz", "center_hz", "start", "start_s", "allow_nan", "swap_iq", "ppm"
)


def _of_recording(
    recording: Recording, options: ReceiverOptions, progress: Progress
) -> MessageList:
    """The messages of what is left of a recording, each part of it at its own centre."""
    if recording.closed:
        raise ClosedError(f"{recording.path}: the recording is closed; open it, or use decode_file")
    of_channel = {k: v for k, v in options.items() if k not in _TOLD_BY_RECORDINGS}
    channel = with_defaults(cast(ChannelsOptions, of_channel), Receiver)
    if recording.samples_left == 0:
        return MessageList()
    first = recording._native.position_of(recording.position)
    return decode_from(recording, first, None, channel, None, progress)


class _Source(NamedTuple):
    """Samples, and what is known about them."""

    blocks: Iterable[npt.NDArray[Any]]
    total: Optional[int]
    sample_rate_hz: Optional[float] = None
    center_hz: Optional[float] = None
    #: Of the first of them.
    start: Optional[str] = None
    start_s: float = 0.0


def _source(iq: Samples) -> _Source:
    if isinstance(iq, Recording):
        rate_hz = iq.sample_rate_hz
        start_s = iq.position / rate_hz
        return _Source(
            iq.blocks(), iq.samples_left, rate_hz, iq.center_hz, iq.time_of_next, start_s
        )
    if hasattr(iq, "read_samples"):
        return _of_sigmf(cast(SigMFRecording, iq))
    if isinstance(iq, (str, bytes)) or hasattr(iq, "__fspath__"):
        raise TypeError(f"decode takes samples; for the recording {iq!r} there is decode_file")
    samples = _nap.sample_count(iq)
    return _Source(blocks_of(iq, samples), samples)


def _of_sigmf(recording: SigMFRecording) -> _Source:
    captures = recording.get_captures()
    first = captures[0] if captures else {}
    if any(one.get("core:frequency") != first.get("core:frequency") for one in captures):
        raise ConfigurationError(
            "the recording has segments at several frequencies; decode them one by one, each with "
            "its center_hz"
        )
    count = recording.sample_count
    return _Source(
        _sigmf_blocks(recording, count),
        count,
        recording.get_global_field("core:sample_rate"),
        first.get("core:frequency"),
        _utc(first.get("core:datetime")),
    )


def _utc(time: Optional[str]) -> Optional[str]:
    """A time of SigMF, which is in UTC whether it says so or not."""
    if time is None or time[-1:] in ("Z", "z") or any(sign in time[10:] for sign in "+-"):
        return time
    return f"{time}Z"


def _sigmf_blocks(recording: SigMFRecording, count: int) -> Iterator[npt.NDArray[Any]]:
    for first in range(0, count, BLOCK):
        yield recording.read_samples(first, min(BLOCK, count - first))
