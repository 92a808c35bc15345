//! Power spectra of the whole channel, hop by hop, over the noise of their place and time.

use std::ops::Range;
use std::sync::Arc;

use bytemuck::cast_slice;
use multiversion::multiversion;
use num_complex::Complex32;
use rustfft::{Fft, FftPlanner};

use crate::filter::fast_length;
use crate::kernels::median::median;
use crate::subbands::{SubbandGrid, SubbandHistory};

/// Bins that are summed to one block.
pub(crate) const BLOCK_BINS: usize = 4;
/// Bins kept beyond either end of the subbands, a whole number of blocks.
pub(crate) const MARGIN: usize = 24;
/// Share of a window from one to the next. Two fifths would see a preamble that starts at a bad moment
/// 0.4 dB better, at a quarter more of work.
const HOP: f64 = 0.5;
/// Median of the sums of two blocks over their mean, in white noise. Bins of a Hann window correlate
/// with the next one (4/9 in power) and the one after (1/36), so that a sum of eight has the mean
/// and variance of a gamma distribution of shape 4.4, whose median is about `1 - 1 / (3 * 4.4)` of
/// its mean.
const MEDIAN_OVER_MEAN: f32 = 0.925;
/// Energy of the window `1 - cos` over its length.
const WINDOW_ENERGY: f32 = 1.5;
/// Power of a bin (full scale 1) far below the rounding of any converter. Added to signal and noise
/// it makes silence look like noise.
const MIN_POWER: f32 = 1e-20;
/// With fewer sums of two blocks in a subband than so many, their median scatters so much that those of the subbands
/// beside it help: of 21 as at 600 Bd by an eighth.
const FEW_SUMS: usize = 40;
/// Of two subbands the one that has more than so many times the noise of the other holds more than noise.
const MAX_BESIDE: f32 = 1.5;

/// A spectrum over all subbands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spectrum {
    /// Power by bin, beginning [`MARGIN`] bins below the lowest subband.
    pub(crate) bins: Vec<f32>,
    /// The mean noise power of a bin, by block: that of the block's subband.
    noise: Vec<f32>,
    /// The sums of [`BLOCK_BINS`] bins each over the noise of a bin.
    pub(crate) blocks: Vec<f32>,
}

impl Spectrum {
    /// The mean noise power of a bin in the subband that owns a bin.
    pub(crate) fn noise(&self, bin: usize) -> f32 {
        self.noise[bin / BLOCK_BINS]
    }

    /// A spectrum in noise of 1.
    #[cfg(test)]
    pub(crate) fn of(bins: Vec<f32>, blocks: Vec<f32>) -> Self {
        Self { noise: vec![1.0; blocks.len()], bins, blocks }
    }
}

/// Takes spectra of all subbands with a periodic Hann window at even steps.
pub(crate) struct SpectrumAnalyzer {
    grid: SubbandGrid,
    /// The subbands that are looked at.
    subbands: Range<usize>,
    length: usize,
    hop: u64,
    next_column: u64,
    fft: Arc<dyn Fft<f32>>,
    scratch: Vec<Complex32>,
    stretch: Vec<Complex32>,
    transform: Vec<Complex32>,
    squares: Vec<f32>,
    /// Of two blocks each.
    sums: Vec<f32>,
    densities: Vec<f32>,
    /// The noise of a bin, by subband that is looked at, and as each tells it by itself.
    noises: Vec<f32>,
    own_noises: Vec<f32>,
}

impl SpectrumAnalyzer {
    /// Spectra of about `window_s`, of some subbands at first.
    pub(crate) fn of_subbands(subbands: Range<usize>, grid: SubbandGrid, window_s: f64) -> Self {
        // Each subband owns the middle half of its bins, a whole number of blocks.
        let length = fast_length(window_s * grid.rate_hz(), 2 * BLOCK_BINS);
        let fft = FftPlanner::new().plan_fft_forward(length);
        Self {
            grid,
            subbands,
            length,
            hop: (HOP * length as f64) as u64,
            next_column: length as u64,
            scratch: vec![Complex32::default(); fft.get_immutable_scratch_len()],
            fft,
            stretch: Vec::with_capacity(length),
            transform: vec![Complex32::default(); length],
            squares: vec![0.0; 2 * length],
            sums: Vec::with_capacity(length),
            densities: vec![0.0; grid.subbands],
            noises: Vec::with_capacity(grid.subbands),
            own_noises: Vec::with_capacity(grid.subbands),
        }
    }

    /// Makes a spectrum that of silence.
    pub(crate) fn silence(&self, spectrum: &mut Spectrum) {
        let count = self.subbands.len() * self.owned() + 2 * MARGIN;
        spectrum.bins.clear();
        spectrum.bins.resize(count, 0.0);
        spectrum.noise.clear();
        spectrum.noise.resize(count / BLOCK_BINS, MIN_POWER);
        spectrum.blocks.clear();
        spectrum.blocks.resize(count / BLOCK_BINS, BLOCK_BINS as f32);
    }

    /// Goes back to the first window that begins at `column` or later and is in step with those that
    /// end at `end`, for some of the subbands.
    pub(crate) fn restart(&mut self, subbands: Range<usize>, column: u64, end: u64) {
        self.subbands = subbands;
        let hops = end.saturating_sub(column + self.length as u64) / self.hop;
        self.next_column = end - hops * self.hop;
    }

    /// The end of the last window that was taken or is the next, and ends before `column` or a hop
    /// later.
    pub(crate) fn last_end(&self, column: u64) -> u64 {
        let hops = self.next_column.saturating_sub(column) / self.hop;
        self.next_column - hops * self.hop
    }

    /// The end of the next window.
    pub(crate) fn next_column(&self) -> u64 {
        self.next_column
    }

    /// Bins that come from one subband.
    fn owned(&self) -> usize {
        self.length / 2
    }

    /// Distance of the bins.
    pub(crate) fn bin_hz(&self) -> f64 {
        self.grid.rate_hz() / self.length as f64
    }

    /// Frequency of a bin of [`Spectrum::bins`], in hertz from the centre of the recording.
    pub(crate) fn frequency_hz(&self, bin: usize) -> f64 {
        let lowest_hz = self.grid.center_hz(self.subbands.start) - self.grid.spacing_hz / 2.0;
        lowest_hz + (bin as f64 - MARGIN as f64) * self.bin_hz()
    }

    /// Power in the bins of the two lines of a preamble at full scale: together they have 0.81 of its
    /// power.
    pub(crate) fn lines_of_full_scale(&self) -> f64 {
        0.81 * (self.length as f64).powi(2)
    }

    /// Length of the windows in seconds.
    pub(crate) fn window_s(&self) -> f64 {
        self.length as f64 / self.grid.rate_hz()
    }

    /// Begins with the window that begins at `column`.
    pub(crate) fn begin_at(&mut self, column: u64) {
        self.next_column = column + self.length as u64;
    }

    /// Columns from one spectrum to the next.
    pub(crate) fn hop_columns(&self) -> u64 {
        self.hop
    }

    /// Seconds from one spectrum to the next.
    pub(crate) fn interval_s(&self) -> f64 {
        self.hop as f64 / self.grid.rate_hz()
    }

    /// Middle of the newest window, in seconds from the start of the recording.
    pub(crate) fn time_s(&self) -> f64 {
        self.grid.time_s(self.next_column - self.hop) - self.window_s() / 2.0
    }

    /// The noise density of every subband in the newest spectrum, in (full scale)² per hertz.
    pub(crate) fn densities(&self) -> &[f32] {
        &self.densities
    }

    /// Writes the next spectrum if the history reaches far enough; whether it does.
    pub(crate) fn take(&mut self, history: &SubbandHistory, spectrum: &mut Spectrum) -> bool {
        if history.columns() < self.next_column {
            return false;
        }
        self.noises.clear();
        for b in self.subbands.clone() {
            let noise = self.fill(history, b, self.next_column, spectrum);
            self.noises.push(noise);
        }
        if self.owned() / (2 * BLOCK_BINS) < FEW_SUMS {
            self.smooth(spectrum);
        }
        let energy = WINDOW_ENERGY * self.length as f32 * self.grid.rate_hz() as f32;
        for (density, noise) in self.densities[self.subbands.clone()].iter_mut().zip(&self.noises) {
            *density = noise / energy;
        }
        self.next_column += self.hop;
        true
    }

    /// Takes the noise of each subband to be what it and those beside it have in the mean, if they have about as much.
    fn smooth(&mut self, spectrum: &mut Spectrum) {
        self.own_noises.clone_from(&self.noises);
        let own = &self.own_noises;
        let count = own.len();
        for (n, smooth) in self.noises.iter_mut().enumerate() {
            let near = &own[n.saturating_sub(1)..(n + 2).min(count)];
            let range = own[n] / MAX_BESIDE..=own[n] * MAX_BESIDE;
            let alike = || near.iter().filter(|noise| range.contains(noise));
            *smooth = alike().sum::<f32>() / alike().count() as f32;
        }
        let (blocks, margin) = (self.owned() / BLOCK_BINS, MARGIN / BLOCK_BINS);
        for (n, (own, smooth)) in own.iter().zip(&self.noises).enumerate() {
            let from = if n == 0 { 0 } else { margin + n * blocks };
            let to = if n + 1 == count { 2 * margin } else { margin } + (n + 1) * blocks;
            spectrum.noise[from..to].fill(smooth + MIN_POWER);
            let scale = (own + MIN_POWER) / (smooth + MIN_POWER);
            spectrum.blocks[from..to].iter_mut().for_each(|block| *block *= scale);
        }
    }

    /// Copies a spectrum into one of the same window that `wider` took of more subbands.
    pub(crate) fn copy_into(&self, spectrum: &Spectrum, wider: &Self, target: &mut Spectrum) {
        let Range { start, end } = self.subbands;
        let below = if start == wider.subbands.start { MARGIN } else { 0 };
        let above = if end == wider.subbands.end { MARGIN } else { 0 };
        let count = below + (end - start) * self.owned() + above;
        let from = MARGIN - below;
        let to = from + (start - wider.subbands.start) * self.owned();
        target.bins[to..to + count].copy_from_slice(&spectrum.bins[from..from + count]);
        let (from, to, count) = (from / BLOCK_BINS, to / BLOCK_BINS, count / BLOCK_BINS);
        target.noise[to..to + count].copy_from_slice(&spectrum.noise[from..from + count]);
        target.blocks[to..to + count].copy_from_slice(&spectrum.blocks[from..from + count]);
    }

    /// How many windows this is behind another that is in step with it.
    pub(crate) fn lag(&self, other: &Self) -> usize {
        (other.next_column.saturating_sub(self.next_column) / self.hop) as usize
    }

    /// Writes what a subband has of the spectrum over the window that ends at a column. Returns the
    /// noise.
    fn fill(
        &mut self,
        history: &SubbandHistory,
        b: usize,
        end: u64,
        spectrum: &mut Spectrum,
    ) -> f32 {
        // 1. Transform of the stretch, without a window.
        self.transform(history, b, end);
        let below = if b == self.subbands.start { MARGIN } else { 0 };
        let above = if b + 1 == self.subbands.end { MARGIN } else { 0 };
        let first = MARGIN + (b - self.subbands.start) * self.owned() - below;
        let count = below + self.owned() + above;
        // 2. Hann window, as a sum over three bins, and power.
        let bins = &mut spectrum.bins[first..first + count];
        self.window(bins, below);
        // 3. Sums of bins to blocks, 4. the noise as their median, and blocks over the noise.
        let range = first / BLOCK_BINS..(first + count) / BLOCK_BINS;
        let noise = self.sum_blocks(bins, &mut spectrum.blocks[range.clone()]);
        spectrum.noise[range].fill(noise + MIN_POWER);
        noise
    }

    /// Transforms the stretch of a subband that ends at a column.
    fn transform(&mut self, history: &SubbandHistory, b: usize, end: u64) {
        let Self { stretch, transform, scratch, .. } = self;
        stretch.clear();
        history.read(b, end - self.length as u64, self.length, stretch);
        self.fft.process_immutable_with_scratch(stretch, transform, scratch);
    }

    /// The power of the bins that a subband owns and of some more, of which `below` lie below.
    fn window(&mut self, bins: &mut [f32], below: usize) {
        let first = self.length - self.owned() / 2 - below - 1;
        let Self { transform, squares, .. } = self;
        // Negative frequencies are in the upper half of the transform.
        let lower = &transform[first..];
        let upper = &transform[..bins.len() + 2 - lower.len()];
        let (negative, rest) = bins.split_at_mut(lower.len() - 2);
        let (middle, positive) = rest.split_at_mut(2);
        hann_power(negative, lower, squares);
        let around_zero = [lower[lower.len() - 2], lower[lower.len() - 1], upper[0], upper[1]];
        hann_power(middle, &around_zero, squares);
        hann_power(positive, upper, squares);
    }

    /// Sums up blocks and divides them by the noise, the median over the subband. Returns the noise.
    fn sum_blocks(&mut self, bins: &[f32], blocks: &mut [f32]) -> f32 {
        sum_blocks(blocks, bins);
        self.sums.clear();
        self.sums.extend(blocks.as_chunks().0.iter().map(|[a, b]| a + b));
        let noise = median(&self.sums) / (2.0 * BLOCK_BINS as f32 * MEDIAN_OVER_MEAN);
        let (least, scale) = (BLOCK_BINS as f32 * MIN_POWER, 1.0 / (noise + MIN_POWER));
        blocks.iter_mut().for_each(|block| *block = (*block + least) * scale);
        noise
    }
}

/// The power of what a transform would hold, had the window been applied before it: one with a
/// cosine is a sum over three bins. `transform` has a bin more on either side; `squares` has room for
/// the squares of real and imaginary parts.
#[multiversion(targets("x86_64+avx2"))]
fn hann_power(power: &mut [f32], transform: &[Complex32], squares: &mut [f32]) {
    let numbers: &[f32] = cast_slice(transform);
    let squares = &mut squares[..2 * power.len()];
    // 1. Each real and imaginary part less the mean of those of the bins beside it, and its square.
    let neighbours = numbers.iter().zip(&numbers[2..]).zip(&numbers[4..]);
    for (square, ((before, number), after)) in squares.iter_mut().zip(neighbours) {
        let windowed = number - (before + after) * 0.5;
        *square = windowed * windowed;
    }
    // 2. The sum of the two squares of a bin.
    for (power, [re, im]) in power.iter_mut().zip(squares.as_chunks().0) {
        *power = re + im;
    }
}

/// Sums bins up to blocks.
#[multiversion(targets("x86_64+avx2"))]
fn sum_blocks(blocks: &mut [f32], bins: &[f32]) {
    for (block, [a, b, c, d]) in blocks.iter_mut().zip(bins.as_chunks::<BLOCK_BINS>().0) {
        *block = (a + b) + (c + d);
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use num_complex::Complex64;
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::sums::to_c64;

    /// The powers of the bins of windowed samples, one by one.
    fn plain_powers(samples: &[Complex32]) -> Vec<f64> {
        let length = samples.len() as f64;
        let bin = |k: usize| {
            let term = |(n, sample): (usize, &Complex32)| {
                let window = 1.0 - (TAU * n as f64 / length).cos();
                to_c64(*sample) * window * Complex64::cis(-TAU * (k * n) as f64 / length)
            };
            samples.iter().enumerate().map(term).sum::<Complex64>().norm_sqr()
        };
        (0..samples.len()).map(bin).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn hann_powers_are_those_of_windowed_samples(
            parts in prop::collection::vec((-1.0f32..1.0, -1.0f32..1.0), 16..64),
        ) {
            let samples: Vec<Complex32> =
                parts.into_iter().map(|(re, im)| Complex32::new(re, im)).collect();
            let count = samples.len();
            let mut transform = samples.clone();
            FftPlanner::new().plan_fft_forward(count).process(&mut transform);
            // A bin more on either side.
            let around: Vec<Complex32> =
                (0..count + 2).map(|n| transform[(n + count - 1) % count]).collect();
            let mut powers = vec![0.0; count];
            hann_power(&mut powers, &around, &mut vec![0.0; 2 * count]);
            for (power, plain) in powers.iter().zip(plain_powers(&samples)) {
                prop_assert!((f64::from(*power) - plain).abs() < 1e-3 * (1.0 + plain));
            }
        }

        #[test]
        fn blocks_are_summed_one_by_one(bins in prop::collection::vec(0.0f32..9.0, 8..80)) {
            let mut blocks = vec![0.0; bins.len() / BLOCK_BINS];
            sum_blocks(&mut blocks, &bins);
            for (block, bins) in blocks.iter().zip(bins.chunks(BLOCK_BINS)) {
                prop_assert!((block - bins.iter().sum::<f32>()).abs() < 1e-4);
            }
        }
    }
}
