"""Messages to bitstreams and back."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Iterable, Literal, Mapping, Optional, Union

from . import _nap
from ._devices import Devices, Key, KeyLike, device_id_text, device_table
from ._errors import FrameError
from ._message import Auth, Kind, Message

LengthClass = Literal[
    "empty_or_bit",
    "one_byte",
    "two_to_four_bytes",
    "five_to_eight_bytes",
    "nine_to_twelve_bytes",
    "control",
]


@dataclass(frozen=True)
class Uplink:
    """A message of a device. Its values cannot be illegal.

    Parameters
    ----------
    device_id : str or int
        The sender: 1 to 8 hexadecimal digits, or the number.
    sequence_number : int
        The message counter, 0 to 4095.
    payload : bytes or str
        Of the kind ``"bytes"``: 1 to 12 bytes, or their hexadecimal digits.
    kind : str
        ``"bytes"``, ``"empty"``, ``"bit0"``, ``"bit1"``, ``"keep_alive"`` or
        ``"dl_confirmation"``.
    bidirectional : bool
        Whether the device listens for a downlink afterwards.
    voltage_idle_mv, voltage_tx_mv, temperature_decidegree_c : int, optional
        Of control messages: supply voltages, mV, and temperature, 0.1 °C.
    rssi_dbm_at_device : int, optional
        Of a ``"dl_confirmation"``: level of the downlink, -228 to 27 dBm.

    Raises
    ------
    ConfigurationError
        If a value cannot be, or does not go with the kind.

    Examples
    --------
    >>> from nap_sdr import Uplink
    >>> uplink = Uplink("FEDCBA98", 291, bytes.fromhex("40414243"))
    >>> uplink.encode("0123456789ABCDEF0123456789ABCDEF", rank=1).hex()
    'aaaaa35f012398badcfe40414243eeb999e6'
    """

    device_id: Union[str, int]
    sequence_number: int
    payload: Union[bytes, str] = ""
    kind: Kind = "bytes"
    bidirectional: bool = False
    voltage_idle_mv: Optional[int] = None
    voltage_tx_mv: Optional[int] = None
    temperature_decidegree_c: Optional[int] = None
    rssi_dbm_at_device: Optional[int] = None

    def __post_init__(self) -> None:
        payload = self.payload
        digits = payload.hex() if isinstance(payload, (bytes, bytearray)) else payload.lower()
        object.__setattr__(self, "payload", digits)
        object.__setattr__(self, "device_id", device_id_text(self.device_id))
        _nap.check_uplink(self._json())

    @classmethod
    def of(cls, message: Union[Message, ParsedFrame]) -> Uplink:
        """What a device sent, of a message or frame received."""
        names = (field.name for field in fields(cls))
        return cls(**{name: getattr(message, name) for name in names})

    def to_dict(self) -> dict[str, Any]:
        """The record that ``nap encode -`` reads."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def _json(self) -> str:
        return json.dumps(self.to_dict())

    def encode(self, key: KeyLike, rank: int = 1) -> bytes:
        """A whole frame of the message: preamble, frame type and container.

        Parameters
        ----------
        key : Key, str or bytes
            The device's key, which makes the authentication tag.
        rank : int
            1, 2 or 3.

        Returns
        -------
        bytes
            14 to 26 bytes, most significant bit first; a 0 bit is a phase flip on the air.
        """
        return self.frames(key, [rank])[0]

    def frames(self, key: KeyLike, ranks: Iterable[int] = (1, 2, 3)) -> list[bytes]:
        """The frames of the message, one for each rank; see ``encode``."""
        return _nap.encode(self._json(), Key(key)._digits, list(ranks))


@dataclass(frozen=True)
class ParsedFrame:
    """The fields of one bitstream, as ``nap frame`` writes them.

    Attributes
    ----------
    type : str
        ``"frame"``.
    schema : int
        Version of the record, 1.
    frame_type : str
        The 13 bits after the preamble, four hexadecimal digits.
    rank : int
        1, 2 or 3.
    length_class : str
        Class of the container, from the frame type.
    length_indicator : int
        0 to 3; with the class it gives the payload's length.
    bidirectional : bool
        Whether the device listens for a downlink.
    repeated : bool
        Whether a repeater sent the frame; other fields may then mean something else.
    sequence_number, device_id, kind, payload, auth, voltage_idle_mv, voltage_tx_mv, \
temperature_decidegree_c, rssi_dbm_at_device
        As in ``Message``.
    auth_tag : str
        The authentication tag, 2 to 5 bytes, hexadecimal.
    crc : str
        The CRC found, four hexadecimal digits.
    crc_ok : bool
        Whether it matches; if not, any field may be wrong.
    """

    type: Literal["frame"]
    schema: int
    frame_type: str
    rank: int
    length_class: LengthClass
    length_indicator: int
    bidirectional: bool
    repeated: bool
    sequence_number: int
    device_id: str
    kind: Kind
    payload: str
    auth_tag: str
    auth: Auth
    crc: str
    crc_ok: bool
    voltage_idle_mv: Optional[int] = None
    voltage_tx_mv: Optional[int] = None
    temperature_decidegree_c: Optional[int] = None
    rssi_dbm_at_device: Optional[int] = None
    bitstream: bytes = field(default=b"", repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The documented JSON record as a ``dict``."""
        record = asdict(self)
        del record["bitstream"]
        return {name: value for name, value in record.items() if value is not None}

    def authenticate(self, key: KeyLike) -> bool:
        """Whether this key made the frame's tag."""
        return parse_frame(self.bitstream, key=key).auth == "verified"

    @property
    def payload_bytes(self) -> bytes:
        """The payload as bytes."""
        return bytes.fromhex(self.payload)


def parse_frame(
    bitstream: Union[bytes, str], *, key: Optional[KeyLike] = None, devices: Devices = None
) -> ParsedFrame:
    """Take a bitstream apart.

    Parameters
    ----------
    bitstream : bytes or str
        A whole frame with its preamble, 14 to 26 bytes, or its hexadecimal digits, with ``0x``
        and spaces as one likes.
    key : Key, str or bytes, optional
        The sender's key, whoever the sender is.
    devices : path, mapping, iterable of Device, optional
        Known devices, as for ``Receiver``; looked into if there is no ``key``.

    Returns
    -------
    ParsedFrame
        Also if the CRC is wrong but the fields make sense: see ``crc_ok``.

    Raises
    ------
    FrameError
        If the bits are no frame, or the text is no hexadecimal digits; the text says what is wrong
        first.
    ConfigurationError
        If the key or the devices cannot be.

    Examples
    --------
    >>> import nap_sdr
    >>> frame = nap_sdr.parse_frame("aaaaa35f012398badcfe40414243eeb999e6")
    >>> frame.device_id, frame.sequence_number, frame.payload
    ('FEDCBA98', 291, '40414243')
    """
    data = _bytes_of(bitstream) if isinstance(bitstream, str) else bytes(bitstream)
    digits = None if key is None else Key(key)._digits
    record: Mapping[str, Any] = json.loads(_nap.parse_frame(data, digits, device_table(devices)))
    return ParsedFrame(**record, bitstream=data)


def _bytes_of(digits: str) -> bytes:
    """The bytes of hexadecimal digits, two each."""
    plain = "".join(digits.split())
    plain = plain[2:] if plain[:2] in ("0x", "0X") else plain
    try:
        return bytes.fromhex(plain)
    except ValueError:
        raise FrameError(
            f"{digits!r} is no bitstream: give hexadecimal digits, two for each byte"
        ) from None
