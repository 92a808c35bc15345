//! Impulses that fill a band.

use std::ops::Range;

use num_complex::{Complex, Complex32};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use super::bursts::poisson;
use super::transmission::Signal;
use crate::error::Error;

/// The most values that are drawn for one signal.
const MAX_VALUES: f64 = 1e7;

/// Short bursts of white noise at random instants, as from switches, ignitions and sparks. The level
/// of their transmission is that of a burst while it lasts, not the mean.
#[derive(Debug, Clone, PartialEq)]
pub struct NoiseImpulses {
    duration_s: f64,
    step_s: f64,
    /// Values of each burst.
    length: usize,
    /// When each burst starts, and its values one after the other.
    bursts: Vec<(f64, Vec<Complex32>)>,
}

impl NoiseImpulses {
    /// Bursts of `width_s` seconds that arrive as a Poisson process, `rate_hz` a second, for
    /// `duration_s` seconds. The noise takes a new value `bandwidth_hz` times a second: sampled at
    /// this rate or less it is white.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if a parameter is not above 0, or more than ten million values are to be
    /// expected.
    pub fn random<R: Rng>(
        width_s: f64,
        rate_hz: f64,
        duration_s: f64,
        bandwidth_hz: f64,
        rng: &mut R,
    ) -> Result<Self, Error> {
        Error::check_range("bandwidth_hz", bandwidth_hz, f64::MIN_POSITIVE, 1e9)?;
        Error::check_range("width_s", width_s, 1.0 / bandwidth_hz, MAX_VALUES / bandwidth_hz)?;
        let length = (width_s * bandwidth_hz).round() as usize;
        let values = rate_hz * duration_s * length as f64;
        Error::check_range("values of the impulses", values, f64::MIN_POSITIVE, MAX_VALUES)?;
        let value = |rng: &mut R| {
            let (re, im): (f32, f32) = (rng.sample(StandardNormal), rng.sample(StandardNormal));
            Complex::new(re, im) * 0.5f32.sqrt()
        };
        let bursts =
            poisson(duration_s, rate_hz, rng, |rng| (0..length).map(|_| value(rng)).collect())?;
        Ok(Self { duration_s, step_s: 1.0 / bandwidth_hz, length, bursts })
    }

    fn width_s(&self) -> f64 {
        self.length as f64 * self.step_s
    }
}

impl Signal for NoiseImpulses {
    fn support_s(&self) -> Range<f64> {
        0.0..self.duration_s + self.width_s()
    }

    /// As wide as the receiver, so the carrier must be its centre or near.
    fn bandwidth_hz(&self) -> f64 {
        0.0
    }

    fn render(&self, start_s: f64, period_s: f64, out: &mut [Complex32]) {
        out.fill(Complex32::ZERO);
        let end_s = start_s + out.len() as f64 * period_s;
        let first = self.bursts.partition_point(|(t_s, _)| t_s + self.width_s() < start_s);
        for (t_s, values) in self.bursts[first..].iter().take_while(|(t_s, _)| *t_s < end_s) {
            let from = ((t_s - start_s) / period_s).ceil().max(0.0) as usize;
            for (i, sample) in out.iter_mut().enumerate().skip(from) {
                let since_s = start_s + i as f64 * period_s - t_s;
                let Some(value) = values.get((since_s / self.step_s) as usize) else { break };
                *sample += value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};
    use rustfft::FftPlanner;

    #[test]
    fn bursts_are_as_many_as_long_and_as_strong_as_asked_for_and_white() {
        let mut rng = ChaCha12Rng::seed_from_u64(3);
        let (rate_hz, length) = (250_000.0, 1 << 20);
        let impulses = NoiseImpulses::random(2e-4, 40.0, 5.0, rate_hz, &mut rng).unwrap();
        let mut samples = vec![Complex32::ZERO; length];
        // In pieces: the values do not depend on them.
        for (n, piece) in samples.chunks_mut(1000).enumerate() {
            impulses.render(n as f64 * 1000.0 / rate_hz, 1.0 / rate_hz, piece);
        }
        let on = samples.iter().filter(|sample| **sample != Complex32::ZERO).count() as f64;
        // 168 bursts of 50 samples are expected, with a deviation of 13 bursts.
        assert!((on / 50.0 - 168.0).abs() < 52.0, "{on}");
        let power = samples.iter().map(|s| f64::from(s.norm_sqr())).sum::<f64>();
        assert!((power / on - 1.0).abs() < 0.1, "{}", power / on);
        FftPlanner::new().plan_fft_forward(length).process(&mut samples);
        for part in samples.chunks(length / 8) {
            let share =
                part.iter().map(|s| f64::from(s.norm_sqr())).sum::<f64>() / (power * length as f64);
            assert!((8.0 * share - 1.0).abs() < 0.15, "{share}");
        }
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        let mut rng = ChaCha12Rng::seed_from_u64(3);
        let mut error = |width_s, rate_hz, bandwidth_hz| {
            let impulses = NoiseImpulses::random(width_s, rate_hz, 1.0, bandwidth_hz, &mut rng);
            impulses.unwrap_err().to_string()
        };
        assert!(error(1e-6, 40.0, 1e5).starts_with("width_s is 0.000001"));
        assert!(error(1e-3, 0.0, 1e5).starts_with("values of the impulses is 0"));
        assert!(error(1e-3, 40.0, 0.0).starts_with("bandwidth_hz is 0"));
    }
}
