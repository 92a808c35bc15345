//! When samples were taken, from when they arrived.

use std::time::{Duration, Instant};

/// How long the least delay is remembered: twice this at most.
const WINDOW: Duration = Duration::from_secs(5);

/// What comes later by so much, in seconds, was held up. In twice the window, the worst clock that is still
/// taken for right, 1 % too slow, makes up less.
const HELD_UP_S: f64 = 0.15;
/// For longer nobody holds back samples: the delay has changed for good.
const LONGEST_BACKLOG: Duration = Duration::from_secs(60);

/// Relates the index of samples to the clock of the computer.
///
/// Samples arrive late by a varying time, but never early, so those of the last seconds that came
/// with the least delay tell when the others were taken. While a source catches up after a pause, all come
/// late: then those from before the pause still tell.
#[derive(Debug, Clone)]
pub(super) struct SampleClock {
    origin: Instant,
    rate_hz: f64,
    /// How far the stream was ahead of the clock at most, in seconds: in this window and the last.
    lead_s: [f64; 2],
    window_start: Instant,
    /// When samples came last without having been held up.
    on_time: Instant,
}

impl SampleClock {
    /// A clock of samples that come at `rate_hz`; sample 0 was taken at `origin`.
    pub(super) fn new(rate_hz: f64, origin: Instant) -> Self {
        Self {
            origin,
            rate_hz,
            lead_s: [f64::NEG_INFINITY; 2],
            window_start: origin,
            on_time: origin,
        }
    }

    /// Takes note that the sample before `end` arrived `at` this time.
    pub(super) fn observe(&mut self, end: u64, at: Instant) {
        let ahead_s = self.ahead_s(end, at);
        let is_first = self.lead_s == [f64::NEG_INFINITY; 2];
        if is_first || self.lead() - ahead_s < HELD_UP_S {
            self.on_time = at;
        } else if at.duration_since(self.on_time) < LONGEST_BACKLOG {
            return;
        }
        if at.duration_since(self.window_start) > WINDOW {
            self.lead_s = [f64::NEG_INFINITY, self.lead_s[0]];
            self.window_start = at;
        }
        self.lead_s[0] = self.lead_s[0].max(ahead_s);
    }

    /// Forgets the delays, not the time: after an interruption they may be others.
    pub(super) fn restart(&mut self, at: Instant) {
        self.lead_s = [f64::NEG_INFINITY, self.lead_s[0].max(self.lead_s[1])];
        self.window_start = at;
        self.on_time = at;
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
    use super::super::delivery::{Delivery, Pause, RATE_HZ};
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

    /// By how much the times of samples are off at most from what they were before the pauses, in seconds.
    fn worst_error_s(delivery: &Delivery, duration_s: f64) -> f64 {
        let opened = Instant::now();
        let mut clock = SampleClock::new(RATE_HZ, opened);
        let mut end = 0;
        let errors = delivery.run(opened, duration_s).into_iter().map(|arrival| {
            end += arrival.samples;
            clock.observe(end, arrival.at);
            clock.instant_of(end).duration_since(arrival.taken).as_secs_f64()
        });
        let errors: Vec<f64> = errors.collect();
        let least = errors.iter().copied().fold(f64::INFINITY, f64::min);
        errors.iter().copied().fold(0.0, f64::max) - least
    }

    #[test]
    fn times_stay_right_while_a_source_catches_up() {
        for (block_s, catch_up) in [(0.02, 1.1), (0.02, 1.5), (0.02, 10.0), (0.524_28, 1.2)] {
            let pause = Pause::held_back(20.0, 1.1, catch_up);
            let delivery = Delivery { block_s, pauses: vec![pause; 3], ..Delivery::default() };
            let worst_s = worst_error_s(&delivery, 90.0);
            assert!(worst_s < 1e-6, "{block_s} {catch_up}: {worst_s}");
        }
        // Crystals that are off meanwhile.
        for clock in [0.9998, 1.0002] {
            let pauses = vec![Pause::held_back(20.0, 1.1, 1.05)];
            let worst_s = worst_error_s(&Delivery { clock, pauses, ..Delivery::default() }, 90.0);
            assert!(worst_s < 0.02, "{clock}: {worst_s}");
        }
    }

    #[test]
    fn a_source_may_start_late() {
        let start = Instant::now();
        let mut clock = SampleClock::new(1000.0, start);
        clock.restart(start);
        for n in 1..=10_u64 {
            let at = start + Duration::from_secs(3) + Duration::from_millis(10 * n);
            clock.observe(10 * n, at);
            assert_eq!(clock.instant_of(10 * n), at);
        }
    }

    #[test]
    fn a_delay_that_has_changed_for_good_is_followed() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut clock = SampleClock::new(1000.0, start);
        for n in 1..=2_000_u64 {
            let late_ms = if n > 500 { 400 } else { 0 };
            clock.observe(50 * n, at(50 * n + late_ms));
        }
        assert_eq!(clock.instant_of(100_000), at(100_400));
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
