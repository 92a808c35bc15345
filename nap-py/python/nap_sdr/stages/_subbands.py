"""A channel in subbands, and what is found in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from .. import _nap
from .._message import Frame, Message
from .._radio_configuration import CHANNEL_WIDTH_HZ
from .._uplink import Uplink
from ._burst import Burst
from ._records import Candidate, Carrier, Hypothesis

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MIN_DETECTION_STATISTIC, MIN_CORRELATION = _nap.thresholds()

#: Any key will do where only the known symbols of a frame are wanted.
_ANY_KEY = bytes(16)


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
        self, *, bit_rate: int = 100, threshold: float = MIN_DETECTION_STATISTIC
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
            Candidate(time_s, offset_hz + self.center_hz, line_snr, power, density)
            for time_s, offset_hz, line_snr, power, density in self._native.detect(
                bit_rate, threshold
            )
        ]

    def synchronize(
        self,
        candidate: Candidate,
        *,
        bit_rate: int = 100,
        threshold: float = MIN_CORRELATION,
        max_drift_hz_per_s: float = 60.0,
    ) -> list[Hypothesis]:
        """Which frame begins when, on which carrier? The best hypotheses, best first.

        Parameters
        ----------
        candidate : Candidate
            Where to look.
        bit_rate : int
            100 or 600.
        threshold : float
            The least correlation.
        max_drift_hz_per_s : float
            The fastest drift that is tried, Hz/s.
        """
        place = (
            candidate.time_s,
            candidate.frequency_hz - self.center_hz,
            candidate.line_snr,
            candidate.power,
            candidate.noise_density,
        )
        found = self._native.synchronize(place, bit_rate, threshold, max_drift_hz_per_s)
        return [
            Hypothesis(
                frame_type,
                rank,
                length_class,
                start_s,
                Carrier(time_s, offset_hz + self.center_hz, drift),
                *match,
            )
            for frame_type, rank, length_class, start_s, time_s, offset_hz, drift, *match in found
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
        max_drift_hz_per_s: float = 60.0,
    ) -> Burst:
        """The soft symbols of a burst.

        Parameters
        ----------
        hypothesis : Hypothesis
            When it begins, as which frame, on which carrier (to a tenth of the symbol rate).
        bit_rate : int
            100 or 600.
        max_drift_hz_per_s : float
            The fastest drift expected, Hz/s.
        """
        carrier = hypothesis.carrier
        native = self._native.demodulate(
            hypothesis.frame_type,
            hypothesis.start_s,
            (carrier.time_s, carrier.frequency_hz - self.center_hz, carrier.drift_hz_per_s),
            bit_rate,
            max_drift_hz_per_s,
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
    width_hz: Optional[float] = None,
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
    width_hz : float, optional
        Width of the channel, Hz; if left out, 192 kHz, and of a band that is narrower, what is in
        it.

    Raises
    ------
    TypeError, SampleError
        If the samples cannot be used.
    ConfigurationError
        If the channel lies outside the sampled band.
    """
    middle_hz = center_hz or 0.0
    offset_hz = 0.0 if channel_center_hz is None else channel_center_hz - middle_hz
    if width_hz is None:
        offset_hz, width_hz = _in_band(offset_hz, sample_rate_hz)
    return Subbands(_nap.Subbands(iq, sample_rate_hz, offset_hz, width_hz), middle_hz)


def _in_band(offset_hz: float, sample_rate_hz: float) -> tuple[float, float]:
    """Middle and width of a channel; of a narrower band, of what is in it."""
    if not sample_rate_hz < CHANNEL_WIDTH_HZ:
        return offset_hz, CHANNEL_WIDTH_HZ
    low_hz = max(offset_hz - CHANNEL_WIDTH_HZ / 2, -sample_rate_hz / 2)
    high_hz = min(offset_hz + CHANNEL_WIDTH_HZ / 2, sample_rate_hz / 2)
    return (low_hz + high_hz) / 2, high_hz - low_hz
