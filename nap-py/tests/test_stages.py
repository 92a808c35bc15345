"""The receiver step by step, against what the generator of a recording says it holds."""

from __future__ import annotations

import csv
import json
from typing import Any

import nap_sdr
import numpy as np
import pytest
from conftest import RECORDINGS, ROOT, recording
from nap_sdr import stages, theory
from nap_sdr.simulation import Channel, Signal, modulate, simulate

KEY = "0123456789ABCDEF0123456789ABCDEF"


@pytest.fixture(scope="module")
def truth() -> Any:
    return json.loads((RECORDINGS / "rc1_two_uplinks.truth.json").read_text())


@pytest.fixture(scope="module")
def subbands() -> stages.Subbands:
    iq, info = nap_sdr.read(recording("rc1_two_uplinks"))
    assert info.center_hz is not None
    return stages.channelize(iq, info.sample_rate_hz, center_hz=info.center_hz)


def test_every_frame_is_found_step_by_step(subbands: stages.Subbands, truth: Any) -> None:
    candidates = subbands.detect(bit_rate=100)
    assert len(candidates) >= 6
    for message in truth["messages"]:
        for rank, sent in enumerate(message["frames"], 1):
            near = [
                candidate
                for candidate in candidates
                if abs(candidate.frequency_hz - sent["frequency_hz"]) < 20
                and abs(candidate.time_s - sent["time_s"] - 0.1) < 0.15
            ]
            found = [h for candidate in near for h in subbands.synchronize(candidate)]
            best = max(found, key=lambda hypothesis: hypothesis.correlation)
            assert best.rank == rank and best.correlation > 0.9
            burst = subbands.demodulate(best)
            decision = stages.decode_soft_symbols([burst])
            assert decision is not None and decision.index == 0
            assert decision.frame.payload == message["payload"]
            assert decision.frame.authenticate(message["key"])
            measured = burst.measure(decision.frame.bitstream)
            # The S2-LP turns the phase in the middle of a bit, half a symbol later than others.
            late_s = 0.005 if sent["shape"] == "s2lp" else 0.0
            assert measured.start_s == pytest.approx(sent["time_s"] + late_s, abs=5e-4)
            assert measured.carrier.frequency_hz == pytest.approx(sent["frequency_hz"], abs=1)
            full_scale_dbm = truth["full_scale_dbm"]
            assert measured.power_dbfs + full_scale_dbm == pytest.approx(sent["dbm"], abs=0.5)
            assert np.abs(measured.phase_rad).max() < 0.1


def test_a_decoded_message_leads_to_its_symbols(subbands: stages.Subbands) -> None:
    message = nap_sdr.decode_file(recording("rc1_two_uplinks"))[0]
    for frame in message.frames:
        burst = subbands.burst_of(message, frame)
        decision = stages.decode_soft_symbols([burst])
        assert decision is not None
        assert (decision.frame.payload, decision.frame.rank) == (message.payload, frame.rank)
        signs = stages.symbol_signs(decision.frame.bitstream)
        assert (burst.log_likelihood_ratios() * signs > 0).all()


def test_down_converted_symbols_are_those_of_the_demodulator(subbands: stages.Subbands) -> None:
    message = nap_sdr.decode_file(recording("rc1_two_uplinks"))[0]
    burst = subbands.burst_of(message)
    count = len(burst.symbols)
    time_s, samples = subbands.down_convert(
        burst.carrier, burst.start_s, (count + 0.5) / 100, samples_per_symbol=1
    )
    assert time_s[0] == pytest.approx(burst.start_s + 0.005)
    turned = samples[:count] / burst.symbols
    # One constant phase apart.
    assert np.ptp(np.unwrap(np.angle(turned))) < 0.2
    assert np.abs(turned) == pytest.approx(np.ones(count), abs=0.05)


def test_frames_decode_together_that_do_not_alone() -> None:
    frames = nap_sdr.Uplink("4D33DB", 7, b"joint decode").frames(KEY)
    types = [int(nap_sdr.parse_frame(frame).frame_type, 16) for frame in frames]
    soft = []
    for number, (frame, frame_type) in enumerate(zip(frames, types)):
        symbols = stages.symbol_signs(frame).astype(np.complex128)
        symbols[33 + number :: 3] = 0
        soft.append(stages.SoftSymbols(frame_type, symbols, 1.0, 0.05))
    assert stages.decode_soft_symbols(soft[:1]) is None
    decision = stages.decode_soft_symbols(soft)
    assert decision is not None and decision.frame.payload_bytes == b"joint decode"


def test_soft_symbols_that_cannot_be_are_refused() -> None:
    good = np.ones(209, np.complex128)
    for symbols in [good[:-1], np.full(209, np.nan, np.complex128), good[:0]]:
        with pytest.raises(nap_sdr.SampleError, match="209 symbols"):
            stages.decode_soft_symbols([stages.SoftSymbols(0x94C, symbols, 1.0, 0.1)])
    with pytest.raises(nap_sdr.ConfigurationError, match="frame type"):
        stages.decode_soft_symbols([stages.SoftSymbols(1, good, 1.0, 0.1)])
    assert stages.decode_soft_symbols([]) is None


def test_wrong_places_are_refused_or_empty(subbands: stages.Subbands) -> None:
    nowhere = stages.Carrier(1e6, 868e6)
    time_s, samples = subbands.down_convert(nowhere, 1e6, 1.0)
    assert not samples.any()
    with pytest.raises(nap_sdr.ConfigurationError, match="finite"):
        subbands.down_convert(nowhere, float("nan"), 1.0)
    with pytest.raises(nap_sdr.ConfigurationError, match="at most"):
        subbands.down_convert(nowhere, 0.0, 1e8)
    with pytest.raises(nap_sdr.ConfigurationError, match="100 or 600"):
        subbands.detect(bit_rate=50)
    candidate = stages.Candidate(1e8, 868e6, 10.0, 1e-9, 1e-15)
    assert subbands.synchronize(candidate) == []


def test_a_modulated_burst_decodes() -> None:
    bitstream = nap_sdr.Uplink("4D33DB", 416, "abad1dea").encode(KEY)
    for shape in ["rect", "hann", "s2lp"]:
        burst = modulate(
            bitstream, 250e3, shape=shape, offset_hz=12_345.6, drift_hz_per_s=10.0  # type: ignore[arg-type]
        )
        assert np.mean(np.abs(burst) ** 2) == pytest.approx(1, rel=0.02)
        noise = np.random.default_rng(1).normal(0, 3, (len(burst) + 500_000, 2))
        iq = noise.astype(np.float32).view(np.complex64)[:, 0]
        iq[250_000 : 250_000 + len(burst)] += burst
        (message,) = nap_sdr.decode(iq, 250e3, devices={"4D33DB": KEY})
        assert (message.payload, message.auth) == ("abad1dea", "verified")
        assert message.frequency_hz == pytest.approx(12_345.6, abs=1)
        assert message.drift_hz_per_s == pytest.approx(10, abs=2)
        assert message.time_s == pytest.approx(1, abs=0.01)


def test_the_channel_is_calibrated() -> None:
    channel = Channel(250e3, full_scale_dbm=-80, noise_figure_db=6, seed=3)
    power = np.mean(np.abs(channel.render(500_000)) ** 2)
    assert 10 * np.log10(power) - 80 == pytest.approx(-174 + 6 + 10 * np.log10(250e3), abs=0.05)
    quiet = Channel(250e3, noise_figure_db=None)
    quiet.add(Signal.tone(1.0), time_s=0.0, offset_hz=5e3, level_dbm=-100)
    tone = quiet.render(250_000)
    assert 10 * np.log10(np.mean(np.abs(tone) ** 2)) == pytest.approx(-20, abs=0.01)
    spectrum = nap_sdr.spectrogram(tone, 250e3, center_hz=868e6)
    column = spectrum.power_db[spectrum.power_db.shape[0] // 2]
    assert spectrum.frequency_hz[column.argmax()] == pytest.approx(868.005e6, abs=200)
    again = Channel(250e3, full_scale_dbm=-80, noise_figure_db=6, seed=3).render(1000)
    assert np.array_equal(again, Channel(250e3, noise_figure_db=6, seed=3).render(1000))
    with pytest.raises(nap_sdr.ConfigurationError, match="before the block"):
        quiet.add(Signal.lora(0.5), time_s=0.5, level_dbm=-100)


def test_a_carrier_wanders_and_a_path_fades() -> None:
    def tone(**keywords: Any) -> Any:
        channel = Channel(50e3, noise_figure_db=None, full_scale_dbm=-100, seed=4)
        channel.add(Signal.tone(1.0), time_s=0.0, level_dbm=-100, **keywords)
        return channel.render(50_000)

    settled = tone(wander={"settle": {"offset_hz": 60, "time_constant_s": 0.1}})
    frequency_hz = np.diff(np.unwrap(np.angle(settled))) * 50e3 / (2 * np.pi)
    time_s = (np.arange(49_998) + 0.5) / 50e3
    expected_hz = 60 * np.exp(-time_s / 0.1)
    assert np.allclose(frequency_hz[:49_998], expected_hz, atol=1)
    steady = tone(doppler_hz=20.0, rician_k_db=40.0)
    assert np.abs(steady[:49_000]).std() < 0.05
    assert np.abs(tone(doppler_hz=20.0)[:49_000]).std() > 0.1
    refused: list[tuple[dict[str, Any], str]] = [
        ({"wander": {"wobbles": 1}}, "unknown field `wobbles`"),
        ({"wander": {"line_width_hz": -1}}, "line_width_hz is -1"),
        ({"rician_k_db": 3.0}, "rician_k_db needs a doppler_hz"),
    ]
    for wrong, match in refused:
        with pytest.raises(nap_sdr.ConfigurationError, match=match):
            tone(**wrong)


def test_a_receiver_steps_its_gain_and_loses_samples() -> None:
    channel = Channel(
        50e3,
        noise_figure_db=None,
        full_scale_dbm=-100,
        gain_steps=[(0.5, -20.0)],
        lost_samples=[(0.1, 0.1, False), (0.3, 0.1, True)],
    )
    channel.add(Signal.tone(1.0), time_s=0.0, level_dbm=-100)
    envelope = np.abs(channel.render(44_000))
    assert np.allclose(envelope[2:10_000], 1)
    assert np.all(envelope[10_000:15_000] == 0)
    assert np.allclose(envelope[15_000:20_000], 1)
    assert np.allclose(envelope[20_000:], 0.1)


def test_a_rotated_burst_keeps_its_envelope() -> None:
    frame = nap_sdr.Uplink(1, 1, b"a").encode(KEY)
    signal = Signal.rotated_burst(frame, width_symbols=0.6)
    samples = signal.render(10e3, 10_000)
    assert np.allclose(np.abs(samples), 1, atol=1e-5)
    phase = np.unwrap(np.angle(samples))
    assert np.all(np.diff(phase) > -1e-3)
    assert phase[-1] / np.pi > 30
    with pytest.raises(nap_sdr.ConfigurationError, match="rotation.width_symbols is 2"):
        Signal.rotated_burst(frame, width_symbols=2)


def test_all_signals_have_mean_power_one() -> None:
    frame = nap_sdr.Uplink(1, 1, b"a").encode(KEY)
    for signal in [Signal.lora(0.5), Signal.fsk(0.1), Signal.tone(0.1), Signal.burst(frame)]:
        start_s, end_s = signal.support_s
        samples = signal.render(1e6, int((end_s - start_s) * 1e6), start_s)
        assert np.mean(np.abs(samples) ** 2) == pytest.approx(1, rel=0.01)
    impulses = Signal.impulses(0.5, width_s=1e-4, rate_hz=50)
    assert np.abs(impulses.render(1e6, 500_000)).max() >= 0.99
    impulses = Signal.impulses(0.5, width_s=1e-3, rate_hz=50, bandwidth_hz=1e6)
    noise = impulses.render(1e6, 500_000)
    assert np.mean(np.abs(noise[noise != 0]) ** 2) == pytest.approx(1, rel=0.05)
    with pytest.raises(nap_sdr.ConfigurationError, match="rect, hann or s2lp"):
        Signal.burst(frame, shape="round")  # type: ignore[arg-type]


def test_a_scene_is_that_of_the_command(nap: Any, tmp_path: Any) -> None:
    import subprocess

    path = tmp_path / "scene.toml"
    path.write_text(
        f'sample_rate_hz = 250_000\nduration_s = 3.0\nseed = 5\n[[device]]\nid = "FEDCBA98"\n'
        f'key = "{KEY}"\nlevel_dbm = -120\n[[device.message]]\ntime_s = 0.5\nframes = 1\n'
        'payload = "abad1dea"\n'
    )
    output = tmp_path / "out.sigmf-meta"
    command = [nap, "simulate", path, "-o", output, "--sample-format", "cf32"]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    expected, _ = nap_sdr.read(output)
    scene = simulate(path)
    assert np.array_equal(scene.iq, expected)
    assert scene.truth == json.loads((tmp_path / "out.truth.json").read_text())
    (message,) = nap_sdr.decode(
        scene.iq, scene.sample_rate_hz, center_hz=scene.center_hz, devices=scene.devices
    )
    assert (message.payload, message.auth) == ("abad1dea", "verified")
    assert KEY not in repr(scene) + repr(scene.devices)
    assert not np.array_equal(simulate(path, seed=6).iq, expected)


def test_a_wrong_scene_is_refused_without_its_keys(tmp_path: Any) -> None:
    path = tmp_path / "scene.toml"
    path.write_text(f'duration_s = 1.0\nkey = "{KEY}"\n')
    with pytest.raises(nap_sdr.ConfigurationError, match="scene.toml: .*key") as caught:
        simulate(path)
    assert KEY not in str(caught.value)
    path.write_text(f'key = "{KEY}"\nx = = 1\n')
    with pytest.raises(nap_sdr.ConfigurationError, match="line 2") as caught:
        simulate(path)
    assert KEY not in str(caught.value)


def test_the_theory_is_that_of_the_simulated_ideal_receivers() -> None:
    with open(ROOT / "docs" / "sensitivity" / "theory.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if (row["frames"], row["list"]) == ("1", "1")]
    checked = 0
    for row in rows:
        expected, db, bits = float(row["loss"]), float(row["eb_over_n0_db"]), int(row["unknown_bits"])
        if 0.02 < expected < 0.98:
            assert theory.coherent_loss(db, bits) == pytest.approx(expected, rel=0.2)
            checked += 1
    assert checked > 10
    # exp(-10) / 2 at 10 dB, 176 times.
    assert theory.differential_loss(10.0) == pytest.approx(176 * 0.5 * np.exp(-10), rel=0.01)
    assert theory.any_frame_loss(np.array([0.5]))[0] == pytest.approx(0.125)
