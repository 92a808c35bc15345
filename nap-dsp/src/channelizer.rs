//! A polyphase filter bank: wideband samples to overlapping subbands.
//!
//! Everything behind it works on subbands of about 10 kS/s, so the cost of a burst does not depend
//! on the sample rate of the recording, and the two symbol rates share one pass over the samples.
//!
//! The bank has `M` subbands spaced `sample_rate / M` apart and hands out one sample of each every
//! `M / 2` input samples (twice oversampled), so that a signal of some hundred hertz anywhere
//! between two centres passes undistorted through the nearer one.
//!
//! The spectrum of samples is periodic: beyond an edge of the band lies what is at the other one. So a
//! subband at the edge is as full of noise as one in the middle, and what works on it need not know. A
//! band of few kilohertz has two subbands, one in its middle and one around its edges.

use std::fmt;
use std::sync::Arc;

use bytemuck::{cast_slice, cast_slice_mut};
use multiversion::multiversion;
use num_complex::Complex32;
use rustfft::{Fft, FftPlanner};

use crate::error::Error;
use crate::filter::{fastest_length, low_pass};
use crate::kernels::sums::silence_unusable;
use crate::subbands::SubbandGrid;

/// Spacing of the subbands that the design aims at, in hertz.
const TARGET_SPACING_HZ: f64 = 5_000.0;
/// Length of the prototype filter in multiples of the number of subbands: flat to three quarters of
/// the spacing, so that a signal between two centres passes either.
const TAPS_PER_BRANCH: usize = 8;
/// Stop-band attenuation of the prototype, in dB.
const ATTENUATION_DB: f64 = 72.0;
/// Numbers that are folded together; the processor works on several at once.
const LANES: usize = 8;
/// A channel may end where the sampled band does, though rounding says a little later.
const ROUNDING: f64 = 1e-9;

/// Splits a stream of samples into the subbands that cover one channel.
///
/// A tone of amplitude 1 in the flat part of a subband comes out with amplitude 1.
pub struct Channelizer {
    sample_rate_hz: f64,
    size: usize,
    first_subband: i64,
    /// The prototype filter, each tap twice: for the real and the imaginary part.
    taps: Vec<f32>,
    fft: Arc<dyn Fft<f32>>,
    fft_scratch: Vec<Complex32>,
    folded: Vec<Complex32>,
    column: Vec<Complex32>,
    pending: Vec<Complex32>,
    read: usize,
    columns: u64,
    unusable_samples: u64,
}

impl Channelizer {
    /// A bank for the channel `offset_hz` ± `half_width_hz` around the recording's centre.
    ///
    /// # Errors
    /// [`Error::SampleRate`] for a rate outside 2 kS/s to 1 GS/s, and
    /// [`Error::ChannelOutside`] when the channel reaches outside the sampled band.
    pub fn new(sample_rate_hz: f64, offset_hz: f64, half_width_hz: f64) -> Result<Self, Error> {
        Error::check_sample_rate(sample_rate_hz)?;
        let reach_hz = offset_hz.abs() + half_width_hz;
        if !(reach_hz <= sample_rate_hz / 2.0 * (1.0 + ROUNDING) && half_width_hz > 0.0) {
            return Err(Error::ChannelOutside { offset_hz, half_width_hz, sample_rate_hz });
        }
        let size = bank_size(sample_rate_hz);
        let spacing_hz = sample_rate_hz / size as f64;
        let first_subband = ((offset_hz - half_width_hz) / spacing_hz).round() as i64;
        let last_subband = ((offset_hz + half_width_hz) / spacing_hz).round() as i64;
        let fft = FftPlanner::new().plan_fft_forward(size);
        let length = TAPS_PER_BRANCH * size;
        let prototype = low_pass(length, 1.0 / size as f64, ATTENUATION_DB);
        Ok(Self {
            sample_rate_hz,
            size,
            first_subband,
            taps: prototype.into_iter().flat_map(|tap| [tap; 2]).collect(),
            fft_scratch: vec![Complex32::default(); fft.get_inplace_scratch_len()],
            fft,
            folded: vec![Complex32::default(); size],
            column: vec![Complex32::default(); (last_subband - first_subband + 1) as usize],
            pending: Vec::with_capacity(2 * length),
            read: 0,
            columns: 0,
            unusable_samples: 0,
        })
    }

    /// Where the subbands lie.
    #[must_use]
    pub fn grid(&self) -> SubbandGrid {
        let spacing_hz = self.sample_rate_hz / self.size as f64;
        SubbandGrid {
            subbands: self.column.len(),
            spacing_hz,
            first_center_hz: self.first_subband as f64 * spacing_hz,
            first_column_s: (self.length() as f64 - 1.0) / 2.0 / self.sample_rate_hz,
        }
    }

    /// Taps of the prototype filter.
    fn length(&self) -> usize {
        TAPS_PER_BRANCH * self.size
    }

    /// Samples from one column to the next. The subbands of odd columns are turned, so that the
    /// columns of a stream that begins a multiple of twice as many samples later are the same.
    #[must_use]
    pub fn hop_samples(&self) -> usize {
        self.size / 2
    }

    /// Samples replaced by zero so far because they were not finite or absurdly large.
    #[must_use]
    pub fn unusable_samples(&self) -> u64 {
        self.unusable_samples
    }

    /// Takes samples in; calls `sink` with one sample of every subband for each column that they
    /// complete. Any split of the same samples into blocks gives the same columns.
    pub fn push(&mut self, samples: &[Complex32], mut sink: impl FnMut(&[Complex32])) {
        let length = self.length();
        for chunk in samples.chunks(length) {
            self.accept(chunk);
            while self.pending.len() - self.read >= length {
                self.compute_column();
                sink(&self.column);
                self.read += self.hop_samples();
                self.columns += 1;
            }
        }
    }

    /// Appends a chunk of at most one filter length, within the reserved capacity.
    fn accept(&mut self, chunk: &[Complex32]) {
        if self.pending.len() + chunk.len() > self.pending.capacity() {
            self.pending.drain(..self.read);
            self.read = 0;
        }
        let first = self.pending.len();
        self.pending.extend_from_slice(chunk);
        self.unusable_samples += silence_unusable(&mut self.pending[first..]);
    }

    /// Weights one filter length of samples, folds it to `size` points and transforms.
    fn compute_column(&mut self) {
        let span = &self.pending[self.read..self.read + self.length()];
        // 1. Polyphase filter: the prototype's branches, each a tap in so many samples, are added up.
        fold(cast_slice(span), &self.taps, cast_slice_mut(&mut self.folded));
        // 2. Circular shift. A hop is half a period of the transform: odd subbands turn by pi from column to column,
        // which is a shift by half a period before it.
        if self.columns % 2 == 1 {
            let (first, second) = self.folded.split_at_mut(self.size / 2);
            first.swap_with_slice(second);
        }
        // 3. The transform mixes each subband to 0 Hz.
        self.fft.process_with_scratch(&mut self.folded, &mut self.fft_scratch);
        // 4. Subbands of the channel, of which the negative frequencies are in the upper half of the transform.
        let lowest = self.first_subband.rem_euclid(self.size as i64) as usize;
        let below = self.column.len().min(self.size - lowest);
        let (below, above) = self.column.split_at_mut(below);
        below.copy_from_slice(&self.folded[lowest..lowest + below.len()]);
        above.copy_from_slice(&self.folded[..above.len()]);
    }
}

impl fmt::Debug for Channelizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channelizer")
            .field("sample_rate_hz", &self.sample_rate_hz)
            .field("grid", &self.grid())
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

/// How many subbands share a band. Of a narrow one there are few samples, so speed does not matter.
fn bank_size(sample_rate_hz: f64) -> usize {
    let size = sample_rate_hz / TARGET_SPACING_HZ;
    let step = LANES / 2;
    fastest_length(size, if size < step as f64 { 2 } else { step })
}

/// Adds up the branches of the filter: in each, the numbers of as many samples as the transform has
/// points, times their taps.
#[multiversion(targets("x86_64+avx2"))]
fn fold(span: &[f32], taps: &[f32], folded: &mut [f32]) {
    let count = folded.len();
    let (span, more_span) = span.split_at(4 * count);
    let (taps, more_taps) = taps.split_at(4 * count);
    fold_four::<false>(span, taps, folded);
    fold_four::<true>(more_span, more_taps, folded);
}

/// Adds up four branches, and to them what was there if it is to be kept.
#[inline(always)]
fn fold_four<const KEEP: bool>(span: &[f32], taps: &[f32], folded: &mut [f32]) {
    let count = folded.len();
    let [a, b, c, d] = quarters(span, count);
    let [u, v, w, x] = quarters(taps, count);
    for n in 0..count {
        let kept = if KEEP { folded[n] } else { 0.0 };
        folded[n] = kept + (a[n] * u[n] + b[n] * v[n]) + (c[n] * w[n] + d[n] * x[n]);
    }
}

#[inline(always)]
fn quarters(numbers: &[f32], count: usize) -> [&[f32]; 4] {
    let (a, rest) = numbers.split_at(count);
    let (b, rest) = rest.split_at(count);
    let (c, rest) = rest.split_at(count);
    [a, b, c, &rest[..count]]
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use num_complex::Complex64;
    use proptest::prelude::*;

    use super::*;

    fn tone(sample_rate_hz: f64, frequency_hz: f64, count: usize) -> Vec<Complex32> {
        (0..count)
            .map(|n| {
                let phase = 2.0 * PI * (frequency_hz * n as f64 / sample_rate_hz).fract();
                Complex32::new(phase.cos() as f32, phase.sin() as f32)
            })
            .collect()
    }

    fn columns_of(bank: &mut Channelizer, samples: &[Complex32]) -> Vec<Vec<Complex32>> {
        let mut columns = Vec::new();
        bank.push(samples, |column| columns.push(column.to_vec()));
        columns
    }

    /// The definition: mix the subband to zero, filter with the prototype, keep every hop-th sample.
    fn reference(bank: &Channelizer, samples: &[Complex32], column: usize, b: usize) -> Complex64 {
        let start = column * bank.size / 2;
        let cycles = (bank.first_subband + b as i64) as f64 / bank.size as f64;
        let taps = low_pass(bank.length(), 1.0 / bank.size as f64, ATTENUATION_DB);
        taps.iter().enumerate().fold(Complex64::default(), |sum, (i, &tap)| {
            let sample = samples[start + i];
            let sample = Complex64::new(f64::from(sample.re), f64::from(sample.im));
            sum + sample
                * f64::from(tap)
                * Complex64::from_polar(1.0, -2.0 * PI * (cycles * (start + i) as f64).fract())
        })
    }

    #[test]
    fn a_tone_comes_out_with_its_amplitude_frequency_and_phase() {
        for sample_rate_hz in [200e3, 250e3, 226_757.0, 2.4e6, 3e3, 7_350.0, 12e3, 16e3, 48e3] {
            let half_width_hz = 96e3_f64.min(sample_rate_hz / 2.0);
            let frequency_hz = 0.43 * half_width_hz;
            let mut bank = Channelizer::new(sample_rate_hz, 0.0, half_width_hz).unwrap();
            let columns = columns_of(&mut bank, &tone(sample_rate_hz, frequency_hz, 60_000));
            let grid = bank.grid();
            let b = grid.nearest(frequency_hz);
            for (m, column) in columns.iter().enumerate() {
                let time_s = grid.time_s(m as u64);
                let relative_hz = frequency_hz - grid.center_hz(b);
                // The phase at the middle of the filter, seen from the start of the recording,
                // but for the subband centre's own constant turn over half the filter.
                let expected = Complex64::from_polar(1.0, 2.0 * PI * relative_hz * time_s);
                let found = Complex64::new(column[b].re.into(), column[b].im.into());
                assert!((found.norm() - 1.0).abs() < 2e-3, "amplitude {}", found.norm());
                let phasor = found * expected.conj();
                let first = Complex64::new(columns[0][b].re.into(), columns[0][b].im.into());
                let expected_first =
                    Complex64::from_polar(1.0, 2.0 * PI * relative_hz * grid.first_column_s);
                assert!((phasor - first * expected_first.conj()).norm() < 5e-3);
            }
        }
    }

    #[test]
    fn the_folded_transform_equals_the_definition() {
        let mut bank = Channelizer::new(226_757.0, 3_000.0, 96e3).unwrap();
        let samples: Vec<Complex32> = (0..4000)
            .map(|n| Complex32::new(((n * 37) % 101) as f32 - 50.0, ((n * 53) % 89) as f32 - 44.0))
            .map(|sample| sample / 64.0)
            .collect();
        let columns = columns_of(&mut bank, &samples);
        for m in [0, 1, 2, 17, 40] {
            for b in [0, 1, 7, bank.grid().subbands - 1] {
                let found = columns[m][b];
                let expected = reference(&bank, &samples, m, b);
                // The fast one leaves out a constant turn by the filter's start.
                let zero = reference(&bank, &samples, 0, b)
                    / Complex64::new(columns[0][b].re.into(), columns[0][b].im.into());
                let found = Complex64::new(found.re.into(), found.im.into()) * zero;
                assert!((found - expected).norm() < 1e-5, "column {m}, subband {b}");
            }
        }
    }

    #[test]
    fn what_cannot_be_a_sample_is_counted_and_silenced() {
        let mut bank = Channelizer::new(250e3, 0.0, 96e3).unwrap();
        let mut samples = vec![Complex32::new(0.1, 0.0); 5000];
        samples[100] = Complex32::new(f32::NAN, 0.0);
        samples[200] = Complex32::new(0.0, f32::INFINITY);
        samples[300] = Complex32::new(1e30, 0.0);
        let columns = columns_of(&mut bank, &samples);
        assert_eq!(bank.unusable_samples(), 3);
        assert!(columns.iter().flatten().all(|sample| sample.is_finite()));
    }

    #[test]
    fn a_channel_outside_the_band_is_refused_with_its_numbers() {
        assert!(matches!(
            Channelizer::new(250e3, 100e3, 96e3),
            Err(Error::ChannelOutside { offset_hz: 100e3, .. })
        ));
        assert!(matches!(Channelizer::new(f64::NAN, 0.0, 96e3), Err(Error::SampleRate { .. })));
        assert!(matches!(Channelizer::new(1e3, 0.0, 500.0), Err(Error::SampleRate { .. })));
    }

    #[test]
    fn a_narrow_band_has_subbands_in_its_middle_and_around_its_edges() {
        for (sample_rate_hz, spacing_hz, subbands) in
            [(3e3, 1.5e3, 3), (12e3, 6e3, 3), (16e3, 4e3, 5), (44.1e3, 5_512.5, 9)]
        {
            let bank = Channelizer::new(sample_rate_hz, 0.0, sample_rate_hz / 2.0).unwrap();
            let grid = bank.grid();
            assert_eq!((grid.spacing_hz, grid.subbands), (spacing_hz, subbands));
            assert_eq!(grid.first_center_hz, -sample_rate_hz / 2.0);
        }
        // A channel of which a part is in the band, up to its edge.
        assert!(Channelizer::new(3e3, 132.7165, 1_367.283_5 * (1.0 + 1e-12)).is_ok());
    }

    #[test]
    fn over_an_edge_of_the_band_comes_the_other_one() {
        let mut bank = Channelizer::new(12e3, 0.0, 6e3).unwrap();
        let columns = columns_of(&mut bank, &tone(12e3, -5_900.0, 2_000));
        for column in columns {
            assert!((column[2].norm() - 1.0).abs() < 2e-3, "{}", column[2].norm());
            assert_eq!(column[0], column[2]);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn any_split_gives_the_same_columns(splits in prop::collection::vec(1usize..700, 1..40)) {
            let samples = tone(250e3, 12_345.0, 5000);
            let mut whole = Channelizer::new(250e3, 0.0, 96e3).unwrap();
            let expected = columns_of(&mut whole, &samples);
            let mut bank = Channelizer::new(250e3, 0.0, 96e3).unwrap();
            let mut columns = Vec::new();
            let mut rest = &samples[..];
            for split in splits.iter().cycle() {
                let (block, after) = rest.split_at((*split).min(rest.len()));
                columns.extend(columns_of(&mut bank, block));
                rest = after;
                if rest.is_empty() { break; }
            }
            prop_assert_eq!(columns, expected);
        }
    }
}
