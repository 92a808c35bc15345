//! How long to wait after a fault: decorrelated jitter.
//!
//! The next delay is drawn between the base and three times the last one, so that thousands of stations
//! whose server comes back do not come back together ("Exponential Backoff And Jitter", M. Brooker, AWS
//! Architecture Blog, 2015). Time is handed in.

use std::time::{Duration, Instant};

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The shortest delay.
const BASE: Duration = Duration::from_millis(500);
/// The longest delay.
const CAP: Duration = Duration::from_secs(300);
/// The longest delay while the station wants to end.
pub const DRAINING_CAP: Duration = Duration::from_secs(30);
/// The longest delay after a fault of this computer's own disk: nobody else is in a hurry to use it, and it may
/// work again at once.
const LOCAL_CAP: Duration = Duration::from_secs(20);
/// Only after so long without a fault the delays begin with the shortest again: a server that takes a
/// connection and ends it at once is not well.
const WELL_AFTER: Duration = Duration::from_secs(60);

/// The longest delay, whoever is to blame.
#[must_use]
pub fn cap(is_draining: bool, is_local: bool) -> Duration {
    match (is_draining, is_local) {
        (_, true) => LOCAL_CAP,
        (true, false) => DRAINING_CAP,
        (false, false) => CAP,
    }
}

/// The delays of one relay.
#[derive(Debug)]
pub struct Backoff<R = ChaCha8Rng> {
    random: R,
    delay: Duration,
    failed_at: Option<Instant>,
}

impl Backoff {
    /// Delays that differ from those of another seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self::new(ChaCha8Rng::seed_from_u64(seed))
    }
}

impl<R: Rng> Backoff<R> {
    /// Delays drawn from a source of randomness.
    #[must_use]
    pub fn new(random: R) -> Self {
        Self { random, delay: BASE, failed_at: None }
    }

    /// How long to wait after a fault that happened now.
    pub fn after_fault(&mut self, now: Instant, cap: Duration) -> Duration {
        self.failed_at = Some(now);
        self.delay = decorrelated(&mut self.random, self.delay).min(cap);
        self.delay
    }

    /// Something was delivered.
    pub fn works(&mut self, now: Instant) {
        if self.failed_at.is_some_and(|at| now.saturating_duration_since(at) >= WELL_AFTER) {
            self.delay = BASE;
            self.failed_at = None;
        }
    }
}

/// A delay between the base and three times the last one.
pub(super) fn decorrelated(random: &mut impl Rng, last: Duration) -> Duration {
    let most = (last * 3).clamp(BASE, CAP);
    random.random_range(BASE..=most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn ten_thousand_stations_do_not_come_back_together() {
        let start = Instant::now();
        let back = start + Duration::from_secs(1800);
        let mut per_second = vec![0_u32; 301];
        for seed in 0..10_000 {
            let (mut backoff, mut now) = (Backoff::seeded(seed), start);
            while now < back {
                let delay = backoff.after_fault(now, CAP);
                assert!(delay >= BASE && delay <= CAP);
                now += delay;
            }
            per_second[now.duration_since(back).as_secs() as usize] += 1;
        }
        let busiest = per_second.iter().max().copied().unwrap();
        assert!(
            busiest < 250,
            "{busiest} of 10 000 stations come back in one second: {per_second:?}"
        );
    }

    #[test]
    fn only_a_minute_without_a_fault_begins_anew() {
        let start = Instant::now();
        let mut backoff = Backoff::seeded(1);
        for fault in 0..40 {
            backoff.after_fault(after(start, fault), CAP);
            // Connected and kicked, again and again.
            backoff.works(after(start, fault));
        }
        let grown = backoff.delay;
        assert!(grown > Duration::from_secs(5), "{grown:?}");
        backoff.works(after(start, 39 + 59));
        assert_eq!(backoff.delay, grown);
        backoff.works(after(start, 39 + 60));
        assert_eq!(backoff.delay, BASE);
        assert!(backoff.after_fault(after(start, 200), CAP) <= BASE * 3);
    }

    /// Whatever went wrong before.
    #[test]
    fn a_disk_that_works_again_is_used_within_a_minute() {
        let start = Instant::now();
        let mut backoff = Backoff::seeded(3);
        for fault in 0..100 {
            backoff.after_fault(after(start, fault), cap(false, false));
        }
        for is_draining in [false, true] {
            let delay = backoff.after_fault(after(start, 200), cap(is_draining, true));
            assert!(delay < Duration::from_secs(60), "{delay:?}");
        }
    }

    #[test]
    fn draining_waits_less() {
        let start = Instant::now();
        let mut backoff = Backoff::seeded(2);
        let longest = (0..100).map(|fault| backoff.after_fault(after(start, fault), DRAINING_CAP));
        assert_eq!(longest.max(), Some(DRAINING_CAP));
    }
}
