//! Multipath that changes with time but not with frequency.

use std::f64::consts::TAU;

use num_complex::{Complex, Complex64};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

/// Paths that are summed up: enough for Clarke's spectrum, since each path is itself random.
const PATHS: usize = 16;

/// Flat Rayleigh fading with the Doppler spectrum of Clarke's model: waves of equal mean power come
/// from directions all around a moving receiver.
///
/// The gain at any instant is complex Gaussian with a mean power of 1 over all realisations; a
/// single realisation is stronger or weaker. With a Doppler of 0 it is constant.
#[derive(Debug, Clone, PartialEq)]
pub struct Fading {
    doppler_hz: f64,
    paths: [(Complex64, f64); PATHS],
}

impl Fading {
    /// Draws a realisation. `doppler_hz` is the largest Doppler shift, speed over wavelength.
    pub fn rayleigh<R: Rng>(doppler_hz: f64, rng: &mut R) -> Self {
        let scale = (0.5 / PATHS as f64).sqrt();
        let paths = std::array::from_fn(|_| {
            let gain = Complex::new(rng.sample(StandardNormal), rng.sample(StandardNormal));
            let direction = TAU * rng.random::<f64>();
            (gain * scale, doppler_hz * direction.cos())
        });
        Self { doppler_hz, paths }
    }

    /// The largest Doppler shift in hertz.
    pub fn doppler_hz(&self) -> f64 {
        self.doppler_hz
    }

    /// The complex gain `t_s` seconds after the start of the transmission.
    pub fn gain(&self, t_s: f64) -> Complex64 {
        self.paths.iter().map(|(gain, shift_hz)| gain * Complex64::cis(TAU * shift_hz * t_s)).sum()
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
}
