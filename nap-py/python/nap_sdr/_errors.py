"""Everything that ``nap_sdr`` raises of its own."""

from __future__ import annotations


class NapError(Exception):
    """Any error of this package."""


class ConfigurationError(NapError, ValueError):
    """A setting, a key, a message or a scene that cannot be; the text says which and why."""


class SampleError(NapError, ValueError):
    """Samples of a wrong shape or layout, or that are not numbers."""


class FrameError(NapError, ValueError):
    """Bits that are not a valid frame."""


class RecordingError(NapError, ValueError):
    """A recording that cannot be read or is not described well enough."""


class TruncatedRecordingError(RecordingError):
    """A recording whose end is missing; raised after all that is there has been read."""


class ClosedError(NapError, ValueError):
    """Something was used after it was closed."""


class RecordingWarning(UserWarning):
    """A recording can be read, but something about it should be known."""
