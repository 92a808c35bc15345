//! Messages that several receivers have heard.

use crate::message::{Extent, Message};
use crate::radio::bit_rate::BitRate;
use crate::receiver::decoded_frame::LONGEST_PAUSE_S;
use crate::uplink::message::Uplink;

/// Whether two receivers report the same message, each with the frames that it has heard: no device sends
/// the same twice within the time that a message takes.
pub(super) fn is_same_message(a: &Message, b: &Message) -> bool {
    is_same_uplink(&of(a), &of(b))
}

/// What is heard of a message, whichever of its frames were received.
pub(super) struct Heard<'a> {
    pub(super) uplink: &'a Uplink,
    pub(super) bit_rate: BitRate,
    /// When its first received frame starts, in seconds.
    pub(super) time_s: f64,
}

/// The same of what is known of two messages.
pub(super) fn is_same_uplink(a: &Heard<'_>, b: &Heard<'_>) -> bool {
    let distance_s = (a.time_s - b.time_s).abs();
    let frame = || Extent::of_frame(a.uplink, a.bit_rate);
    a.uplink == b.uplink
        && a.bit_rate == b.bit_rate
        && distance_s < 2.0 * (frame().duration_s + LONGEST_PAUSE_S)
}

fn of(message: &Message) -> Heard<'_> {
    let Message { uplink, bit_rate, signal, .. } = message;
    Heard { uplink, bit_rate: *bit_rate, time_s: signal.time_s }
}
