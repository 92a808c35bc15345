"""Signals, the channel that they meet in, and whole scenes, calibrated in dBm.

Noise is -174 dBm/Hz plus the noise figure over the whole sampled bandwidth; the level of a signal is
its mean power at the antenna; a complex sinusoid of amplitude 1.0 has the power ``full_scale_dbm``.
The same seed gives the same samples, to the last bit.
"""

from __future__ import annotations

import json
import math
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Iterable, Literal, Mapping, Optional, TypedDict, Union

import numpy as np

from . import _nap
from ._devices import Key, KeyLike
from ._errors import ConfigurationError
from ._progress import Progress, reporter
from ._receiver import BLOCK

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "Channel",
    "FrequencyStep",
    "MaskPoint",
    "Settling",
    "Signal",
    "SimulatedRecording",
    "Wander",
    "Wobble",
    "modulate",
    "simulate",
]

#: The longest burst that is made in one piece.
_MAX_SAMPLES = 2.0**32

#: How a device turns the phase: at once, smoothed, or as ST's S2-LP does.
Shape = Literal["rect", "hann", "s2lp"]


class Wobble(TypedDict):
    """A carrier that swings to and fro: its largest deviation, and how often a second."""

    amplitude_hz: float
    rate_hz: float


class Settling(TypedDict):
    """A carrier that starts off its place, and the time after which 1/e of it is left."""

    offset_hz: float
    time_constant_s: float


class FrequencyStep(TypedDict):
    """A jump of a carrier: when, from the start of the signal, and by how much."""

    time_s: float
    step_hz: float


class MaskPoint(TypedDict):
    """Density of an oscillator's phase noise on one side, so far from the carrier."""

    offset_hz: float
    dbc_per_hz: float


class Wander(TypedDict, total=False):
    """How a carrier strays from offset and drift, as ``wander`` of a device in a scene. The parts add
    up; what is left out is not there.

    Attributes
    ----------
    wobble : Wobble
        A sinusoid of random phase.
    settle : Settling
        An exponential, from the start of the signal on.
    walk_hz_per_root_s : float
        A random walk of the frequency; its variance grows by the square of this a second.
    curvature_hz_per_s2 : float
        A parabola: this times the square of the time from the middle of the signal.
    line_width_hz : float
        A random walk of the phase: the full width of the Lorentzian line that it makes.
    phase_noise : list of MaskPoint
        Stationary noise of the phase, in the order of offsets; straight in dB over the logarithm of
        the offset, level below the first point and nothing above the last.
    steps : list of FrequencyStep
        Jumps of the frequency.
    """

    wobble: Wobble
    settle: Settling
    walk_hz_per_root_s: float
    curvature_hz_per_s2: float
    line_width_hz: float
    phase_noise: list[MaskPoint]
    steps: list[FrequencyStep]


class Signal:
    """A baseband signal of mean power 1 as a function of time; class methods make them."""

    def __init__(self, native: _nap.Signal) -> None:
        self._native = native

    @classmethod
    def burst(cls, bitstream: bytes, bit_rate: float = 100, shape: Shape = "rect") -> Signal:
        """A DBPSK burst.

        Parameters
        ----------
        bitstream : bytes
            The bits, most significant first; a 0 flips the phase. See ``Uplink.encode``.
        bit_rate : float
            Bits, and symbols, a second.
        shape : str
            ``"rect"``, ``"hann"`` or ``"s2lp"``.

        Notes
        -----
        A burst of n bits lasts n + 2 symbols: a reference symbol (or ramp) comes before them, and
        a repetition of the last symbol (or a ramp) after them.
        """
        return cls(_nap.Signal.burst(bitstream, bit_rate, shape))

    @classmethod
    def rotated_burst(
        cls,
        bitstream: bytes,
        bit_rate: float = 100,
        *,
        width_symbols: float = 0.6,
        either_way: bool = False,
        seed: int = 0,
    ) -> Signal:
        """A DBPSK burst of constant envelope: the phase is turned through half a circle.

        Parameters
        ----------
        bitstream : bytes
            The bits, most significant first; a 0 turns the phase. See ``Uplink.encode``.
        bit_rate : float
            Bits, and symbols, a second.
        width_symbols : float
            How long a turn takes around a symbol's boundary, above 0 up to 1 symbol.
        either_way : bool
            Whether each turn goes up or down by lot; all go up if not.
        seed : int
            Start of the lots.
        """
        return cls(
            _nap.Signal.rotated_burst(bitstream, bit_rate, width_symbols, either_way, seed)
        )

    @classmethod
    def tone(cls, duration_s: float) -> Signal:
        """An unmodulated carrier."""
        return cls(_nap.Signal.tone(duration_s))

    @classmethod
    def lora(
        cls,
        duration_s: float,
        *,
        spreading_factor: int = 12,
        bandwidth_hz: float = 125e3,
        seed: int = 0,
    ) -> Signal:
        """A LoRa packet of random symbols, as many as fit into the duration."""
        return cls(_nap.Signal.lora(spreading_factor, bandwidth_hz, duration_s, seed))

    @classmethod
    def fsk(
        cls,
        duration_s: float,
        *,
        bit_rate_hz: float = 50e3,
        deviation_hz: float = 25e3,
        seed: int = 0,
    ) -> Signal:
        """Random bits as two-level frequency shift keying with continuous phase."""
        return cls(_nap.Signal.fsk(bit_rate_hz, deviation_hz, duration_s, seed))

    @classmethod
    def impulses(
        cls,
        duration_s: float,
        *,
        width_s: float = 10e-6,
        rate_hz: float = 100.0,
        bandwidth_hz: Optional[float] = None,
        seed: int = 0,
    ) -> Signal:
        """Short pulses at random instants; their level is that of a pulse while it lasts.

        With ``bandwidth_hz`` each is noise that fills this band, else a piece of a carrier.
        """
        if bandwidth_hz is None:
            return cls(_nap.Signal.impulses(width_s, rate_hz, duration_s, seed))
        return cls(_nap.Signal.noise_impulses(width_s, rate_hz, duration_s, bandwidth_hz, seed))

    @property
    def support_s(self) -> tuple[float, float]:
        """The instants between which the signal is not zero, s."""
        return self._native.support_s

    @property
    def bandwidth_hz(self) -> float:
        """Width of the band around the carrier that holds the signal, Hz."""
        return self._native.bandwidth_hz

    def render(
        self, sample_rate_hz: float, count: int, start_s: float = 0.0
    ) -> npt.NDArray[np.complex64]:
        """``count`` samples of the signal from ``start_s`` on."""
        return self._native.render(start_s, 1.0 / _positive("sample_rate_hz", sample_rate_hz), count)


def modulate(
    bitstream: bytes,
    sample_rate_hz: float,
    *,
    bit_rate: float = 100,
    shape: Shape = "rect",
    offset_hz: float = 0.0,
    drift_hz_per_s: float = 0.0,
    phase_rad: float = 0.0,
) -> npt.NDArray[np.complex64]:
    """The samples of one burst, without noise.

    Parameters
    ----------
    bitstream : bytes
        The bits, such as ``Uplink.encode`` gives.
    sample_rate_hz : float
        Samples per second.
    bit_rate : float
        Bits per second.
    shape : str
        ``"rect"``, ``"hann"`` or ``"s2lp"``.
    offset_hz : float
        The carrier from the middle of the band, in the middle of the burst, Hz.
    drift_hz_per_s : float
        Change of the carrier, Hz/s.
    phase_rad : float
        Phase of the carrier at the first sample, rad.

    Returns
    -------
    ndarray of complex64
        Mean power 1, from the start of the reference symbol to the end of the last one.

    Raises
    ------
    ConfigurationError
        If a parameter cannot be.
    """
    signal = Signal.burst(bitstream, bit_rate, shape)
    start_s, end_s = signal.support_s
    length = (end_s - start_s) * _positive("sample_rate_hz", sample_rate_hz)
    if not length < _MAX_SAMPLES:
        raise ConfigurationError(f"the burst has {length:g} samples; raise bit_rate")
    count = math.ceil(length)
    samples = signal.render(sample_rate_hz, count, start_s)
    time_s = np.arange(count) / sample_rate_hz
    start_hz = offset_hz - drift_hz_per_s * count / sample_rate_hz / 2
    cycles = time_s * (start_hz + drift_hz_per_s * time_s / 2)
    carrier = np.exp(1j * (phase_rad + 2 * np.pi * (cycles % 1.0)))
    samples *= carrier.astype(np.complex64)
    return samples


class Channel:
    """A radio channel with noise, and the receiver's hardware at its end.

    Parameters
    ----------
    sample_rate_hz : float
        Complex samples a second.
    full_scale_dbm : float
        Power of a complex sinusoid of amplitude 1.0, dBm.
    noise_figure_db : float or None
        Noise above -174 dBm/Hz; ``None`` for no noise at all.
    iq_gain_db, iq_phase_deg : float
        Gain of Q over I, and phase of Q less its ideal 90 degrees.
    dc_offset_dbfs : float, optional
        Power of a constant offset relative to full scale.
    quantisation_bits : int, optional
        Resolution of the converter, 1 to 24; not quantised and not limited if left out.
    gain_steps : iterable of (float, float)
        Steps of the first amplifier's gain: when, s, and by how much, dB.
    lost_samples : iterable of (float, float, bool)
        Samples that the receiver loses: from when on, s, for how long, s, and whether it is told. Then
        they are silence, else they are missing.
    seed : int
        Start of all randomness.

    Examples
    --------
    >>> from nap_sdr.simulation import Channel, Signal
    >>> channel = Channel(250e3, seed=1)
    >>> channel.add(Signal.tone(0.5), time_s=0.1, offset_hz=1000, level_dbm=-100)
    >>> channel.render(1000).shape
    (1000,)
    """

    def __init__(
        self,
        sample_rate_hz: float,
        *,
        full_scale_dbm: float = -80.0,
        noise_figure_db: Optional[float] = 6.0,
        iq_gain_db: float = 0.0,
        iq_phase_deg: float = 0.0,
        dc_offset_dbfs: Optional[float] = None,
        quantisation_bits: Optional[int] = None,
        gain_steps: Iterable[tuple[float, float]] = (),
        lost_samples: Iterable[tuple[float, float, bool]] = (),
        seed: int = 0,
    ) -> None:
        self.sample_rate_hz = sample_rate_hz
        self.full_scale_dbm = full_scale_dbm
        self._native = _nap.Channel(
            sample_rate_hz,
            full_scale_dbm=full_scale_dbm,
            noise_figure_db=noise_figure_db,
            iq_gain_db=iq_gain_db,
            iq_phase_deg=iq_phase_deg,
            dc_offset_dbfs=dc_offset_dbfs,
            quantisation_bits=quantisation_bits,
            gain_steps=list(gain_steps),
            lost_samples=list(lost_samples),
            seed=seed,
        )

    def add(
        self,
        signal: Signal,
        *,
        time_s: float,
        offset_hz: float = 0.0,
        level_dbm: float,
        drift_hz_per_s: float = 0.0,
        clock_error_ppm: float = 0.0,
        phase_rad: float = 0.0,
        doppler_hz: Optional[float] = None,
        rician_k_db: Optional[float] = None,
        wander: Optional[Wander] = None,
    ) -> None:
        """Put a signal on the air.

        Parameters
        ----------
        signal : Signal
            What is sent.
        time_s : float
            When its time 0 reaches the receiver, from the first sample, s.
        offset_hz : float
            The carrier from the middle of the band, in the middle of the signal, Hz.
        level_dbm : float
            Mean power at the antenna, dBm.
        drift_hz_per_s : float
            Change of the carrier, Hz/s.
        clock_error_ppm : float
            How much too fast the sender's symbol clock runs.
        phase_rad : float
            Phase of the carrier at ``time_s``.
        doppler_hz : float, optional
            Largest Doppler shift of fading; a steady path if left out.
        rician_k_db : float, optional
            How much stronger a steady path is than all that fade, dB: Rician fading; Rayleigh fading
            if left out.
        wander : Wander, optional
            How the carrier strays: ``wander={"wobble": {"amplitude_hz": 5, "rate_hz": 1}}``.

        Raises
        ------
        ConfigurationError
            If a parameter cannot be, the signal does not fit into the band, or samples exist
            already at its start.
        """
        self._native.add(
            signal._native,
            time_s=time_s,
            offset_hz=offset_hz,
            level_dbm=level_dbm,
            drift_hz_per_s=drift_hz_per_s,
            clock_error_ppm=clock_error_ppm,
            phase_rad=phase_rad,
            doppler_hz=doppler_hz,
            rician_k_db=rician_k_db,
            wander=None if wander is None else json.dumps(wander),
        )

    def render(self, count: int) -> npt.NDArray[np.complex64]:
        """The next ``count`` samples."""
        return self._native.render(count)


@dataclass(frozen=True)
class SimulatedRecording:
    """A recording of a scene, and what is in it.

    Attributes
    ----------
    iq : ndarray of complex64, shape (n,)
        The samples.
    sample_rate_hz : float
        Samples per second.
    center_hz : float
        Frequency of the samples' 0 Hz, Hz.
    truth : dict
        What was sent: ``messages`` with their ``frames``, as in ``OUT.truth.json`` of
        ``nap simulate``. It also holds the keys of the scene.
    """

    iq: npt.NDArray[np.complex64]
    sample_rate_hz: float
    center_hz: float
    truth: dict[str, Any] = field(repr=False)

    @property
    def duration_s(self) -> float:
        """Length of the recording, s."""
        return len(self.iq) / self.sample_rate_hz

    @property
    def devices(self) -> dict[str, Optional[KeyLike]]:
        """The devices and their keys, as ``nap_sdr.decode`` takes them."""
        return {message["device_id"]: Key(message["key"]) for message in self.truth["messages"]}

    def __repr__(self) -> str:
        messages = len(self.truth["messages"])
        return (
            f"<SimulatedRecording {self.duration_s:.3f} s at {self.center_hz / 1e6:.6f} MHz, "
            f"{self.sample_rate_hz:.10g} S/s, {messages} messages>"
        )


def simulate(
    scene: Union[Mapping[str, Any], str, os.PathLike[str]],
    *,
    seed: Optional[int] = None,
    progress: Progress = False,
) -> SimulatedRecording:
    """Render a scene, as ``nap simulate`` does.

    Parameters
    ----------
    scene : mapping or path
        The scene as a TOML file, or as a ``dict`` of the same form.
    seed : int, optional
        Start of all randomness, instead of the scene's.
    progress : bool or callable
        As for ``nap_sdr.decode``.

    Returns
    -------
    SimulatedRecording

    Raises
    ------
    ConfigurationError
        If something in the scene cannot be; the text says where.
    """
    record = dict(scene) if isinstance(scene, Mapping) else _read(scene)
    if seed is not None:
        record["seed"] = seed
    try:
        native = _nap.Scene(json.dumps(record))
    except ConfigurationError as error:
        where = "the scene" if isinstance(scene, Mapping) else os.fspath(scene)
        raise ConfigurationError(f"{where}: {error}") from None
    iq = np.empty(native.total_samples, np.complex64)
    with reporter(progress, len(iq), native.sample_rate_hz) as report:
        for first in range(0, len(iq), BLOCK):
            block = iq[first : first + BLOCK]
            block[:] = native.render(len(block))
            report(len(block))
    return SimulatedRecording(
        iq, native.sample_rate_hz, native.center_hz, json.loads(native.truth)
    )


def _read(path: Union[str, os.PathLike[str]]) -> dict[str, Any]:
    with open(path, "rb") as file:
        try:
            return tomllib.load(file)
        except tomllib.TOMLDecodeError as error:
            # The text names the place but does not show it: there may be a key.
            raise ConfigurationError(f"{os.fspath(path)}: {error}") from None


def _positive(name: str, value: float) -> float:
    if not 0 < value < math.inf:
        raise ConfigurationError(f"{name} is {value}, but must be above 0")
    return value
