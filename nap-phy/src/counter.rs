//! The message counter and what a network makes of its gaps.

use core::fmt;
use core::str::FromStr;

use crate::Error;

/// A message's sequence number: 12 bits on the air.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(into = "u16", try_from = "u16")
)]
pub struct MessageCounter(u16);

impl MessageCounter {
    /// Largest sequence number.
    pub const MAX: Self = Self(0xfff);

    /// A sequence number of 0 to 4095.
    ///
    /// # Errors
    ///
    /// [`Error::SequenceNumber`] if it does not fit 12 bits.
    pub const fn new(value: u16) -> Result<Self, Error> {
        if value > Self::MAX.0 {
            return Err(Error::SequenceNumber { found: value });
        }
        Ok(Self(value))
    }

    /// The sequence number in the low 12 bits of a header.
    pub(crate) const fn from_low_bits(header: u16) -> Self {
        Self(header & Self::MAX.0)
    }

    /// The number, 0 to 4095.
    #[must_use]
    pub const fn value(self) -> u16 {
        self.0
    }

    /// The number of the message after this one.
    #[must_use]
    pub const fn next(self, modulo: MessageModulo) -> Self {
        Self((self.0 + 1) % modulo.0)
    }

    /// How many messages after `last` this one is: 0 for the same number, else 1 to the modulo
    /// less one. Numbers wrap at `modulo`.
    #[must_use]
    pub const fn gap_after(self, last: Self, modulo: MessageModulo) -> u16 {
        (self.0 % modulo.0 + modulo.0 - last.0 % modulo.0) % modulo.0
    }
}

impl From<MessageCounter> for u16 {
    fn from(counter: MessageCounter) -> Self {
        counter.0
    }
}

impl TryFrom<u16> for MessageCounter {
    type Error = Error;

    fn try_from(value: u16) -> Result<Self, Error> {
        Self::new(value)
    }
}

impl fmt::Display for MessageCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a device's message counter wraps: 128, 256, 512, 1024, 2048 or 4096 (sigfox-ep-lib).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(into = "u16", try_from = "u16")
)]
pub struct MessageModulo(u16);

impl MessageModulo {
    /// A modulo that a device can be set to.
    ///
    /// # Errors
    ///
    /// [`Error::MessageModulo`] for any other number.
    pub const fn new(value: u16) -> Result<Self, Error> {
        match value {
            128 | 256 | 512 | 1024 | 2048 | 4096 => Ok(Self(value)),
            found => Err(Error::MessageModulo { found }),
        }
    }

    /// The modulo.
    #[must_use]
    pub const fn value(self) -> u16 {
        self.0
    }
}

impl Default for MessageModulo {
    /// 4096, the whole 12 bits.
    fn default() -> Self {
        Self(4096)
    }
}

impl From<MessageModulo> for u16 {
    fn from(modulo: MessageModulo) -> Self {
        modulo.0
    }
}

impl TryFrom<u16> for MessageModulo {
    type Error = Error;

    fn try_from(value: u16) -> Result<Self, Error> {
        Self::new(value)
    }
}

impl FromStr for MessageModulo {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let value = text.parse().map_err(|_| Error::MessageModuloText)?;
        Self::new(value)
    }
}

impl fmt::Display for MessageModulo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

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
    #[must_use]
    pub fn since_last_message(days: u32, messages_per_day: u32) -> Self {
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
        Self {
            accepted_gap: limit,
            rejected_above_gap: limit,
        }
    }

    /// Judges the number of a message that came after `last` was accepted.
    #[must_use]
    pub fn judge(
        self,
        last: MessageCounter,
        found: MessageCounter,
        modulo: MessageModulo,
    ) -> Acceptance {
        if found.0 >= modulo.0 {
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
        assert_eq!(
            window.judge(counter(1), counter(128), small),
            Acceptance::OutsideModulo
        );
    }

    #[test]
    fn same_day_takes_only_the_next_number_for_sure() {
        let window = AcceptanceWindow::since_last_message(0, 140);
        let judge = |found| window.judge(counter(0), counter(found), MessageModulo::default());
        assert_eq!(judge(1), Acceptance::Accepted);
        assert_eq!(judge(2), Acceptance::Between { gap: 2 });
        assert_eq!(judge(281), Acceptance::Rejected { gap: 281 });
    }

    #[test]
    fn huge_figures_do_not_overflow() {
        let window = AcceptanceWindow::since_last_message(u32::MAX, u32::MAX);
        let verdict = window.judge(counter(1), counter(0), MessageModulo::default());
        assert_eq!(verdict, Acceptance::BreakInSequence { gap: 4095 });
    }

    #[test]
    fn limits_of_values() {
        assert_eq!(
            MessageCounter::new(4096),
            Err(Error::SequenceNumber { found: 4096 })
        );
        assert_eq!(
            MessageModulo::new(100),
            Err(Error::MessageModulo { found: 100 })
        );
        assert_eq!("4096".parse(), Ok(MessageModulo::default()));
        assert_eq!(
            "many".parse::<MessageModulo>(),
            Err(Error::MessageModuloText)
        );
    }
}
