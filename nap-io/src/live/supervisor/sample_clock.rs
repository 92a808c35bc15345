//! When samples were taken, from when they arrived.

use std::time::{Duration, Instant};

/// How long the least delay is remembered: twice this at most.
const WINDOW: Duration = Duration::from_secs(5);

/// Relates the index of samples to the clock of the computer.
///
/// Samples arrive late by a varying time, but never early, so those of the last seconds that came
/// with the least delay tell when the others were taken.
#[derive(Debug, Clone)]
pub(super) struct SampleClock {
    origin: Instant,
    rate_hz: f64,
    /// How far the stream was ahead of the clock at most, in seconds: in this window and the last.
    lead_s: [f64; 2],
    window_start: Instant,
}

impl SampleClock {
    /// A clock of samples that come at `rate_hz`; sample 0 was taken at `origin`.
    pub(super) fn new(rate_hz: f64, origin: Instant) -> Self {
        Self { origin, rate_hz, lead_s: [f64::NEG_INFINITY; 2], window_start: origin }
    }

    /// Takes note that the sample before `end` arrived `at` this time.
    pub(super) fn observe(&mut self, end: u64, at: Instant) {
        if at.duration_since(self.window_start) > WINDOW {
            self.lead_s = [f64::NEG_INFINITY, self.lead_s[0]];
            self.window_start = at;
        }
        self.lead_s[0] = self.lead_s[0].max(self.ahead_s(end, at));
    }

    /// Forgets the delays, not the time: after an interruption they may be others.
    pub(super) fn restart(&mut self, at: Instant) {
        let lead_s = self.lead();
        self.lead_s = [f64::NEG_INFINITY, lead_s];
        self.window_start = at;
    }

    /// The index that a sample arriving now should have.
    pub(super) fn index_at(&self, at: Instant) -> u64 {
        let elapsed_s = at.duration_since(self.origin).as_secs_f64();
        ((elapsed_s + self.lead()) * self.rate_hz).round().max(0.0) as u64
    }

    /// When a sample was taken.
    pub(super) fn instant_of(&self, sample: u64) -> Instant {
        let since_origin_s = sample as f64 / self.rate_hz - self.lead();
        if since_origin_s >= 0.0 {
            self.origin + Duration::from_secs_f64(since_origin_s)
        } else {
            let before = Duration::from_secs_f64(-since_origin_s);
            self.origin.checked_sub(before).unwrap_or(self.origin)
        }
    }

    fn ahead_s(&self, end: u64, at: Instant) -> f64 {
        end as f64 / self.rate_hz - at.duration_since(self.origin).as_secs_f64()
    }

    fn lead(&self) -> f64 {
        let lead_s = self.lead_s[0].max(self.lead_s[1]);
        if lead_s.is_finite() { lead_s } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_delay_counts() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut clock = SampleClock::new(1000.0, start);
        // Blocks of 10 ms; one is late, those that it has held up come at once after it.
        for (end, ms) in [(10, 14), (20, 24), (30, 70), (40, 70), (50, 70), (60, 70), (70, 74)] {
            clock.observe(end, at(ms));
        }
        assert_eq!(clock.index_at(at(104)), 100);
        assert_eq!(clock.instant_of(100), at(104));
    }

    #[test]
    fn a_slow_clock_is_followed() {
        let start = Instant::now();
        let mut clock = SampleClock::new(1000.0, start);
        // 1 % too slow: after 100 s a second is missing.
        for n in 0..10_000_u64 {
            clock.observe(10 * (n + 1), start + Duration::from_micros(10_100 * (n + 1)));
        }
        let found = clock.index_at(start + Duration::from_secs(101));
        assert!((99_890..=100_110).contains(&found), "{found}");
    }
}
