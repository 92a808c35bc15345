"""Known devices and their keys."""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass, field
from typing import Iterable, Mapping, Optional, Union

from . import _nap
from ._errors import ConfigurationError


class Key:
    """A device's 128-bit authentication key.

    It shows in no ``repr`` and in no error. A pickle does hold it, since workers of a cluster need
    it to authenticate messages.

    Parameters
    ----------
    key : str, bytes or Key
        32 hexadecimal digits or 16 bytes.

    Raises
    ------
    ConfigurationError
        If the length is wrong or a character is no hexadecimal digit.
    """

    __slots__ = ("_digits",)

    _digits: str

    def __init__(self, key: KeyLike) -> None:
        if isinstance(key, Key):
            digits = key._digits
        elif isinstance(key, (bytes, bytearray)):
            digits = bytes(key).hex()
        elif isinstance(key, str):
            digits = key.strip()
        else:
            raise TypeError(f"a key is text or bytes, not {type(key).__name__}")
        _nap.check_key(digits)
        self._digits = digits.lower()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Key):
            return NotImplemented
        return hmac.compare_digest(self._digits, other._digits)

    # A hash would tell something about the key.
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "Key(redacted)"


KeyLike = Union[str, bytes, bytearray, Key]


@dataclass(frozen=True)
class Device:
    """A known device.

    Parameters
    ----------
    device_id : str or int
        1 to 8 hexadecimal digits, or the number.
    key : Key, str, bytes or None
        Its key; without one its messages cannot be authenticated.
    message_modulo : int
        Where its message counter wraps: 128, 256, 512, 1024, 2048 or 4096.
    name : str
        What its owner calls it.
    """

    device_id: Union[str, int]
    key: Optional[KeyLike] = None
    message_modulo: int = 4096
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "device_id", device_id_text(self.device_id))
        if self.key is not None:
            object.__setattr__(self, "key", Key(self.key))

    def _fields(self) -> tuple[str, str, str, str]:
        key = Key(self.key)._digits if self.key is not None else ""
        return (device_id_text(self.device_id), key, str(self.message_modulo), self.name)


@dataclass(frozen=True)
class DeviceFile:
    """A table of devices that was read on one machine to be used on another."""

    path: str
    content: bytes = field(repr=False)

    def _table(self) -> _nap.DeviceTable:
        try:
            return _nap.DeviceTable.from_csv(self.content)
        except ConfigurationError as error:
            raise ConfigurationError(f"{self.path}: {error}") from None


Devices = Union[
    None,
    str,
    "os.PathLike[str]",
    DeviceFile,
    Mapping[str, Optional[KeyLike]],
    Mapping[int, Optional[KeyLike]],
    Iterable[Device],
]


def device_id_text(device_id: Union[str, int]) -> str:
    """A device's identity as it is printed: eight upper-case hexadecimal digits."""
    digits = f"{device_id:08X}" if isinstance(device_id, int) else str(device_id).strip()
    return _nap.check_device_id(digits)


def portable(devices: Devices) -> Devices:
    """The same devices in a form that can be pickled and used on another machine."""
    if devices is None or isinstance(devices, DeviceFile):
        return devices
    if isinstance(devices, (str, os.PathLike)):
        path = os.fspath(devices)
        with open(path, "rb") as file:
            return DeviceFile(path, file.read())
    if isinstance(devices, Mapping):
        return [Device(device_id, key) for device_id, key in devices.items()]
    return list(devices)


def device_table(devices: Devices) -> _nap.DeviceTable:
    """What the receiver is told about known devices."""
    devices = portable(devices)
    if devices is None:
        return _nap.DeviceTable([])
    if isinstance(devices, DeviceFile):
        return devices._table()
    assert isinstance(devices, list)
    return _nap.DeviceTable([device._fields() for device in devices])
