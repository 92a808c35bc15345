//! A channel at a lower sample rate.

use std::collections::VecDeque;
use std::f64::consts::TAU;

use num_complex::{Complex32, Complex64};

use crate::error::Error;
use crate::filter::low_pass;
use crate::kernels::sums::to_c32;

/// What folds into the channel is so much fainter, dB.
const ATTENUATION_DB: f64 = 60.0;
/// Far more than any receiver samples.
const MAX_RATE_HZ: f64 = 1.0e9;
/// The channel's largest half width as a share of the lower rate, which leaves room for the filter.
const MAX_SHARE: f64 = 0.45;
/// The sample rate is at most so many times the lower one; with that room it makes a filter of 40 000
/// taps.
const MAX_FACTOR: f64 = 1_000.0;

/// Moves a channel to the middle and leaves out samples that it does not need.
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
    /// For samples of `sample_rate_hz` that hold the channel `offset_hz` ± `half_width_hz` around their
    /// centre. The lower rate is a whole fraction of the higher, `min_rate_hz` or a little more; samples
    /// that have no more than that already are passed as they are.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if a rate is not above 0 and up to 1 GS/s, if the lower is less than a
    /// thousandth of the other, if the half width is not above 0 and up to 0.45 of the lower rate, or if
    /// the offset is not a number below 1 GHz.
    pub fn new(
        sample_rate_hz: f64,
        offset_hz: f64,
        half_width_hz: f64,
        min_rate_hz: f64,
    ) -> Result<Self, Error> {
        Error::check_range("sample_rate_hz", sample_rate_hz, f64::MIN_POSITIVE, MAX_RATE_HZ)?;
        Error::check_range("offset_hz", offset_hz, -MAX_RATE_HZ, MAX_RATE_HZ)?;
        let min_hz = sample_rate_hz / MAX_FACTOR;
        Error::check_range("min_rate_hz", min_rate_hz, min_hz, MAX_RATE_HZ)?;
        let widest_hz = MAX_SHARE * min_rate_hz;
        Error::check_range("half_width_hz", half_width_hz, f64::MIN_POSITIVE, widest_hz)?;
        let factor = ((sample_rate_hz / min_rate_hz) as usize).max(1);
        let rate_hz = sample_rate_hz / factor as f64;
        // Kaiser's formula for the length: from the channel's edge to what folds into it.
        let transition = (rate_hz - 2.0 * half_width_hz) / sample_rate_hz;
        let length = ((ATTENUATION_DB - 7.95) / (14.36 * transition)).ceil() as usize | 1;
        let is_whole = factor == 1;
        let offset_hz = if is_whole { 0.0 } else { offset_hz };
        Ok(Self {
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
        })
    }

    /// Samples a second that come out.
    #[must_use]
    pub fn rate_hz(&self) -> f64 {
        self.rate_hz
    }

    /// Where the centre of what comes out is, from the centre of what comes in.
    #[must_use]
    pub fn offset_hz(&self) -> f64 {
        self.offset_hz
    }

    /// How many samples of the lower rate are missing if `lost` of the higher are.
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
            self.pending.push_back(sample * to_c32(self.phasor));
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
        let mut decimator = Decimator::new(2.4e6, 101e3, 98e3, 240e3).unwrap();
        assert_eq!((decimator.rate_hz(), decimator.offset_hz()), (240e3, 101e3));
        let tone = |n: usize| Complex64::cis(TAU * frequency_hz * n as f64 / 2.4e6);
        let samples: Vec<Complex32> = (0..240_000).map(tone).map(to_c32).collect();
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

    #[test]
    fn samples_that_are_few_enough_are_passed_as_they_are() {
        let mut decimator = Decimator::new(250e3, 3e3, 98e3, 240e3).unwrap();
        assert_eq!((decimator.rate_hz(), decimator.offset_hz()), (250e3, 0.0));
        let samples = [Complex32::ONE, Complex32::I];
        assert_eq!(decimator.push(&samples), samples);
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_numbers() {
        let refused = |sample_rate_hz, offset_hz, half_width_hz, min_rate_hz| match Decimator::new(
            sample_rate_hz,
            offset_hz,
            half_width_hz,
            min_rate_hz,
        ) {
            Err(Error::OutOfRange { parameter, .. }) => parameter,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(f64::NAN, 0.0, 98e3, 240e3), "sample_rate_hz");
        assert_eq!(refused(2.4e6, f64::INFINITY, 98e3, 240e3), "offset_hz");
        assert_eq!(refused(2.4e6, 0.0, 98e3, 0.0), "min_rate_hz");
        assert_eq!(refused(2.4e6, 0.0, 120e3, 240e3), "half_width_hz");
    }
}
