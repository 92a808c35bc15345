"""The same messages as `nap decode`, from files and arrays of every type."""

from __future__ import annotations

import inspect
import json
import os
from pathlib import Path
from typing import Any, Callable, cast

import nap_sdr
import numpy as np
import numpy.typing as npt
import pytest
from conftest import (
    NAMES, RECORDINGS, center_hz, memory_map, recording, run_nap, sample_rate_hz,
)
from nap_sdr._options import ReceiverOptions, RecordingOptions
from nap_sdr.dask import decode_files

DEVICES = RECORDINGS / "rc1_two_uplinks.devices.csv"


@pytest.mark.parametrize("name", NAMES)
def test_a_file_gives_what_the_command_writes(nap: Path, name: str) -> None:
    arguments = ["--devices", DEVICES, "--full-scale-dbm", "-60"]
    expected = run_nap(nap, "decode", recording(name), "--format", "json", *arguments)
    messages = nap_sdr.decode_file(recording(name), devices=DEVICES, full_scale_dbm=-60)
    assert len(messages) > 0
    # The command writes in the order of starts, and knows what devices are called.
    found = [message.to_dict() for message in sorted(messages, key=lambda one: one.time_s)]
    names = {"258E05CA": "S2-LP pulses", "38DFD2F3": "rectangular pulses"}
    for record in found:
        if record["device_id"] in names:
            record["device_name"] = names[record["device_id"]]
    assert found == expected


def test_a_part_of_a_file_gives_what_the_command_writes(nap: Path) -> None:
    path = recording("rc1_all_kinds")
    arguments = ["--start", "2.5", "--duration", "7.25", "--bit-rate", "100"]
    expected = run_nap(nap, "decode", path, "--format", "json", *arguments)
    messages = nap_sdr.decode_file(path, offset_s=2.5, duration_s=7.25, bit_rate=100)
    assert len(messages) > 0
    assert [message.to_dict() for message in messages] == expected


def identities(messages: nap_sdr.MessageList) -> list[tuple[str, int, str, str]]:
    return [(m.device_id, m.sequence_number, m.kind, m.payload) for m in messages]


def decode(name: str, iq: npt.NDArray[Any]) -> nap_sdr.MessageList:
    return nap_sdr.decode(iq, sample_rate_hz(name), center_hz=center_hz(name))


@pytest.mark.parametrize("name", ["rc1_two_uplinks", "rc2_minus112dbm"])
def test_every_type_of_array_gives_the_same_messages(name: str) -> None:
    expected = [message.to_dict() for message in nap_sdr.decode_file(recording(name))]
    complex64, _ = nap_sdr.read(recording(name))
    stored = memory_map(name)
    assert isinstance(stored, np.memmap)
    # Eight bits are sixteen of which the lower half is zero.
    int16 = stored.astype(np.int16) * (256 if stored.dtype == np.int8 else 1)
    arrays: list[npt.NDArray[Any]] = [
        complex64,
        complex64.astype(np.complex128),
        stored,
        stored.reshape(-1, 2),
        int16,
        int16.reshape(-1, 2),
    ]
    for iq in arrays:
        assert [message.to_dict() for message in decode(name, iq)] == expected, iq.dtype


@pytest.mark.parametrize("name", NAMES)
def test_messages_are_counted(name: str) -> None:
    ids = [message.message_id for message in nap_sdr.decode_file(recording(name))]
    assert ids == list(range(1, len(ids) + 1))


def test_any_number_of_threads_gives_the_same_messages() -> None:
    expected = nap_sdr.decode_file(recording("rc1_all_kinds"), threads=1)
    assert nap_sdr.decode_file(recording("rc1_all_kinds"), threads=3) == expected


def test_several_channels_at_once() -> None:
    """Two channels that overlap: each message once, of the channel whose middle is nearer."""
    centers_hz = [868.115e6, 868.145e6]
    messages = nap_sdr.decode_file(recording("rc1_all_kinds"), channel_center_hz=centers_hz)
    expected = nap_sdr.decode_file(recording("rc1_all_kinds"))
    assert sorted(identities(messages)) == sorted(identities(expected))
    for message in messages:
        assert message.radio_configuration is None
        mean_hz = sum(frame.frequency_hz for frame in message.frames) / len(message.frames)
        assert message.channel_center_hz == min(centers_hz, key=lambda hz: abs(hz - mean_hz))
    with pytest.raises(nap_sdr.ConfigurationError, match="chosen twice"):
        nap_sdr.decode_file(recording("rc1_all_kinds"), radio_configuration=["RC1", "RC1"])


def test_unsigned_integers_give_the_same_messages() -> None:
    expected = identities(nap_sdr.decode_file(recording("rc2_minus112dbm")))
    int8 = memory_map("rc2_minus112dbm").astype(np.int16)
    uint8 = (int8 + 128).astype(np.uint8)
    assert identities(decode("rc2_minus112dbm", uint8)) == expected
    uint16 = (int8.astype(np.int32) * 256 + 32768).astype(np.uint16)
    assert identities(decode("rc2_minus112dbm", uint16)) == expected


def test_eight_bits_give_the_same_messages() -> None:
    name = "rc1_two_uplinks"
    expected = identities(nap_sdr.decode_file(recording(name)))
    # 48 dB over the noise: eight bits after some gain hold it all.
    gained = np.clip(memory_map(name).astype(np.int32) // 8, -128, 127)
    int8 = gained.astype(np.int8)
    uint8 = (gained + 128).astype(np.uint8)
    assert identities(decode(name, int8)) == expected
    assert identities(decode(name, int8.reshape(-1, 2))) == expected
    assert identities(decode(name, uint8)) == expected


@pytest.mark.parametrize("name", NAMES)
def test_memory_maps_hold_what_the_generator_sent(name: str) -> None:
    truth = json.loads((RECORDINGS / f"{name}.truth.json").read_text())
    sent = [message for message in truth["messages"] if message["kind"] == "bytes"]
    iq = memory_map(name)
    assert isinstance(iq, np.memmap)
    devices = {message["device_id"]: message["key"] for message in truth["messages"]}
    found = nap_sdr.decode(
        iq, sample_rate_hz(name), center_hz=center_hz(name), devices=devices
    )
    expected = {(m["device_id"], m["sequence_number"], m["payload"]) for m in sent}
    verified = [message for message in found if message.auth == "verified"]
    assert expected <= {(m.device_id, m.sequence_number, m.payload) for m in verified}
    assert len(verified) == len(truth["messages"]) == len(found)


LOCAL = os.environ.get("NAP_LOCAL_RECORDINGS", "")


@pytest.mark.skipif(
    not Path(LOCAL, "real_burst_rc1.sigmf-meta").is_file(),
    reason="no real_burst_rc1 in NAP_LOCAL_RECORDINGS",
)
def test_a_real_burst_decodes_from_a_memory_map(nap: Path) -> None:
    path = Path(LOCAL, "real_burst_rc1.sigmf-meta")
    (expected,) = run_nap(nap, "decode", path, "--format", "json")
    meta = json.loads(path.read_text())
    dtype: Any = {"ci16_le": "<i2", "ci8": "i1", "cf32_le": "<c8", "cu8": "u1"}[
        meta["global"]["core:datatype"]
    ]
    iq: npt.NDArray[Any] = np.memmap(path.with_suffix(".sigmf-data"), dtype, "r")
    rate_hz = meta["global"]["core:sample_rate"]
    capture = meta["captures"][0]
    (message,) = nap_sdr.decode(
        iq, rate_hz, center_hz=capture.get("core:frequency"), start=capture.get("core:datetime")
    )
    assert message.to_dict() == expected


def test_an_array_is_not_copied() -> None:
    resource = pytest.importorskip("resource")
    grown: dict[str, int] = {}
    arrays: list[npt.NDArray[Any]] = [
        np.zeros(20_000_000, np.complex64),
        np.zeros(40_000_000, np.int16),
    ]
    for iq in arrays:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert nap_sdr.decode(iq, 250e3) == []
        grown[iq.dtype.name] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    # The arrays have 160 and 80 MB; what is read of zeros takes no memory. In kB.
    assert all(kilobytes < 60_000 for kilobytes in grown.values()), grown


def test_samples_of_any_split_give_the_same_events() -> None:
    name = "rc2_minus112dbm"
    iq, info = nap_sdr.read(recording(name))
    whole = nap_sdr.Receiver(info.sample_rate_hz, info.center_hz)
    events = whole.push(iq) + whole.flush()
    with nap_sdr.Receiver(info.sample_rate_hz, info.center_hz) as receiver:
        split = [event for part in np.array_split(iq, 37) for event in receiver.push(part)]
        split += receiver.flush()
        assert receiver.statistics["samples"] == len(iq)
    assert split == events
    kinds = [event.kind for event in events]
    assert {kind: kinds.count(kind) for kind in kinds} == {"message": 2, "update": 4, "complete": 2}
    assert receiver.closed
    again = nap_sdr.Receiver(info.sample_rate_hz, info.center_hz)
    assert list(again.events(np.array_split(iq, 5))) == events
    third = nap_sdr.Receiver(info.sample_rate_hz, info.center_hz)
    complete = [event.message for event in events if event.kind == "complete"]
    assert list(third.messages([iq])) == complete
    assert [len(message.frames) for message in complete] == [3, 3]


def defaults(function: Callable[..., Any]) -> dict[str, Any]:
    """The keywords that a function shows, and what they are if left out."""
    parameters = inspect.signature(function).parameters.values()
    return {one.name: one.default for one in parameters if one.kind is one.KEYWORD_ONLY}


def test_keywords_that_are_handed_on_are_shown() -> None:
    of_receiver, of_recording = defaults(nap_sdr.Receiver), defaults(nap_sdr.Recording)
    assert set(of_receiver) == set(ReceiverOptions.__annotations__)
    assert set(of_recording) == set(RecordingOptions.__annotations__)
    assert of_receiver.items() < defaults(nap_sdr.decode).items()
    assert of_recording == defaults(nap_sdr.read)
    for name in ("start", "start_s", "allow_nan"):
        del of_receiver[name]
    for function in (nap_sdr.decode_file, decode_files):
        assert {**of_receiver, **of_recording}.items() < defaults(function).items()


def test_a_keyword_that_nobody_takes_is_refused() -> None:
    path, wrong = recording("rc2_minus112dbm"), cast(Any, {"start": "2026-11-23T06:16:00Z"})
    with pytest.raises(TypeError, match=r"decode_file\(\) got an unexpected keyword.*'start'"):
        nap_sdr.decode_file(path, **wrong)
    with pytest.raises(TypeError, match=r"decode_files\(\) got an unexpected keyword.*'start'"):
        decode_files(path, **wrong)
