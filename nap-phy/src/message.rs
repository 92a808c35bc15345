//! What a receiver reports.

use std::fmt;

use crate::device::authentication::Authentication;
use crate::radio::bit_rate::BitRate;
use crate::radio::configuration::RadioConfiguration;
use crate::uplink::message::Uplink;
use crate::uplink::rank::Rank;

/// Ties what a receiver tells of one message together: they count from 1 in the order in which a
/// receiver first tells of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct MessageId(pub u64);

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A message as received.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The same in all events of one message, and in no other's.
    pub id: MessageId,
    /// What the device sent.
    pub uplink: Uplink,
    /// Whether its key made the tag.
    pub authentication: Authentication,
    /// The radio configuration of the channel, if known.
    pub radio_configuration: Option<RadioConfiguration>,
    /// Middle of the channel, Hz, if it was chosen by that.
    pub channel_center_hz: Option<f64>,
    /// How fast the device sent.
    pub bit_rate: BitRate,
    /// How the message was decoded.
    pub decoder: Decoder,
    /// The message's signal, as [`Signal::of_message`] sums up that of its frames.
    pub signal: Signal,
    /// The frames of the message that were received, in the order of time.
    pub frames: Vec<FrameReport>,
}

impl Message {
    /// The same message with its times, which count from the first sample that the receiver got,
    /// moved by `offset_s`.
    #[must_use]
    pub fn moved_by(mut self, offset_s: f64) -> Self {
        self.signal.time_s += offset_s;
        for frame in &mut self.frames {
            frame.signal.time_s += offset_s;
        }
        self
    }

    /// How far each of the message's frames reaches; they are all alike.
    #[must_use]
    pub fn frame_extent(&self) -> Extent {
        Extent::of_frame(&self.uplink, self.bit_rate)
    }
}

/// How far a frame reaches in time and frequency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extent {
    /// From the start of the reference symbol, which comes before the first bit, to the end of the
    /// last bit, s.
    pub duration_s: f64,
    /// Main lobe of the spectrum: twice the symbol rate, Hz.
    pub width_hz: f64,
}

impl Extent {
    /// The extent of a burst of some duration.
    #[must_use]
    pub fn new(duration_s: f64, bit_rate: BitRate) -> Self {
        Self { duration_s, width_hz: 2.0 * f64::from(bit_rate.bits_per_s()) }
    }

    /// The extent of each frame of a message.
    #[must_use]
    pub fn of_frame(uplink: &Uplink, bit_rate: BitRate) -> Self {
        let class = uplink.content().class();
        Self::new(class.airtime_s(bit_rate) + bit_rate.symbol_s(), bit_rate)
    }
}

/// A frame of a message as received.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameReport {
    /// Which of the three frames.
    pub rank: Rank,
    /// The frame's signal.
    pub signal: Signal,
    /// Whether this frame alone could be decoded, its CRC matching.
    pub crc_ok: bool,
}

/// How a message was decoded, from the most certain way to the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Decoder {
    /// One frame, its most likely reading.
    Single,
    /// One frame, a less likely reading that the CRC confirmed.
    List,
    /// Several frames together.
    Joint,
    /// With the help of what was known of the device before.
    APriori,
}

/// When, where, how strong and how clean a frame or message was received.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Signal {
    /// Start of the frame, or of the message's first frame, from the first sample, s.
    pub time_s: f64,
    /// Carrier frequency in the middle of the frame, Hz.
    pub frequency_hz: f64,
    /// Mean power over the frame.
    pub level: Level,
    /// Energy of a bit over the noise density, Eb/N0, dB.
    pub snr_db: f64,
    /// Drift of the carrier, Hz/s.
    pub drift_hz_per_s: f64,
}

impl Signal {
    /// The signal of a message: that of its cleanest frame, with the time of its first one.
    /// `None` without frames.
    #[must_use]
    pub fn of_message(frames: &[FrameReport]) -> Option<Self> {
        let signals = || frames.iter().map(|frame| frame.signal);
        let best = signals().max_by(|a, b| a.snr_db.total_cmp(&b.snr_db))?;
        let time_s = signals().map(|signal| signal.time_s).fold(best.time_s, f64::min);
        Some(Self { time_s, ..best })
    }
}

/// A power level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Level {
    /// At the antenna, dBm; known with a calibration only.
    Dbm(f64),
    /// Relative to full scale, dB.
    Dbfs(f64),
}

impl Level {
    /// The number alone, dBm or dB.
    #[must_use]
    pub fn value(self) -> f64 {
        match self {
            Self::Dbm(value) | Self::Dbfs(value) => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(rank: Rank, time_s: f64, snr_db: f64) -> FrameReport {
        let signal = Signal {
            time_s,
            frequency_hz: 868.1e6 + time_s,
            level: Level::Dbfs(snr_db - 60.0),
            snr_db,
            drift_hz_per_s: 0.0,
        };
        FrameReport { rank, signal, crc_ok: true }
    }

    #[test]
    fn a_message_has_its_best_frames_signal_and_its_first_frames_time() {
        let frames = [
            frame(Rank::First, 1.0, 7.0),
            frame(Rank::Second, 3.5, 11.0),
            frame(Rank::Third, 6.0, 9.0),
        ];
        let expected = Signal { time_s: 1.0, ..frames[1].signal };
        assert_eq!(Signal::of_message(&frames), Some(expected));
        assert_eq!(Signal::of_message(&[]), None);
    }
}
