//! Where the symbols of a burst lie among the samples.

use std::f64::consts::{PI, TAU};
use std::ops::{Add, Mul, Range};

use num_complex::Complex32;

use crate::canceller::known_burst::{KnownBurst, MAX_REACH};
use crate::canceller::least_squares::REGRESSORS;
use crate::canceller::tuning::Tuning;
use crate::oscillator::mix_down;
use crate::subbands::{SubbandGrid, SubbandHistory};

/// Patterns of the signs of a symbol and both its neighbours.
const PATTERNS: usize = 8;
/// Knots in the time of a sample, at the most.
const MAX_PHASES: usize = 8;

/// How the stretch from a symbol before the burst to one after it is cut into symbols, and these into
/// steps of one sample: the first step of a symbol begins with it. The samples of a symbol lie at the
/// same fraction of their steps, so that sums over symbols are sums over polyphase branches of steps. It is the same
/// in all subbands.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// The burst's signs with two zeros more on each side.
    pub(super) signs: Vec<f32>,
    /// The symbols on the air, beginning with the one before the burst.
    pub(super) slots: Vec<Slot>,
    /// Steps that a symbol can have.
    pub(super) width: usize,
    /// Samples that a symbol has on the average.
    samples_per_symbol: f64,
    /// Into how many branches the samples of a pattern go by their fraction of a step: a knot for
    /// each, if there are several.
    phases: usize,
    /// How many steps there are from knot to knot, if there are several.
    stride: usize,
    /// The carrier's phase in the subband nearest to it.
    pub(super) phasors: Vec<Complex32>,
}

/// A symbol.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) samples: Range<usize>,
    /// The step of the first sample; 0 unless the history begins in this symbol or after it.
    pub(super) first: usize,
    /// The branch's number among the phases.
    pub(super) phase: usize,
    /// Where in their phase of a step the samples lie.
    pub(super) fraction: f32,
}

/// A step of a branch: part of the way between two knots of the pulses.
pub(super) struct Step {
    /// The knot before it.
    pub(super) knot: usize,
    /// How much of the way to the next knot lies before the step, and in it.
    from: f32,
    length: f32,
    /// Whether it lies in the first half of a symbol.
    pub(super) is_first_half: bool,
}

impl Step {
    /// The spline weight of the knot after the step in the sums over it: each sample counts by its distance
    /// from the knot before.
    pub(super) fn weight_of_next<T: Mul<f32, Output = T> + Add<Output = T>>(
        &self,
        level: T,
        slope: T,
    ) -> T {
        level * self.from + slope * self.length
    }

    /// The sum of the pulses times their regressors at the step's start, and its change over the step.
    pub(super) fn model(
        &self,
        pulses: &[[Complex32; REGRESSORS]],
        regressors: &[f32; REGRESSORS],
    ) -> [Complex32; 2] {
        let at = |knot: usize| -> Complex32 {
            pulses[knot].iter().zip(regressors).map(|(pulse, regressor)| pulse * regressor).sum()
        };
        let (before, after) = (at(self.knot), at(self.knot + 1));
        let change = after - before;
        [before + change * self.from, change * self.length]
    }
}

impl Layout {
    /// Lays a burst out in the columns of the subbands, for its carrier in the nearest of them.
    pub(super) fn lay_out(
        &mut self,
        grid: &SubbandGrid,
        nearest: usize,
        columns: &Range<u64>,
        burst: &KnownBurst<'_>,
        tuning: &Tuning,
    ) {
        self.signs.clear();
        self.signs.extend([0.0; 2]);
        self.signs.extend(burst.signs.iter().map(|&sign| sign as f32));
        self.signs.extend([0.0; 2]);
        let count = (columns.end - columns.start) as usize;
        self.samples_per_symbol = burst.track.symbol_s() * grid.rate_hz();
        self.width = self.samples_per_symbol as usize + 2;
        self.choose_knots(grid, count, burst, tuning);
        self.phasors.clear();
        self.phasors.resize(count, Complex32::ONE);
        let (first_s, step_s) = (grid.time_s(columns.start), grid.rate_hz().recip());
        self.mix_to(grid.center_hz(nearest), (first_s, step_s), burst);
        self.cut((first_s, step_s), burst);
    }

    /// The carrier's phasors in a subband, from the first sample on.
    fn mix_to(&mut self, center_hz: f64, (first_s, step_s): (f64, f64), burst: &KnownBurst<'_>) {
        // The burst turns the other way round.
        mix_down(
            &mut self.phasors,
            (first_s, step_s),
            |time_s| -burst.track.phase_at(time_s, center_hz),
            |time_s| center_hz - burst.track.frequency_at(time_s),
        );
    }

    /// Cuts the stretch into symbols.
    fn cut(&mut self, (first_s, step_s): (f64, f64), burst: &KnownBurst<'_>) {
        let count = self.phasors.len();
        // In samples from the start of the symbol before the burst.
        let first = (first_s - burst.track.start_s) / step_s + self.samples_per_symbol;
        let mut from = 0;
        self.slots.clear();
        for n in 0..burst.signs.len() + 2 {
            let end = ((n + 1) as f64 * self.samples_per_symbol - first).ceil().max(0.0) as usize;
            let samples = from..end.clamp(from, count);
            let position = (first + from as f64 - n as f64 * self.samples_per_symbol).max(0.0);
            let phase = position.fract() * self.phases as f64;
            from = samples.end;
            self.slots.push(Slot {
                samples,
                first: (position as usize).min(self.width),
                phase: phase as usize,
                fraction: phase.fract() as f32,
            });
        }
        self.phasors.truncate(from);
    }

    /// Chooses how far the knots lie apart, in a stretch of some samples.
    ///
    /// A line between two knots misses a sine by an eighth of the square of its phase between them.
    fn choose_knots(
        &mut self,
        grid: &SubbandGrid,
        count: usize,
        burst: &KnownBurst<'_>,
        tuning: &Tuning,
    ) {
        let reach_hz = burst.reach_hz(tuning.sidelobes_over_noise);
        let highest_hz = reach_hz.min(MAX_REACH * grid.spacing_hz);
        let power = burst.es_over_n0 / (PI * highest_hz * burst.track.symbol_s()).powi(2);
        let max_phase = (64.0 * tuning.max_interpolation_error / power).powf(0.25);
        let wanted = TAU * highest_hz * burst.track.symbol_s() / max_phase;
        let most = (count as f64 / tuning.samples_per_knot).floor().max(1.0);
        let steps = self.samples_per_symbol / wanted.max(tuning.min_knots).min(most);
        self.phases = (steps.recip().round() as usize).clamp(1, MAX_PHASES);
        self.stride = (steps.round() as usize).max(1);
    }

    /// The symbols that are known and both their neighbours too.
    pub(super) fn inside(&self) -> Range<usize> {
        2..self.slots.len().saturating_sub(2)
    }

    /// The symbols before and after them.
    pub(super) fn ends(&self) -> impl Iterator<Item = usize> + use<> {
        let count = self.slots.len();
        (0..2).chain(count - 2..count)
    }

    /// The length of all branches: those of the phases for every pattern of signs.
    pub(super) fn all_branches(&self) -> usize {
        PATTERNS * self.phases * self.width
    }

    /// Where the sums over a symbol's samples are kept.
    pub(super) fn branch(&self, n: usize) -> Range<usize> {
        let Slot { samples, first, phase, .. } = &self.slots[n];
        let branch = pattern(&self.signs, n) * self.phases + phase;
        let start = branch * self.width + first;
        start..start + samples.len()
    }

    /// How many knots the pulses have.
    pub(super) fn knots(&self) -> usize {
        self.step(self.phases - 1, self.width - 1).knot + 2
    }

    /// All steps of all patterns: where their sums are kept, and what multiplies the pulses there.
    pub(super) fn for_each_step(&self, mut visit: impl FnMut(usize, &Step, &[f32; REGRESSORS])) {
        for phase in 0..self.phases {
            for number in 0..self.width {
                let step = self.step(phase, number);
                for pattern in 0..PATTERNS {
                    let branch = pattern * self.phases + phase;
                    visit(
                        branch * self.width + number,
                        &step,
                        &pattern_regressors(pattern, step.is_first_half),
                    );
                }
            }
        }
    }

    pub(super) fn step(&self, phase: usize, number: usize) -> Step {
        let part = number * self.phases + phase;
        let length = 1.0 / self.stride as f32;
        Step {
            knot: part / self.stride,
            from: (part % self.stride) as f32 * length,
            length,
            is_first_half: 2.0 * number as f64 <= self.samples_per_symbol,
        }
    }
}

/// The signs of a symbol and its neighbours as a number: a bit for each, set if it is positive.
fn pattern(symbols: &[f32], slot: usize) -> usize {
    symbols[slot..slot + 3].iter().fold(0, |pattern, &sign| 2 * pattern + usize::from(sign > 0.0))
}

/// The regressors of a pattern.
fn pattern_regressors(pattern: usize, is_first_half: bool) -> [f32; REGRESSORS] {
    regressors([2, 1, 0].map(|bit| if pattern >> bit & 1 == 1 { 1.0 } else { -1.0 }), is_first_half)
}

/// What multiplies the pulses at a knot: the next symbol, its own, the one before, and whether
/// the phase reverses at the nearer end of the symbol, which early in it is its beginning.
pub(super) fn regressors([before, own, next]: [f32; 3], is_first_half: bool) -> [f32; REGRESSORS] {
    let nearer = if is_first_half { before } else { next };
    let reversal = if own * nearer < 0.0 { 1.0 } else { 0.0 };
    [next, own, before, reversal]
}

/// The columns from a symbol before the burst to one after it that the history holds.
pub(super) fn columns(
    history: &SubbandHistory,
    grid: &SubbandGrid,
    burst: &KnownBurst<'_>,
) -> Range<u64> {
    let start_s = burst.track.start_s - burst.track.symbol_s();
    let end_s = burst.track.start_s + (burst.signs.len() as f64 + 1.0) * burst.track.symbol_s();
    let start = grid.column_at(start_s).max(history.oldest()).min(history.columns());
    start..grid.column_at(end_s).clamp(start, history.columns())
}
