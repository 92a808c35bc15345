//! What a network makes of a message counter's gaps.

use crate::uplink::message_counter::{MessageCounter, MessageModulo};

/// What a network makes of a sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Acceptance {
    /// The number after the last one.
    Accepted,
    /// Accepted, with a warning: messages are missing before it.
    BreakInSequence {
        /// Messages after the last accepted one, 2 or more.
        gap: u16,
    },
    /// Between the two limits, where public descriptions disagree: the caller's policy decides.
    Between {
        /// Messages after the last accepted one.
        gap: u16,
    },
    /// Out of sequence, or the last number once more.
    Rejected {
        /// Messages after the last accepted one; 0 is a replay.
        gap: u16,
    },
    /// Not a number that a device with this modulo can send.
    OutsideModulo,
}

/// How far a sequence number may be ahead of the last accepted one.
///
/// Gaps are counted modulo the device's counter, so a number behind the last one counts as far
/// ahead of it. A limit beyond the modulo lets everything pass: after a long silence any number is
/// plausible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AcceptanceWindow {
    accepted_gap: u32,
    rejected_above_gap: u32,
}

impl AcceptanceWindow {
    /// The window as Sigfox's support pages describe it today ("Sequence number: general
    /// knowledge").
    ///
    /// With `days` since the last accepted message and a contract of `messages_per_day`, gaps up
    /// to the smaller of `300 · days` and `messages_per_day · (days + 2)` are accepted and gaps
    /// above the larger are rejected; in between descriptions disagree. The next number is
    /// accepted always.
    ///
    /// Days are spans of 24 hours, counted from 1: the first 24 hours are day 1, and 0 means the
    /// same.
    #[must_use]
    pub fn since_last_message(days: u32, messages_per_day: u32) -> Self {
        let days = days.max(1);
        let by_days = days.saturating_mul(300);
        let by_contract = messages_per_day.saturating_mul(days.saturating_add(2));
        Self {
            accepted_gap: by_days.min(by_contract),
            rejected_above_gap: by_days.max(by_contract),
        }
    }

    /// The window of the 2017 technical overview: gaps up to three days' messages, 20 at least.
    #[must_use]
    pub fn three_days(messages_per_day: u32) -> Self {
        let limit = messages_per_day.saturating_mul(3).max(20);
        Self { accepted_gap: limit, rejected_above_gap: limit }
    }

    /// Judges the number of a message that came after `last` was accepted.
    #[must_use]
    pub fn judge(
        self,
        last: MessageCounter,
        found: MessageCounter,
        modulo: MessageModulo,
    ) -> Acceptance {
        if found.value() >= modulo.value() {
            return Acceptance::OutsideModulo;
        }
        match found.gap_after(last, modulo) {
            0 => Acceptance::Rejected { gap: 0 },
            1 => Acceptance::Accepted,
            gap if u32::from(gap) <= self.accepted_gap => Acceptance::BreakInSequence { gap },
            gap if u32::from(gap) <= self.rejected_above_gap => Acceptance::Between { gap },
            gap => Acceptance::Rejected { gap },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter(value: u16) -> MessageCounter {
        MessageCounter::new(value).unwrap()
    }

    /// The support page's example: last 5, 3 days, 140 a day gives the limits 705 and 905.
    #[test]
    fn published_example() {
        let window = AcceptanceWindow::since_last_message(3, 140);
        let judge = |found| window.judge(counter(5), counter(found), MessageModulo::default());
        assert_eq!(judge(5), Acceptance::Rejected { gap: 0 });
        assert_eq!(judge(6), Acceptance::Accepted);
        assert_eq!(judge(7), Acceptance::BreakInSequence { gap: 2 });
        assert_eq!(judge(705), Acceptance::BreakInSequence { gap: 700 });
        assert_eq!(judge(706), Acceptance::Between { gap: 701 });
        assert_eq!(judge(905), Acceptance::Between { gap: 900 });
        assert_eq!(judge(906), Acceptance::Rejected { gap: 901 });
        assert_eq!(judge(4), Acceptance::Rejected { gap: 4095 });
    }

    #[test]
    fn older_rule() {
        let judge = |per_day, found| {
            AcceptanceWindow::three_days(per_day).judge(
                counter(4090),
                counter(found),
                MessageModulo::default(),
            )
        };
        assert_eq!(judge(2, 14), Acceptance::BreakInSequence { gap: 20 });
        assert_eq!(judge(2, 15), Acceptance::Rejected { gap: 21 });
        assert_eq!(judge(140, 414), Acceptance::BreakInSequence { gap: 420 });
        assert_eq!(judge(140, 415), Acceptance::Rejected { gap: 421 });
    }

    #[test]
    fn counts_across_the_wrap() {
        for modulo in [128, 256, 512, 1024, 2048, 4096] {
            let modulo = MessageModulo::new(modulo).unwrap();
            let last = counter(modulo.value() - 1);
            assert_eq!(last.next(modulo), counter(0));
            let window = AcceptanceWindow::three_days(1);
            assert_eq!(window.judge(last, counter(0), modulo), Acceptance::Accepted);
            assert_eq!(
                window.judge(last, counter(2), modulo),
                Acceptance::BreakInSequence { gap: 3 }
            );
        }
        let small = MessageModulo::new(128).unwrap();
        let window = AcceptanceWindow::three_days(140);
        assert_eq!(window.judge(counter(1), counter(128), small), Acceptance::OutsideModulo);
    }

    /// The support page counts the same day as 1.
    #[test]
    fn the_same_day_is_day_one() {
        let same_day = AcceptanceWindow::since_last_message(1, 140);
        assert_eq!(AcceptanceWindow::since_last_message(0, 140), same_day);
        let judge = |found| same_day.judge(counter(0), counter(found), MessageModulo::default());
        assert_eq!(judge(300), Acceptance::BreakInSequence { gap: 300 });
        assert_eq!(judge(301), Acceptance::Between { gap: 301 });
        assert_eq!(judge(420), Acceptance::Between { gap: 420 });
        assert_eq!(judge(421), Acceptance::Rejected { gap: 421 });
    }

    #[test]
    fn huge_figures_do_not_overflow() {
        let window = AcceptanceWindow::since_last_message(u32::MAX, u32::MAX);
        let verdict = window.judge(counter(1), counter(0), MessageModulo::default());
        assert_eq!(verdict, Acceptance::BreakInSequence { gap: 4095 });
    }
}
