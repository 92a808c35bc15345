"""What a receiver says besides messages, and what can be told to it while it runs."""

from __future__ import annotations

import datetime as dt
import json
import pickle
from typing import Any, Callable

import nap_sdr
import numpy as np
import numpy.typing as npt
import pytest
from conftest import RECORDINGS, recording
from nap_sdr import ClosedError, ConfigurationError, Receiver, UndecodedBurst, Uplink
from nap_sdr._receiver import _complete, _event

RATE_HZ = 250e3
CENTER_HZ = 868.13e6
START = dt.datetime(2026, 11, 23, 6, 16, tzinfo=dt.timezone.utc)
KEY = "0123456789abcdef0123456789abcdef"


def received(bitstream: bytes) -> npt.NDArray[np.complex64]:
    """A frame at 868.14 MHz and -110 dBm after a second of noise; full scale is -80 dBm."""
    channel = nap_sdr.Channel(RATE_HZ, full_scale_dbm=-80, noise_figure_db=6, seed=5)
    burst = nap_sdr.Signal.burst(bitstream, bit_rate=600)
    channel.add(burst, time_s=1.0, offset_hz=10e3, level_dbm=-110)
    return channel.render(int(3 * RATE_HZ))


FRAME = Uplink("4D33DB", 416, "abad1dea").encode(KEY)
SPOILT = FRAME[:-2] + bytes(byte ^ 0x5A for byte in FRAME[-2:])


def undecoded(events: list[nap_sdr.Event]) -> list[UndecodedBurst]:
    return [event.undecoded for event in events if event.kind == "undecoded"]


def receiver(**options: Any) -> Receiver:
    return Receiver(RATE_HZ, CENTER_HZ, full_scale_dbm=-80, **options)


def test_what_was_seen_and_not_decoded_is_told_of() -> None:
    iq = received(SPOILT)
    listening = receiver(start=START)
    (burst,) = undecoded(list(listening.events([iq])))
    assert burst.time_s == pytest.approx(1.0, abs=2 / 600)
    elapsed = burst.datetime - START if burst.datetime is not None else dt.timedelta()
    assert elapsed.total_seconds() == pytest.approx(burst.time_s, abs=1e-6)
    assert burst.frequency_hz == pytest.approx(CENTER_HZ + 10e3, abs=10)
    assert burst.rssi_dbm == pytest.approx(-110, abs=1) and burst.rssi_dbfs is None
    # -110 dBm over 600 Hz at -168 dBm/Hz.
    assert burst.snr_db == pytest.approx(168 - 110 - 10 * np.log10(600), abs=2)
    assert burst.duration_s == pytest.approx(8 * len(FRAME) / 600, abs=2 / 600)
    assert (burst.type, burst.bit_rate, burst.rank) == ("undecoded", 600, 1)
    assert burst.frame_type == nap_sdr.parse_frame(FRAME).frame_type
    assert burst.reason == "check_failed"
    assert listening.statistics["undecoded_bursts"] == 1
    # Its first sample was taken at the same time, whatever time_s is of that.
    (later,) = undecoded(list(receiver(start=START, start_s=10.0).events([iq])))
    assert later.time == burst.time
    assert later.time_s == pytest.approx(burst.time_s + 10.0, abs=1e-6)
    # Who looks at messages only does not see it.
    assert list(receiver().messages([iq])) == []


def test_a_message_that_turned_out_wrong_is_named() -> None:
    record = '{"type":"retracted","schema":1,"message_id":7}'
    event = _event("retracted", record)
    assert event == nap_sdr.RetractedEvent(7)
    assert (event.kind, event.message, event.undecoded) == ("retracted", None, None)
    # Of messages, it completes none.
    assert list(_complete([event])) == []


def test_a_burst_is_its_record() -> None:
    (burst,) = undecoded(list(receiver().events([received(SPOILT)])))
    again = UndecodedBurst.from_dict(json.loads(json.dumps(burst.to_dict())))
    assert again == burst == pickle.loads(pickle.dumps(burst))
    assert UndecodedBurst.from_dict({**burst.to_dict(), "new_field": 1}) == burst
    assert "rssi_dbfs" not in burst.to_dict() and burst.to_dict()["time"] is None
    assert burst.reason in repr(burst) and burst.datetime is None


def test_the_events_of_a_message_have_its_identity() -> None:
    iq, info = nap_sdr.read(recording("rc1_two_uplinks"))
    listening = Receiver(info.sample_rate_hz, info.center_hz)
    ids: dict[str, set[int]] = {}
    for event in listening.events([iq]):
        assert event.message is not None and event.undecoded is None
        ids.setdefault(event.message.device_id, set()).add(event.message.message_id)
    assert sorted(ids.values(), key=min) == [{1}, {2}]


def test_the_noise_is_told() -> None:
    listening = receiver()
    assert listening.noise_density is None
    assert [len(part) for part in listening.noise_densities()] == [0, 0]
    channel = nap_sdr.Channel(RATE_HZ, full_scale_dbm=-80, noise_figure_db=6, seed=6)
    noise = channel.render(int(4 * RATE_HZ))
    listening.push(noise)
    # -174 dBm/Hz and the noise figure.
    assert listening.noise_density == pytest.approx(-168, abs=0.5)
    frequency_hz, density = listening.noise_densities()
    assert frequency_hz.dtype == density.dtype == np.float64
    assert (np.diff(frequency_hz) > 0).all() and 30 < len(frequency_hz) < 50
    assert np.abs(frequency_hz - CENTER_HZ).max() < 100e3
    assert np.abs(density + 168).max() < 1
    relative = Receiver(RATE_HZ, CENTER_HZ)
    relative.push(noise)
    assert relative.noise_density == pytest.approx(-168 + 80, abs=0.5)


def test_devices_change_while_the_receiver_runs() -> None:
    truth = json.loads((RECORDINGS / "rc2_minus112dbm.truth.json").read_text())
    keys = {message["device_id"]: message["key"] for message in truth["messages"]}
    iq, info = nap_sdr.read(recording("rc2_minus112dbm"))
    listening = Receiver(info.sample_rate_hz, info.center_hz)

    def auth() -> set[str]:
        return {message.auth for message in listening.messages([iq])}

    assert auth() == {"unchecked"}
    listening.set_devices(keys)
    assert auth() == {"verified"}
    with pytest.raises(ConfigurationError, match="a key has 32"):
        listening.set_devices({"1": "00"})
    assert auth() == {"verified"}
    listening.set_devices(None)
    assert auth() == {"unchecked"}


def test_a_closed_receiver_tells_nothing() -> None:
    listening = receiver()
    listening.close()
    asked: list[Callable[[], object]] = [
        lambda: listening.noise_density,
        lambda: listening.noise_densities(),
        lambda: listening.statistics,
        lambda: listening.set_devices({}),
    ]
    for ask in asked:
        with pytest.raises(ClosedError, match="closed; make a new one"):
            ask()
