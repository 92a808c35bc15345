"""Bursts that were seen and not decoded."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, dataclass
from typing import Any, Literal, Mapping, Optional

from ._record import instant, known, present

Reason = Literal[
    "no_frame_type", "no_carrier", "faint", "unlikely", "check_failed", "too_many"
]


@dataclass(frozen=True)
class UndecodedBurst:
    """A burst that was seen and not decoded, with the fields of the documented JSON record.

    Attributes
    ----------
    type : str
        ``"undecoded"``.
    schema : int
        Version of the record, 1.
    time : str or None
        Start of the burst, RFC 3339 in UTC; ``None`` where the start of the samples is not known.
        ``datetime`` is the same as an object.
    time_s : float
        Start of the burst from the first sample, s, to 1 µs.
    duration_s : float
        How long it is, as far as its frame type tells; without one, what was seen of it, s.
    bit_rate : int
        100 or 600 bit/s.
    frame_type : str or None
        The 13 bits of the frame type that fits best, four lower-case hexadecimal digits; ``None``
        if none does.
    rank : int or None
        1, 2 or 3, as the frame type says.
    frequency_hz : float
        Carrier in the middle of the burst, Hz, to 0.1 Hz. Counts from the middle of the samples
        where their centre is not known.
    snr_db : float
        Eb/N0 over preamble and frame type, dB.
    drift_hz_per_s : float
        Change of the carrier, Hz/s.
    reason : str
        ``"no_frame_type"``: there is a preamble, but no frame type fits what follows.
        ``"no_carrier"``: the carrier does not go on to the frame's end. ``"faint"``: its symbols
        are less clear than those of any frame that decodes. ``"unlikely"``: no reading was likely
        enough for the budget of false messages. ``"check_failed"``: all readings that were tried
        failed the check. ``"too_many"``: it was given up because there were too many at once.
    rssi_dbm, rssi_dbfs : float or None
        Mean power: dBm with a calibration, else dB relative to full scale.
    """

    type: Literal["undecoded"]
    schema: int
    time: Optional[str]
    time_s: float
    duration_s: float
    bit_rate: int
    frame_type: Optional[str]
    rank: Optional[int]
    frequency_hz: float
    snr_db: float
    drift_hz_per_s: float
    reason: Reason
    rssi_dbm: Optional[float] = None
    rssi_dbfs: Optional[float] = None

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> UndecodedBurst:
        """The burst of a record. Fields that are not known are skipped.

        Raises
        ------
        TypeError
            If a field is missing.
        """
        return cls(**known(cls, record))

    @classmethod
    def _from_json(cls, text: str) -> UndecodedBurst:
        return cls.from_dict(json.loads(text))

    def to_dict(self) -> dict[str, Any]:
        """The documented JSON record as a ``dict``."""
        return present(asdict(self))

    @property
    def datetime(self) -> Optional[dt.datetime]:
        """Start of the burst as an aware ``datetime`` in UTC, if known."""
        return instant(self.time)

    def __repr__(self) -> str:
        when = self.time if self.time is not None else f"{self.time_s:.6f} s"
        return (
            f"<UndecodedBurst {self.reason} at {when}, {self.frequency_hz / 1e6:.6f} MHz, "
            f"Eb/N0 {self.snr_db:.1f} dB, {self.bit_rate} bit/s>"
        )
