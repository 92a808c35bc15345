"""Messages, devices and keys as Python objects."""

from __future__ import annotations

import datetime as dt
import json
import pickle
from pathlib import Path
from typing import Any

import nap_sdr
import numpy as np
import pytest
from conftest import RECORDINGS, recording
from nap_sdr import Device, Key, Message, MessageList, messages_to_dataframe

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def messages() -> MessageList:
    return nap_sdr.decode_file(recording("rc1_all_kinds"))


def test_a_message_is_its_record(messages: MessageList) -> None:
    for message in messages:
        again = Message.from_dict(json.loads(json.dumps(message.to_dict())))
        assert again == message
        assert hash(again) == hash(message)
        assert Message.from_dict({**message.to_dict(), "new_field": 1}) == message
    assert messages[0] != messages[1]
    with pytest.raises(AttributeError):
        messages[0].payload = "00"  # type: ignore[misc]


def test_messages_can_be_pickled(messages: MessageList) -> None:
    again = pickle.loads(pickle.dumps(messages))
    assert again == messages
    assert isinstance(again, MessageList)


def test_a_list_of_messages_is_a_table_in_a_notebook(messages: MessageList) -> None:
    html = messages._repr_html_()
    assert html.count("<tr>") == len(messages) + 1
    for message in messages:
        assert message.device_id in html
        assert (message.payload or message.kind) in html
    assert "<b>" not in MessageList([evil(messages[0])])._repr_html_()


def evil(message: Message) -> Message:
    return Message.from_dict({**message.to_dict(), "time": "<b>"})


def test_a_message_has_a_short_repr(messages: MessageList) -> None:
    text = repr(messages[0])
    assert messages[0].device_id in text and len(text) < 160


def test_lists_and_arrays_have_a_short_repr(messages: MessageList) -> None:
    many = MessageList(list(messages) * 20)
    lines = repr(many).splitlines()
    assert len(lines) == 13 and f"and {len(many) - 10} more" in lines[-2]
    assert all(len(line) < 130 for line in lines)
    assert repr(MessageList()) == "[]"
    assert len(repr(messages[0].frames[0])) < 80
    spectrum = nap_sdr.spectrogram(np.zeros(250_000, np.complex64), 250e3)
    assert repr(spectrum).startswith("<Spectrogram") and len(repr(spectrum)) < 120


def test_messages_are_filtered(messages: MessageList) -> None:
    controls = messages.filter(kind=["keep_alive", "dl_confirmation"])
    kinds = {message.kind for message in controls}
    assert isinstance(controls, MessageList) and kinds <= {"keep_alive", "dl_confirmation"}
    assert len(controls) == sum(message.kind in kinds for message in messages) > 0
    device = messages[0].device_id
    late = messages.filter(lambda one: one.time_s > messages[0].time_s, device_id=device)
    assert all(one.device_id == device and one.time_s > messages[0].time_s for one in late)
    assert messages.filter() == messages == messages[:]
    assert isinstance(messages[:1], MessageList)
    with pytest.raises(TypeError, match="no field 'devices'; it has auth"):
        messages.filter(devices="1")


def test_a_data_frame_has_the_fields(messages: MessageList) -> None:
    table = messages.to_dataframe()
    assert list(table["payload"]) == [message.payload for message in messages]
    assert table["snr_db"].dtype == np.float64
    assert list(table["ranks"]) == [" ".join(map(str, m.ranks)) for m in messages]
    control = table[table["kind"] == "keep_alive"]
    assert len(control) > 0 and control["voltage_idle_mv"].notna().all()
    empty = messages_to_dataframe([])
    assert list(empty.columns) == list(table.columns)
    assert list(empty.dtypes) == list(table.dtypes)


def test_times_are_those_of_the_recording() -> None:
    start = dt.datetime(2026, 11, 23, 6, 15, 58, 888889, dt.timezone.utc)
    iq, info = nap_sdr.read(recording("rc2_minus112dbm"))
    given: Any
    for given in [start, "2026-11-23T06:15:58.888889Z"]:
        message = nap_sdr.decode(iq, info.sample_rate_hz, start=given)[0]
        assert message.datetime is not None
        elapsed = message.datetime - start
        assert elapsed.total_seconds() == pytest.approx(message.time_s, abs=1e-6)
    table = messages_to_dataframe([message])
    assert table["time"].iloc[0].to_pydatetime() == message.datetime


def test_keys_do_not_show() -> None:
    key = Key(KEY)
    assert repr(key) == str(key) == "Key(redacted)"
    assert key == Key(bytes.fromhex(KEY)) == Key(KEY.upper())
    assert key != Key(bytes(16))
    assert key != KEY
    assert pickle.loads(pickle.dumps(key)) == key
    with pytest.raises(TypeError):
        hash(key)
    shown = [repr(Device("4d33db", KEY)), f"{key}", f"{Device(1, KEY)}"]
    assert not any(KEY[:8] in text.lower() for text in shown)


@pytest.mark.parametrize("wrong", ["", KEY[:-1], KEY + "00", KEY[:-1] + "x", bytes(15)])
def test_a_wrong_key_is_refused_and_not_shown(wrong: str) -> None:
    with pytest.raises(nap_sdr.ConfigurationError) as caught:
        Key(wrong)
    assert "key" in str(caught.value) and KEY[:8] not in str(caught.value)
    with pytest.raises(nap_sdr.ConfigurationError):
        Device(1, wrong)


def test_devices_in_every_form(tmp_path: Path) -> None:
    truth = json.loads((RECORDINGS / "rc2_minus112dbm.truth.json").read_text())
    keys = {message["device_id"]: message["key"] for message in truth["messages"]}
    path = tmp_path / "devices.csv"
    path.write_text("device_id,key\n" + "".join(f"{i},{k}\n" for i, k in keys.items()))
    devices: Any
    for devices in [path, str(path), keys, [Device(int(i, 16), k) for i, k in keys.items()]]:
        found = nap_sdr.decode_file(recording("rc2_minus112dbm"), devices=devices)
        assert {message.auth for message in found} == {"verified"}
    wrong = {device_id: bytes(16) for device_id in keys}
    found = nap_sdr.decode_file(recording("rc2_minus112dbm"), devices=wrong)
    assert {message.auth for message in found} == {"failed"}


def test_a_wrong_table_of_devices_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "devices.csv"
    path.write_text(f"device_id,key\n1,{KEY}xx\n")
    with pytest.raises(nap_sdr.ConfigurationError, match=r"devices\.csv: line 2: .*key") as caught:
        nap_sdr.Receiver(250e3, devices=path)
    assert KEY[:8] not in str(caught.value)
    with pytest.raises(nap_sdr.ConfigurationError, match="already"):
        nap_sdr.Receiver(250e3, devices=[Device(1), Device("1")])
    with pytest.raises(FileNotFoundError):
        nap_sdr.Receiver(250e3, devices=tmp_path / "none.csv")
