//! Messages that several receivers have heard.

use crate::message::Message;
use crate::receiver::decoded_frame::LONGEST_PAUSE_S;

/// Whether two receivers report the same message, each with the frames that it has heard: no device sends
/// the same twice within the time that a message takes.
pub(super) fn is_same_message(a: &Message, b: &Message) -> bool {
    let distance_s = (a.signal.time_s - b.signal.time_s).abs();
    a.uplink == b.uplink
        && a.bit_rate == b.bit_rate
        && distance_s < 2.0 * (a.frame_extent().duration_s + LONGEST_PAUSE_S)
}
