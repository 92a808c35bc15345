"""The Rust half of the package. Private: it may change without notice."""

from typing import Any, Callable, final

import numpy as np
import numpy.typing as npt

__all__ = [
    "Burst",
    "Channel",
    "DeviceTable",
    "Piece",
    "Receiver",
    "Recording",
    "Scene",
    "Settings",
    "Signal",
    "Subbands",
    "__version__",
    "channel_width_hz",
    "check_device_id",
    "check_key",
    "check_uplink",
    "decode_piece",
    "decode_recording",
    "decode_soft",
    "encode",
    "frame_type",
    "group",
    "parse_frame",
    "plan_pieces",
    "radio_configurations",
    "sample_count",
    "sew_pieces",
    "signs",
    "spectrogram",
    "thresholds",
]

__version__: str

_Iq = npt.NDArray[Any]
_EventRecord = tuple[str, str]
_Candidate = tuple[float, float, float, float, float]
_Hypothesis = tuple[int, int, str, float, float, float, float, float, float]
_SoftFrame = tuple[int, npt.NDArray[np.complex128], float, float, "Burst | None"]

def check_key(digits: str) -> None: ...
def check_device_id(digits: str) -> str: ...
def sample_count(iq: _Iq) -> int: ...
def radio_configurations() -> list[tuple[str, int, int, int, list[int], int, int]]: ...
def channel_width_hz() -> int: ...
def check_uplink(record: str) -> None: ...
def encode(record: str, key: str, ranks: list[int]) -> list[bytes]: ...
def parse_frame(bitstream: bytes, key: str | None, devices: DeviceTable) -> str: ...
def spectrogram(
    iq: _Iq,
    sample_rate_hz: float,
    *,
    offset_hz: float,
    width_hz: float,
    resolution_hz: float,
    time_step_s: float,
    max_rows: int,
    max_columns: int,
    peak: bool,
    full_scale_dbm: float | None,
) -> tuple[
    npt.NDArray[np.float32], npt.NDArray[np.float64], npt.NDArray[np.float64], float, float
]: ...
def thresholds() -> tuple[float, float]: ...
def signs(bitstream: bytes) -> npt.NDArray[np.float64]: ...
def decode_soft(
    frames: list[_SoftFrame], max_decisions: int
) -> tuple[bytes, int] | None: ...
def frame_type(bitstream: bytes) -> int: ...
def decode_recording(
    recording: Recording,
    first: int,
    count: int | None,
    settings: Settings,
    *,
    threads: int | None,
    progress: Callable[[int], None],
) -> tuple[list[str], int, int, list[str]]: ...
def plan_pieces(
    recording: Recording, settings: Settings, piece_s: float
) -> tuple[list[Piece], list[str]]: ...
def decode_piece(recording: Recording, piece: Piece, settings: Settings) -> list[str]: ...
def sew_pieces(pieces: list[Piece], found: list[list[str]]) -> list[str]: ...
def group(
    paths: list[str],
    by_names: bool,
    *,
    sample_format: str | None,
    sample_rate_hz: float | None,
) -> list[list[str]]: ...
@final
class DeviceTable:
    def __new__(cls, devices: list[tuple[str, str, str, str]]) -> DeviceTable: ...
    @staticmethod
    def from_csv(content: bytes) -> DeviceTable: ...
    def __len__(self) -> int: ...

@final
class Piece:
    def __new__(
        cls,
        part: int,
        position: int,
        own: tuple[int, int],
        read: tuple[int, int],
        is_last: bool,
        budget_shares: list[float],
    ) -> Piece: ...
    def __getnewargs__(
        self,
    ) -> tuple[int, int, tuple[int, int], tuple[int, int], bool, list[float]]: ...
    @property
    def own(self) -> tuple[int, int]: ...
    @property
    def read(self) -> tuple[int, int]: ...

@final
class Settings:
    def __new__(
        cls,
        *,
        radio_configurations: list[str],
        channel_centers_hz: list[float],
        bit_rate: str,
        devices: DeviceTable,
        full_scale_dbm: float | None,
        false_messages_per_day: float,
        max_drift_hz_per_s: float,
    ) -> Settings: ...

@final
class Receiver:
    def __new__(
        cls,
        sample_rate_hz: float,
        center_hz: float | None,
        settings: Settings,
        *,
        start: str | None,
        start_s: float,
        allow_nan: bool,
        swap_iq: bool,
        ppm: float,
    ) -> Receiver: ...
    @property
    def heard_hz(self) -> tuple[float, float]: ...
    @property
    def heard_share(self) -> float: ...
    @property
    def channel_center_hz(self) -> float: ...
    @property
    def radio_configuration(self) -> str | None: ...
    @property
    def bit_rates(self) -> list[int]: ...
    @property
    def closed(self) -> bool: ...
    def push(self, iq: _Iq) -> list[_EventRecord]: ...
    def flush(self) -> list[_EventRecord]: ...
    def close(self) -> None: ...
    def set_devices(self, devices: DeviceTable) -> None: ...
    def noise_density(self) -> float | None: ...
    def noise_densities(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]: ...
    def statistics(self) -> list[tuple[str, int]]: ...

@final
class Recording:
    def __new__(
        cls,
        paths: list[str],
        *,
        sample_format: str | None,
        sample_rate_hz: float | None,
        center_hz: float | None,
        start_time: str | None,
        ppm: float,
        swap_iq: bool,
    ) -> Recording: ...
    @property
    def sample_rate_hz(self) -> float: ...
    @property
    def center_hz(self) -> float | None: ...
    @property
    def start(self) -> str | None: ...
    @property
    def total_samples(self) -> int | None: ...
    @property
    def sample_format(self) -> str: ...
    @property
    def bytes_per_sample(self) -> int: ...
    @property
    def description(self) -> str | None: ...
    @property
    def warnings(self) -> list[str]: ...
    @property
    def closed(self) -> bool: ...
    def read(self, count: int) -> npt.NDArray[np.complex64]: ...
    @property
    def time_line_samples(self) -> int | None: ...
    @property
    def has_breaks(self) -> bool: ...
    def stretches(self) -> list[tuple[int, int | None, float, float | None, str | None]]: ...
    def position_of(self, sample: int) -> int: ...
    def sample_at(self, position: int) -> int: ...
    def skip(self, count: int) -> int: ...
    def time_at(self, sample: int) -> str | None: ...
    def close(self) -> None: ...

@final
class Signal:
    @staticmethod
    def burst(bitstream: bytes, symbol_rate_hz: float, shape: str) -> Signal: ...
    @staticmethod
    def rotated_burst(
        bitstream: bytes, symbol_rate_hz: float, width_symbols: float, either_way: bool, seed: int
    ) -> Signal: ...
    @staticmethod
    def tone(duration_s: float) -> Signal: ...
    @staticmethod
    def lora(
        spreading_factor: int, bandwidth_hz: float, duration_s: float, seed: int
    ) -> Signal: ...
    @staticmethod
    def fsk(bit_rate_hz: float, deviation_hz: float, duration_s: float, seed: int) -> Signal: ...
    @staticmethod
    def impulses(width_s: float, rate_hz: float, duration_s: float, seed: int) -> Signal: ...
    @staticmethod
    def noise_impulses(
        width_s: float, rate_hz: float, duration_s: float, bandwidth_hz: float, seed: int
    ) -> Signal: ...
    @property
    def support_s(self) -> tuple[float, float]: ...
    @property
    def bandwidth_hz(self) -> float: ...
    def render(self, start_s: float, period_s: float, count: int) -> npt.NDArray[np.complex64]: ...

@final
class Channel:
    def __new__(
        cls,
        sample_rate_hz: float,
        *,
        full_scale_dbm: float,
        noise_figure_db: float | None,
        iq_gain_db: float,
        iq_phase_deg: float,
        dc_offset_dbfs: float | None,
        quantisation_bits: int | None,
        gain_steps: list[tuple[float, float]],
        lost_samples: list[tuple[float, float, bool]],
        seed: int,
    ) -> Channel: ...
    def add(
        self,
        signal: Signal,
        *,
        time_s: float,
        offset_hz: float,
        level_dbm: float,
        drift_hz_per_s: float,
        clock_error_ppm: float,
        phase_rad: float,
        doppler_hz: float | None,
        rician_k_db: float | None,
        wander: str | None,
    ) -> None: ...
    def render(self, count: int) -> npt.NDArray[np.complex64]: ...

@final
class Scene:
    def __new__(cls, scene: str) -> Scene: ...
    @property
    def sample_rate_hz(self) -> float: ...
    @property
    def center_hz(self) -> float: ...
    @property
    def total_samples(self) -> int: ...
    @property
    def truth(self) -> str: ...
    def render(self, count: int) -> npt.NDArray[np.complex64]: ...

@final
class Subbands:
    def __new__(
        cls, iq: _Iq, sample_rate_hz: float, offset_hz: float, width_hz: float
    ) -> Subbands: ...
    @property
    def rate_hz(self) -> float: ...
    def samples(self) -> npt.NDArray[np.complex64]: ...
    def time_s(self) -> npt.NDArray[np.float64]: ...
    def frequency_hz(self) -> npt.NDArray[np.float64]: ...
    def detect(self, bit_rate: int, threshold: float) -> list[_Candidate]: ...
    def synchronize(
        self,
        candidate: _Candidate,
        bit_rate: int,
        threshold: float,
        max_drift_hz_per_s: float,
    ) -> list[_Hypothesis]: ...
    def down_convert(
        self,
        start_s: float,
        duration_s: float,
        *,
        time_s: float,
        frequency_hz: float,
        drift_hz_per_s: float,
        symbol_rate_hz: float,
        rate_hz: float,
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.complex128]]: ...
    def demodulate(
        self,
        frame_type: int,
        start_s: float,
        carrier: tuple[float, float, float],
        bit_rate: int,
        max_drift_hz_per_s: float,
    ) -> Burst: ...

@final
class Burst:
    @property
    def start_s(self) -> float: ...
    @property
    def symbol_s(self) -> float: ...
    @property
    def carrier(self) -> tuple[float, float, float]: ...
    @property
    def amplitude(self) -> float: ...
    @property
    def noise_variance(self) -> float: ...
    @property
    def es_over_n0(self) -> float: ...
    def symbols(self) -> npt.NDArray[np.complex128]: ...
    def weights(self) -> npt.NDArray[np.float32]: ...
    def measure(
        self, bitstream: bytes
    ) -> tuple[float, float, float, float, npt.NDArray[np.float64]]: ...
