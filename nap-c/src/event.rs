//! What a receiver tells, as one tagged structure.

use std::ffi::{CStr, c_char};
use std::mem::{offset_of, size_of};

use nap_phy::receiver::paced::{Overrun, PacedEvent};
use nap_phy::{
    Decoder, Event, FrameReport, Level, Message, Signal, UndecodedBurst, UndecodedReason,
};

use crate::config::NapRadioConfiguration;
use crate::content::NapUplink;
use crate::frame::NapAuthentication;

/// What an event tells.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NapEventType {
    /// A message was decoded for the first time.
    Message = 1,
    /// A further frame of a message was received: the event has all so far.
    Update = 2,
    /// No more frames can come to this message; its figures are final.
    Complete = 3,
    /// A burst was seen and will not decode any more: `signal`, `duration_s`, `width_hz`, `bit_rate` and
    /// `undecoded_reason` tell of it.
    Undecoded = 4,
    /// A message that was told of turned out to be wrong: it was never sent. Its figures are those that were
    /// told of.
    Retracted = 5,
    /// `count` samples from `signal.time_s` on were dropped because `nap_receiver_work` was too far behind.
    Overrun = 6,
    /// `count` events were dropped because there was no room to keep them.
    EventsDropped = 7,
}

/// How a message was decoded.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NapDecoder {
    /// One frame, its most likely reading.
    Single = 0,
    /// One frame, a less likely reading that the check sum confirmed.
    List = 1,
    /// Several frames together.
    Joint = 2,
    /// With the help of what was known of the device.
    APriori = 3,
}

/// Why a burst was not decoded.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NapUndecodedReason {
    /// It was decoded, or the event is of another kind.
    None = 0,
    /// No frame type fits.
    NoFrameType = 1,
    /// There is no carrier to the frame's end.
    NoCarrier = 2,
    /// The symbols are less clear than those of any frame that decodes.
    Faint = 3,
    /// No decision was likely enough to be tried.
    Unlikely = 4,
    /// All decisions that were tried failed the check.
    CheckFailed = 5,
    /// There were too many bursts at once.
    TooMany = 6,
    /// A reason that this version of the interface has no number for.
    Other = 7,
}

/// When, where, how strong and how clean.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NapSignal {
    /// Start of the frame, or of the message's first frame, from the first sample, s.
    pub time_s: f64,
    /// Carrier frequency in the middle of the frame, Hz.
    pub frequency_hz: f64,
    /// Mean power over the frame: dBm if `level_is_dbm`, else dB relative to full scale.
    pub level_db: f64,
    /// Energy of a bit over the noise density, Eb/N0, dB.
    pub snr_db: f64,
    /// Drift of the carrier, Hz/s.
    pub drift_hz_per_s: f64,
}

/// A frame of a message as received.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NapFrameReport {
    /// The frame's signal.
    pub signal: NapSignal,
    /// Which frame of a message: 1, 2 or 3.
    pub rank: u8,
    /// 1 if this frame alone could be decoded, its check sum matching, else 0.
    pub crc_ok: u8,
    /// Nothing.
    pub reserved: [u8; 6],
}

/// What a receiver tells. Fields that an event of its type does not have are 0.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NapEvent {
    /// How much of the structure the library has filled, in bytes.
    pub size: u32,
    /// What it tells.
    pub event_type: NapEventType,
    /// The same in all events of one message, and in no other's.
    pub message_id: u64,
    /// What the device sent.
    pub uplink: NapUplink,
    /// Whether its key made the tag.
    pub authentication: NapAuthentication,
    /// How the message was decoded.
    pub decoder: NapDecoder,
    /// The radio configuration of the channel, if known.
    pub radio_configuration: NapRadioConfiguration,
    /// How fast the device sent, bit/s.
    pub bit_rate: u32,
    /// The signal of the cleanest frame, with the time of the first one.
    pub signal: NapSignal,
    /// 1 if levels are dBm, 0 if they are relative to full scale.
    pub level_is_dbm: u32,
    /// How many frames were received.
    pub frame_count: u32,
    /// The frames in the order of time.
    pub frames: [NapFrameReport; 3],
    /// How long a frame, or the burst, lasts, s.
    pub duration_s: f64,
    /// How wide it is, Hz.
    pub width_hz: f64,
    /// Of a burst that was not decoded: why.
    pub undecoded_reason: NapUndecodedReason,
    /// Of a burst that was not decoded: which frame it is by its frame type, 1 to 3; 0 if none fits.
    pub undecoded_rank: u32,
    /// How many samples or events were dropped.
    pub count: u64,
}

/// The size of the first version, which a program has at least.
pub(crate) const FIRST_SIZE: usize = offset_of!(NapEvent, count) + size_of::<u64>();

impl NapEvent {
    /// What happened, for C; `None` for what this version of the interface has no event for.
    pub(crate) fn of(event: PacedEvent<'_>) -> Option<Self> {
        match event {
            PacedEvent::Received(Event::Message(message)) => {
                Some(Self::of_message(NapEventType::Message, message))
            }
            PacedEvent::Received(Event::Update(message)) => {
                Some(Self::of_message(NapEventType::Update, message))
            }
            PacedEvent::Received(Event::Complete(message)) => {
                Some(Self::of_message(NapEventType::Complete, message))
            }
            PacedEvent::Received(Event::Retracted(message)) => {
                Some(Self::of_message(NapEventType::Retracted, message))
            }
            PacedEvent::Received(Event::Undecoded(burst)) => Some(Self::of_burst(burst)),
            PacedEvent::Overrun(overrun) => Some(Self::of_overrun(overrun)),
            _ => None,
        }
    }

    /// So many events were dropped.
    pub(crate) fn dropped(count: u64) -> Self {
        Self { count, ..Self::empty(NapEventType::EventsDropped) }
    }

    fn of_message(event_type: NapEventType, message: &Message) -> Self {
        let extent = message.frame_extent();
        let mut frames = [NapFrameReport::EMPTY; 3];
        let reports = message.frames.iter().map(NapFrameReport::of);
        frames.iter_mut().zip(reports).for_each(|(place, report)| *place = report);
        let known = message.radio_configuration;
        Self {
            message_id: message.id.0,
            uplink: NapUplink::of(&message.uplink),
            authentication: message.authentication.into(),
            decoder: message.decoder.into(),
            radio_configuration: known.map_or(NapRadioConfiguration::Unknown, Into::into),
            bit_rate: u32::from(message.bit_rate.bits_per_s()),
            signal: NapSignal::of(&message.signal),
            level_is_dbm: is_dbm(&message.signal),
            frame_count: message.frames.len().min(3) as u32,
            frames,
            duration_s: extent.duration_s,
            width_hz: extent.width_hz,
            ..Self::empty(event_type)
        }
    }

    fn of_burst(burst: &UndecodedBurst) -> Self {
        Self {
            bit_rate: u32::from(burst.bit_rate.bits_per_s()),
            signal: NapSignal::of(&burst.signal),
            level_is_dbm: is_dbm(&burst.signal),
            duration_s: burst.extent.duration_s,
            width_hz: burst.extent.width_hz,
            undecoded_reason: burst.reason.into(),
            undecoded_rank: burst.frame_type.map_or(0, |known| u32::from(known.rank.number())),
            ..Self::empty(NapEventType::Undecoded)
        }
    }

    fn of_overrun(overrun: Overrun) -> Self {
        Self {
            signal: NapSignal { time_s: overrun.time_s, ..NapSignal::EMPTY },
            count: overrun.samples,
            ..Self::empty(NapEventType::Overrun)
        }
    }

    fn empty(event_type: NapEventType) -> Self {
        Self {
            size: size_of::<Self>() as u32,
            event_type,
            message_id: 0,
            uplink: NapUplink::default(),
            authentication: NapAuthentication::Unchecked,
            decoder: NapDecoder::Single,
            radio_configuration: NapRadioConfiguration::Unknown,
            bit_rate: 0,
            signal: NapSignal::EMPTY,
            level_is_dbm: 0,
            frame_count: 0,
            frames: [NapFrameReport::EMPTY; 3],
            duration_s: 0.0,
            width_hz: 0.0,
            undecoded_reason: NapUndecodedReason::None,
            undecoded_rank: 0,
            count: 0,
        }
    }
}

impl NapSignal {
    const EMPTY: Self =
        Self { time_s: 0.0, frequency_hz: 0.0, level_db: 0.0, snr_db: 0.0, drift_hz_per_s: 0.0 };

    fn of(signal: &Signal) -> Self {
        Self {
            time_s: signal.time_s,
            frequency_hz: signal.frequency_hz,
            level_db: signal.level.value(),
            snr_db: signal.snr_db,
            drift_hz_per_s: signal.drift_hz_per_s,
        }
    }
}

impl NapFrameReport {
    const EMPTY: Self = Self { signal: NapSignal::EMPTY, rank: 0, crc_ok: 0, reserved: [0; 6] };

    fn of(report: &FrameReport) -> Self {
        Self {
            signal: NapSignal::of(&report.signal),
            rank: report.rank.number(),
            crc_ok: report.crc_ok.into(),
            reserved: [0; 6],
        }
    }
}

fn is_dbm(signal: &Signal) -> u32 {
    matches!(signal.level, Level::Dbm(_)).into()
}

impl From<Decoder> for NapDecoder {
    fn from(decoder: Decoder) -> Self {
        match decoder {
            Decoder::Single => Self::Single,
            Decoder::List => Self::List,
            Decoder::Joint => Self::Joint,
            Decoder::APriori => Self::APriori,
        }
    }
}

impl From<UndecodedReason> for NapUndecodedReason {
    fn from(reason: UndecodedReason) -> Self {
        match reason {
            UndecodedReason::NoFrameType => Self::NoFrameType,
            UndecodedReason::NoCarrier => Self::NoCarrier,
            UndecodedReason::Faint => Self::Faint,
            UndecodedReason::Unlikely => Self::Unlikely,
            UndecodedReason::CheckFailed => Self::CheckFailed,
            UndecodedReason::TooMany => Self::TooMany,
            _ => Self::Other,
        }
    }
}

/// A few words that say what one of `NapUndecodedReason` means; never null.
#[unsafe(no_mangle)]
pub extern "C" fn nap_undecoded_reason_text(reason: i32) -> *const c_char {
    const TEXTS: [&CStr; 8] = [
        c"decoded",
        c"no frame type fits",
        c"no carrier to the frame's end",
        c"too faint",
        c"no decision likely enough",
        c"check sum wrong",
        c"too many bursts at once",
        c"another reason",
    ];
    let text = usize::try_from(reason).ok().and_then(|index| TEXTS.get(index));
    text.copied().unwrap_or(c"another reason").as_ptr()
}
