"""The keywords that several functions take alike: their types, and what is checked of them.

What they mean is told where they arrive: in ``Recording`` and ``Receiver``.
"""

from __future__ import annotations

import datetime as dt
import inspect
import os
from typing import (
    Any,
    Callable,
    Literal,
    Mapping,
    Optional,
    Sequence,
    TypedDict,
    TypeVar,
    Union,
    cast,
)

from . import _nap
from ._devices import Devices, device_table
from ._errors import ConfigurationError

PathLike = Union[str, "os.PathLike[str]"]

#: 100 or 600 bit/s, or all that the radio configuration has.
BitRate = Union[int, Literal["auto"]]

Function = TypeVar("Function", bound=Callable[..., Any])
_T = TypeVar("_T")


class RecordingOptions(TypedDict, total=False):
    """How samples are stored, where the file does not tell."""

    sample_format: Optional[str]
    sample_rate_hz: Optional[float]
    center_hz: Optional[float]
    start_time: Union[None, str, dt.datetime]
    ppm: float
    swap_iq: bool


class ReceptionOptions(TypedDict, total=False):
    """What is listened for in a channel."""

    bit_rate: BitRate
    devices: Devices
    full_scale_dbm: Optional[float]
    false_messages_per_day: float
    max_drift_hz_per_s: float


class ChannelOptions(ReceptionOptions, total=False):
    """Which channel is listened to, and for what."""

    radio_configuration: Optional[str]
    channel_center_hz: Optional[float]


class ChannelsOptions(ReceptionOptions, total=False):
    """Which channels are listened to, and for what."""

    radio_configuration: Union[None, str, Sequence[str]]
    channel_center_hz: Union[None, float, Sequence[float]]


class ReceiverOptions(ChannelOptions, total=False):
    """What is listened for, and what is known about the samples."""

    start: Union[None, str, dt.datetime]
    start_s: float
    allow_nan: bool
    swap_iq: bool
    ppm: float


class FileOptions(RecordingOptions, ChannelsOptions, total=False):
    """How samples are stored, and what is listened for in them."""


def split(
    function: str, options: Mapping[str, object]
) -> tuple[RecordingOptions, ChannelsOptions]:
    """What is for a ``Recording``, and what of its channels for a ``Receiver``.

    Raises
    ------
    TypeError
        If a keyword is for neither, as Python does of a function with this name.
    """
    kinds = (RecordingOptions.__annotations__, ChannelsOptions.__annotations__)
    for name in options:
        if not any(name in names for names in kinds):
            raise TypeError(f"{function}() got an unexpected keyword argument {name!r}")
    of_recording, of_receiver = (
        {name: value for name, value in options.items() if name in names} for names in kinds
    )
    return cast(RecordingOptions, of_recording), cast(ChannelsOptions, of_receiver)


def rfc3339(name: str, time: Union[None, str, dt.datetime]) -> Optional[str]:
    """A time as text. Without a zone nobody knows which hour is meant."""
    if time is None or isinstance(time, str):
        return time
    if time.utcoffset() is None:
        raise ConfigurationError(
            f"{name}={time.isoformat()!r} has no time zone; give one, such as "
            f"{name}.replace(tzinfo=datetime.timezone.utc), or {name}.astimezone() for local time"
        )
    return time.isoformat()


def with_defaults(options: ChannelsOptions, taker: Callable[..., Any]) -> ChannelsOptions:
    """The same options, and those that are left out as the callable that takes them has them."""
    parameters = inspect.signature(taker).parameters
    defaults = {name: parameters[name].default for name in ChannelsOptions.__annotations__}
    return cast(ChannelsOptions, {**defaults, **options})


def settings(options: ChannelsOptions) -> _nap.Settings:
    """What receivers are told, of options of which none is left out."""
    return _nap.Settings(
        radio_configurations=_listed(options["radio_configuration"]),
        channel_centers_hz=_listed(options["channel_center_hz"]),
        bit_rate=str(options["bit_rate"]),
        devices=device_table(options["devices"]),
        full_scale_dbm=options["full_scale_dbm"],
        false_messages_per_day=options["false_messages_per_day"],
        max_drift_hz_per_s=options["max_drift_hz_per_s"],
    )


def _listed(values: Union[None, _T, Sequence[_T]]) -> list[_T]:
    """One value, several or none as a list."""
    if values is None:
        return []
    if isinstance(values, (str, float, int)):
        return [cast(_T, values)]
    return list(cast("Sequence[_T]", values))


def shows(options: type, *takers: Callable[..., Any]) -> Callable[[Function], Function]:
    """List the options that a function hands on among its keywords, for ``help`` and completion.

    Their defaults are those of the callables that take them.
    """

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)
        own = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
        # What two of them take alike, the first one gets.
        handed_on = {
            one.name: one
            for taker in reversed(takers)
            for one in inspect.signature(taker).parameters.values()
            if one.kind is one.KEYWORD_ONLY and one.name in options.__annotations__
        }
        whole = signature.replace(parameters=[*own, *handed_on.values()])
        function.__signature__ = whole  # type: ignore[attr-defined]
        return function

    return decorate
