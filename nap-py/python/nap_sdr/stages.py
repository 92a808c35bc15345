"""The stages of the receiver one by one: from samples to subbands, candidates, hypotheses, soft
symbols and frames.

>>> import nap_sdr
>>> from nap_sdr import stages
>>> iq, info = nap_sdr.read("fixtures/recordings/rc1_two_uplinks.sigmf-meta")
>>> subbands = stages.channelize(iq[:1_000_000], info.sample_rate_hz, center_hz=info.center_hz)
>>> best = max(subbands.detect(bit_rate=100), key=lambda candidate: candidate.power)
>>> hypothesis = subbands.synchronize(best)[0]
>>> burst = subbands.demodulate(hypothesis)
>>> decision = stages.decode_soft_symbols([burst])
>>> decision.frame.device_id
'258E05CA'

Times are in seconds from the first sample, frequencies in hertz; powers and densities are relative
to a carrier at full scale.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional, Protocol, Sequence

import numpy as np

from . import _nap
from ._message import Frame, Message
from ._radio_configuration import CHANNEL_WIDTH_HZ
from ._uplink import ParsedFrame, Uplink, parse_frame

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "LEAST_EVIDENCE",
    "LEAST_SCORE",
    "Burst",
    "Candidate",
    "Carrier",
    "Hypothesis",
    "Measurement",
    "SoftDecision",
    "SoftFrame",
    "SoftSymbols",
    "Subbands",
    "channelize",
    "decode_soft_symbols",
    "symbol_signs",
]

LEAST_EVIDENCE, LEAST_SCORE = _nap.thresholds()

#: Any key will do where only the known symbols of a frame are wanted.
_ANY_KEY = bytes(16)


def _db(power: float) -> float:
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
    strength : float
        Power of the preamble's two lines over the mean noise power of a bin; 2 in noise.
    power : float
        Power of a preamble with these lines, 1 at full scale.
    noise_density : float
        Noise around it, in (full scale)² per hertz.
    """

    time_s: float
    frequency_hz: float
    strength: float
    power: float
    noise_density: float

    @property
    def power_dbfs(self) -> float:
        """The power in dB relative to full scale."""
        return _db(self.power)


@dataclass(frozen=True)
class Hypothesis:
    """A known word, preamble and frame type, found at a place.

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
        The carrier, described at the middle of the word.
    score : float
        Share of the energy that the word explains, 0 to 1.
    power : float
        Power of what the word explains, 1 at full scale.
    """

    frame_type: int
    rank: int
    length_class: str
    start_s: float
    carrier: Carrier
    score: float
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

    Their envelope is taken for steady; of a ``Burst`` the dips around flips of the phase are measured.

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

    @property
    def power_dbfs(self) -> float:
        """The power in dB relative to full scale."""
        return _db(self.power)


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
        # They belong with the dips, which are known to the native burst only.
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
        return _db(self._native.es_over_n0)

    def log_likelihood_ratios(self) -> npt.NDArray[np.float64]:
        """Of each symbol, ln of how much likelier the phase of the reference is than the other.

        The envelope is taken for steady. ``decode_soft_symbols`` also knows its dips.
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


class Subbands:
    """A channel split into overlapping subbands, all of it kept in memory; see ``channelize``.

    Attributes
    ----------
    center_hz : float
        Frequency of the samples' 0 Hz, Hz.
    """

    def __init__(self, native: _nap.Subbands, center_hz: float) -> None:
        self._native = native
        self.center_hz = center_hz

    @property
    def samples(self) -> npt.NDArray[np.complex64]:
        """One sample of every subband for each instant, shape (times, subbands); a copy."""
        return self._native.samples()

    @property
    def time_s(self) -> npt.NDArray[np.float64]:
        """The instants of the samples, s."""
        return self._native.time_s()

    @property
    def frequency_hz(self) -> npt.NDArray[np.float64]:
        """Centres of the subbands, Hz."""
        return self._native.frequency_hz() + self.center_hz

    @property
    def rate_hz(self) -> float:
        """Samples per second of each subband."""
        return self._native.rate_hz

    def detect(
        self, *, bit_rate: int = 100, threshold: float = LEAST_EVIDENCE
    ) -> list[Candidate]:
        """The places where a frame of this bit rate might begin.

        Parameters
        ----------
        bit_rate : int
            100 or 600.
        threshold : float
            Evidence from which a place is reported, in units of a bin's mean noise power.
        """
        return [
            Candidate(time_s, offset_hz + self.center_hz, strength, power, density)
            for time_s, offset_hz, strength, power, density in self._native.detect(
                bit_rate, threshold
            )
        ]

    def synchronize(
        self,
        candidate: Candidate,
        *,
        bit_rate: int = 100,
        threshold: float = LEAST_SCORE,
        most_drift_hz_per_s: float = 60.0,
    ) -> list[Hypothesis]:
        """Which frame begins when, on which carrier? The best hypotheses, best first.

        Parameters
        ----------
        candidate : Candidate
            Where to look.
        bit_rate : int
            100 or 600.
        threshold : float
            The least score.
        most_drift_hz_per_s : float
            The fastest drift that is tried, Hz/s.
        """
        place = (
            candidate.time_s,
            candidate.frequency_hz - self.center_hz,
            candidate.strength,
            candidate.power,
            candidate.noise_density,
        )
        found = self._native.synchronize(place, bit_rate, threshold, most_drift_hz_per_s)
        return [
            Hypothesis(
                frame_type,
                rank,
                length_class,
                start_s,
                Carrier(time_s, offset_hz + self.center_hz, drift),
                score,
                power,
            )
            for frame_type, rank, length_class, start_s, time_s, offset_hz, drift, score, power
            in found
        ]

    def down_convert(
        self,
        carrier: Carrier,
        start_s: float,
        duration_s: float,
        *,
        bit_rate: int = 100,
        samples_per_symbol: float = 8,
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.complex128]]:
        """A stretch of signal with its carrier at 0 Hz.

        Parameters
        ----------
        carrier : Carrier
            What is mixed out.
        start_s, duration_s : float
            The stretch, s. What was not recorded is zero.
        bit_rate : int
            Symbol rate that the stretch is filtered for.
        samples_per_symbol : float
            Samples of the result per symbol; each is the mean over its interval. With 1, and a
            start on a symbol's, that is the matched filter.

        Returns
        -------
        time_s : ndarray of float64
            Middles of the intervals, s.
        samples : ndarray of complex128
        """
        return self._native.down_convert(
            start_s,
            duration_s,
            time_s=carrier.time_s,
            frequency_hz=carrier.frequency_hz - self.center_hz,
            drift_hz_per_s=carrier.drift_hz_per_s,
            symbol_rate_hz=bit_rate,
            rate_hz=samples_per_symbol * bit_rate,
        )

    def demodulate(
        self,
        hypothesis: Hypothesis,
        *,
        bit_rate: int = 100,
        most_drift_hz_per_s: float = 60.0,
    ) -> Burst:
        """The soft symbols of a burst.

        Parameters
        ----------
        hypothesis : Hypothesis
            When it begins, as which frame, on which carrier (to a tenth of the symbol rate).
        bit_rate : int
            100 or 600.
        most_drift_hz_per_s : float
            The fastest drift expected, Hz/s.
        """
        carrier = hypothesis.carrier
        native = self._native.demodulate(
            hypothesis.frame_type,
            hypothesis.start_s,
            (carrier.time_s, carrier.frequency_hz - self.center_hz, carrier.drift_hz_per_s),
            bit_rate,
            most_drift_hz_per_s,
        )
        return Burst(native, hypothesis.frame_type, bit_rate, self.center_hz)

    def burst_of(self, message: Message, frame: Optional[Frame] = None) -> Burst:
        """The soft symbols of a frame that the receiver has decoded.

        Parameters
        ----------
        message : Message
            From the same samples with the same ``center_hz``.
        frame : Frame, optional
            One of the message's frames; its first one if left out.
        """
        frame = message.frames[0] if frame is None else frame
        bitstream = Uplink.of(message).encode(_ANY_KEY, frame.rank)
        middle_s = frame.time_s + (8 * len(bitstream) + 1) / message.bit_rate / 2
        carrier = Carrier(middle_s, frame.frequency_hz, frame.drift_hz_per_s)
        hypothesis = Hypothesis(
            _nap.frame_type(bitstream), frame.rank, "", frame.time_s, carrier, 1.0, 0.0
        )
        return self.demodulate(hypothesis, bit_rate=message.bit_rate)


def channelize(
    iq: npt.NDArray[Any],
    sample_rate_hz: float,
    *,
    center_hz: Optional[float] = None,
    channel_center_hz: Optional[float] = None,
    width_hz: float = CHANNEL_WIDTH_HZ,
) -> Subbands:
    """Split a channel into subbands of about 10 kS/s, on which all later stages work.

    Parameters
    ----------
    iq : ndarray
        Samples, as ``nap_sdr.Receiver.push`` takes them. All of the channel is kept: some
        minutes at most.
    sample_rate_hz : float
        Samples per second.
    center_hz : float, optional
        Frequency of the samples' 0 Hz; frequencies count from there if left out.
    channel_center_hz : float, optional
        Middle of the channel, Hz; that of the samples if left out.
    width_hz : float
        Width of the channel, Hz.

    Raises
    ------
    TypeError, SampleError
        If the samples cannot be used.
    ConfigurationError
        If the channel lies outside the sampled band.
    """
    middle_hz = center_hz or 0.0
    offset_hz = 0.0 if channel_center_hz is None else channel_center_hz - middle_hz
    return Subbands(_nap.Subbands(iq, sample_rate_hz, offset_hz, width_hz), middle_hz)


def decode_soft_symbols(
    frames: Sequence[SoftFrame], *, most_decisions: int = 256
) -> Optional[SoftDecision]:
    """The most likely frame that was sent in all of these soft symbols.

    Parameters
    ----------
    frames : sequence of Burst or SoftSymbols
        One frame, or up to three of different ranks of one message, which are decoded together.
    most_decisions : int
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
    found = _nap.decode_soft(rows, most_decisions)
    if found is None:
        return None
    bitstream, index = found
    return SoftDecision(parse_frame(bitstream), index)


def _weighted_symbols(frame: SoftFrame) -> npt.NDArray[np.complex128]:
    return frame.symbols * frame.weights if isinstance(frame, Burst) else frame.symbols


def symbol_signs(bitstream: bytes) -> npt.NDArray[np.float64]:
    """The signs (±1) of the symbols that send these bytes, the reference symbol first."""
    return _nap.signs(bitstream)
