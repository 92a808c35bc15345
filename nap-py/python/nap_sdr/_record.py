"""What the objects that stand for JSON records have in common."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields
from typing import Any, Mapping, Optional

#: Fields that a record leaves out where they do not apply; all others are always there.
_OPTIONAL = frozenset(
    [
        "recording",
        "device_name",
        "channel_center_hz",
        "voltage_idle_mv",
        "voltage_tx_mv",
        "temperature_decidegree_c",
        "rssi_dbm_at_device",
        "rssi_dbm",
        "rssi_dbfs",
    ]
)


def present(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record without the optional fields that do not apply."""
    return {k: v for k, v in record.items() if v is not None or k not in _OPTIONAL}


def known(cls: Any, record: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the record that a class has."""
    names = {field.name for field in fields(cls)}
    return {name: value for name, value in record.items() if name in names}


def instant(time: Optional[str]) -> Optional[dt.datetime]:
    """A time of a record as an aware ``datetime`` in UTC."""
    return None if time is None else dt.datetime.fromisoformat(time.replace("Z", "+00:00"))
