//! The time stamps of a stream, which tell how much is missing.

use crate::live::source::Loss;

/// So many blocks in a row must agree with the sample rate before time stamps are believed.
const PROBATION: u32 = 8;
/// What a time stamp may be off by and still be right, in seconds.
const TOLERANCE_S: f64 = 20e-6;
/// No gap is longer: the device's clock was set.
const LONGEST_GAP_S: f64 = 60.0;

/// Follows the time stamps of a stream. Many drivers have none, or some that mean nothing.
pub(super) struct Stamps {
    rate_hz: f64,
    /// When the next sample is due, in nanoseconds.
    due_ns: Option<i64>,
    agreed: u32,
}

impl Stamps {
    pub(super) fn new(rate_hz: f64) -> Self {
        Self { rate_hz, due_ns: None, agreed: 0 }
    }

    /// What was lost before a block of `count` samples stamped `time_ns`; `overflow` if the driver has
    /// said that something was.
    pub(super) fn follow(&mut self, time_ns: i64, count: u64, overflow: bool) -> Loss {
        let duration_ns = (count as f64 / self.rate_hz * 1e9).round() as i64;
        let due_ns = self.due_ns.replace(time_ns.saturating_add(duration_ns));
        let late_s = due_ns.map(|due_ns| time_ns.saturating_sub(due_ns) as f64 * 1e-9);
        let unstamped = if overflow { Loss::Unknown } else { Loss::None };
        let Some(late_s) = late_s else { return unstamped };
        if late_s.abs() <= TOLERANCE_S && time_ns != 0 {
            self.agreed += 1;
            // The driver has said that there is a gap; it may have been an empty one.
            return if overflow { Loss::Samples(0) } else { Loss::None };
        }
        if self.agreed < PROBATION || !(0.0..LONGEST_GAP_S).contains(&late_s) {
            self.agreed = 0;
            return unstamped;
        }
        Loss::Samples((late_s * self.rate_hz).round() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_counted_by_stamps_that_have_proved_right() {
        let mut stamps = Stamps::new(250e3);
        for n in 0..10 {
            assert_eq!(stamps.follow(1_000 + n * 10_000_000, 2500, false), Loss::None);
        }
        // Half a second is missing.
        assert_eq!(stamps.follow(600_001_000, 2500, true), Loss::Samples(125_000));
        assert_eq!(stamps.follow(610_001_000, 2500, true), Loss::Samples(0));
    }

    #[test]
    fn without_stamps_nobody_knows() {
        let mut stamps = Stamps::new(250e3);
        for _ in 0..20 {
            assert_eq!(stamps.follow(0, 2500, false), Loss::None);
        }
        assert_eq!(stamps.follow(0, 2500, true), Loss::Unknown);
    }
}
