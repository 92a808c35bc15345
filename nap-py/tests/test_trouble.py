"""What is wrong is refused with the right exception, which says what to do; nothing crashes."""

from __future__ import annotations

import datetime as dt
import shutil
import signal
import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import nap_sdr
import numpy as np
import numpy.typing as npt
import pytest
from conftest import RECORDINGS, recording
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from nap_sdr import ConfigurationError, Receiver, SampleError

RATE_HZ = 250e3


def push(iq: Any) -> list[nap_sdr.Event]:
    with Receiver(RATE_HZ) as receiver:
        return receiver.push(iq)


@pytest.mark.parametrize(
    ("iq", "advice"),
    [
        ([0j, 1j], "NumPy array, not list"),
        (None, "NumPy array, not NoneType"),
        (np.zeros(8, np.float64), "dtype float64; pass complex64"),
        (np.zeros(8, np.float32), r"view\(numpy.complex64\)"),
        (np.zeros(8, ">c8"), "newbyteorder"),
        (np.zeros(8, np.int32), "dtype int32"),
        (np.zeros(8, bool), "dtype bool"),
        (np.array(["a"]), "dtype"),
        (np.array([object()]), "dtype object"),
    ],
)
def test_a_wrong_type_is_refused(iq: Any, advice: str) -> None:
    with pytest.raises(TypeError, match=advice):
        push(iq)
    with pytest.raises(TypeError, match=advice):
        nap_sdr.decode(iq, RATE_HZ)
    with pytest.raises(TypeError, match=advice):
        nap_sdr.spectrogram(iq, RATE_HZ)


@pytest.mark.parametrize(
    ("iq", "advice"),
    [
        (np.zeros((4, 2), np.complex64), "one channel at a time"),
        (np.zeros((), np.complex64), "shape"),
        (np.zeros((4, 3), np.int16), "shape"),
        (np.zeros((2, 4), np.int16), "shape"),
        (np.zeros(7, np.int16), "7 integers are not pairs"),
        (np.zeros(8, np.complex64)[::2], "not contiguous"),
        (np.zeros(8, np.complex64)[::-1], "not contiguous"),
        (np.zeros((2, 8), np.int16).T, "not contiguous"),
        (np.frombuffer(bytes(33), np.uint8)[1:].view(np.complex64), "aligned"),
    ],
)
def test_a_wrong_shape_or_layout_is_refused(iq: npt.NDArray[Any], advice: str) -> None:
    with pytest.raises(SampleError, match=advice):
        push(iq)
    with pytest.raises(ValueError, match=advice):
        nap_sdr.decode(iq, RATE_HZ)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf * 1j, 1e30])
def test_what_is_not_a_number_is_refused(bad: complex) -> None:
    iq = np.zeros(600_000, np.complex64)
    iq[300_000] = bad
    with pytest.raises(SampleError, match="samples are not finite.*large: 1,.*allow_nan=True"):
        nap_sdr.decode(iq, RATE_HZ)
    receiver = Receiver(RATE_HZ)
    with pytest.raises(SampleError):
        receiver.push(iq)
    assert receiver.closed
    assert nap_sdr.decode(iq, RATE_HZ, allow_nan=True) == []


def test_the_place_of_what_is_not_a_number_is_told() -> None:
    iq = np.zeros(600_000, np.complex64)
    iq[300_000] = np.nan
    with pytest.raises(SampleError, match="the first at about 300000;"):
        nap_sdr.decode(iq, RATE_HZ)


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        ({"sample_rate_hz": 2_999}, "too low: frames of 100 bit/s need 3000"),
        ({"sample_rate_hz": 11_999, "bit_rate": 600}, "too low: frames of 600 bit/s need 12000"),
        ({"sample_rate_hz": np.nan}, "sample rate"),
        ({"sample_rate_hz": -1.0}, "too low"),
        ({"sample_rate_hz": 1e12}, "1 GS/s"),
        ({"center_hz": 433.92e6}, "no radio configuration.*channel_center_hz"),
        ({"center_hz": 868e6, "radio_configuration": "RC1"}, "outside the sampled band"),
        ({"radio_configuration": "RC1"}, "without center_hz"),
        ({"radio_configuration": "RC8", "center_hz": 868.13e6}, "give RC1, RC2"),
        ({"bit_rate": 300}, "100 or 600"),
        ({"bit_rate": "fast"}, "100 or 600"),
        ({"false_messages_per_day": -1.0}, "false_messages_per_day"),
        ({"max_drift_hz_per_s": np.inf}, "max_drift_hz_per_s"),
        ({"start": "yesterday"}, "2026-11-23T06:16:00Z"),
        ({"start": dt.datetime(2026, 11, 23)}, "has no time zone; give one"),
        ({"devices": {"1": "00"}}, "a key has 32"),
        ({"devices": {"123456789": None}}, "1 to 8"),
    ],
)
def test_a_wrong_setting_is_refused(settings: dict[str, Any], advice: str) -> None:
    with pytest.raises(ConfigurationError, match=advice):
        Receiver(**{"sample_rate_hz": RATE_HZ, **settings})


def test_a_closed_receiver_says_so() -> None:
    receiver = Receiver(RATE_HZ)
    receiver.close()
    receiver.close()
    with pytest.raises(nap_sdr.ClosedError, match="closed; make a new one"):
        receiver.push(np.zeros(4, np.complex64))
    with pytest.raises(nap_sdr.ClosedError, match="closed; make a new one"):
        receiver.flush()
    assert "closed" in repr(receiver)


def test_missing_and_broken_recordings(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        nap_sdr.decode_file(tmp_path / "none.sigmf-meta")
    (tmp_path / "x.bin").write_bytes(bytes(100))
    with pytest.raises(nap_sdr.RecordingError, match="sample format"):
        nap_sdr.decode_file(tmp_path / "x.bin")
    with pytest.raises(ConfigurationError, match="cs17"):
        nap_sdr.decode_file(tmp_path / "x.bin", sample_format="cs17")
    with pytest.raises(ConfigurationError, match="offset_s"):
        nap_sdr.decode_file(recording("rc2_minus112dbm"), offset_s=1e6)
    with pytest.raises(ConfigurationError, match="duration_s"):
        nap_sdr.decode_file(recording("rc2_minus112dbm"), duration_s=float("nan"))


def test_a_recording_cut_short_is_decoded_as_far_as_it_goes(tmp_path: Path) -> None:
    for suffix in ["sigmf-meta", "sigmf-data"]:
        shutil.copy(RECORDINGS / f"rc1_two_uplinks.{suffix}", tmp_path)
    data = tmp_path / "rc1_two_uplinks.sigmf-data"
    whole = data.read_bytes()
    data.write_bytes(whole[: len(whole) * 2 // 3 + 1])
    with pytest.warns(nap_sdr.RecordingWarning):
        messages = nap_sdr.decode_file(tmp_path / "rc1_two_uplinks.sigmf-meta")
    assert {message.device_id for message in messages} == {"258E05CA", "38DFD2F3"}


@pytest.fixture
def interrupts() -> Iterator[None]:
    """Interrupts raise, though a shell may have this process ignore them, as it does in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupts")
def test_an_interrupt_stops_a_long_call() -> None:
    iq = np.zeros(250_000_000, np.complex64)
    calls: list[Callable[[], object]] = [
        lambda: nap_sdr.decode(iq, RATE_HZ),
        lambda: Receiver(RATE_HZ).push(iq),
    ]
    for call in calls:
        timer = threading.Timer(0.3, lambda: signal.raise_signal(signal.SIGINT))
        timer.start()
        start = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            call()
        # All of it would take half a minute.
        assert time.monotonic() - start < 3
        timer.join()


def test_progress_is_told() -> None:
    iq = np.zeros(600_000, np.complex64)
    told: list[tuple[int, Any]] = []
    nap_sdr.decode(iq, RATE_HZ, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (600_000, 600_000) and len(told) == 3
    pairs = np.zeros(1_200_000, np.int16)
    told.clear()
    nap_sdr.decode(pairs, RATE_HZ, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (600_000, 600_000) and len(told) == 3
    nap_sdr.decode(iq, RATE_HZ, progress=True)


def test_a_callback_that_raises_ends_the_call() -> None:
    def stop(done: int, total: Any) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        nap_sdr.decode(np.zeros(600_000, np.complex64), RATE_HZ, progress=stop)


def test_threads_share_receivers_and_run_at_once() -> None:
    iq, info = nap_sdr.read(recording("rc2_minus112dbm"))
    expected = nap_sdr.decode(iq, info.sample_rate_hz)
    found: list[nap_sdr.MessageList] = []
    shared = Receiver(info.sample_rate_hz)

    def work() -> None:
        found.append(nap_sdr.decode(iq, info.sample_rate_hz))
        shared.push(iq)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4
    assert shared.statistics["samples"] == 4 * len(iq)


dtypes = st.sampled_from(
    [np.complex64, np.complex128, np.int8, np.uint8, np.int16, np.uint16, np.float32, np.int64]
).map(np.dtype)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(dtypes.flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(max_dims=3, max_side=9))))
def test_any_array_is_taken_or_refused(iq: npt.NDArray[Any]) -> None:
    try:
        assert push(iq) == []
    except (TypeError, SampleError) as error:
        assert len(str(error)) > 20


numbers = st.floats() | st.sampled_from([0.0, 250e3, 868.13e6, 1e-300, 1e300, -1.0])


@settings(max_examples=80, deadline=None, derandomize=True)
@given(numbers, st.none() | numbers, st.none() | numbers, st.none() | numbers, numbers, numbers)
def test_any_setting_is_taken_or_refused(
    rate_hz: float,
    center_hz: Any,
    channel_center_hz: Any,
    full_scale_dbm: Any,
    false_messages: float,
    drift: float,
) -> None:
    # Rates of gigasamples need filters of megabytes, which takes time but nothing else.
    if 10e6 < rate_hz < 1.1e9:
        return
    try:
        receiver = Receiver(
            rate_hz,
            center_hz,
            channel_center_hz=channel_center_hz,
            full_scale_dbm=full_scale_dbm,
            false_messages_per_day=false_messages,
            max_drift_hz_per_s=drift,
        )
    except ConfigurationError as error:
        assert len(str(error)) > 20
    else:
        receiver.push(np.zeros(1000, np.complex64))
        receiver.flush()


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.binary(max_size=40) | st.text("0123456789abcdefAAA", max_size=52))
def test_any_bitstream_is_taken_or_refused(bitstream: Any) -> None:
    try:
        nap_sdr.parse_frame(bitstream)
    except ValueError as error:
        assert str(error)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.dictionaries(
        st.sampled_from(["sample_rate_hz", "duration_s", "seed", "device", "noise_figure_db"]),
        numbers | st.integers() | st.text(max_size=3) | st.none() | st.lists(st.none()),
    )
)
def test_any_scene_is_taken_or_refused(scene: dict[str, Any]) -> None:
    duration = scene.get("duration_s")
    if isinstance(duration, (int, float)) and 1 < duration <= 1e7:
        return
    try:
        nap_sdr.simulate(scene)
    except (ConfigurationError, ValueError) as error:
        assert str(error)


small = st.integers(-2, 70_000) | st.just(1 << 60)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(numbers, numbers, numbers, numbers, small, small)
def test_any_spectrogram_is_made_or_refused(
    rate_hz: float, width_hz: float, resolution_hz: float, step_s: float, rows: int, columns: int
) -> None:
    try:
        spectrum = nap_sdr.spectrogram(
            np.ones(3000, np.complex64),
            rate_hz,
            width_hz=width_hz,
            resolution_hz=resolution_hz,
            time_step_s=step_s,
            max_rows=rows,
            max_columns=columns,
        )
        assert spectrum.power_db.shape == (len(spectrum.time_s), len(spectrum.frequency_hz))
    except (ConfigurationError, OverflowError) as error:
        assert str(error)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.sampled_from(["burst", "tone", "lora", "fsk", "impulses"]), numbers, numbers, numbers, numbers
)
def test_any_signal_is_sent_or_refused(
    kind: str, a: float, b: float, time_s: float, level_dbm: float
) -> None:
    makers: dict[str, Callable[[], nap_sdr.Signal]] = {
        "burst": lambda: nap_sdr.Signal.burst(b"abc", a),
        "tone": lambda: nap_sdr.Signal.tone(a),
        "lora": lambda: nap_sdr.Signal.lora(a, bandwidth_hz=b),
        "fsk": lambda: nap_sdr.Signal.fsk(a, bit_rate_hz=b),
        "impulses": lambda: nap_sdr.Signal.impulses(a, width_s=b),
    }
    try:
        signal = makers[kind]()
        channel = nap_sdr.Channel(250e3, noise_figure_db=None)
        channel.add(signal, time_s=time_s, offset_hz=b, level_dbm=level_dbm)
        assert channel.render(100).shape == (100,)
    except ConfigurationError as error:
        assert len(str(error)) > 20


@settings(max_examples=60, deadline=None, derandomize=True)
@given(numbers, numbers, numbers, st.integers(0, 9000), st.sampled_from([100, 600, 7]))
def test_any_place_is_looked_at_or_refused(
    time_s: float, frequency_hz: float, drift: float, frame_type: int, bit_rate: int
) -> None:
    noise = np.random.default_rng(1).normal(size=(250_000, 2)).astype(np.float32)
    subbands = nap_sdr.stages.channelize(noise.view(np.complex64)[:, 0].copy(), RATE_HZ)
    carrier = nap_sdr.stages.Carrier(time_s, frequency_hz, drift)
    candidate = nap_sdr.stages.Candidate(time_s, frequency_hz, drift, drift, abs(drift))
    hypothesis = nap_sdr.stages.Hypothesis(frame_type, 1, "", time_s, carrier, 1.0, 1.0)
    calls: list[Callable[[], object]] = [
        lambda: subbands.down_convert(carrier, time_s, 0.1, bit_rate=bit_rate),
        lambda: subbands.synchronize(candidate, bit_rate=bit_rate),
        lambda: subbands.demodulate(hypothesis, bit_rate=bit_rate),
        lambda: nap_sdr.modulate(b"abc", RATE_HZ, offset_hz=frequency_hz, drift_hz_per_s=drift),
    ]
    for call in calls:
        try:
            with np.errstate(all="ignore"):
                call()
        except ConfigurationError as error:
            assert str(error)


def test_too_much_at_once_is_refused() -> None:
    with pytest.raises(MemoryError, match="ask for fewer"):
        nap_sdr.Channel(250e3).render(1 << 60)
    opened = nap_sdr.Recording(recording("rc2_minus112dbm"))
    assert len(opened.read(1 << 60)) == opened.total_samples
    with pytest.raises(ConfigurationError, match="raise bit_rate"):
        nap_sdr.modulate(b"abc", 250e3, bit_rate=1e-30)
