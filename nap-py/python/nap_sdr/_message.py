"""Messages as the receiver reports them, field for field the documented JSON records."""

from __future__ import annotations

import datetime as dt
import html
import json
from dataclasses import asdict, dataclass, fields
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Iterable,
    Iterator,
    List,
    Literal,
    Mapping,
    Optional,
    SupportsIndex,
    Union,
    overload,
)

from ._record import instant, known, present

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Kind = Literal["bytes", "empty", "bit0", "bit1", "keep_alive", "dl_confirmation"]
Auth = Literal["verified", "failed", "unchecked"]
Decoder = Literal["single", "list", "joint", "a_priori"]

@dataclass(frozen=True)
class Frame:
    """A frame of a message as received.

    Attributes
    ----------
    rank : int
        1, 2 or 3.
    time_s : float
        Start of the frame from the first sample, s, to 1 µs.
    frequency_hz : float
        Carrier in the middle of the frame, Hz, to 0.1 Hz.
    snr_db : float
        Eb/N0, dB.
    drift_hz_per_s : float
        Change of the carrier, Hz/s.
    crc_ok : bool
        Whether this frame alone could be decoded.
    rssi_dbm : float or None
        Mean power at the antenna, dBm; with a calibration only.
    rssi_dbfs : float or None
        Mean power relative to full scale, dB; without a calibration only.
    """

    rank: int
    time_s: float
    frequency_hz: float
    snr_db: float
    drift_hz_per_s: float
    crc_ok: bool
    rssi_dbm: Optional[float] = None
    rssi_dbfs: Optional[float] = None

    def to_dict(self) -> dict[str, Any]:
        """The frame as it is in the message's JSON record."""
        return present(asdict(self))

    def __repr__(self) -> str:
        return (
            f"<Frame {self.rank} at {self.time_s:.6f} s, {self.frequency_hz / 1e6:.6f} MHz, "
            f"Eb/N0 {self.snr_db:.1f} dB>"
        )


@dataclass(frozen=True)
class Message:
    """A message as received, with the fields of the documented JSON record.

    Two messages are equal if all their fields are. Messages can be pickled and hashed.

    Attributes
    ----------
    type : str
        ``"message"``, or ``"update"`` in the event that reports more frames of a message.
    schema : int
        Version of the record, 1.
    time : str or None
        Start of the first frame, RFC 3339 in UTC; ``None`` where the start of the samples is not
        known. ``datetime`` is the same as an object.
    time_s : float
        Start of the first frame from the first sample, s, to 1 µs.
    device_id : str
        The sender, eight upper-case hexadecimal digits.
    sequence_number : int
        The message counter, 0 to 4095.
    kind : str
        ``"bytes"``, ``"empty"``, ``"bit0"``, ``"bit1"``, ``"keep_alive"`` or
        ``"dl_confirmation"``.
    payload : str
        Of the kind ``"bytes"``: 1 to 12 bytes, lower-case hexadecimal; else empty.
        ``payload_bytes`` is the same as bytes.
    bidirectional : bool
        Whether the device listens for a downlink afterwards.
    auth : str
        ``"verified"``: the device's key made the tag. ``"failed"``: it did not, because the message
        is forged, the key is another one's, or the device encrypts its payload; do not trust a field
        before you know which. ``"unchecked"``: no key is known.
    radio_configuration : str or None
        That of the channel, ``"RC1"`` to ``"RC7"``; ``None`` where none was chosen.
    channel_center_hz : float or None
        Middle of the channel, Hz, where the channel was chosen by it.
    bit_rate : int
        100 or 600 bit/s.
    frequency_hz : float
        Carrier of the cleanest frame in its middle, Hz, to 0.1 Hz. Counts from the middle of the
        samples where their centre is not known.
    snr_db : float
        Eb/N0 of the cleanest frame, dB.
    drift_hz_per_s : float
        Change of the cleanest frame's carrier, Hz/s.
    decoder : str
        ``"single"``, ``"list"``, ``"joint"`` or ``"a_priori"``.
    frames : tuple of Frame
        The frames received, in the order of time.
    rssi_dbm, rssi_dbfs : float or None
        Mean power of the cleanest frame: dBm with a calibration, else dB relative to full scale.
    voltage_idle_mv, voltage_tx_mv, temperature_decidegree_c, rssi_dbm_at_device : int or None
        What control messages add.
    message_id : int
        The same in all events of one message, and in no other's of the same receiver or recording,
        counted from 1; 0 in records from before there was this field.
    recording : str or None
        The recording, in records of ``decode_files`` and of ``nap decode`` with several.
    device_name : str or None
        What the sender is called, where the table of devices says so.
    """

    type: Literal["message", "update"]
    schema: int
    time: Optional[str]
    time_s: float
    device_id: str
    sequence_number: int
    kind: Kind
    payload: str
    bidirectional: bool
    auth: Auth
    radio_configuration: Optional[str]
    bit_rate: int
    frequency_hz: float
    snr_db: float
    drift_hz_per_s: float
    decoder: Decoder
    frames: tuple[Frame, ...]
    channel_center_hz: Optional[float] = None
    rssi_dbm: Optional[float] = None
    rssi_dbfs: Optional[float] = None
    voltage_idle_mv: Optional[int] = None
    voltage_tx_mv: Optional[int] = None
    temperature_decidegree_c: Optional[int] = None
    rssi_dbm_at_device: Optional[int] = None
    message_id: int = 0
    recording: Optional[str] = None
    device_name: Optional[str] = None

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Message:
        """The message of a record, such as a line of ``nap decode --format json``.

        Fields that are not known are skipped: a later version of the schema may add some.

        Raises
        ------
        TypeError
            If a field is missing.
        """
        frames = tuple(Frame(**known(Frame, frame)) for frame in record.get("frames", ()))
        return cls(**{**known(cls, record), "frames": frames})

    @classmethod
    def _from_json(cls, text: str) -> Message:
        return cls.from_dict(json.loads(text))

    def to_dict(self) -> dict[str, Any]:
        """The documented JSON record as a ``dict``."""
        record = {field.name: getattr(self, field.name) for field in fields(self)}
        record["frames"] = [frame.to_dict() for frame in self.frames]
        return present(record)

    @property
    def payload_bytes(self) -> bytes:
        """The payload as bytes."""
        return bytes.fromhex(self.payload)

    @property
    def datetime(self) -> Optional[dt.datetime]:
        """Start of the first frame as an aware ``datetime`` in UTC, if known."""
        return instant(self.time)

    @property
    def ranks(self) -> tuple[int, ...]:
        """The ranks of the frames received."""
        return tuple(frame.rank for frame in self.frames)

    def __repr__(self) -> str:
        when = self.time if self.time is not None else f"{self.time_s:.6f} s"
        what = self.payload if self.kind == "bytes" else self.kind
        frames = "·".join(str(rank) for rank in self.ranks)
        return (
            f"<Message {self.device_id} #{self.sequence_number} {what} {self.auth} at {when}, "
            f"{self.snr_db:.1f} dB, frames {frames}>"
        )


#: Columns of the table that a notebook shows, with the headings.
_TABLE = {
    "time_s": "time",
    "device_id": "device",
    "sequence_number": "#",
    "payload": "payload",
    "auth": "auth",
    "level": "level",
    "snr_db": "Eb/N0",
    "frequency_hz": "carrier",
    "drift_hz_per_s": "drift",
    "bit_rate": "bit/s",
    "decoder": "decoder",
    "frames": "frames",
}


def _cells(message: Message) -> Iterator[str]:
    level = (
        f"{message.rssi_dbm:.1f} dBm" if message.rssi_dbm is not None
        else f"{message.rssi_dbfs:.1f} dBFS"
    )
    texts: dict[str, Optional[str]] = {
        "time_s": message.time or f"{message.time_s:.6f} s",
        "device_id": message.device_name,
        "payload": message.payload if message.kind == "bytes" else message.kind,
        "level": level,
        "snr_db": f"{message.snr_db:.1f} dB",
        "frequency_hz": f"{message.frequency_hz / 1e6:.6f} MHz",
        "drift_hz_per_s": f"{message.drift_hz_per_s:+.1f} Hz/s",
        "frames": "·".join(str(rank) for rank in message.ranks),
    }
    return (texts.get(name) or str(getattr(message, name)) for name in _TABLE)


#: How many messages ``repr`` of a list shows.
_SHOWN = 10


class MessageList(List[Message]):
    """A list of messages that a notebook shows as a table.

    Examples
    --------
    >>> import nap_sdr
    >>> messages = nap_sdr.decode_file("fixtures/recordings/rc1_two_uplinks.sigmf-meta")
    >>> len(messages.filter(kind="bytes")), len(messages.filter(lambda one: one.snr_db > 100))
    (2, 0)
    """

    def filter(
        self, predicate: Optional[Callable[[Message], bool]] = None, **values: Any
    ) -> MessageList:
        """Those messages whose fields have these values, and for which the predicate holds.

        Parameters
        ----------
        predicate : callable, optional
            Told a message, says whether it is wanted.
        **values
            A field of ``Message`` each, such as ``device_id`` or ``auth``: the value wanted, or a
            list, tuple or set of them.

        Raises
        ------
        TypeError
            If messages have no such field.
        """
        names = {field.name for field in fields(Message)}
        for name in values.keys() - names:
            raise TypeError(f"a message has no field {name!r}; it has {', '.join(sorted(names))}")
        wanted = {
            name: value if isinstance(value, (list, tuple, set, frozenset)) else (value,)
            for name, value in values.items()
        }
        return MessageList(
            message
            for message in self
            if all(getattr(message, name) in some for name, some in wanted.items())
            and (predicate is None or predicate(message))
        )

    def plot(self, *, ax: Optional[Axes] = None) -> Axes:
        """Draw the messages over frequency and time, as ``nap_sdr.plot.messages`` does."""
        from . import plot

        return plot.messages(self, ax=ax)

    @overload
    def __getitem__(self, index: SupportsIndex) -> Message: ...

    @overload
    def __getitem__(self, index: slice) -> MessageList: ...

    def __getitem__(self, index: Union[SupportsIndex, slice]) -> Union[Message, MessageList]:
        if isinstance(index, slice):
            return MessageList(super().__getitem__(index))
        return super().__getitem__(index)

    def __repr__(self) -> str:
        shown = [f"  {message!r}," for message in self[:_SHOWN]]
        more = [f"  ... and {len(self) - _SHOWN} more"] if len(self) > _SHOWN else []
        return "\n".join(["[", *shown, *more, "]"]) if self else "[]"

    def _repr_html_(self) -> str:
        rows = (
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in _cells(message)) + "</tr>"
            for message in self
        )
        head = "".join(f"<th>{name}</th>" for name in _TABLE.values())
        return (
            f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
            f"<caption>{len(self)} messages</caption></table>"
        )

    def to_dataframe(self) -> pd.DataFrame:
        """The messages as ``messages_to_dataframe`` makes them a table."""
        return messages_to_dataframe(self)


#: Types of the data frame's columns; text columns are ``object``.
_COLUMN_TYPES = {
    "recording": "object",
    "message_id": "int64",
    "time": "datetime64[ns, UTC]",
    "time_s": "float64",
    "device_id": "object",
    "device_name": "object",
    "sequence_number": "int64",
    "kind": "object",
    "payload": "object",
    "bidirectional": "bool",
    "auth": "object",
    "radio_configuration": "object",
    "channel_center_hz": "float64",
    "bit_rate": "int64",
    "frequency_hz": "float64",
    "rssi_dbm": "float64",
    "rssi_dbfs": "float64",
    "snr_db": "float64",
    "drift_hz_per_s": "float64",
    "decoder": "object",
    "voltage_idle_mv": "Int64",
    "voltage_tx_mv": "Int64",
    "temperature_decidegree_c": "Int64",
    "rssi_dbm_at_device": "Int64",
    "frames": "int64",
    "ranks": "object",
}


def messages_to_dataframe(messages: Iterable[Message]) -> pd.DataFrame:
    """Messages as a data frame, one row each.

    Parameters
    ----------
    messages : iterable of Message

    Returns
    -------
    pandas.DataFrame
        The fields of the messages as columns. ``time`` is a time in UTC, ``frames`` the number of
        frames received and ``ranks`` their ranks separated by spaces. The columns and their types
        are the same whatever the messages are, also if there are none.

    Raises
    ------
    ImportError
        If pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            "messages_to_dataframe needs pandas: pip install 'nap-sdr[dataframe]'"
        ) from error
    messages = list(messages)
    columns: dict[str, Any] = {
        name: [getattr(message, name) for message in messages] for name in _COLUMN_TYPES
    }
    columns["time"] = pd.to_datetime(columns["time"], utc=True)
    columns["frames"] = [len(message.frames) for message in messages]
    columns["ranks"] = [" ".join(map(str, message.ranks)) for message in messages]
    series = {
        name: pd.Series(columns[name], dtype=dtype) for name, dtype in _COLUMN_TYPES.items()
    }
    return pd.DataFrame(series)
