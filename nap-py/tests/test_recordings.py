"""Recordings that are open, in every way of giving them, and bands that hold a part of a channel."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import nap_sdr
import numpy as np
import pytest
import sigmf  # type: ignore[import-untyped]
from conftest import RECORDINGS, metadata, recording, retuned
from nap_sdr import ConfigurationError, Recording, RecordingWarning, stages

NAME = "rc1_two_uplinks"


def test_a_recording_closes() -> None:
    with Recording(recording(NAME)) as opened:
        assert len(opened.read(1000)) == 1000 and not opened.closed
        assert (opened.position, opened.samples_left) == (1000, 2_249_000)
    assert opened.closed and repr(opened).endswith(", closed>")
    opened.close()
    assert opened.sample_rate_hz == 250e3
    for use in [lambda: opened.read(1), lambda: opened.skip(1)]:
        with pytest.raises(nap_sdr.ClosedError, match="the recording is closed"):
            use()
    _, known = nap_sdr.read(recording(NAME))
    assert known.closed and known.center_hz == 868.13e6
    with pytest.raises(nap_sdr.ClosedError, match="the recording is closed; open it, or use decode_f"):
        nap_sdr.decode(known)


def test_decode_takes_what_is_open() -> None:
    expected = nap_sdr.decode_file(recording(NAME))
    iq, info = nap_sdr.read(recording(NAME))
    assert nap_sdr.decode(iq, info.sample_rate_hz, info.center_hz) == expected
    with Recording(recording(NAME)) as opened:
        assert nap_sdr.decode(opened) == expected
    assert nap_sdr.decode(sigmf.sigmffile.fromfile(recording(NAME))) == expected


def test_times_count_from_the_start_of_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "x.sigmf-meta"
    meta = metadata("rc2_minus112dbm")
    meta["captures"][0]["core:datetime"] = "2026-11-23T06:15:58.888889Z"
    path.write_text(json.dumps(meta))
    shutil.copy(RECORDINGS / "rc2_minus112dbm.sigmf-data", tmp_path / "x.sigmf-data")
    expected = nap_sdr.decode_file(path)
    with Recording(path) as opened:
        opened.skip(10_001)
        found = nap_sdr.decode(opened)
    assert [one.payload for one in found] == [one.payload for one in expected]
    for one, other in zip(found, expected):
        assert one.time_s == pytest.approx(other.time_s, abs=1e-4)
        assert one.datetime is not None and other.datetime is not None
        assert abs((one.datetime - other.datetime).total_seconds()) < 1e-4


def test_a_time_without_a_zone_is_utc_in_sigmf() -> None:
    opened = sigmf.sigmffile.fromfile(recording(NAME))
    opened.get_captures()[0]["core:datetime"] = "2026-11-23T06:15:58.5"
    for message in nap_sdr.decode(opened):
        assert message.time is not None and message.time.startswith("2026-11-23T06:")


def test_what_decode_cannot_take_is_said() -> None:
    wrong: Any
    for wrong in [str(recording(NAME)), recording(NAME)]:
        with pytest.raises(TypeError, match="there is decode_file"):
            nap_sdr.decode(wrong)
    with pytest.raises(TypeError, match="needs sample_rate_hz"):
        nap_sdr.decode(np.zeros(1000, np.complex64))
    retuned = sigmf.sigmffile.fromfile(recording(NAME))
    retuned.add_capture(1_000_000, {"core:frequency": 868.2e6})
    with pytest.raises(ConfigurationError, match="several frequencies"):
        nap_sdr.decode(retuned)


def test_several_files() -> None:
    paths = [recording("rc2_minus112dbm"), recording(NAME)]
    found = nap_sdr.decode_files(paths, threads=1)
    expected = {str(path): nap_sdr.decode_file(path) for path in paths}
    assert found == {
        path: [replace(message, recording=path) for message in messages]
        for path, messages in expected.items()
    }
    assert list(found) == [str(path) for path in paths]
    with pytest.raises(TypeError, match="there is decode_file"):
        nap_sdr.decode_files(str(paths[0]))


def test_each_part_of_a_retuned_recording_has_its_own_centre(tmp_path: Path) -> None:
    path = retuned(tmp_path)
    once = nap_sdr.decode_file(recording(NAME))
    with pytest.warns(RecordingWarning) as told:
        found = nap_sdr.decode_file(path)
    assert "the part from 23.000 s on is left out: " in str(told[-1].message)
    assert [one.payload for one in found] == [one.payload for one in once] * 2
    for one, other in zip(found[2:], once):
        assert one.frequency_hz == pytest.approx(other.frequency_hz + 10e3, abs=1)
        assert one.time_s == pytest.approx(other.time_s + 14.0, abs=1e-4)
    assert [one.message_id for one in found] == [1, 2, 3, 4]
    with pytest.warns(RecordingWarning), Recording(path) as opened:
        parts = [(one.first_sample, one.samples, one.center_hz) for one in opened.stretches]
        assert parts[:2] == [(0, 2_250_000, 868.13e6), (2_250_000, 2_250_000, 868.14e6)]
        assert opened.stretches[1].start == "2026-11-23T06:00:14Z"
        assert nap_sdr.decode(opened) == found
        assert (opened.samples_left, len(opened.read(1)), nap_sdr.decode(opened)) == (0, 0, [])
    with pytest.warns(RecordingWarning), Recording(path) as opened:
        with pytest.raises(ConfigurationError, match="center_hz cannot be told here"):
            nap_sdr.decode(opened, center_hz=868.2e6)


def test_what_the_user_says_of_a_recording(tmp_path: Path) -> None:
    expected = nap_sdr.decode_file(recording(NAME))
    iq, info = nap_sdr.read(recording(NAME))
    start = dt.datetime(2026, 11, 23, 6, 0, tzinfo=dt.timezone.utc)
    (message, _) = nap_sdr.decode_file(recording(NAME), start_time=start, ppm=1.0)
    assert message.time is not None and message.time.startswith("2026-11-23T06:00:0")
    assert message.frequency_hz == pytest.approx(expected[0].frequency_hz + 868.13, abs=1)
    (again, _) = nap_sdr.decode(iq, 250e3, 868.13e6, start=start, ppm=1.0)
    assert again == message
    with Recording(recording(NAME), ppm=-2.0) as opened:
        assert opened.sample_rate_hz == pytest.approx(250e3 - 0.5)
    with pytest.raises(ConfigurationError, match="ppm is 5000"):
        Recording(recording(NAME), ppm=5e3)
    with pytest.raises(ConfigurationError, match="has no time zone"):
        Recording(recording(NAME), start_time=dt.datetime(2026, 11, 23))


def test_recordings_in_several_files(tmp_path: Path) -> None:
    iq, info = nap_sdr.read(recording(NAME))
    expected = nap_sdr.decode_file(recording(NAME))
    cut = int(250e3 * (expected[0].time_s + 1))
    paths = [tmp_path / f"x_868.13M_250k_{number}.cf32" for number in (1, 2)]
    for path, part in zip(paths, (iq[:cut], iq[cut:])):
        part.tofile(path)
    payloads = [one.payload for one in expected]
    assert [one.payload for one in nap_sdr.decode_file(paths)] == payloads
    with Recording(paths) as opened:
        assert opened.total_samples == len(iq)
    found = nap_sdr.decode_files(reversed(paths), join=True)
    assert {path: [one.payload for one in found[path]] for path in found} == {
        str(paths[0]): payloads
    }
    assert list(nap_sdr.decode_files(paths)) == [str(path) for path in paths]
    with pytest.raises(ConfigurationError, match="a file at least"):
        Recording([])


def test_names_of_devices_and_recordings_are_columns(tmp_path: Path) -> None:
    once = nap_sdr.decode_file(recording(NAME))
    named = nap_sdr.Device(once[0].device_id, name="barn")
    found = nap_sdr.decode_files([recording(NAME)], devices=[named])[str(recording(NAME))]
    table = found.to_dataframe()
    assert list(table["device_name"]) == ["barn", None]
    assert list(table["recording"]) == [str(recording(NAME))] * 2
    assert "barn" in found._repr_html_()
    iq, _ = nap_sdr.read(recording(NAME))
    assert nap_sdr.decode(iq, 250e3, 868.13e6, devices=[named])[0].device_name == "barn"


def test_a_mirrored_spectrum_is_turned_round(tmp_path: Path) -> None:
    iq, info = nap_sdr.read(recording(NAME))
    expected = nap_sdr.decode_file(recording(NAME))
    mirrored = np.ascontiguousarray(iq.imag + 1j * iq.real, np.complex64)
    assert nap_sdr.decode(mirrored, 250e3, 868.13e6, swap_iq=True) == expected
    path = tmp_path / "x_868.13M_250k.cf32"
    mirrored.tofile(path)
    assert nap_sdr.decode_file(path, swap_iq=True) == expected
    # The channel is in the middle: messages are heard there too, on the other side of it.
    wrong = {one.payload: one.frequency_hz for one in nap_sdr.decode_file(path)}
    for message in expected:
        assert wrong[message.payload] == pytest.approx(2 * 868.13e6 - message.frequency_hz, abs=2)


def narrow(rate_hz: float, center_hz: float, bit_rate: int) -> nap_sdr.simulation.SimulatedRecording:
    """A message just above the centre."""
    message = {"time_s": 0.5, "payload": "c0ffee", "frequencies_hz": [center_hz + 200.0] * 3}
    device = {"id": "4D33DB", "key": "00112233445566778899AABBCCDDEEFF", "level_dbm": -110}
    return nap_sdr.simulate(
        {
            "sample_rate_hz": rate_hz,
            "center_hz": center_hz,
            "duration_s": 8.0,
            "device": [{**device, "bit_rate": bit_rate, "message": [message]}],
        }
    )


@pytest.mark.parametrize(("rate_hz", "bit_rate"), [(3e3, 100), (7350.0, 100), (12e3, 600)])
def test_a_part_of_a_channel_is_received(rate_hz: float, bit_rate: int, tmp_path: Path) -> None:
    scene = narrow(rate_hz, 868.1e6, bit_rate)
    (message,) = nap_sdr.decode(scene.iq, rate_hz, 868.1e6)
    assert (message.payload, len(message.frames), message.bit_rate) == ("c0ffee", 3, bit_rate)
    path = tmp_path / f"x_868.1M_{rate_hz:.0f}.cf32"
    scene.iq.tofile(path)
    with pytest.warns(RecordingWarning, match="MHz are heard, .* of the channel's 192 kHz"):
        (again,) = nap_sdr.decode_file(path, sample_rate_hz=rate_hz)
    assert again.payload == message.payload
    receiver = nap_sdr.Receiver(rate_hz, 868.1e6)
    low_hz, high_hz = receiver.heard_hz
    assert high_hz - low_hz == pytest.approx(rate_hz)
    assert receiver.heard_share == pytest.approx(rate_hz / 192e3)
    assert "of the channel" in repr(receiver)
    assert nap_sdr.Receiver(250e3, 868.13e6).heard_share == 1
    subbands = stages.channelize(scene.iq, rate_hz, center_hz=868.1e6)
    burst = subbands.burst_of(message)
    decision = stages.decode_soft_symbols([burst])
    assert decision is not None and decision.frame.payload == message.payload
    spectrum = nap_sdr.spectrogram(scene.iq, rate_hz, center_hz=868.1e6)
    assert spectrum.extent[1] - spectrum.extent[0] == pytest.approx(rate_hz, rel=0.05)
