"""What a receiver reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Union

from ._message import Message
from ._undecoded import UndecodedBurst


@dataclass(frozen=True)
class MessageEvent:
    """A message was decoded, more of it was, or it is complete.

    The events of one message have the same ``message.message_id``. One that is weakly proven is
    reported just before it is complete.

    Attributes
    ----------
    kind : str
        ``"message"``: decoded for the first time. ``"update"``: another frame of a message that
        was reported, or one less. ``"complete"``: no more frames can come, its figures are final.
    message : Message
        The message as far as it is known.
    undecoded : None
    """

    kind: Literal["message", "update", "complete"]
    message: Message
    undecoded: None = None


@dataclass(frozen=True)
class RetractedEvent:
    """A message that was reported turned out wrong: it was never sent, and is not completed.

    Its bursts are those of a message that is better proven.

    Attributes
    ----------
    message_id : int
        That of the events to be forgotten.
    kind : str
        ``"retracted"``.
    message : None
    undecoded : None
    """

    message_id: int
    kind: Literal["retracted"] = "retracted"
    message: None = None
    undecoded: None = None


@dataclass(frozen=True)
class UndecodedEvent:
    """A burst was seen and will not decode any more, neither alone nor with others.

    It comes some seconds after the burst, or when the stream ends. Noise shows none.

    Attributes
    ----------
    undecoded : UndecodedBurst
        Where it is, how strong, and why it was not decoded.
    kind : str
        ``"undecoded"``.
    message : None
    """

    undecoded: UndecodedBurst
    kind: Literal["undecoded"] = "undecoded"
    message: None = None


Event = Union[MessageEvent, RetractedEvent, UndecodedEvent]
"""What happened on the air.

``event.kind`` tells which. Those of messages that were sent have a ``message``, those of bursts that
were not decoded an ``undecoded``; what an event does not have is ``None``.
"""
