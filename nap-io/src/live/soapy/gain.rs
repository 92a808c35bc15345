//! How much gain is right.

use num_complex::Complex32;

use super::list::Range;

/// How long a receiver needs after a change, and how long to listen then, in seconds.
pub(super) const SETTLE_S: f64 = 0.05;
pub(super) const LISTEN_S: f64 = 0.05;
/// How far to go down when the converter is overloaded, dB.
pub(super) const STEP_DOWN_DB: f64 = 3.0;
const STEPS: u32 = 9;
/// The noise should be so much above that of the converter alone, as a ratio of powers.
const LIFT: f64 = 10.0;
/// Beyond this, near full scale, bursts have no room.
const MAX_PEAK: f32 = 0.5;
/// A component from here on is at the converter's end.
const CLIPPED: f32 = 0.99;
/// More clipped samples than this share are too many.
const MAX_CLIPPED: f64 = 1e-3;

/// What was heard with a gain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trial {
    gain_db: f64,
    power: f64,
    peak: f32,
}

impl Trial {
    pub(super) fn new(gain_db: f64, samples: &[Complex32]) -> Self {
        // The DC spike is not noise.
        let count = samples.len().max(1) as f32;
        let mean = samples.iter().sum::<Complex32>() / count;
        let power = samples.iter().map(|sample| f64::from((sample - mean).norm_sqr())).sum::<f64>();
        let peak =
            samples.iter().map(|sample| sample.re.abs().max(sample.im.abs())).fold(0.0, f32::max);
        Self { gain_db, power: power / f64::from(count), peak }
    }
}

/// The gains to try, dB.
pub(super) fn steps(range: Range) -> Vec<f64> {
    let width_db = range.high - range.low;
    (0..STEPS).map(|n| range.low + width_db * f64::from(n) / f64::from(STEPS - 1)).collect()
}

/// The least gain at which the noise of the antenna covers that of the converter; where that cannot
/// be had without overload, the most that does not overload. `trials` go from low to high gain.
pub(super) fn choose(trials: &[Trial]) -> Option<f64> {
    let lowest = trials.first()?;
    let usable = || trials.iter().filter(|trial| trial.peak <= MAX_PEAK);
    let enough = usable().find(|trial| trial.power >= LIFT * lowest.power);
    Some(enough.or_else(|| usable().next_back()).unwrap_or(lowest).gain_db)
}

/// Watches for clipping.
pub(super) struct Overload {
    window: u64,
    samples: u64,
    clipped: u64,
}

impl Overload {
    pub(super) fn new(sample_rate_hz: f64) -> Self {
        Self { window: sample_rate_hz as u64, samples: 0, clipped: 0 }
    }

    /// Whether too many samples of the last second were clipped.
    pub(super) fn look(&mut self, samples: &[Complex32]) -> bool {
        let is_clipped =
            |sample: &&Complex32| sample.re.abs() >= CLIPPED || sample.im.abs() >= CLIPPED;
        self.samples += samples.len() as u64;
        self.clipped += samples.iter().filter(is_clipped).count() as u64;
        if self.samples < self.window {
            return false;
        }
        let share = self.clipped as f64 / self.samples as f64;
        (self.samples, self.clipped) = (0, 0);
        share > MAX_CLIPPED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(gain_db: f64, power: f64, peak: f32) -> Trial {
        Trial { gain_db, power, peak }
    }

    #[test]
    fn the_least_sufficient_gain_is_taken() {
        let trials = [
            trial(0.0, 1e-6, 0.01),
            trial(10.0, 2e-6, 0.01),
            trial(20.0, 1.1e-5, 0.02),
            trial(30.0, 1e-4, 0.1),
        ];
        assert_eq!(choose(&trials), Some(20.0));
    }

    #[test]
    fn a_strong_neighbour_limits_the_gain() {
        let trials = [trial(0.0, 1e-6, 0.1), trial(10.0, 2e-6, 0.4), trial(20.0, 1e-4, 1.0)];
        assert_eq!(choose(&trials), Some(10.0));
        assert_eq!(choose(&[trial(5.0, 0.5, 1.0)]), Some(5.0));
        assert_eq!(choose(&[]), None);
    }

    #[test]
    fn clipping_is_noticed() {
        let mut overload = Overload::new(1000.0);
        assert!(!overload.look(&[Complex32::new(0.5, 0.5); 1000]));
        assert!(!overload.look(&[Complex32::new(0.0, -1.0); 500]));
        assert!(overload.look(&[Complex32::new(0.0, 0.0); 500]));
    }
}
