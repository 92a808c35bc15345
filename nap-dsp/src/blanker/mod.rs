//! Impulses in wideband samples, blanked before the first filter that spreads them.
//!
//! A spark, a switch or an ignition fills the whole band for a fraction of a millisecond. Behind the filter
//! bank it is as long as the filter, and in every short spectrum as long as that; before it, it can be
//! taken out together with no more of the signal than its own length. Forty clicks a second of 0.2 ms,
//! 30 dB over the noise, hold 1 % of the time and eight times the energy of the noise.
//!
//! What stands out is measured against the samples around it, signals and all: by the median over a
//! [segment](Blanker::segment_samples) of 12 to 24 ms and over both of its neighbours, so that neither a
//! burst nor its start, its end or a step of the receiver's gain stands out, however strong. What lasts
//! longer than 3 ms is no impulse, nor is what is as steady as a carrier: the short bursts of other systems
//! pass as they are.

mod carrier_test;
mod power;
mod tuning;

use std::f32::consts::PI;
use std::fmt;
use std::ops::Range;

use num_complex::Complex32;

use crate::blanker::carrier_test::is_carrier;
use crate::blanker::power::{METER_BLOCK, Meter, write_powers};
use crate::error::Error;
use crate::kernels::median::median;
use crate::kernels::sums::silence_unusable;

pub use tuning::Tuning;

/// Fainter cells that may lie between others of the same impulse: its own noise fades for moments.
const MAX_FAINT: usize = 2;
/// A segment in seconds, at least: longer than some impulses, shorter than the bursts of other systems.
const SEGMENT_S: f64 = 12e-3;
/// A segment in samples: enough blocks for a median, and no more than fit into memory at the rate of a
/// damaged file.
const MIN_SEGMENT: usize = 1 << 9;
const MAX_SEGMENT: usize = 1 << 20;
/// A cell in seconds, at most, but not less than some samples, whose mean power is steady enough.
const CELL_S: f64 = 16e-6;
const MIN_CELL: usize = 4;
/// Segments that find room before those that have been handed out are cleared away.
const ROOM: usize = 5;

/// Blanks impulses in a stream of samples, with soft edges.
///
/// As many samples come out as come in, but later: those of a segment once the one after it is complete.
pub struct Blanker {
    tuning: Tuning,
    segmentation: Segmentation,
    /// The segments, and what of the one before them has not been handed out.
    pending: Vec<Complex32>,
    /// The first sample that has not been handed out.
    kept: usize,
    /// The first sample of the oldest segment.
    oldest: usize,
    /// The first sample that has not been measured.
    measured: usize,
    /// The levels before the oldest segment, in it, and after it.
    levels: [f32; 3],
    /// The largest square of a part of a sample in the oldest segment, and after it.
    peaks: [f32; 2],
    /// Cells at the start of the oldest segment that were judged with those before them.
    judged: usize,
    meter: Meter,
    powers: Vec<f32>,
    counts: Counts,
}

/// What a blanker has counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Impulses that were blanked.
    pub impulses: u64,
    /// Samples that were made zero with them, or weakened at their edges.
    pub blanked_samples: u64,
    /// Samples that were made zero because they were not finite or absurdly large.
    pub unusable_samples: u64,
}

impl Blanker {
    /// A blanker at the start of a stream.
    ///
    /// # Errors
    /// [`Error::SampleRate`] for a rate outside 2 kS/s to 1 GS/s.
    pub fn new(sample_rate_hz: f64) -> Result<Self, Error> {
        Self::with_tuning(sample_rate_hz, Tuning::default())
    }

    /// The same with these thresholds.
    ///
    /// # Errors
    /// Those of [`Blanker::new`].
    pub fn with_tuning(sample_rate_hz: f64, tuning: Tuning) -> Result<Self, Error> {
        Error::check_sample_rate(sample_rate_hz)?;
        let segmentation = Segmentation::new(sample_rate_hz, tuning.max_impulse_s);
        Ok(Self {
            tuning,
            pending: Vec::with_capacity(ROOM * segmentation.segment),
            kept: 0,
            oldest: 0,
            measured: 0,
            levels: [0.0; 3],
            peaks: [0.0; 2],
            judged: 0,
            meter: Meter::new(segmentation.segment),
            powers: vec![0.0; 2 * segmentation.cells()],
            counts: Counts::default(),
            segmentation,
        })
    }

    /// Samples of a segment. The blanker of a stream that begins a multiple of so many samples later gives
    /// the same samples, but for impulses in its first segment.
    #[must_use]
    pub fn segment_samples(&self) -> usize {
        self.segmentation.segment
    }

    /// How many samples at most have come in and not yet out.
    #[must_use]
    pub fn latency_samples(&self) -> usize {
        2 * self.segmentation.segment + self.segmentation.cell
    }

    /// What was counted so far: unusable samples as they come in, impulses as they go out.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Takes samples in and hands those to `sink` that are done. Any split of the same samples into blocks
    /// gives the same samples.
    pub fn push(&mut self, mut samples: &[Complex32], mut sink: impl FnMut(&[Complex32])) {
        let segment = self.segmentation.segment;
        while !samples.is_empty() {
            let missing = self.measured + segment - self.pending.len();
            let (now, later) = samples.split_at(samples.len().min(missing));
            self.accept(now);
            samples = later;
            if now.len() == missing {
                self.measure();
                if self.measured - self.oldest == 2 * segment {
                    self.blank();
                    self.oldest += segment;
                    // An impulse that begins with the next segment has its edge before it.
                    let done = self.oldest - self.segmentation.cell;
                    sink(&self.pending[self.kept..done]);
                    self.kept = done;
                }
            }
        }
    }

    /// Appends samples, no more than complete a segment.
    fn accept(&mut self, samples: &[Complex32]) {
        if self.pending.len() + samples.len() > self.pending.capacity() {
            self.pending.drain(..self.kept);
            self.oldest -= self.kept;
            self.measured -= self.kept;
            self.kept = 0;
        }
        let first = self.pending.len();
        self.pending.extend_from_slice(samples);
        self.counts.unusable_samples += silence_unusable(&mut self.pending[first..]);
    }

    /// Measures the newest segment, which is complete.
    fn measure(&mut self) {
        let (energies, peak) = self.meter.measure(&self.pending[self.measured..]);
        let level = median(energies) / METER_BLOCK as f32;
        self.levels = [self.levels[1], self.levels[2], level];
        self.peaks = [self.peaks[1], peak];
        self.measured += self.segmentation.segment;
    }

    /// Blanks the impulses that begin in the oldest segment.
    fn blank(&mut self) {
        let Segmentation { cell, segment, max_cells } = self.segmentation;
        let Tuning { min_peak, min_core, min_edge, .. } = self.tuning;
        // 1. The level: the largest median of the segment and its neighbours.
        let level = self.levels.into_iter().fold(0.0, f32::max);
        let mut next = std::mem::take(&mut self.judged);
        // 2. Most segments have no peak and are done. In silence, whose median is nearly nothing, anything stands out.
        if level < f32::MIN_POSITIVE || self.peaks[0] <= min_peak * level {
            return;
        }
        // 3. Runs of cells that stand out; those that are short, high and no carrier are blanked.
        write_powers(&self.pending[self.oldest..self.measured], cell, &mut self.powers);
        while let Some(run) = next_run(&self.powers, next, min_edge * level) {
            if run.start * cell >= segment {
                break;
            }
            next = run.end;
            let is_high = self.powers[run.clone()].iter().any(|&power| power > min_core * level);
            let samples = self.oldest + run.start * cell..self.oldest + run.end * cell;
            let may_be = is_high && run.len() <= max_cells;
            if may_be && !is_carrier(&self.pending[samples.clone()], &self.tuning) {
                self.erase(samples);
            }
        }
        self.judged = (next * cell).saturating_sub(segment) / cell;
    }

    /// Makes samples zero, and weakens a cell before and after them.
    fn erase(&mut self, samples: Range<usize>) {
        let cell = self.segmentation.cell;
        let before = samples.start.saturating_sub(cell).max(self.kept);
        let after = (samples.end + cell).min(self.pending.len());
        self.counts.impulses += 1;
        self.counts.blanked_samples += (after - before) as u64;
        let (earlier, later) = self.pending.split_at_mut(samples.end);
        let fades = (0..cell).map(|n| edge((n as f32 + 0.5) / cell as f32));
        let earlier_edge = earlier[before..samples.start].iter_mut().rev();
        let later_edge = later[..after - samples.end].iter_mut();
        earlier_edge.zip(fades.clone()).for_each(|(sample, weight)| *sample *= weight);
        later_edge.zip(fades).for_each(|(sample, weight)| *sample *= weight);
        earlier[samples].fill(Complex32::ZERO);
    }
}

impl fmt::Debug for Blanker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blanker")
            .field("segmentation", &self.segmentation)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

/// What is left of a sample this share of an edge away from an impulse.
fn edge(share: f32) -> f32 {
    0.5 - 0.5 * (PI * share).cos()
}

/// The next cells that have more than some power, from a cell on. Few fainter ones may lie between them.
fn next_run(powers: &[f32], from: usize, least: f32) -> Option<Range<usize>> {
    let is_out = |power: &f32| *power > least;
    let start = from + powers.get(from..)?.iter().position(is_out)?;
    let mut end = start + 1;
    while let Some(more) = powers[end..].iter().take(MAX_FAINT + 1).position(is_out) {
        end += more + 1;
    }
    Some(start..end)
}

/// How the samples are parted.
#[derive(Debug, Clone, Copy)]
struct Segmentation {
    /// Samples of a cell, a power of two.
    cell: usize,
    /// Samples of a segment, a power of two.
    segment: usize,
    /// Cells of the longest impulse.
    max_cells: usize,
}

impl Segmentation {
    fn new(sample_rate_hz: f64, max_impulse_s: f64) -> Self {
        let segment = ((SEGMENT_S * sample_rate_hz) as usize).next_power_of_two();
        let segment = segment.clamp(MIN_SEGMENT, MAX_SEGMENT);
        // One more than half the next power of two is the power of two that is not above.
        let cell = ((CELL_S * sample_rate_hz) as usize / 2 + 1).next_power_of_two();
        let cell = cell.clamp(MIN_CELL, segment / MIN_SEGMENT * MIN_CELL);
        let max_cells = (max_impulse_s * sample_rate_hz / cell as f64).ceil() as usize;
        Self { cell, segment, max_cells: max_cells.min(segment / cell / 4) }
    }

    /// Cells of a segment.
    fn cells(self) -> usize {
        self.segment / self.cell
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use num_complex::Complex;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha12Rng;
    use rand_distr::StandardNormal;

    use super::*;

    const RATES_HZ: [f64; 4] = [48e3, 250e3, 1e6, 2.4e6];

    /// White noise of this power.
    fn noise(count: usize, power: f32, rng: &mut ChaCha12Rng) -> Vec<Complex32> {
        let mut part = || (power / 2.0).sqrt() * rng.sample::<f32, _>(StandardNormal);
        (0..count).map(|_| Complex::new(part(), part())).collect()
    }

    /// A carrier of this amplitude, `n` samples after its start.
    fn carrier(amplitude: f32, cycles_per_sample: f64, n: usize) -> Complex32 {
        let phase = TAU * (cycles_per_sample * n as f64).fract();
        Complex32::from_polar(amplitude, phase as f32)
    }

    fn add(samples: &mut [Complex32], start: usize, others: &[Complex32]) {
        samples.iter_mut().skip(start).zip(others).for_each(|(sample, other)| *sample += other);
    }

    /// What comes out once as much silence has come in as may be held back.
    fn blanked(rate_hz: f64, samples: &[Complex32], block: usize) -> (Vec<Complex32>, Counts) {
        let mut blanker = Blanker::new(rate_hz).unwrap();
        let silence = vec![Complex32::ZERO; blanker.latency_samples()];
        let mut out = Vec::new();
        for block in samples.chunks(block).chain([&silence[..]]) {
            blanker.push(block, |done| out.extend_from_slice(done));
        }
        out.truncate(samples.len());
        assert_eq!(out.len(), samples.len());
        (out, blanker.counts())
    }

    /// The plain way: the whole recording at once, sample by sample.
    fn reference(rate_hz: f64, samples: &[Complex32]) -> Vec<Complex32> {
        let tuning = Tuning::default();
        let Tuning { min_peak, min_core, min_edge, max_impulse_s, .. } = tuning;
        let Segmentation { cell, segment, max_cells } = Segmentation::new(rate_hz, max_impulse_s);
        let mut out = samples.to_vec();
        out.resize(samples.len().next_multiple_of(segment) + 2 * segment, Complex32::ZERO);
        let mean = |samples: &[Complex32]| {
            samples.iter().map(Complex32::norm_sqr).sum::<f32>() / samples.len() as f32
        };
        let level = |segment: &[Complex32]| {
            median(&segment.chunks(METER_BLOCK).map(mean).collect::<Vec<f32>>())
        };
        let peak = |segment: &[Complex32]| {
            segment.iter().flat_map(|s| [s.re * s.re, s.im * s.im]).fold(0.0, f32::max)
        };
        let levels: Vec<f32> = out.chunks(segment).map(level).collect();
        let peaks: Vec<f32> = out.chunks(segment).map(peak).collect();
        let mut next = 0;
        for number in 0..levels.len() - 1 {
            let around = &levels[number.saturating_sub(1)..number + 2];
            let level = around.iter().copied().fold(0.0, f32::max);
            let (first, last) = (number * segment / cell, (number + 1) * segment / cell);
            let powers: Vec<f32> = out[..(number + 2) * segment].chunks(cell).map(mean).collect();
            if level < f32::MIN_POSITIVE || peaks[number] <= min_peak * level {
                next = next.max(last);
                continue;
            }
            next = next.max(first);
            while let Some(start) = (next..last).find(|&c| powers[c] > min_edge * level) {
                let is_faint = |end: usize| {
                    let cells = end..(end + MAX_FAINT + 1).min(powers.len());
                    cells.into_iter().all(|c| powers[c] <= min_edge * level)
                };
                let end =
                    (start + 1..).find(|&end| is_faint(end) && powers[end - 1] > min_edge * level);
                let end = end.unwrap();
                next = end;
                let is_high = powers[start..end].iter().any(|&power| power > min_core * level);
                let (from, to) = (start * cell, end * cell);
                if !is_high || end - start > max_cells || is_carrier(&out[from..to], &tuning) {
                    continue;
                }
                for (n, sample) in out.iter_mut().enumerate() {
                    let away = if n < from { from - n - 1 } else { n.saturating_sub(to) };
                    if (from..to).contains(&n) {
                        *sample = Complex32::ZERO;
                    } else if away < cell {
                        *sample *= edge((away as f32 + 0.5) / cell as f32);
                    }
                }
            }
        }
        out.truncate(samples.len());
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn any_split_gives_what_the_plain_way_gives(
            seed in 0u64..1000,
            block in 1usize..9000,
            impulses in prop::collection::vec((0usize..12_000, 1usize..900, 2f32..200.0), 0..8),
        ) {
            let mut rng = ChaCha12Rng::seed_from_u64(seed);
            let mut samples = noise(12_000, 1.0, &mut rng);
            for (start, length, amplitude) in impulses {
                let impulse = noise(length, amplitude * amplitude, &mut rng);
                add(&mut samples, start, &impulse);
            }
            let expected = reference(48e3, &samples);
            prop_assert_eq!(blanked(48e3, &samples, block).0, expected);
        }
    }

    #[test]
    fn impulses_are_blanked_at_any_rate_and_nothing_else() {
        for rate_hz in RATES_HZ {
            for (width_s, level_db) in [(10e-6, 30.0), (2e-4, 20.0), (2e-4, 50.0), (1e-3, 30.0)] {
                let mut rng = ChaCha12Rng::seed_from_u64(1);
                let quiet = noise((0.5 * rate_hz) as usize, 1.0, &mut rng);
                let mut samples = quiet.clone();
                let width = ((width_s * rate_hz) as usize).max(1);
                // Like a dimmer: a hundred a second.
                for n in 0..50 {
                    let start = ((0.003 + 0.01 * f64::from(n)) * rate_hz) as usize;
                    let power = 10f32.powf(level_db / 10.0);
                    add(&mut samples, start, &noise(width, power, &mut rng));
                }
                let (out, counts) = blanked(rate_hz, &samples, 4096);
                let place = format!("{rate_hz} S/s, {width_s} s, {level_db} dB: {counts:?}");
                let energy =
                    |samples: &[Complex32]| samples.iter().map(Complex32::norm_sqr).sum::<f32>();
                let excess = energy(&out) / energy(&quiet) - 1.0;
                let before = energy(&samples) / energy(&quiet) - 1.0;
                // Some of the shortest are no stronger than the noise.
                assert!(
                    (-0.2..f32::max(0.02 * before, 0.05)).contains(&excess),
                    "{place}: {excess} of {before}"
                );
                assert!((35..60).contains(&counts.impulses), "{place}");
                let hole = (width
                    + 12 * Segmentation::new(rate_hz, Tuning::default().max_impulse_s).cell)
                    as u64;
                assert!(counts.blanked_samples <= counts.impulses * hole, "{place}");
            }
        }
    }

    #[test]
    fn noise_stays_as_it_is() {
        for rate_hz in RATES_HZ {
            let mut rng = ChaCha12Rng::seed_from_u64(2);
            let samples = noise(1_000_000, 1e-6, &mut rng);
            let (out, counts) = blanked(rate_hz, &samples, 10_000);
            assert!(counts == Counts::default() && out == samples, "{rate_hz}: {counts:?}");
        }
    }

    /// The sample `n` of a signal at a rate.
    type Signal = fn(f64, usize) -> Complex32;

    /// Signals of others, by a name.
    fn signals() -> [(&'static str, Signal); 5] {
        [
            ("a burst", |rate_hz, n| {
                let is_on = (0.103..0.35).contains(&(n as f64 / rate_hz));
                carrier(if is_on { 1000.0 } else { 0.0 }, 0.11, n)
            }),
            ("several bursts", |rate_hz, n| {
                (0..5).fold(Complex32::ZERO, |sum, burst| {
                    let since_s = n as f64 / rate_hz - 0.07 * f64::from(burst);
                    let amplitude = if (0.05..0.3).contains(&since_s) { 300.0 } else { 0.0 };
                    sum + carrier(amplitude, 0.083 * f64::from(burst) - 0.2, n)
                })
            }),
            ("keyed carrier", |rate_hz, n| {
                let bit = (n as f64 / rate_hz / 5e-4) as u32;
                let is_on = bit.wrapping_mul(2_654_435_761) >> 30 == 0;
                carrier(if is_on { 30.0 } else { 0.0 }, -0.23, n)
            }),
            ("fast FSK", |rate_hz, n| {
                // Packets of 2.5 ms, ten a second.
                let time_s = n as f64 / rate_hz;
                let is_on = (time_s + 0.0413) % 0.1 < 0.0025;
                let sign = if (n / 7).wrapping_mul(2_654_435_761) & 64 == 0 { 1.0 } else { -1.0 };
                carrier(if is_on { 100.0 } else { 0.0 }, 0.2 * sign, n)
            }),
            ("chirps through the band", |rate_hz, n| {
                let since_s = (n as f64 / rate_hz) % 1e-3;
                let phase = TAU * 0.5 * 6e7 * (since_s - 2e-4) * (since_s - 2e-4);
                let amplitude = if since_s < 4e-4 { 30.0 } else { 0.0 };
                Complex32::from_polar(amplitude, (phase % TAU) as f32)
            }),
        ]
    }

    #[test]
    fn signals_of_others_pass_as_they_are() {
        for rate_hz in RATES_HZ {
            for (name, signal) in signals() {
                let mut rng = ChaCha12Rng::seed_from_u64(3);
                let mut samples = noise((0.6 * rate_hz) as usize, 1.0, &mut rng);
                samples.iter_mut().enumerate().for_each(|(n, s)| *s += signal(rate_hz, n));
                let (out, counts) = blanked(rate_hz, &samples, 4096);
                assert!(
                    counts == Counts::default() && out == samples,
                    "{name} at {rate_hz}: {counts:?}"
                );
            }
        }
    }

    #[test]
    fn steps_of_the_gain_and_clipping_are_no_impulses() {
        let mut rng = ChaCha12Rng::seed_from_u64(4);
        let mut samples = noise(250_000, 1.0, &mut rng);
        let gains = [1.0f32, 10.0, 0.1, 3.0, 0.03, 30.0];
        samples.iter_mut().enumerate().for_each(|(n, sample)| {
            *sample *= gains[n / 43_333 % gains.len()];
            *sample = Complex32::new(sample.re.clamp(-20.0, 20.0), sample.im.clamp(-20.0, 20.0));
        });
        let (out, counts) = blanked(250e3, &samples, 4096);
        assert!(counts == Counts::default() && out == samples, "{counts:?}");
    }

    #[test]
    fn silence_and_what_cannot_be_a_sample_are_no_impulses() {
        let mut samples = vec![Complex32::ZERO; 20_000];
        samples[9_000] = Complex32::new(0.5, 0.0);
        let (out, counts) = blanked(250e3, &samples, 512);
        assert!(counts == Counts::default() && out == samples, "{counts:?}");
        samples[9_001] = Complex32::new(f32::NAN, 0.0);
        samples[12_000] = Complex32::new(0.0, 1e30);
        let (out, counts) = blanked(250e3, &samples, 512);
        assert!(out.iter().all(|sample| sample.is_finite()));
        assert_eq!(counts, Counts { unusable_samples: 2, ..Counts::default() });
        assert!(matches!(Blanker::new(f64::NAN), Err(Error::SampleRate { .. })));
    }
}
