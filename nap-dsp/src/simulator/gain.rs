//! Gain of a receiver that changes while it listens.

use num_complex::Complex32;

use super::level::amplitude;
use crate::error::Error;

/// A step of the gain of a receiver's first amplifier: signals and noise change alike.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(deny_unknown_fields))]
pub struct GainStep {
    /// When, in seconds from the first sample.
    pub time_s: f64,
    /// By how much, on top of the steps before.
    pub step_db: f64,
}

/// Steps of the gain at work.
#[derive(Debug, Default)]
pub(super) struct Gain {
    /// Index of the first sample with a gain, and the gain, in the order of time.
    gains: Vec<(u64, f32)>,
}

impl Gain {
    /// Checks the steps, which may come in any order.
    pub(super) fn new(steps: &[GainStep], sample_rate_hz: f64) -> Result<Self, Error> {
        for step in steps {
            Error::check_range("gain_steps.time_s", step.time_s, 0.0, 1e9)?;
            Error::check_range("gain_steps.step_db", step.step_db, -300.0, 300.0)?;
        }
        let mut steps = steps.to_vec();
        steps.sort_by(|a, b| a.time_s.total_cmp(&b.time_s));
        let gains = steps.iter().scan(0.0, |sum_db, step| {
            *sum_db += step.step_db;
            Some(((step.time_s * sample_rate_hz).round() as u64, amplitude(*sum_db) as f32))
        });
        Ok(Self { gains: gains.collect() })
    }

    /// Applies the gain to samples of which the first has the index `first`.
    pub(super) fn apply(&self, first: u64, samples: &mut [Complex32]) {
        for (n, &(from, gain)) in self.gains.iter().enumerate() {
            let end = self.gains.get(n + 1).map_or(u64::MAX, |&(end, _)| end);
            let place = |index: u64| {
                usize::try_from(index.saturating_sub(first))
                    .map_or(samples.len(), |i| i.min(samples.len()))
            };
            let (from, end) = (place(from), place(end));
            for sample in &mut samples[from..end] {
                *sample *= gain;
            }
        }
    }
}
