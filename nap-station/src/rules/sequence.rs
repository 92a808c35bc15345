//! Which message counters a device can have reached.

use nap_phy::{MessageCounter, MessageModulo};

use crate::rules::utc::Utc;

const DAY_US: u64 = 86_400_000_000;
const HOUR_US: u64 = 3_600_000_000;
/// So many messages may be missing whatever the time: a device may have sent in bursts.
const MIN_REACH: u64 = 20;

/// How far a device's counter may run ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SequenceLimits {
    /// Where the counter wraps.
    pub modulo: MessageModulo,
    /// The messages a day of the device's contract.
    pub messages_per_day: u32,
    /// The messages an hour that a device can send at most; 0 for any number.
    pub max_messages_per_hour: u32,
}

/// What a message counter tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sequence {
    /// It is the next one, or not much later.
    Follows,
    /// It is later than the contract lets expect, but not impossible.
    Break {
        /// Messages after the last accepted one.
        gap: u16,
    },
    /// It has been there already.
    Replayed,
    /// No device can be so far ahead, or have such a number.
    OutOfSequence,
}

impl SequenceLimits {
    /// Judges the counter `found` at `now`, when the last accepted one was `last`.
    #[must_use]
    pub fn judge(
        &self,
        found: MessageCounter,
        now: Utc,
        last: Option<(MessageCounter, Utc)>,
    ) -> Sequence {
        if found.value() >= self.modulo.value() {
            return Sequence::OutOfSequence;
        }
        let Some((last, at)) = last else { return Sequence::Follows };
        let elapsed_us = now.us_since(at);
        let gap = found.gap_after(last, self.modulo);
        let (expected, possible) = self.window(elapsed_us);
        let is_reachable = u64::from(gap) <= self.reach(elapsed_us);
        match u64::from(gap) {
            0 => Sequence::Replayed,
            ahead if is_reachable && ahead <= expected => Sequence::Follows,
            ahead if is_reachable && ahead <= possible => Sequence::Break { gap },
            _ => self.backwards(gap),
        }
    }

    /// Up to where a gap is usual, and up to where it is possible: 300 a started day, and the contract's rate
    /// with two days to spare.
    fn window(&self, elapsed_us: u64) -> (u64, u64) {
        let days = elapsed_us.div_ceil(DAY_US).max(1);
        let by_days = days.saturating_mul(300);
        let by_contract = u64::from(self.messages_per_day).saturating_mul(days.saturating_add(2));
        (by_days.min(by_contract), by_days.max(by_contract))
    }

    /// How many messages the device can have sent since.
    fn reach(&self, elapsed_us: u64) -> u64 {
        if self.max_messages_per_hour == 0 {
            return u64::MAX;
        }
        let sent = u128::from(self.max_messages_per_hour) * u128::from(elapsed_us);
        let sent = u64::try_from(sent / u128::from(HOUR_US)).unwrap_or(u64::MAX);
        sent.saturating_add(MIN_REACH)
    }

    /// A gap that cannot be: the number lies behind the last one, or far ahead.
    fn backwards(&self, gap: u16) -> Sequence {
        let behind = self.modulo.value() - gap;
        if behind < self.modulo.value() / 2 { Sequence::Replayed } else { Sequence::OutOfSequence }
    }
}
