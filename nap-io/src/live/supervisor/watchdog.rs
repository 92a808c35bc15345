//! Watches that samples differ and come at the right rate.

use std::time::{Duration, Instant};

use num_complex::Complex32;

use super::balance::{Balance, Imbalance};
use crate::live::fault::{Fault, FaultKind};

/// The same value for so long, by the clock, is no noise.
pub(super) const STUCK: Duration = Duration::from_millis(500);

/// Looks at every block.
pub(super) struct Watchdog {
    /// Since when, and what, the samples have been the same.
    same_since: Option<(Instant, Complex32)>,
    balance: Balance,
}

impl Watchdog {
    /// A watchdog for a source that was opened at this time and should give `rate_hz` samples a second by
    /// the clock.
    pub(super) fn new(rate_hz: f64, opened: Instant) -> Self {
        Self { same_since: None, balance: Balance::new(rate_hz, opened) }
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

    /// Takes note of samples that have arrived at this time, and of those known to be missing before them.
    pub(super) fn measure(&mut self, samples: u64, missing: u64, at: Instant) -> Option<Imbalance> {
        self.balance.observe(samples, missing, at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_value_is_no_signal() {
        let start = Instant::now();
        let mut dog = Watchdog::new(1e5, start);
        let constant = vec![Complex32::new(0.1, -0.1); 1000];
        let fault = (0..100)
            .find_map(|n| dog.look(&constant, start + Duration::from_millis(10 * n)))
            .unwrap();
        assert_eq!(fault.kind, FaultKind::Stuck);
    }
}
