"""The soft symbols of a burst, and the frame that they decode to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional, Sequence

import numpy as np

from .. import _nap
from .._uplink import parse_frame
from ._records import Carrier, Measurement, SoftDecision, SoftFrame, decibels

if TYPE_CHECKING:
    import numpy.typing as npt


class Burst:
    """The soft symbols of one burst, and what it takes to measure it again.

    Attributes
    ----------
    frame_type : int
        The 13 bits of the frame type as which the burst was demodulated.
    bit_rate : int
        Bits, and symbols, a second.
    symbols : ndarray of complex128, shape (n,)
        All symbols from the reference on, turned so that the data lies on the real axis.
    weights : ndarray of float32, shape (n,)
        What each symbol is worth: ``noise_variance`` over the variance of the noise there, 1 but
        where a burst of another system lies over this one.
    """

    def __init__(
        self, native: _nap.Burst, frame_type: int, bit_rate: int, center_hz: float
    ) -> None:
        self._native = native
        self._center_hz = center_hz
        self.frame_type = frame_type
        self.bit_rate = bit_rate
        self.symbols = native.symbols()
        self.weights = native.weights()
        # They belong with the notches, which are known to the native burst only.
        self.symbols.setflags(write=False)
        self.weights.setflags(write=False)

    @property
    def start_s(self) -> float:
        """Start of the reference symbol, s."""
        return self._native.start_s

    @property
    def time_s(self) -> npt.NDArray[np.float64]:
        """Middles of the symbols, s."""
        middles = np.arange(len(self.symbols), dtype=np.float64) + 0.5
        return self.start_s + middles * self._native.symbol_s

    @property
    def carrier(self) -> Carrier:
        """The carrier, described at the middle of the burst."""
        time_s, offset_hz, drift_hz_per_s = self._native.carrier
        return Carrier(time_s, offset_hz + self._center_hz, drift_hz_per_s)

    @property
    def amplitude(self) -> float:
        """Amplitude of the symbols, 1 at full scale."""
        return self._native.amplitude

    @property
    def noise_variance(self) -> float:
        """Variance of the noise in each of the two dimensions of an undisturbed symbol."""
        return self._native.noise_variance

    @property
    def es_over_n0_db(self) -> float:
        """Energy of a symbol over the density of the noise that the burst itself shows, dB."""
        return decibels(self._native.es_over_n0)

    def log_likelihood_ratios(self) -> npt.NDArray[np.float64]:
        """Of each symbol, ln of how much likelier the phase of the reference is than the other.

        The envelope is taken for steady. ``decode_soft_symbols`` also knows its notches.
        """
        scale = 2 * self.amplitude / max(self.noise_variance, 1e-300)
        return scale * self.weights * self.symbols.real

    def measure(self, bitstream: bytes) -> Measurement:
        """Measure the burst again, now that its bits are known.

        Parameters
        ----------
        bitstream : bytes
            The whole frame, such as ``decision.frame.bitstream``.

        Raises
        ------
        ConfigurationError
            If the bitstream has not as many bits as the burst.
        """
        start_s, offset_hz, drift, power, track = self._native.measure(bitstream)
        time_s = self.time_s - self.start_s + start_s
        middle_s = start_s + len(self.symbols) * self._native.symbol_s / 2
        return Measurement(
            start_s,
            Carrier(middle_s, offset_hz + self._center_hz, drift),
            power,
            time_s,
            track + self._center_hz,
            np.angle(self.symbols * symbol_signs(bitstream)),
        )

    def __repr__(self) -> str:
        return (
            f"<Burst of {len(self.symbols)} symbols at {self.start_s:.6f} s, "
            f"{self.carrier.frequency_hz:.1f} Hz, Es/N0 {self.es_over_n0_db:.1f} dB>"
        )


def decode_soft_symbols(
    frames: Sequence[SoftFrame], *, max_decisions: int = 256
) -> Optional[SoftDecision]:
    """The most likely frame that was sent in all of these soft symbols.

    Parameters
    ----------
    frames : sequence of Burst or SoftSymbols
        One frame, or up to three of different ranks of one message, which are decoded together.
    max_decisions : int
        How far down the list of likely decisions one is looked for whose check sum is right.

    Returns
    -------
    SoftDecision or None
        ``None`` if no decision is likely enough, or the frames differ in length.

    Raises
    ------
    SampleError
        If there are not as many symbols as the frame type has, or one is not finite.
    """
    rows = [
        (
            frame.frame_type,
            np.ascontiguousarray(_weighted_symbols(frame), np.complex128),
            frame.amplitude,
            frame.noise_variance,
            frame._native if isinstance(frame, Burst) else None,
        )
        for frame in frames
    ]
    found = _nap.decode_soft(rows, max_decisions)
    if found is None:
        return None
    bitstream, index = found
    return SoftDecision(parse_frame(bitstream), index)


def _weighted_symbols(frame: SoftFrame) -> npt.NDArray[np.complex128]:
    return frame.symbols * frame.weights if isinstance(frame, Burst) else frame.symbols


def symbol_signs(bitstream: bytes) -> npt.NDArray[np.float64]:
    """The signs (±1) of the symbols that send these bytes, the reference symbol first."""
    return _nap.signs(bitstream)
