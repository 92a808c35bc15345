"""An open receiver of the Sigfox 0G uplink: IQ samples in, messages out.

>>> import nap_sdr
>>> messages = nap_sdr.decode_file("fixtures/recordings/rc1_two_uplinks.sigmf-meta")
>>> [message.payload for message in messages]
['ac1706c18dedf41e89cc', '71a0f59d61c1b8ec5e17d6']

Besides what is here there are ``nap_sdr.simulation``, ``nap_sdr.stages``,
``nap_sdr.theory``, ``nap_sdr.plot`` (needs matplotlib) and ``nap_sdr.dask`` (needs dask).
"""

from . import simulation, stages, theory
from ._decode import decode
from ._devices import Device, Devices, Key
from ._errors import (
    ClosedError,
    ConfigurationError,
    FrameError,
    NapError,
    RecordingError,
    RecordingWarning,
    SampleError,
    TruncatedRecordingError,
)
from ._event import Event, MessageEvent, RetractedEvent, UndecodedEvent
from ._message import Frame, Message, MessageList, messages_to_dataframe
from ._nap import __version__
from ._radio_configuration import RadioConfiguration
from ._receiver import Receiver
from ._recording import Recording, Stretch, decode_file, decode_files, read
from ._spectrogram import Spectrogram, spectrogram
from ._undecoded import UndecodedBurst
from ._uplink import ParsedFrame, Uplink, parse_frame
from .simulation import Channel, Signal, modulate, simulate

__all__ = [
    "Channel",
    "ClosedError",
    "ConfigurationError",
    "Device",
    "Devices",
    "Event",
    "Frame",
    "FrameError",
    "Key",
    "Message",
    "MessageEvent",
    "MessageList",
    "NapError",
    "ParsedFrame",
    "RadioConfiguration",
    "Receiver",
    "Recording",
    "RecordingError",
    "RecordingWarning",
    "RetractedEvent",
    "SampleError",
    "Signal",
    "Spectrogram",
    "Stretch",
    "TruncatedRecordingError",
    "UndecodedBurst",
    "UndecodedEvent",
    "Uplink",
    "__version__",
    "decode",
    "decode_file",
    "decode_files",
    "messages_to_dataframe",
    "modulate",
    "parse_frame",
    "read",
    "simulate",
    "simulation",
    "spectrogram",
    "stages",
    "theory",
]
