"""The receiver: samples in, messages out."""

from __future__ import annotations

import json
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Iterable, Iterator, Optional, Type, Union, cast

from . import _nap
from ._devices import Devices, device_table
from ._event import Event, MessageEvent, RetractedEvent, UndecodedEvent
from ._message import Message, MessageList
from ._options import BitRate, rfc3339, settings
from ._undecoded import UndecodedBurst

if TYPE_CHECKING:
    import datetime as dt

    import numpy as np
    import numpy.typing as npt

#: Samples that are handed over at once: a second at 250 kS/s.
BLOCK = 1 << 18


class Receiver:
    """A streaming receiver for one channel: samples in, events out.

    Any split of a stream into blocks gives the same events. The GIL is released while samples are
    worked on, so receivers in several threads run at the same time; one receiver may be used from
    several threads, whose calls then wait for each other.

    Parameters
    ----------
    sample_rate_hz : float
        Samples per second: 3 kS/s or more for 100 bit/s, 12 kS/s for 600. Of a band that is
        narrower than the channel's 192 kHz, what is in it is heard: see ``heard_hz``.
    center_hz : float, optional
        Frequency of the samples' 0 Hz. Without it the receiver listens in the middle, and
        frequencies count from there.
    radio_configuration : str, optional
        Listen to the uplink channel of ``"RC1"`` to ``"RC7"``; if left out, to the one in the band
        that is nearest to its centre.
    channel_center_hz : float, optional
        Listen to the 192 kHz around this frequency instead.
    bit_rate : 100, 600 or "auto"
        ``"auto"``: all that the radio configuration has.
    devices : path, mapping, iterable of Device, optional
        Known devices: a CSV file with the header ``device_id,key[,message_modulo][,name]``, a
        mapping from identities to keys, or ``Device`` objects.
    full_scale_dbm : float, optional
        Power of a full-scale carrier at the antenna; levels are then dBm.
    false_messages_per_day : float
        How many false messages may be expected at most.
    max_drift_hz_per_s : float
        The fastest change of a carrier's frequency that is looked for, Hz/s.
    start : str or datetime, optional
        Time of the first sample (RFC 3339); messages then have a ``time``. A ``datetime`` has to
        have a time zone.
    start_s : float
        What ``time_s`` of the first sample is, s.
    allow_nan : bool
        Take samples that are not finite for silence instead of raising.
    swap_iq : bool
        Swap I and Q, of samples whose spectrum is mirrored.
    ppm : float
        By how many millionths the crystal of the radio was too fast: corrects the sample rate and
        the frequencies.

    Raises
    ------
    ConfigurationError
        If a setting cannot be; the text says which, and what to do.

    Examples
    --------
    >>> import numpy as np
    >>> from nap_sdr import Receiver
    >>> with Receiver(250_000, 868.13e6) as receiver:
    ...     receiver.push(np.zeros(250_000, np.complex64))
    []
    """

    def __init__(
        self,
        sample_rate_hz: float,
        center_hz: Optional[float] = None,
        *,
        radio_configuration: Optional[str] = None,
        channel_center_hz: Optional[float] = None,
        bit_rate: BitRate = "auto",
        devices: Devices = None,
        full_scale_dbm: Optional[float] = None,
        false_messages_per_day: float = 1.0,
        max_drift_hz_per_s: float = 60.0,
        start: Union[None, str, dt.datetime] = None,
        start_s: float = 0.0,
        allow_nan: bool = False,
        swap_iq: bool = False,
        ppm: float = 0.0,
    ) -> None:
        self._native = _nap.Receiver(
            sample_rate_hz,
            center_hz,
            settings(
                {
                    "radio_configuration": radio_configuration,
                    "channel_center_hz": channel_center_hz,
                    "bit_rate": bit_rate,
                    "devices": devices,
                    "full_scale_dbm": full_scale_dbm,
                    "false_messages_per_day": false_messages_per_day,
                    "max_drift_hz_per_s": max_drift_hz_per_s,
                }
            ),
            start=rfc3339("start", start),
            start_s=start_s,
            allow_nan=allow_nan,
            swap_iq=swap_iq,
            ppm=ppm,
        )

    def push(self, iq: npt.NDArray[Any]) -> list[Event]:
        """Take samples in and return what they complete: messages, and bursts given up.

        Parameters
        ----------
        iq : ndarray
            complex64 of shape (n,), full scale 1.0, which is not copied; or complex128; or pairs
            of int8, uint8, int16 or uint16 of shape (n, 2) or interleaved, which are converted
            block by block, full scale 2ⁿ⁻¹. A memory map will do.

        Returns
        -------
        list of Event

        Raises
        ------
        TypeError
            For anything but an array of one of these types.
        SampleError
            If the shape or layout is wrong, or a sample is not finite. The latter closes the
            receiver, as does an interrupt: what follows would not fit on what was before.
        ClosedError
            If the receiver is closed.
        """
        return [_event(*record) for record in self._native.push(iq)]

    def flush(self) -> list[Event]:
        """End the stream: decode what is left and complete all messages.

        Samples pushed later count as recorded after a short silence.
        """
        return [_event(*record) for record in self._native.flush()]

    def messages(self, blocks: Iterable[npt.NDArray[Any]]) -> Iterator[Message]:
        """Take all blocks in and yield each message once it is complete, to the last one.

        Bursts that were not decoded are left out; ``events`` has them.

        Parameters
        ----------
        blocks : iterable of ndarray
            As ``push`` takes them.
        """
        return _complete(self.events(blocks))

    def events(self, blocks: Iterable[npt.NDArray[Any]]) -> Iterator[Event]:
        """Take all blocks in and yield each event as it happens, to the last one.

        Parameters
        ----------
        blocks : iterable of ndarray
            As ``push`` takes them.
        """
        for block in blocks:
            yield from self.push(block)
        yield from self.flush()

    def set_devices(self, devices: Devices) -> None:
        """Go by these devices from now on, in place of those known before.

        Their keys check the messages that are first told of from now on.

        Parameters
        ----------
        devices : path, mapping, iterable of Device, optional
            As ``Receiver`` takes them.

        Raises
        ------
        ConfigurationError
            If they cannot be; the receiver then goes by those it had.
        ClosedError
            If the receiver is closed.
        """
        self._native.set_devices(device_table(devices))

    @property
    def noise_density(self) -> Optional[float]:
        """Noise of the channel in one hertz, the median along it; ``None`` before there was any.

        dBm/Hz with a calibration, else dBFS/Hz.
        """
        return self._native.noise_density()

    def noise_densities(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """The noise along the channel, in parts of about 5 kHz.

        Of each part it is the lower quartile of the last ten seconds, which bursts do not lift.

        Returns
        -------
        frequency_hz : ndarray of float64, shape (parts,)
            Middle of each part, Hz, rising. Empty before there was any noise.
        noise_density : ndarray of float64, shape (parts,)
            Power in one hertz: dBm/Hz with a calibration, else dBFS/Hz.
        """
        return self._native.noise_densities()

    def close(self) -> None:
        """Free the memory. A closed receiver takes no samples; closing it again does nothing."""
        self._native.close()

    @property
    def closed(self) -> bool:
        """Whether the receiver is closed."""
        return self._native.closed

    @property
    def channel_center_hz(self) -> float:
        """Middle of the channel that is listened to, Hz."""
        return self._native.channel_center_hz

    @property
    def heard_hz(self) -> tuple[float, float]:
        """The lowest and the highest frequency that are heard, Hz: what of the channel is sampled."""
        return self._native.heard_hz

    @property
    def heard_share(self) -> float:
        """Share of the channel that is heard, at most 1."""
        return self._native.heard_share

    @property
    def radio_configuration(self) -> Optional[str]:
        """The radio configuration of the channel, if one was chosen."""
        return self._native.radio_configuration

    @property
    def bit_rates(self) -> tuple[int, ...]:
        """The bit rates listened for, bit/s."""
        return tuple(self._native.bit_rates)

    @property
    def statistics(self) -> dict[str, int]:
        """Counters since the start: samples, candidates, bursts, decisions, messages, drops."""
        return dict(self._native.statistics())

    def __enter__(self) -> Receiver:
        return self

    def __exit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        channel = self.radio_configuration or f"{self.channel_center_hz / 1e6:.6f} MHz"
        rates = "/".join(str(rate) for rate in self.bit_rates)
        part = "" if self.heard_share > 0.999999 else f", {self.heard_share:.1%} of the channel"
        state = ", closed" if self.closed else ""
        return f"<Receiver {channel}, {rates} bit/s{part}{state}>"


def decode_blocks(
    receiver: Receiver, blocks: Iterable[npt.NDArray[Any]], report: Callable[[int], None]
) -> MessageList:
    """All messages in blocks of samples; ``report`` is told how many are done."""
    with receiver:
        messages = receiver.messages(_reported(blocks, report))
        # Counted as those of a recording are, in the order in which they are complete.
        return MessageList(replace(one, message_id=n) for n, one in enumerate(messages, 1))


def blocks_of(iq: npt.NDArray[Any], samples: int) -> Iterator[npt.NDArray[Any]]:
    """Views of an array that holds so many samples, one block after the other."""
    # Of interleaved integers, a sample is two numbers.
    step = len(iq) // max(1, samples) * BLOCK or BLOCK
    return (iq[first : first + step] for first in range(0, len(iq), step))


def _reported(
    blocks: Iterable[npt.NDArray[Any]], report: Callable[[int], None]
) -> Iterator[npt.NDArray[Any]]:
    for block in blocks:
        yield block
        report(_nap.sample_count(block))


def _complete(events: Iterable[Event]) -> Iterator[Message]:
    return (event.message for event in events if event.kind == "complete")


def _event(kind: str, record: str) -> Event:
    if kind == "retracted":
        return RetractedEvent(json.loads(record)["message_id"])
    if kind == "undecoded":
        return UndecodedEvent(UndecodedBurst._from_json(record))
    return MessageEvent(cast(Any, kind), Message._from_json(record))
