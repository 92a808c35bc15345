//! A frame that was decoded.

use nap_dsp::demodulator::Measurement;

use super::decoder::symbols::symbol_count;
use crate::message::Decoder;
use crate::radio::bit_rate::BitRate;
use crate::radio::configuration::MAX_UPLINK_PAUSE_MS;
use crate::uplink::container::Container;
use crate::uplink::frame_type::FrameType;
use crate::uplink::rank::Rank;

/// The pause between frames is at most 2 s for a device; a little more for imprecise ones.
pub(super) const LONGEST_PAUSE_S: f64 = MAX_UPLINK_PAUSE_MS as f64 / 1000.0 + 0.5;

/// By so much of a frame the next one may seem to begin before it ends: devices' bit rates are off by up to
/// a hundredth, and starts are found to within a symbol. No device sends two frames at once.
const OVERLAP_TOLERANCE: f64 = 0.02;

/// Whether a device may pause this long between frames of this duration.
pub(super) fn is_pause(pause_s: f64, duration_s: f64) -> bool {
    (-OVERLAP_TOLERANCE * duration_s..LONGEST_PAUSE_S).contains(&pause_s)
}

/// A frame whose check sum is right, and its signal.
#[derive(Debug, Clone)]
pub(super) struct DecodedFrame {
    pub(super) frame_type: FrameType,
    pub(super) container: Container,
    pub(super) bit_rate: BitRate,
    pub(super) decoder: Decoder,
    /// Whether the frame decoded alone.
    pub(super) crc_ok: bool,
    /// Logarithm of the odds that what was decoded to find it is right; 0 if it was known before.
    pub(super) ln_odds: f64,
    pub(super) measurement: Measurement,
    /// Energy of a bit over the noise density (linear).
    pub(super) eb_over_n0: f64,
}

impl DecodedFrame {
    /// When the last symbol ends, in seconds.
    pub(super) fn end_s(&self) -> f64 {
        self.measurement.track.start_s + self.duration_s()
    }

    fn duration_s(&self) -> f64 {
        symbol_count(self.frame_type) as f64 * self.bit_rate.symbol_s()
    }

    /// Whether the times fit another frame of this message, of that type and with that start.
    pub(super) fn may_have(&self, frame_type: FrameType, start_s: f64) -> bool {
        let steps = f64::from(frame_type.rank.number()) - f64::from(self.frame_type.rank.number());
        let duration_s = self.duration_s();
        let pause_s = (start_s - self.measurement.track.start_s) / steps - duration_s;
        self.frame_type.class == frame_type.class && steps != 0.0 && is_pause(pause_s, duration_s)
    }

    /// When the last frame of the message can have ended, seen from this one.
    pub(super) fn last_end_s(&self) -> f64 {
        let following = Rank::Third.number() - self.frame_type.rank.number();
        self.end_s() + f64::from(following) * (self.duration_s() + LONGEST_PAUSE_S)
    }
}
