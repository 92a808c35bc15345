//! Watches that samples come, differ, and come at the right rate.

use std::time::{Duration, Instant};

use num_complex::Complex32;

use crate::live::fault::{Fault, FaultKind};

/// Without a sample for so long, a source has stalled.
pub(super) const STALL: Duration = Duration::from_millis(1200);
/// The same value for so long, by the clock, is no noise.
pub(super) const STUCK: Duration = Duration::from_millis(500);
/// The rate may be off by this share; no crystal is worse than 0.02 %.
const RATE_TOLERANCE: f64 = 0.01;
/// What the time of arrival may vary by, in seconds.
const JITTER_S: f64 = 0.06;
/// The rate is measured over so long, and then anew.
const LONGEST_MEASUREMENT_S: f64 = 60.0;
const SHORTEST_MEASUREMENT_S: f64 = 1.0;
/// What a source has held back comes at once when it starts; it is not measured for so long.
const SETTLE: Duration = Duration::from_millis(400);
/// An interval between two blocks that is longer by this, in seconds, is where samples may be missing.
const LEAST_GAP_S: f64 = 0.1;
/// How long samples that were held up may take to come.
const CATCHING_UP: Duration = Duration::from_millis(300);
/// Share of the missing samples that one interval must explain.
const EXPLAINED: f64 = 0.7;

/// What the watchdog found.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Finding {
    /// The source has to be opened again.
    Fault(Fault),
    /// So many samples were lost without a word.
    Gap(u64),
}

/// Looks at every block.
pub(super) struct Watchdog {
    /// Samples a second by the clock.
    rate_hz: f64,
    /// Since when, and what, the samples have been the same.
    same_since: Option<(Instant, Complex32)>,
    /// When the first samples came.
    first: Option<Instant>,
    measurement: Option<Measurement>,
}

/// How many samples came since when.
struct Measurement {
    start: Instant,
    samples: u64,
    last: Instant,
    /// The longest time by which a block came later than it took to receive, in seconds.
    longest_gap_s: f64,
    /// When a block came late last.
    late: Option<Instant>,
}

impl Watchdog {
    /// A watchdog for a source that should give `rate_hz` samples a second by the clock.
    pub(super) fn new(rate_hz: f64) -> Self {
        Self { rate_hz, same_since: None, first: None, measurement: None }
    }

    /// Looks whether the samples that arrived `at` this time have values that differ.
    pub(super) fn look(&mut self, samples: &[Complex32], at: Instant) -> Option<Fault> {
        let &first = samples.first()?;
        // Noise differs within a few samples, so this is a short look.
        if samples.iter().any(|&sample| sample != first) {
            self.same_since = None;
            return None;
        }
        let (since, value) = *self.same_since.get_or_insert((at, first));
        if value != first {
            self.same_since = Some((at, first));
            return None;
        }
        let elapsed = at.duration_since(since);
        (elapsed >= STUCK).then(|| Fault {
            kind: FaultKind::Stuck,
            text: format!(
                "all samples of the last {:.1} s have the same value {value}",
                elapsed.as_secs_f64()
            ),
        })
    }

    /// Takes note of so many samples, received or known to be missing, until `at` this time.
    pub(super) fn measure(&mut self, samples: u64, at: Instant) -> Option<Finding> {
        if at.duration_since(*self.first.get_or_insert(at)) < SETTLE {
            return None;
        }
        // What the first block holds was received before it came.
        let Some(measurement) = &mut self.measurement else {
            self.measurement = Some(Measurement {
                start: at,
                samples: 0,
                last: at,
                longest_gap_s: 0.0,
                late: None,
            });
            return None;
        };
        let gap_s =
            at.duration_since(measurement.last).as_secs_f64() - samples as f64 / self.rate_hz;
        measurement.longest_gap_s = measurement.longest_gap_s.max(gap_s);
        measurement.last = at;
        if gap_s > LEAST_GAP_S {
            measurement.late = Some(at);
        }
        measurement.samples += samples;
        let elapsed_s = at.duration_since(measurement.start).as_secs_f64();
        if elapsed_s < SHORTEST_MEASUREMENT_S {
            return None;
        }
        let found_hz = measurement.samples as f64 / elapsed_s;
        let missing_s = elapsed_s - measurement.samples as f64 / self.rate_hz;
        let gap_s = measurement.longest_gap_s;
        // After a late block those behind it come at once; who looks too early sees too few.
        let is_late = |late: Instant| at.duration_since(late) < CATCHING_UP;
        let is_recent = missing_s > 0.0 && measurement.late.is_some_and(is_late);
        let off = (found_hz / self.rate_hz - 1.0).abs();
        if off > RATE_TOLERANCE + JITTER_S / elapsed_s && !is_recent {
            self.measurement = None;
            if gap_s > LEAST_GAP_S && gap_s > EXPLAINED * missing_s && missing_s > 0.0 {
                return Some(Finding::Gap((missing_s * self.rate_hz).round() as u64));
            }
            return Some(Finding::Fault(self.wrong_rate(found_hz, elapsed_s)));
        }
        if elapsed_s > LONGEST_MEASUREMENT_S {
            self.measurement = None;
        }
        None
    }

    fn wrong_rate(&self, found_hz: f64, elapsed_s: f64) -> Fault {
        Fault {
            kind: FaultKind::Rate,
            text: format!(
                "{found_hz:.0} samples a second came over {elapsed_s:.1} s, {:+.1} % off the {:.0} that the \
                 device says",
                100.0 * (found_hz / self.rate_hz - 1.0),
                self.rate_hz
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE_HZ: f64 = 100_000.0;

    /// Blocks of 10 ms that arrive at these times, in milliseconds.
    fn run(times_ms: impl Iterator<Item = f64>) -> Option<(f64, Finding)> {
        let mut dog = Watchdog::new(RATE_HZ);
        let start = Instant::now();
        for ms in times_ms {
            let at = start + Duration::from_secs_f64(ms / 1e3);
            if let Some(finding) = dog.measure(1000, at) {
                return Some((ms, finding));
            }
        }
        None
    }

    #[test]
    fn the_right_rate_is_left_alone() {
        let jitter = |n: u32| f64::from(n * 7919 % 40);
        assert_eq!(run((0..20_000).map(|n| 10.0 * f64::from(n) + jitter(n))), None);
        // Half a percent off is a bad crystal.
        assert_eq!(run((0..20_000).map(|n| 10.05 * f64::from(n))), None);
    }

    #[test]
    fn a_wrong_rate_is_seen_within_two_seconds() {
        for factor in [0.5, 0.9, 1.1, 2.0] {
            let (ms, finding) = run((0..2_000).map(|n| 10.0 * factor * f64::from(n))).unwrap();
            assert!(ms < 2_000.0, "{ms}");
            assert!(matches!(finding, Finding::Fault(fault) if fault.kind == FaultKind::Rate));
        }
        // A small error takes longer.
        let (ms, _) = run((0..6_000).map(|n| 10.2 * f64::from(n))).unwrap();
        assert!(ms < 20_000.0, "{ms}");
    }

    #[test]
    fn what_was_dropped_without_a_word_is_missed() {
        let times = (0..2_000).map(|n| 10.0 * f64::from(n) + if n > 300 { 400.0 } else { 0.0 });
        let (ms, Finding::Gap(missing)) = run(times).unwrap() else { panic!("no gap") };
        assert!((3_000.0..5_500.0).contains(&ms), "{ms}");
        assert!((39_000..=41_000).contains(&missing), "{missing}");
    }

    #[test]
    fn what_only_came_late_is_not_missed() {
        // 400 ms of nothing, then all of it at once.
        let times = (0..2_000).map(|n: u32| {
            let ms = 10.0 * f64::from(n);
            if (3_000.0..3_400.0).contains(&ms) { 3_400.0 } else { ms }
        });
        assert_eq!(run(times), None);
    }

    #[test]
    fn the_same_value_is_no_signal() {
        let mut dog = Watchdog::new(RATE_HZ);
        let start = Instant::now();
        let constant = vec![Complex32::new(0.1, -0.1); 1000];
        let fault = (0..100)
            .find_map(|n| dog.look(&constant, start + Duration::from_millis(10 * n)))
            .unwrap();
        assert_eq!(fault.kind, FaultKind::Stuck);
    }
}
