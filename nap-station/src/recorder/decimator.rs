//! The channel at a lower sample rate.

use std::collections::VecDeque;
use std::f64::consts::TAU;

use nap_dsp::filter::low_pass;
use num_complex::{Complex32, Complex64};

/// The rate to come down to at most: the channel's 192 kHz and room for the filter.
const LEAST_RATE_HZ: f64 = 240_000.0;
const PASSED_HZ: f64 = 98_000.0;
/// What folds into the channel is so much fainter, dB.
const ATTENUATION_DB: f64 = 60.0;

/// Moves the channel to the middle and leaves out samples that it does not need.
#[derive(Debug)]
pub struct Decimator {
    factor: usize,
    rate_hz: f64,
    offset_hz: f64,
    taps: Vec<f32>,
    /// Turns the channel's centre to 0 Hz.
    phasor: Complex64,
    step: Complex64,
    pending: VecDeque<Complex32>,
    /// Lost samples that did not make up one of the lower rate.
    lost: u64,
}

impl Decimator {
    /// For samples of this rate, with the channel so far from their centre.
    pub fn new(sample_rate_hz: f64, offset_hz: f64) -> Self {
        let factor = ((sample_rate_hz / LEAST_RATE_HZ) as usize).max(1);
        let rate_hz = sample_rate_hz / factor as f64;
        // Kaiser's formula for the length: from the channel's edge to what folds into it.
        let transition = (rate_hz - 2.0 * PASSED_HZ) / sample_rate_hz;
        let length = ((ATTENUATION_DB - 7.95) / (14.36 * transition)).ceil() as usize | 1;
        let is_whole = factor == 1;
        let offset_hz = if is_whole { 0.0 } else { offset_hz };
        Self {
            factor,
            rate_hz,
            offset_hz,
            taps: low_pass(
                if is_whole { 1 } else { length },
                rate_hz / 2.0 / sample_rate_hz,
                ATTENUATION_DB,
            ),
            phasor: Complex64::ONE,
            step: Complex64::cis(-TAU * offset_hz / sample_rate_hz),
            pending: VecDeque::new(),
            lost: 0,
        }
    }

    /// Samples a second that come out.
    pub fn rate_hz(&self) -> f64 {
        self.rate_hz
    }

    /// Where the centre of what comes out is, from the centre of what comes in.
    pub fn offset_hz(&self) -> f64 {
        self.offset_hz
    }

    /// How many samples of the lower rate are missing.
    pub fn skip(&mut self, lost: u64) -> u64 {
        let lost = lost + std::mem::take(&mut self.lost);
        self.lost = lost % self.factor as u64;
        lost / self.factor as u64
    }

    /// The samples of the lower rate that these complete.
    pub fn push(&mut self, samples: &[Complex32]) -> Vec<Complex32> {
        if self.factor == 1 {
            return samples.to_vec();
        }
        for &sample in samples {
            let turn = Complex32::new(self.phasor.re as f32, self.phasor.im as f32);
            self.pending.push_back(sample * turn);
            self.phasor *= self.step;
        }
        self.phasor /= self.phasor.norm();
        let mut out = Vec::with_capacity(samples.len() / self.factor + 1);
        let pending = self.pending.make_contiguous();
        let mut read = 0;
        while let Some(span) = pending.get(read..read + self.taps.len()) {
            out.push(span.iter().zip(&self.taps).map(|(sample, tap)| sample * tap).sum());
            read += self.factor;
        }
        self.pending.drain(..read.min(self.pending.len()));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The power of a tone after decimation.
    fn power(frequency_hz: f64) -> f64 {
        let mut decimator = Decimator::new(2.4e6, 101e3);
        assert_eq!((decimator.rate_hz(), decimator.offset_hz()), (240e3, 101e3));
        let tone = |n: usize| Complex64::cis(TAU * frequency_hz * n as f64 / 2.4e6);
        let samples: Vec<Complex32> = (0..240_000)
            .map(tone)
            .map(|sample| Complex32::new(sample.re as f32, sample.im as f32))
            .collect();
        let out: Vec<_> = samples.chunks(10_007).flat_map(|block| decimator.push(block)).collect();
        assert!((23_900..=24_000).contains(&out.len()));
        out.iter().map(|sample| f64::from(sample.norm_sqr())).sum::<f64>() / out.len() as f64
    }

    #[test]
    fn the_channel_passes_and_its_images_do_not() {
        for frequency_hz in [5e3, 101e3, 197e3] {
            assert!((power(frequency_hz) - 1.0).abs() < 0.15, "{}", power(frequency_hz));
        }
        for frequency_hz in [-90e3, 300e3, 341e3, 1e6] {
            assert!(power(frequency_hz) < 1e-4, "{frequency_hz}: {}", power(frequency_hz));
        }
    }
}
