//! Cancellation: takes a burst that is known to the last symbol out of the subbands, so that what
//! it covered can be searched.
//!
//! The transmitters' shapes are linear in the signs of the symbols, whatever filters they have
//! passed, but for a little that polar transmitters do at each flip of the phase. In a subband,
//! freed of its phase, a burst is therefore `g(t) (Σ s[k] h(t - k T) + Σ flip[k] q(t - k T))`. The
//! slowly changing gain `g` is smoothed from the symbols, and the pulses `h` and `q` are not assumed
//! but estimated by least squares, for each instant of a symbol by itself. With some 200 symbols for
//! the few values that meet at an instant, what the estimate leaves of the burst is far below the
//! noise.

use std::f64::consts::{PI, TAU};
use std::ops::Range;

use num_complex::{Complex32, Complex64};

use crate::channelizer::{SubbandGrid, SubbandHistory};
use crate::demodulator::PhaseTrack;

/// Values that meet at an instant: the pulses of a symbol and both its neighbours, and of a flip.
const TERMS: usize = 4;
/// Patterns of the signs of a symbol and both its neighbours.
const PATTERNS: usize = 8;
/// Samples that shall share one instant of the pulses, for a good estimate.
const SAMPLES_AN_INSTANT: usize = 25;
/// Instants of the pulses in a cycle of the highest frequency at which the burst stands out. More
/// would not make the burst's own model better, but fit it to other signals in the subband.
const INSTANTS_A_CYCLE: f64 = 4.0;
const LEAST_INSTANTS: usize = 8;
/// Where a burst's skirts are less than this share of the noise, they need not be taken out.
const SKIRT_OVER_NOISE: f64 = 0.05;
/// Symbols on each side from which a symbol's gain may be taken. A steady carrier wants many, one
/// that fades or wanders few.
const GAIN_REACHES: [usize; 4] = [2, 6, 20, 1_000];
/// At its ends a burst's shape is its transmitter's own: there it is taken as constant over so many
/// parts of a symbol.
const EDGE_PIECES: usize = 8;
/// How many times more than by chance a model must explain.
const LEAST_EXPLAINED: f64 = 3.0;
/// How far from its carrier a burst is taken out at most, in spacings of the subbands: where it is in
/// their filters' stop band there is nothing to take out.
const LARGEST_REACH: f64 = 0.75;
/// What is added to the pivots of normal equations, little beside the samples' own.
const LEAST_PIVOT: f32 = 1e-3;

/// A burst of which everything is known but its pulse.
#[derive(Debug, Clone, Copy)]
pub struct KnownBurst<'a> {
    /// Signs (±1) of its symbols.
    pub signs: &'a [f64],
    /// Duration of a symbol in seconds.
    pub symbol_s: f64,
    /// Start and phase of the burst.
    pub track: &'a PhaseTrack,
    /// Energy of a symbol over the noise density (linear).
    pub es_over_n0: f64,
}

impl KnownBurst<'_> {
    /// How far from its carrier the burst stands out, in hertz. The skirts of symbols without
    /// shaping fall to `(symbol rate / (π distance))²` of their middle.
    fn reach_hz(&self) -> f64 {
        self.es_over_n0.sqrt() / (PI * SKIRT_OVER_NOISE.sqrt() * self.symbol_s)
    }

    /// The subbands that hold the burst: the nearest to its carrier, and its neighbours where they
    /// are within reach.
    #[must_use]
    pub fn subbands(&self, grid: &SubbandGrid) -> Range<usize> {
        let middle_s = self.track.start_s + self.track.duration_s / 2.0;
        let reach_hz = self.reach_hz().min(LARGEST_REACH * grid.spacing_hz);
        let carrier_hz = self.track.frequency_at(middle_s);
        grid.nearest(carrier_hz - reach_hz)..grid.nearest(carrier_hz + reach_hz) + 1
    }

    fn nearest_subband(&self, grid: &SubbandGrid) -> usize {
        let middle_s = self.track.start_s + self.track.duration_s / 2.0;
        grid.nearest(self.track.frequency_at(middle_s))
    }
}

/// Takes known bursts out of the history of the subbands.
#[derive(Debug, Default)]
pub struct Canceller {
    samples: Vec<Sample>,
    /// The burst's signs with two zeros more on each side.
    symbols: Vec<f32>,
    gains: Gains,
    sums: Vec<[PatternSum; PATTERNS]>,
    equations: Vec<Equations>,
    pulses: Vec<[Complex32; TERMS]>,
    /// The burst at an instant after each pattern of signs, and its change to the next instant.
    steps: Vec<[[Complex32; 2]; PATTERNS]>,
    models: Vec<Complex32>,
}

/// A sample of the stretch from a symbol before the burst to one after it.
#[derive(Debug, Clone, Copy)]
struct Sample {
    /// Without the carrier's phase.
    freed: Complex32,
    /// The carrier's phase.
    turn: Complex32,
    /// The symbol on the air, one more than its index.
    slot: usize,
    /// Which part of the symbol: the instant before, and how much of the way to the next one.
    instant: usize,
    fraction: f32,
}

impl Canceller {
    /// Takes the burst out of [its subbands](KnownBurst::subbands), as far back as the history
    /// reaches. Returns whether it could be told apart in any of them.
    pub fn cancel(
        &mut self,
        history: &mut SubbandHistory,
        grid: &SubbandGrid,
        burst: &KnownBurst<'_>,
    ) -> bool {
        let columns = columns(history, grid, burst);
        self.symbols.clear();
        self.symbols.extend([0.0; 2]);
        self.symbols.extend(burst.signs.iter().map(|&sign| sign as f32));
        self.symbols.extend([0.0; 2]);
        self.free(history, grid, burst.nearest_subband(grid), &columns, burst);
        self.estimate_gains(burst.signs.len());
        let mut found = false;
        for b in burst.subbands(grid) {
            self.free(history, grid, b, &columns, burst);
            self.estimate_pulses(burst.signs.len());
            self.fill_models(burst.signs.len());
            if !self.is_plausible() {
                continue;
            }
            found = true;
            let (head, tail) = history.range_mut(b, columns.start, self.samples.len());
            let models = self.models.iter().zip(&self.samples);
            for (sample, (model, place)) in head.iter_mut().chain(tail).zip(models) {
                *sample -= model * place.turn;
            }
        }
        found
    }

    /// Cuts the stretch of a subband into symbols and instants and frees it of the carrier.
    fn free(
        &mut self,
        history: &SubbandHistory,
        grid: &SubbandGrid,
        b: usize,
        columns: &Range<u64>,
        burst: &KnownBurst<'_>,
    ) {
        let count = (columns.end - columns.start) as usize;
        let wanted = (INSTANTS_A_CYCLE * burst.reach_hz() * burst.symbol_s) as usize;
        let instants = wanted.max(LEAST_INSTANTS).min(count / SAMPLES_AN_INSTANT).max(1);
        self.equations.clear();
        self.equations.resize(instants + 1, Equations::default());
        let (head, tail) = history.range(b, columns.start, count);
        let step_s = grid.rate_hz().recip();
        let first_s = grid.time_s(columns.start);
        let first = (first_s - burst.track.start_s) / burst.symbol_s + 1.0;
        let symbols_a_step = step_s / burst.symbol_s;
        let (mut turn, mut step) = (Complex64::default(), Complex64::default());
        let mut here = usize::MAX;
        self.samples.clear();
        for (n, &sample) in head.iter().chain(tail).enumerate() {
            let position = first + n as f64 * symbols_a_step;
            let slot = position as usize;
            if slot != here {
                // Within a symbol the frequency is taken as constant.
                here = slot;
                let time_s = first_s + n as f64 * step_s;
                let middle_s = time_s + burst.symbol_s / 2.0;
                let cycles = (burst.track.frequency_at(middle_s) - grid.centre_hz(b)) * step_s;
                turn = Complex64::from_polar(1.0, burst.track.phase_at(time_s, grid.centre_hz(b)));
                step = Complex64::from_polar(1.0, TAU * cycles);
            }
            let narrow = Complex32::new(turn.re as f32, turn.im as f32);
            let instant = (position - slot as f64) * instants as f64;
            self.samples.push(Sample {
                freed: sample * narrow.conj(),
                turn: narrow,
                slot,
                instant: instant as usize,
                fraction: instant.fract() as f32,
            });
            turn *= step;
        }
    }

    /// The gain of every symbol: first as the signs alone tell it, then by what it is over a model
    /// with that gain.
    fn estimate_gains(&mut self, count: usize) {
        self.gains.reset(count);
        self.models.clear();
        let signs = self.samples.iter().map(|sample| self.symbols[sample.slot + 1]);
        self.models.extend(signs.map(Complex32::from));
        self.gains.improve(&self.samples, &self.models);
        self.estimate_pulses(count);
        self.fill_models(count);
        self.gains.improve(&self.samples, &self.models);
    }

    /// The pulses at each instant, from the symbols whose neighbours are known too. Samples of the same
    /// instant and pattern of signs are summed first: they have the same terms.
    fn estimate_pulses(&mut self, count: usize) {
        let instants = self.equations.len() - 1;
        self.sums.clear();
        self.sums.resize(instants, Default::default());
        for sample in self.samples.iter().filter(|sample| is_inside(sample, count)) {
            let gain = self.gains.smooth[sample.slot];
            self.sums[sample.instant][pattern(&self.symbols, sample.slot)].add(
                sample.freed * gain.conj(),
                gain.norm_sqr(),
                sample.fraction,
            );
        }
        self.equations.fill(Equations::default());
        for (instant, sums) in self.sums.iter().enumerate() {
            let is_early = is_early(instant, self.sums.len());
            for (pattern, sum) in sums.iter().enumerate() {
                let terms = pattern_terms(pattern, is_early);
                self.equations[instant].add(
                    &terms,
                    sum.value - sum.late,
                    sum.power - sum.late_power,
                );
                self.equations[instant + 1].add(&terms, sum.late, sum.late_power);
            }
        }
        self.pulses.clear();
        self.pulses.extend(self.equations.iter().map(Equations::solve));
        self.tabulate_steps();
    }

    /// What the pulses add up to for every pattern of signs.
    fn tabulate_steps(&mut self) {
        self.steps.clear();
        let instants = self.pulses.len() - 1;
        let neighbours = self.pulses.iter().zip(&self.pulses[1..]).enumerate();
        self.steps.extend(neighbours.map(|(instant, (early, late))| {
            let is_early = is_early(instant, instants);
            std::array::from_fn(|pattern| {
                let terms = pattern_terms(pattern, is_early);
                let (early, late) = (weigh(early, &terms), weigh(late, &terms));
                [early, late - early]
            })
        }));
    }

    /// The burst at every sample: the model, and at the burst's ends what is there on the average
    /// beyond it.
    fn fill_models(&mut self, count: usize) {
        self.models.clear();
        for sample in &self.samples {
            self.models.push(self.model(sample, count));
        }
        let pieces = self.equations.len().min(EDGE_PIECES);
        let piece = |sample: &Sample| sample.instant * pieces / self.equations.len();
        let mut edges = [[(Complex32::default(), 0.0); EDGE_PIECES]; 4];
        let edge = |sample: &Sample| match sample.slot {
            slot @ 0..=1 => Some(slot),
            slot if slot >= count => Some(slot - count + 2),
            _ => None,
        };
        for (sample, model) in self.samples.iter().zip(&self.models) {
            if let Some(edge) = edge(sample) {
                let (sum, weight) = &mut edges[edge][piece(sample)];
                *sum += sample.freed - model;
                *weight += 1.0;
            }
        }
        for (sample, model) in self.samples.iter().zip(&mut self.models) {
            if let Some(edge) = edge(sample) {
                let (sum, weight) = edges[edge][piece(sample)];
                *model += sum / weight;
            }
        }
    }

    /// Whether the models explain more of the subband's power than their free values would of
    /// anything: near a much stronger signal a weak burst's pulses are that signal's.
    fn is_plausible(&self) -> bool {
        let (mut explained, mut power) = (0.0, 0.0);
        for (sample, model) in self.samples.iter().zip(&self.models) {
            explained += f64::from(model.norm_sqr());
            power += f64::from(sample.freed.norm_sqr());
        }
        let free = (TERMS * self.equations.len()) as f64 / self.samples.len().max(1) as f64;
        explained > LEAST_EXPLAINED * free * power
    }

    /// What the burst is at a sample, without the carrier's phase.
    fn model(&self, sample: &Sample, count: usize) -> Complex32 {
        let [value, change] = if is_inside(sample, count) {
            self.steps[sample.instant][pattern(&self.symbols, sample.slot)]
        } else {
            let is_early = is_early(sample.instant, self.steps.len());
            let signs = [0, 1, 2].map(|n| self.symbols[sample.slot + n]);
            let terms = terms(signs, is_early);
            let early = weigh(&self.pulses[sample.instant], &terms);
            [early, weigh(&self.pulses[sample.instant + 1], &terms) - early]
        };
        (value + change * sample.fraction) * self.gains.smooth[sample.slot]
    }
}

/// Whether a sample's symbol and both its neighbours are known.
fn is_inside(sample: &Sample, count: usize) -> bool {
    (2..count).contains(&sample.slot)
}

/// Whether an instant lies in the first half of a symbol.
fn is_early(instant: usize, instants: usize) -> bool {
    2 * instant <= instants
}

/// The signs of a symbol and its neighbours as a number: a bit for each, set if it is positive.
fn pattern(symbols: &[f32], slot: usize) -> usize {
    symbols[slot..slot + 3].iter().fold(0, |pattern, &sign| 2 * pattern + usize::from(sign > 0.0))
}

/// The terms of a pattern.
fn pattern_terms(pattern: usize, is_early: bool) -> [f32; TERMS] {
    terms([2, 1, 0].map(|bit| if pattern >> bit & 1 == 1 { 1.0 } else { -1.0 }), is_early)
}

/// What multiplies the pulses at an instant: the next symbol, its own, the one before, and whether
/// the phase flips at the nearer end of the symbol, which early in it is its beginning.
fn terms([before, own, next]: [f32; 3], is_early: bool) -> [f32; TERMS] {
    let nearer = if is_early { before } else { next };
    let flip = if own * nearer < 0.0 { 1.0 } else { 0.0 };
    [next, own, before, flip]
}

/// The sum of the pulses times their terms.
fn weigh(pulses: &[Complex32; TERMS], terms: &[f32; TERMS]) -> Complex32 {
    pulses.iter().zip(terms).map(|(pulse, term)| pulse * term).sum()
}

/// Sums over the samples of one instant that follow the same pattern of signs: their values, those
/// that count for the next instant by their fractions, and the powers of both.
#[derive(Debug, Clone, Copy, Default)]
struct PatternSum {
    value: Complex32,
    late: Complex32,
    power: f32,
    late_power: f32,
}

impl PatternSum {
    fn add(&mut self, value: Complex32, power: f32, fraction: f32) {
        self.value += value;
        self.late += value * fraction;
        self.power += power;
        self.late_power += power * fraction;
    }
}

/// The columns from a symbol before the burst to one after it that the history holds.
fn columns(history: &SubbandHistory, grid: &SubbandGrid, burst: &KnownBurst<'_>) -> Range<u64> {
    let start_s = burst.track.start_s - burst.symbol_s;
    let end_s = burst.track.start_s + (burst.signs.len() as f64 + 1.0) * burst.symbol_s;
    let start = grid.column_at(start_s).max(history.oldest()).min(history.columns());
    start..grid.column_at(end_s).clamp(start, history.columns())
}

/// The gain of every symbol.
#[derive(Debug, Default)]
struct Gains {
    /// By slot, from the symbols around it.
    smooth: Vec<Complex32>,
    /// What the samples have in common with the model, and the model's power: running sums over the
    /// slots.
    sums: Vec<(Complex64, f64)>,
}

impl Gains {
    fn reset(&mut self, count: usize) {
        self.smooth.clear();
        self.smooth.resize(count + 2, Complex32::ONE);
    }

    /// Multiplies the gains by those of the samples over their models.
    fn improve(&mut self, samples: &[Sample], models: &[Complex32]) {
        let slots = self.smooth.len();
        self.sums.clear();
        self.sums.resize(slots + 1, (Complex64::default(), 0.0));
        for (sample, model) in samples.iter().zip(models) {
            let product = sample.freed * model.conj();
            let (sum, power) = &mut self.sums[sample.slot + 1];
            *sum += Complex64::new(product.re.into(), product.im.into());
            *power += f64::from(model.norm_sqr());
        }
        for slot in 0..slots {
            let ((before, power_before), (own, power)) = (self.sums[slot], self.sums[slot + 1]);
            self.sums[slot + 1] = (before + own, power_before + power);
        }
        let reach = GAIN_REACHES
            .into_iter()
            .min_by(|&a, &b| self.surprise(a).total_cmp(&self.surprise(b)))
            .unwrap_or_default();
        for slot in 0..slots {
            let (sum, power) = self.over(self.around(slot, reach));
            let gain = sum / power.max(f64::MIN_POSITIVE);
            self.smooth[slot] *= Complex32::new(gain.re as f32, gain.im as f32);
        }
    }

    /// How badly the symbols around a symbol tell its gain.
    fn surprise(&self, reach: usize) -> f64 {
        let distance = |slot: usize| {
            let (own, own_power) = self.over(slot..slot + 1);
            let (all, all_power) = self.over(self.around(slot, reach));
            let others = (all - own) / (all_power - own_power).max(f64::MIN_POSITIVE);
            (own - others * own_power).norm_sqr() / own_power.max(f64::MIN_POSITIVE)
        };
        // Not the ends, where transmitters do as they like.
        (2..self.smooth.len() - 2).map(distance).sum()
    }

    fn around(&self, slot: usize, reach: usize) -> Range<usize> {
        slot.saturating_sub(reach)..(slot + reach + 1).min(self.smooth.len())
    }

    /// The sums over some slots.
    fn over(&self, slots: Range<usize>) -> (Complex64, f64) {
        let ((before, power_before), (all, power)) = (self.sums[slots.start], self.sums[slots.end]);
        (all - before, power - power_before)
    }
}

/// Normal equations of the values that meet at one instant.
#[derive(Debug, Clone, Copy, Default)]
struct Equations {
    matrix: [[f32; TERMS]; TERMS],
    right: [Complex32; TERMS],
}

impl Equations {
    /// Adds samples of the same terms: the sum of their values times their weights and gains, and the
    /// sum of the powers of both.
    fn add(&mut self, terms: &[f32; TERMS], value: Complex32, power: f32) {
        for ((row, right), a) in self.matrix.iter_mut().zip(&mut self.right).zip(terms) {
            for (sum, b) in row.iter_mut().zip(terms) {
                *sum += power * a * b;
            }
            *right += value * a;
        }
    }

    /// Gauss elimination. The little that is added to the diagonal makes what no sample tells zero.
    fn solve(&self) -> [Complex32; TERMS] {
        let (mut matrix, mut right) = (self.matrix, self.right);
        for (i, row) in matrix.iter_mut().enumerate() {
            row[i] += LEAST_PIVOT;
        }
        for i in 0..TERMS {
            let (above, below) = matrix.split_at_mut(i + 1);
            let pivots = &above[i];
            for (row, j) in below.iter_mut().zip(i + 1..) {
                let factor = row[i] / pivots[i];
                row.iter_mut().zip(pivots).skip(i).for_each(|(a, pivot)| *a -= factor * pivot);
                right[j] -= right[i] * factor;
            }
        }
        for i in (0..TERMS).rev() {
            for j in i + 1..TERMS {
                right[i] -= right[j] * matrix[i][j];
            }
            right[i] /= matrix[i][i];
        }
        right
    }
}
