//! How well a receiver heard a recording whose content is known.

use std::ops::AddAssign;

use crate::message::Message;
use crate::scene::truth::Truth;

/// Counts of what was heard of what was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReceptionCounts {
    /// Messages that were sent.
    pub sent: usize,
    /// Of these, messages that were reported.
    pub heard: usize,
    /// Reports of a message that had been reported already.
    pub repeated: usize,
    /// Reports of what was never sent.
    pub false_positives: usize,
}

impl AddAssign for ReceptionCounts {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.heard += other.heard;
        self.repeated += other.repeated;
        self.false_positives += other.false_positives;
    }
}

impl ReceptionCounts {
    /// Compares what was reported with what was sent.
    #[must_use]
    pub fn new(truth: &Truth, reported: &[Message]) -> Self {
        let sent: Vec<_> = truth.messages.iter().map(|m| (m.bit_rate, m.uplink().ok())).collect();
        let mut reports = vec![0; sent.len()];
        let mut false_positives = 0;
        for message in reported {
            let same = |(bit_rate, uplink): &(_, Option<_>)| {
                *bit_rate == message.bit_rate && uplink.as_ref() == Some(&message.uplink)
            };
            match sent.iter().position(same) {
                Some(index) => reports[index] += 1,
                None => false_positives += 1,
            }
        }
        let heard = reports.iter().filter(|&&count| count > 0).count();
        let repeated = reports.iter().sum::<usize>() - heard;
        Self { sent: sent.len(), heard, repeated, false_positives }
    }

    /// Whether every message was heard once and nothing else.
    #[must_use]
    pub fn is_perfect(&self) -> bool {
        self.heard == self.sent && self.repeated == 0 && self.false_positives == 0
    }
}
