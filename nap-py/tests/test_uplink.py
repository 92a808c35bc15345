"""Frames of the official end-point library and of a real device, encoded and taken apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nap_sdr
import pytest
from conftest import FIXTURES, run_nap
from nap_sdr import RadioConfiguration, Uplink, parse_frame


def vectors(name: str) -> list[dict[str, Any]]:
    lines = (FIXTURES / "vectors" / name).read_text().splitlines()
    return [json.loads(line) for line in lines if line]


def test_frames_are_those_of_the_official_library() -> None:
    checked = 0
    for vector in vectors("uplink.jsonl"):
        uplink = Uplink(**uplink_fields(vector))
        frames = uplink.frames(vector["key"])
        expected = [bytes.fromhex(frame) for frame in frames_of(vector)]
        assert frames[: len(expected)] == expected
        for rank, bitstream in enumerate(expected, 1):
            frame = parse_frame(bitstream, key=vector["key"])
            assert (frame.rank, frame.crc_ok, frame.auth) == (rank, True, "verified")
            assert Uplink.of(frame) == uplink
            assert frame.authenticate(vector["key"])
            assert not frame.authenticate(bytes(16))
            checked += 1
    assert checked > 500


def uplink_fields(vector: dict[str, Any]) -> dict[str, Any]:
    names = Uplink.__dataclass_fields__
    fields = {name: value for name, value in vector.items() if name in names and value is not None}
    if vector["kind"] == "dl_confirmation":
        fields["rssi_dbm_at_device"] = vector["rssi_dbm"]
    return fields


def frames_of(vector: dict[str, Any]) -> list[str]:
    frames = vector["frames"]
    return [frame if isinstance(frame, str) else frame["bitstream"] for frame in frames if frame]


def test_a_frame_has_the_fields_that_the_command_writes(nap: Path) -> None:
    digits = "aaaaa35f012398badcfe40414243eeb999e6"
    (expected,) = run_nap(nap, "frame", digits)
    assert parse_frame(digits).to_dict() == expected


@pytest.mark.parametrize(
    ("digits", "problem"),
    [
        ("", "this one has 0"),
        ("aaaaa3", "this one has 3"),
        ("0000a35f012398badcfe40414243eeb999e6", "starts with"),
        ("aaaaaaaa012398badcfe40414243eeb999e6", "not a frame type"),
        ("aaaaa35f012398badcfe40414243eeb999", "bytes"),
    ],
)
def test_what_is_no_frame_is_refused(digits: str, problem: str) -> None:
    with pytest.raises(nap_sdr.FrameError, match=problem):
        parse_frame(digits)


def test_a_wrong_check_sum_is_told() -> None:
    frame = parse_frame("aaaaa35f012398badcfe40414243eeb999e7")
    assert (frame.crc_ok, frame.crc, frame.device_id) == (False, "99e7", "FEDCBA98")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"sequence_number": 4096}, "0 to 4095"),
        ({"sequence_number": -1}, "-1"),
        ({"payload": b""}, "1 to 12 bytes"),
        ({"payload": bytes(13)}, "1 to 12 bytes"),
        ({"payload": "abc"}, "3 digits"),
        ({"payload": b"", "kind": "empty", "voltage_idle_mv": 3000}, "cannot carry"),
        ({"payload": b"", "kind": "keep_alive"}, "needs the field"),
        ({"kind": "other"}, "other"),
        ({"device_id": "xyz"}, "device id"),
        ({"device_id": 1 << 32}, "device id"),
    ],
)
def test_what_cannot_be_sent_is_refused(fields: dict[str, Any], problem: str) -> None:
    good: dict[str, Any] = {"device_id": 1, "sequence_number": 1, "payload": b"a"}
    with pytest.raises(nap_sdr.ConfigurationError, match=problem):
        Uplink(**{**good, **fields})


def test_a_rank_is_one_to_three() -> None:
    with pytest.raises(nap_sdr.ConfigurationError, match="1, 2 or 3"):
        Uplink(1, 1, b"a").encode(bytes(16), 4)


def test_radio_configurations() -> None:
    names = [configuration.name for configuration in RadioConfiguration.all()]
    assert names == ["RC1", "RC2", "RC3_LBT", "RC3_LDC", "RC4", "RC5", "RC6", "RC7"]
    rc1 = RadioConfiguration.named("rc1")
    assert (rc1.uplink_center_hz, rc1.bit_rates) == (868_130_000, (100, 600))
    assert rc1.covers(868.226e6) and not rc1.covers(868.2261e6)
    # A pair that was measured on a real network.
    assert rc1.downlink_frequency_hz(868.2e6) == 869.595e6
    with pytest.raises(KeyError, match="RC1, RC2"):
        RadioConfiguration.named("RC8")


def test_text_that_is_no_bitstream_is_a_frame_error() -> None:
    for text in ["zz", "aaa", "0x", "", "aaaaa35f01zz"]:
        with pytest.raises(nap_sdr.FrameError):
            parse_frame(text)
    with pytest.raises(nap_sdr.FrameError, match="hexadecimal digits, two for each byte"):
        parse_frame("zz")
    plain = parse_frame("aaaaa35f012398badcfe40414243eeb999e6")
    assert parse_frame("0xAAAA A35F 0123 98BA DCFE 4041 4243 EEB9 99E6") == plain
