//! The frames decoded lately, and what is another frame of their messages.

use super::decoded_frame::DecodedFrame;
use super::joint::tuning::JointTuning;
use super::joint::undecoded_frame::UndecodedFrame;
use crate::uplink::container::Container;

/// The frames of one bit rate that were decoded lately, in the order in which they were.
pub(super) struct RecentFrames {
    tuning: JointTuning,
    frames: Vec<DecodedFrame>,
}

impl RecentFrames {
    /// None yet.
    pub(super) fn new(tuning: JointTuning) -> Self {
        Self { tuning, frames: Vec::new() }
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.frames.clear();
    }

    /// Forgets frames that ended before `time_s`.
    pub(super) fn forget(&mut self, time_s: f64) {
        self.frames.retain(|frame| frame.end_s() >= time_s);
    }

    /// One more.
    pub(super) fn push(&mut self, frame: DecodedFrame) {
        self.frames.push(frame);
    }

    /// Takes out those of which something is so.
    pub(super) fn take(
        &mut self,
        is_so: impl FnMut(&mut DecodedFrame) -> bool,
    ) -> impl Iterator<Item = DecodedFrame> {
        self.frames.extract_if(.., is_so)
    }

    /// All.
    pub(super) fn iter(&self) -> impl Iterator<Item = &DecodedFrame> {
        self.frames.iter()
    }

    /// The newest.
    pub(super) fn newest(&self) -> Option<&DecodedFrame> {
        self.frames.last()
    }

    /// Those of a message.
    pub(super) fn of_message(&self, container: &Container) -> impl Iterator<Item = &DecodedFrame> {
        self.frames.iter().filter(move |frame| frame.container == *container)
    }

    /// Whether an undecoded frame is another one of the message of one of these: at the right time for all frames of
    /// the message, and with its bits.
    pub(super) fn is_sibling(&self, undecoded: &UndecodedFrame, frame: &DecodedFrame) -> bool {
        // The same bits sent before or later are another transmission.
        let is_of_transmission = |other: &&DecodedFrame| {
            frame.may_have(other.frame_type, other.measurement.track.start_s)
        };
        let mut others = self.of_message(&frame.container).filter(is_of_transmission);
        undecoded.may_follow(frame)
            && others.all(|other| undecoded.may_be_beside(other))
            && undecoded.agrees_with(&frame.container, &self.tuning)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receiver::joint::undecoded_frame::heard::{container, decoded, frame};
    use crate::uplink::rank::Rank;

    #[test]
    fn a_message_that_has_a_frame_of_a_rank_has_no_other_of_it() {
        let message = container(&[1]);
        let message_s = [5.0, 7.0, 9.0];
        let of_rank = |rank: Rank| decoded(&message, rank, message_s[rank.index()]);
        let third = |start_s| frame(&message, Rank::Third, start_s);
        let is_sibling = |undecoded: &UndecodedFrame, recent: &RecentFrames| {
            recent.iter().any(|known| recent.is_sibling(undecoded, known))
        };
        let mut known = RecentFrames::new(JointTuning::default());
        known.push(of_rank(Rank::First));
        assert!(is_sibling(&third(11.5), &known), "by the first frame's time alone");
        known.push(of_rank(Rank::Second));
        assert!(is_sibling(&third(9.0), &known));
        assert!(!is_sibling(&third(11.5), &known), "nor by the second frame's time");
        known.push(of_rank(Rank::Third));
        assert!(!is_sibling(&third(11.5), &known));
        assert!(is_sibling(&third(9.0), &known), "an image of what is known");
        // What was sent before is another transmission.
        known.push(decoded(&message, Rank::First, 13.0));
        assert!(is_sibling(&third(17.0), &known));
    }
}
