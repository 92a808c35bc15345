"""What the stages hand on to each other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from .._uplink import ParsedFrame

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def decibels(power: float) -> float:
    """A power in dB; nothing is minus infinity."""
    return 10 * math.log10(power) if power > 0 else -math.inf


@dataclass(frozen=True)
class Carrier:
    """A carrier whose frequency changes linearly with time.

    Attributes
    ----------
    time_s : float
        The instant at which the frequency holds, s.
    frequency_hz : float
        Frequency at that instant, Hz.
    drift_hz_per_s : float
        Change of the frequency, Hz/s.
    """

    time_s: float
    frequency_hz: float
    drift_hz_per_s: float = 0.0


@dataclass(frozen=True)
class Candidate:
    """A place where a frame might begin.

    Attributes
    ----------
    time_s, frequency_hz : float
        Middle of the preamble in time and frequency.
    line_snr : float
        Power of the preamble's two lines over the mean noise power of a bin; 2 in noise.
    power : float
        Power of a preamble with these lines, 1 at full scale.
    noise_density : float
        Noise around it, in (full scale)² per hertz.
    """

    time_s: float
    frequency_hz: float
    line_snr: float
    power: float
    noise_density: float

    @property
    def power_dbfs(self) -> float:
        """The power in dB relative to full scale."""
        return decibels(self.power)


@dataclass(frozen=True)
class Hypothesis:
    """A sync word, preamble and frame type, found at a time and a frequency.

    Attributes
    ----------
    frame_type : int
        The 13 bits of the frame type.
    rank : int
        Which frame of a message, 1 to 3.
    length_class : str
        How long the frame is.
    start_s : float
        Start of the reference symbol, s.
    carrier : Carrier
        The carrier, described at the middle of the sync word.
    correlation : float
        Normalized correlation with the sync word, 0 to 1: the share of the energy that it explains.
    power : float
        Power of what the sync word explains, 1 at full scale.
    """

    frame_type: int
    rank: int
    length_class: str
    start_s: float
    carrier: Carrier
    correlation: float
    power: float


class SoftFrame(Protocol):
    """What can be decoded: a ``Burst`` or ``SoftSymbols``."""

    @property
    def frame_type(self) -> int:
        """The 13 bits of the frame type."""

    @property
    def symbols(self) -> npt.NDArray[np.complex128]:
        """All symbols of the frame from the reference on."""

    @property
    def amplitude(self) -> float:
        """Amplitude of the symbols."""

    @property
    def noise_variance(self) -> float:
        """Variance of the noise in each of the two dimensions of a symbol."""


@dataclass(frozen=True)
class SoftSymbols:
    """Soft symbols of one's own making.

    Their envelope is taken for steady; of a ``Burst`` the notches around phase reversals are measured.

    Attributes
    ----------
    frame_type : int
        The 13 bits of the frame type, which give rank and length.
    symbols : ndarray of complex128, shape (n,)
        All symbols of the frame from the reference on, turned so that the data lies on the real
        axis: 1 symbol of reference, 32 known ones, and the container's.
    amplitude : float
        Amplitude of the symbols.
    noise_variance : float
        Variance of the noise in each of the two dimensions of a symbol.
    """

    frame_type: int
    symbols: npt.NDArray[np.complex128]
    amplitude: float
    noise_variance: float

    def __repr__(self) -> str:
        return (
            f"<SoftSymbols of frame type {self.frame_type:04x}: {len(self.symbols)} symbols, "
            f"amplitude {self.amplitude:.4g}, noise {self.noise_variance:.4g}>"
        )


@dataclass(frozen=True)
class Measurement:
    """What was measured on a burst whose bits are known.

    Attributes
    ----------
    start_s : float
        Start of the reference symbol, s.
    carrier : Carrier
        The carrier, described at the middle of the burst.
    power : float
        Mean power, 1 at full scale.
    time_s : ndarray of float64
        Middles of the symbols, s.
    frequency_hz : ndarray of float64
        Frequency of the phase track at these instants, Hz.
    phase_rad : ndarray of float64
        Phase of each symbol, free of its data, over the phase track, rad.
    """

    start_s: float
    carrier: Carrier
    power: float
    time_s: npt.NDArray[np.float64]
    frequency_hz: npt.NDArray[np.float64]
    phase_rad: npt.NDArray[np.float64]

    def __repr__(self) -> str:
        return (
            f"<Measurement of {len(self.time_s)} symbols from {self.start_s:.6f} s, "
            f"{self.carrier.frequency_hz:.1f} Hz>"
        )

    @property
    def power_dbfs(self) -> float:
        """The power in dB relative to full scale."""
        return decibels(self.power)


@dataclass(frozen=True)
class SoftDecision:
    """A frame found in soft symbols.

    Attributes
    ----------
    frame : ParsedFrame
        The frame of the first burst.
    index : int
        Place in the list of likely decisions, 0 for the most likely one.
    """

    frame: ParsedFrame
    index: int
