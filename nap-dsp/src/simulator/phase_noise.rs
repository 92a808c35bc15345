//! Random phases of oscillators: walks of frequency and phase, and noise under a mask.

use std::f64::consts::{PI, TAU};
use std::ops::Range;

use num_complex::{Complex, Complex64};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use rustfft::FftPlanner;

use crate::error::Error;

/// Knots a second, at least: far more than symbols.
const KNOTS_PER_S: f64 = 4000.0;
/// Knots in a period of the fastest noise: enough that straight lines between them follow it.
const KNOTS_PER_PERIOD: f64 = 8.0;
/// The most knots that are drawn for one transmission.
const MAX_KNOTS: f64 = 2e6;
/// Offsets at which a mask may say something, in hertz.
const OFFSETS_HZ: Range<f64> = 0.1..2e4;

/// A point of a mask of phase noise: the density L(f) of a side band, half of that of the phase in
/// rad^2/Hz (IEEE Std 1139). Between two points it is straight in decibels over the logarithm of the
/// offset; below the first it is that of the first, and above the last there is none.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(deny_unknown_fields))]
pub struct MaskPoint {
    /// From the carrier.
    pub offset_hz: f64,
    /// Density of the noise on one side over the carrier's power.
    pub dbc_per_hz: f64,
}

impl MaskPoint {
    /// Checks the points of a mask and their order.
    pub(super) fn check(mask: &[Self]) -> Result<(), Error> {
        let mut min_hz = OFFSETS_HZ.start;
        for point in mask {
            let check = Error::check_range;
            check("phase_noise.offset_hz", point.offset_hz, min_hz, OFFSETS_HZ.end)?;
            check("phase_noise.dbc_per_hz", point.dbc_per_hz, -300.0, 0.0)?;
            min_hz = point.offset_hz;
        }
        Ok(())
    }

    /// Density of the phase in rad^2/Hz over positive frequencies.
    fn density(mask: &[Self], offset_hz: f64) -> f64 {
        let above = mask.partition_point(|point| point.offset_hz < offset_hz);
        let Some(next) = mask.get(above) else { return 0.0 };
        let dbc_per_hz = match above.checked_sub(1).and_then(|below| mask.get(below)) {
            Some(last) => {
                let part =
                    (offset_hz / last.offset_hz).ln() / (next.offset_hz / last.offset_hz).ln();
                last.dbc_per_hz + part * (next.dbc_per_hz - last.dbc_per_hz)
            }
            None => next.dbc_per_hz,
        };
        2.0 * 10f64.powf(0.1 * dbc_per_hz)
    }
}

/// How an oscillator's phase is random.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Density<'a> {
    /// Of the walk of the frequency.
    pub(super) walk_hz_per_root_s: f64,
    /// Full width at half maximum of the line that the walk of the phase makes.
    pub(super) line_width_hz: f64,
    /// What is stationary.
    pub(super) mask: &'a [MaskPoint],
}

/// The random phase of one transmission, drawn at knots, straight in between.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PhaseNoise {
    start_s: f64,
    step_s: f64,
    cycles: Vec<f64>,
    /// The farthest that the frequency has walked.
    reach_hz: f64,
}

impl PhaseNoise {
    /// Draws the phase over this time; `None` if there is nothing random.
    pub(super) fn draw<R: Rng>(
        density: &Density<'_>,
        span_s: Range<f64>,
        rng: &mut R,
    ) -> Result<Option<Self>, Error> {
        let Density { walk_hz_per_root_s, line_width_hz, mask } = *density;
        if walk_hz_per_root_s == 0.0 && line_width_hz == 0.0 && mask.is_empty() {
            return Ok(None);
        }
        let fastest_hz = mask.last().map_or(0.0, |point| point.offset_hz);
        let rate_hz = KNOTS_PER_S.max(KNOTS_PER_PERIOD * fastest_hz);
        let count = (span_s.end - span_s.start) * rate_hz + 2.0;
        Error::check_range("values of a random phase", count, 0.0, MAX_KNOTS)?;
        let mut noise = Self {
            start_s: span_s.start,
            step_s: 1.0 / rate_hz,
            cycles: vec![0.0; count as usize + 1],
            reach_hz: 0.0,
        };
        noise.walk(walk_hz_per_root_s, line_width_hz, rng);
        if !mask.is_empty() {
            noise.add_stationary(mask, rng);
        }
        Ok(Some(noise))
    }

    /// Walks of the frequency and of the phase, both from 0 on.
    fn walk<R: Rng>(&mut self, hz_per_root_s: f64, line_width_hz: f64, rng: &mut R) {
        let frequency_deviation_hz = hz_per_root_s * self.step_s.sqrt();
        // The phase of a Lorentzian line has a variance of 2 pi times its width a second, in rad^2.
        let phase_deviation = (line_width_hz * self.step_s / TAU).sqrt();
        let (mut frequency_hz, mut phase) = (0.0, 0.0);
        for cycles in &mut self.cycles[1..] {
            let before_hz = frequency_hz;
            frequency_hz += frequency_deviation_hz * rng.sample::<f64, _>(StandardNormal);
            phase += 0.5 * (before_hz + frequency_hz) * self.step_s
                + phase_deviation * rng.sample::<f64, _>(StandardNormal);
            *cycles = phase;
            self.reach_hz = self.reach_hz.max(frequency_hz.abs());
        }
    }

    /// Noise with the mask's spectrum: white noise, shaped line by line. Twice as many lines as
    /// knots are made, so that the transmission's end knows nothing of its start.
    fn add_stationary<R: Rng>(&mut self, mask: &[MaskPoint], rng: &mut R) {
        let length = (2 * self.cycles.len()).next_power_of_two();
        let rate_hz = 1.0 / self.step_s;
        let line_hz = rate_hz / length as f64;
        let mut lines = vec![Complex64::ZERO; length];
        for (n, line) in lines[..length / 2].iter_mut().enumerate().skip(1) {
            let offset_hz = n as f64 * line_hz;
            let deviation = (MaskPoint::density(mask, offset_hz) * line_hz).sqrt();
            if deviation == 0.0 {
                break;
            }
            // The straight lines between knots weaken what is fast.
            let scale = deviation / sinc(offset_hz / rate_hz).powi(2);
            *line = Complex::new(rng.sample(StandardNormal), rng.sample(StandardNormal)) * scale;
        }
        FftPlanner::new().plan_fft_inverse(length).process(&mut lines);
        for (cycles, value) in self.cycles.iter_mut().zip(&lines) {
            *cycles += value.re / TAU;
        }
    }

    /// The phase in cycles.
    pub(super) fn cycles(&self, t_s: f64) -> f64 {
        let x = ((t_s - self.start_s) / self.step_s).clamp(0.0, (self.cycles.len() - 1) as f64);
        let knot = x as usize;
        let before = self.cycles[knot];
        let after = self.cycles.get(knot + 1).copied().unwrap_or(before);
        before + (after - before) * x.fract()
    }

    /// The farthest that the frequency walks.
    pub(super) fn reach_hz(&self) -> f64 {
        self.reach_hz
    }

    /// How many samples there are from knot to knot, rounded down.
    pub(super) fn samples(&self, period_s: f64) -> usize {
        (self.step_s / period_s) as usize
    }
}

/// `sin(pi x) / (pi x)`.
fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};

    fn rng() -> ChaCha12Rng {
        ChaCha12Rng::seed_from_u64(7)
    }

    fn draw(density: &Density<'_>, duration_s: f64, rng: &mut ChaCha12Rng) -> PhaseNoise {
        PhaseNoise::draw(density, 0.0..duration_s, rng).unwrap().unwrap()
    }

    #[test]
    fn the_variance_of_a_walking_frequency_grows_with_time() {
        let walk = Density { walk_hz_per_root_s: 5.0, ..Density::default() };
        let mut rng = rng();
        let (trials, times_s) = (3000, [0.25, 1.0, 2.0]);
        let mut squares = [0.0; 3];
        for _ in 0..trials {
            let noise = draw(&walk, 2.1, &mut rng);
            for (sum, t_s) in squares.iter_mut().zip(times_s) {
                let frequency_hz = (noise.cycles(t_s + 1e-3) - noise.cycles(t_s - 1e-3)) / 2e-3;
                *sum += frequency_hz * frequency_hz / f64::from(trials);
            }
        }
        for (variance, t_s) in squares.into_iter().zip(times_s) {
            let ratio = variance / (25.0 * t_s);
            // Four deviations: sqrt(2 / 3000) each.
            assert!((ratio - 1.0).abs() < 0.104, "{t_s}: {ratio}");
        }
    }

    /// Power of `exp(i phase)` in lines of 1 / `duration_s` hertz, mean of several realisations.
    fn spectrum(density: &Density<'_>, duration_s: f64, rate_hz: f64, trials: u32) -> Vec<f64> {
        let mut rng = rng();
        let length = (duration_s * rate_hz) as usize;
        let fft = FftPlanner::new().plan_fft_forward(length);
        let mut powers = vec![0.0; length];
        for _ in 0..trials {
            let noise = draw(density, duration_s, &mut rng);
            let mut lines: Vec<Complex64> = (0..length)
                .map(|n| Complex64::cis(TAU * noise.cycles(n as f64 / rate_hz)))
                .collect();
            fft.process(&mut lines);
            for (power, line) in powers.iter_mut().zip(&lines) {
                *power += line.norm_sqr() / (length as f64).powi(2) / f64::from(trials);
            }
        }
        powers
    }

    #[test]
    fn a_line_is_lorentzian_and_as_wide_as_asked_for() {
        let line = Density { line_width_hz: 8.0, ..Density::default() };
        let duration_s = 4.0;
        let powers = spectrum(&line, duration_s, 2000.0, 400);
        // Density at an offset, both sides, over two hertz.
        let density = |offset_hz: f64| {
            let middle = (offset_hz * duration_s) as usize;
            let around = middle.saturating_sub(4).max(1)..=middle + 4;
            let lines = around.flat_map(|n| [powers[n], powers[powers.len() - n]]);
            let lines: Vec<f64> = lines.collect();
            lines.iter().sum::<f64>() / lines.len() as f64 * duration_s
        };
        for offset_hz in [2.0, 4.0, 8.0, 40.0, 120.0] {
            let half_hz = 4.0;
            let expected = half_hz / PI / (offset_hz * offset_hz + half_hz * half_hz);
            let ratio = density(offset_hz) / expected;
            assert!((ratio - 1.0).abs() < 0.12, "{offset_hz}: {ratio}");
        }
        // Half of the peak at half of the width.
        let peak = 1.0 / (PI * 4.0);
        assert!((density(4.0) / peak - 0.5).abs() < 0.06);
    }

    #[test]
    fn stationary_noise_lies_under_its_mask() {
        let points = [(10.0, -50.0), (100.0, -70.0), (5000.0, -80.0)];
        let points = points.map(|(offset_hz, dbc_per_hz)| MaskPoint { offset_hz, dbc_per_hz });
        let mask = Density { mask: &points, ..Density::default() };
        let duration_s = 1.0;
        let powers = spectrum(&mask, duration_s, 40_000.0, 60);
        for (offset_hz, expected_db) in
            [(5usize, -50.0), (10, -50.0), (32, -60.1), (100, -70.0), (707, -75.0), (4900, -79.95)]
        {
            let spread = (offset_hz / 10).clamp(1, 90);
            let around = offset_hz - spread..=offset_hz + spread;
            let count = around.clone().count() as f64;
            let sum = |line: &dyn Fn(usize) -> f64| around.clone().map(line).sum::<f64>() / count;
            for density in [sum(&|n| powers[n]), sum(&|n| powers[powers.len() - n])] {
                let density_db = 10.0 * (density * duration_s).log10();
                let max_db = if offset_hz < 50 { 1.6 } else { 0.6 };
                assert!((density_db - expected_db).abs() < max_db, "{offset_hz}: {density_db}");
            }
        }
        let beyond: f64 = powers[5200..20_000].iter().sum::<f64>() / 14_800.0;
        assert!(10.0 * beyond.log10() < -90.0, "{beyond}");
    }
}
