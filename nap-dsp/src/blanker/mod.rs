//! Impulses in wideband samples, blanked before the first filter that spreads them.
//!
//! A spark, a switch or an ignition fills the whole band for a fraction of a millisecond. Behind the filter
//! bank it is as long as the filter, and in every short spectrum as long as that; before it, it can be
//! taken out together with no more of the signal than its own length. Forty clicks a second of 0.2 ms,
//! 30 dB over the noise, hold 1 % of the time and eight times the energy of the noise.
//!
//! What stands out is measured against the samples around it, signals and all: by the median over a
//! [segment](Blanker::segment_samples) of some 16 ms and over both of its neighbours, so that neither a
//! burst nor its start, its end or a step of the receiver's gain stands out, however strong. What lasts
//! longer than [`MOST_S`] is no impulse, nor is what is as [steady as a carrier](is_carrier): the short
//! bursts of other systems pass as they are.

mod carrier_test;
mod power;

use std::f32::consts::PI;
use std::fmt;
use std::ops::Range;

use num_complex::Complex32;

use crate::blanker::carrier_test::is_carrier;
use crate::blanker::power::{BLOCK, measure, write_powers};
use crate::error::Error;
use crate::kernels::median::median;
use crate::kernels::sums::silence_unusable;

/// A segment is looked at if a real or imaginary part of a sample in it has a square this many times the
/// level. In white noise, one segment of 4096 samples in three hundred has one.
const LEAST_PEAK: f32 = 12.0;
/// Times the level, the mean power of a cell in an impulse's middle.
const LEAST_CORE: f32 = 8.0;
/// Times the level, the mean power of the cells at its edges.
const LEAST_EDGE: f32 = 3.0;
/// Fainter cells that may lie between others of the same impulse: its own noise fades for moments.
const MOST_FAINT: usize = 2;
/// The longest impulse in seconds.
const MOST_S: f64 = 3e-3;
/// A segment in seconds, at least: longer than some impulses, shorter than the bursts of other systems.
const SEGMENT_S: f64 = 12e-3;
/// A segment in samples: enough blocks for a median, and no more than fit into memory at the rate of a
/// damaged file.
const LEAST_SEGMENT: usize = 1 << 9;
const MOST_SEGMENT: usize = 1 << 20;
/// A cell in seconds, at most, but not less than some samples, whose mean power is steady enough.
const CELL_S: f64 = 16e-6;
const LEAST_CELL: usize = 4;
/// Segments that find room before those that have been handed out are cleared away.
const ROOM: usize = 5;

/// Blanks impulses in a stream of samples, with soft edges.
///
/// As many samples come out as come in, but later: those of a segment once the one after it is complete.
pub struct Blanker {
    layout: Layout,
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
    energies: Vec<f32>,
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
    /// [`Error::SampleRate`] for a rate outside 20 kS/s to 1 GS/s.
    pub fn new(sample_rate_hz: f64) -> Result<Self, Error> {
        Error::check_sample_rate(sample_rate_hz)?;
        let layout = Layout::new(sample_rate_hz);
        Ok(Self {
            pending: Vec::with_capacity(ROOM * layout.segment),
            kept: 0,
            oldest: 0,
            measured: 0,
            levels: [0.0; 3],
            peaks: [0.0; 2],
            judged: 0,
            energies: vec![0.0; layout.segment / BLOCK],
            powers: vec![0.0; 2 * layout.cells()],
            counts: Counts::default(),
            layout,
        })
    }

    /// Samples of a segment. The blanker of a stream that begins a multiple of so many samples later gives
    /// the same samples, but for impulses in its first segment.
    #[must_use]
    pub fn segment_samples(&self) -> usize {
        self.layout.segment
    }

    /// How many samples at most have come in and not yet out.
    #[must_use]
    pub fn latency_samples(&self) -> usize {
        2 * self.layout.segment + self.layout.cell
    }

    /// What was counted so far: unusable samples as they come in, impulses as they go out.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Takes samples in and hands those to `sink` that are done. Any split of the same samples into blocks
    /// gives the same samples.
    pub fn push(&mut self, mut samples: &[Complex32], mut sink: impl FnMut(&[Complex32])) {
        let segment = self.layout.segment;
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
                    let done = self.oldest - self.layout.cell;
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
        let peak = measure(&self.pending[self.measured..], &mut self.energies);
        let level = median(&self.energies) / BLOCK as f32;
        self.levels = [self.levels[1], self.levels[2], level];
        self.peaks = [self.peaks[1], peak];
        self.measured += self.layout.segment;
    }

    /// Blanks the impulses that begin in the oldest segment.
    fn blank(&mut self) {
        let Layout { cell, segment, most_cells } = self.layout;
        let level = self.levels.into_iter().fold(0.0, f32::max);
        let mut next = std::mem::take(&mut self.judged);
        // In silence anything stands out.
        if level == 0.0 || self.peaks[0] <= LEAST_PEAK * level {
            return;
        }
        write_powers(&self.pending[self.oldest..self.measured], cell, &mut self.powers);
        while let Some(run) = next_run(&self.powers, next, level) {
            if run.start * cell >= segment {
                break;
            }
            next = run.end;
            let is_high = self.powers[run.clone()].iter().any(|&power| power > LEAST_CORE * level);
            let samples = self.oldest + run.start * cell..self.oldest + run.end * cell;
            let may_be = is_high && run.len() <= most_cells;
            if may_be && !is_carrier(&self.pending[samples.clone()]) {
                self.erase(samples);
            }
        }
        self.judged = (next * cell).saturating_sub(segment) / cell;
    }

    /// Makes samples zero, and weakens a cell before and after them.
    fn erase(&mut self, samples: Range<usize>) {
        let cell = self.layout.cell;
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
            .field("layout", &self.layout)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

/// What is left of a sample this share of an edge away from an impulse.
fn edge(share: f32) -> f32 {
    0.5 - 0.5 * (PI * share).cos()
}

/// The next cells that stand out, from a cell on. Few fainter ones may lie between them.
fn next_run(powers: &[f32], from: usize, level: f32) -> Option<Range<usize>> {
    let is_out = |power: &f32| *power > LEAST_EDGE * level;
    let start = from + powers.get(from..)?.iter().position(is_out)?;
    let mut end = start + 1;
    while let Some(more) = powers[end..].iter().take(MOST_FAINT + 1).position(is_out) {
        end += more + 1;
    }
    Some(start..end)
}

/// How the samples are parted.
#[derive(Debug, Clone, Copy)]
struct Layout {
    /// Samples of a cell, a power of two.
    cell: usize,
    /// Samples of a segment, a power of two.
    segment: usize,
    /// Cells of the longest impulse.
    most_cells: usize,
}

impl Layout {
    fn new(sample_rate_hz: f64) -> Self {
        let segment = ((SEGMENT_S * sample_rate_hz) as usize).next_power_of_two();
        let segment = segment.clamp(LEAST_SEGMENT, MOST_SEGMENT);
        // One more than half the next power of two is the power of two that is not above.
        let cell = ((CELL_S * sample_rate_hz) as usize / 2 + 1).next_power_of_two();
        let cell = cell.clamp(LEAST_CELL, segment / LEAST_SEGMENT * LEAST_CELL);
        let most_cells = (MOST_S * sample_rate_hz / cell as f64).ceil() as usize;
        Self { cell, segment, most_cells: most_cells.min(segment / cell / 4) }
    }

    /// Cells of a segment.
    fn cells(self) -> usize {
        self.segment / self.cell
    }
}
