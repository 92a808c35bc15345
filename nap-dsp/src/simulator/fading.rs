//! Multipath that changes with time but not with frequency.

use std::f64::consts::TAU;

use num_complex::{Complex, Complex64};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use crate::error::Error;

/// Paths that are summed up: enough for Clarke's spectrum, since each path is itself random.
const PATHS: usize = 16;

/// Flat fading with the Doppler spectrum of Clarke's model: waves of equal mean power come from
/// directions all around a moving receiver, beside a steady path if the fading is Rician.
///
/// The mean power of the gain is 1 over all realisations; a single realisation is stronger or weaker.
/// With a Doppler of 0 it is constant.
#[derive(Debug, Clone, PartialEq)]
pub struct Fading {
    doppler_hz: f64,
    /// Gain of the path that does not change.
    steady: Complex64,
    paths: [(Complex64, f64); PATHS],
}

impl Fading {
    /// Draws a realisation without a steady path: the gain is complex Gaussian at any instant.
    /// `doppler_hz` is the largest Doppler shift, speed over wavelength.
    pub fn rayleigh<R: Rng>(doppler_hz: f64, rng: &mut R) -> Self {
        let scale = (0.5 / PATHS as f64).sqrt();
        let paths = std::array::from_fn(|_| {
            let gain = Complex::new(rng.sample(StandardNormal), rng.sample(StandardNormal));
            let direction = TAU * rng.random::<f64>();
            (gain * scale, doppler_hz * direction.cos())
        });
        Self { doppler_hz, steady: Complex64::ZERO, paths }
    }

    /// Draws a realisation with a steady path of random phase, `k_db` stronger than all others
    /// together.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if `k_db` is not from -100 to 100.
    pub fn rician<R: Rng>(doppler_hz: f64, k_db: f64, rng: &mut R) -> Result<Self, Error> {
        Error::check_range("rician_k_db", k_db, -100.0, 100.0)?;
        let scattered_power = 1.0 / (1.0 + 10f64.powf(0.1 * k_db));
        let mut fading = Self::rayleigh(doppler_hz, rng);
        for (gain, _) in &mut fading.paths {
            *gain *= scattered_power.sqrt();
        }
        let phase = TAU * rng.random::<f64>();
        fading.steady = Complex64::from_polar((1.0 - scattered_power).sqrt(), phase);
        Ok(fading)
    }

    /// The same fading for a transmission that starts `delay_s` seconds later.
    #[must_use]
    pub fn delayed(&self, delay_s: f64) -> Self {
        let paths = self.paths.map(|(gain, shift_hz)| {
            (gain * Complex64::cis(TAU * (shift_hz * delay_s).fract()), shift_hz)
        });
        Self { paths, ..*self }
    }

    /// The largest Doppler shift in hertz.
    pub fn doppler_hz(&self) -> f64 {
        self.doppler_hz
    }

    /// The complex gain `t_s` seconds after the start of the transmission.
    pub fn gain(&self, t_s: f64) -> Complex64 {
        let shifted =
            self.paths.iter().map(|(gain, shift_hz)| gain * Complex64::cis(TAU * shift_hz * t_s));
        self.steady + shifted.sum::<Complex64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};

    #[test]
    fn power_is_exponential_with_mean_one() {
        let mut rng = ChaCha12Rng::seed_from_u64(3);
        let n = 20_000;
        let powers: Vec<f64> = (0..n)
            .map(|i| Fading::rayleigh(2.0, &mut rng).gain(i as f64 * 1e-3).norm_sqr())
            .collect();
        let mean = powers.iter().sum::<f64>() / n as f64;
        let faded = powers.iter().filter(|&&p| p < 0.1).count() as f64 / n as f64;
        assert!((mean - 1.0).abs() < 0.03, "{mean}");
        // P(power < 0.1) = 1 - exp(-0.1)
        assert!((faded - 0.0952).abs() < 0.008, "{faded}");
    }

    #[test]
    fn correlation_over_time_is_the_bessel_function() {
        let mut rng = ChaCha12Rng::seed_from_u64(4);
        let n = 20_000;
        // J0(2 pi 0.25) = 0.4720, J0(2 pi 0.3827) = 0 (its first zero)
        for (delay_s, expected) in [(0.25, 0.472), (0.382_74, 0.0)] {
            let mean: Complex64 = (0..n)
                .map(|_| {
                    let fading = Fading::rayleigh(1.0, &mut rng);
                    fading.gain(0.0).conj() * fading.gain(delay_s)
                })
                .sum::<Complex64>()
                / n as f64;
            assert!((mean - expected).norm() < 0.03, "{delay_s}: {mean}");
        }
    }

    /// K by the second and fourth moments of the amplitude (L. Greenstein, D. Michelson, V. Erceg,
    /// "Moment-Method Estimation of the Ricean K-Factor", IEEE Communications Letters 3(6), 1999).
    #[test]
    fn the_k_factor_is_that_of_the_moments() {
        let mut rng = ChaCha12Rng::seed_from_u64(5);
        for k_db in [0.0, 6.0, 12.0] {
            let n = 20_000;
            let powers: Vec<f64> = (0..n)
                .map(|i| {
                    let fading = Fading::rician(2.0, k_db, &mut rng).unwrap();
                    fading.gain(f64::from(i) * 1e-3).norm_sqr()
                })
                .collect();
            let mean = powers.iter().sum::<f64>() / f64::from(n);
            let square = powers.iter().map(|p| p * p).sum::<f64>() / f64::from(n);
            let steady = (2.0 * mean * mean - square).sqrt();
            let found_db = 10.0 * (steady / (mean - steady)).log10();
            assert!((mean - 1.0).abs() < 0.03, "{k_db}: {mean}");
            assert!((found_db - k_db).abs() < 0.6, "{k_db}: {found_db}");
        }
        assert!(Fading::rician(2.0, f64::NAN, &mut rng).is_err());
    }

    #[test]
    fn fading_runs_on_when_it_is_delayed() {
        let mut rng = ChaCha12Rng::seed_from_u64(6);
        let fading = Fading::rician(3.0, 0.0, &mut rng).unwrap();
        let later = fading.delayed(2.5);
        for t_s in [0.0, 0.4, 1.7] {
            assert!((later.gain(t_s) - fading.gain(2.5 + t_s)).norm() < 1e-9);
        }
    }
}
