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
use std::ops::{Add, Mul, Range};

use multiversion::multiversion;
use num_complex::{Complex32, Complex64};

use crate::channelizer::{SubbandGrid, SubbandHistory};
use crate::demodulator::PhaseTrack;
use crate::kernels::sums::{energy, inner_product, narrow, wide};
use crate::oscillator::take_out;

/// Values that meet at an instant: the pulses of a symbol and both its neighbours, and of a flip.
const TERMS: usize = 4;
/// Patterns of the signs of a symbol and both its neighbours.
const PATTERNS: usize = 8;
/// Samples that shall share one instant of the pulses, for a good estimate.
const SAMPLES_AN_INSTANT: usize = 25;
/// What lines between the instants of the pulses may leave of the burst, as a share of the noise, where
/// it reaches farthest. More instants would not make the burst's own model better, but fit it to other
/// signals in the subband.
const LARGEST_ERROR: f64 = 0.02;
const LEAST_INSTANTS: f64 = 8.0;
/// Instants in the time of a sample, at the most.
const MOST_PHASES: usize = 8;
/// Where a burst's skirts are less than this share of the noise, they need not be taken out.
const SKIRT_OVER_NOISE: f64 = 0.05;
/// Symbols on each side from which a symbol's gain may be taken. A steady carrier wants many, one
/// that fades or wanders few.
const GAIN_REACHES: [usize; 4] = [2, 6, 20, 1_000];
/// At its ends a burst's shape is its transmitter's own: there it is taken as constant over so many
/// parts of a symbol.
const EDGE_PIECES: usize = 8;
/// Energy of a symbol over the noise density from which on the signs alone tell the gains not well
/// enough: they leave up to a thousandth of a burst.
const STRONG: f64 = 100.0;
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
    layout: Layout,
    gains: Gains,
    /// What a subband holds, without the carrier's phase.
    freed: Vec<Complex32>,
    models: Vec<Complex32>,
    /// By [row](Layout::row): sums over the symbols.
    values: Rows<Complex32>,
    powers: Rows<f32>,
    /// By instant of the pulses.
    equations: Vec<Equations>,
    pulses: Vec<[Complex32; TERMS]>,
    /// By row: the burst there, and its change over a row's step.
    steps: Rows<Complex32>,
}

/// Numbers by row and step in it, and what belongs to the end of each step rather than to its start.
#[derive(Debug, Default)]
struct Rows<T> {
    early: Vec<T>,
    late: Vec<T>,
}

impl<T: Copy + Default> Rows<T> {
    fn reset(&mut self, count: usize) {
        for values in [&mut self.early, &mut self.late] {
            values.clear();
            values.resize(count, T::default());
        }
    }
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
        let nearest = burst.nearest_subband(grid);
        self.layout.lay_out(grid, nearest, &columns, burst);
        self.free(history, nearest, columns.start, false);
        self.estimate_gains(burst.es_over_n0 >= STRONG);
        let mut found = false;
        for b in burst.subbands(grid) {
            let alternates = b.abs_diff(nearest) % 2 == 1;
            self.free(history, b, columns.start, alternates);
            self.estimate_pulses();
            self.fill_models();
            if self.is_plausible() {
                found = true;
                self.subtract(history, b, columns.start, alternates);
            }
        }
        found
    }

    /// Frees the stretch of a subband of the carrier. It [alternates](alternate) in every second
    /// subband from the nearest.
    fn free(&mut self, history: &SubbandHistory, b: usize, start: u64, alternates: bool) {
        let turns = &self.layout.turns;
        let (head, tail) = history.range(b, start, turns.len());
        self.freed.clear();
        self.freed.extend_from_slice(head);
        self.freed.extend_from_slice(tail);
        free(&mut self.freed, turns);
        if alternates {
            alternate(&mut self.freed);
        }
    }

    /// Subtracts the models from the stretch of a subband.
    fn subtract(&mut self, history: &mut SubbandHistory, b: usize, start: u64, alternates: bool) {
        if alternates {
            alternate(&mut self.models);
        }
        let (head, tail) = history.range_mut(b, start, self.models.len());
        let (models, turns) = (&self.models, &self.layout.turns);
        let count = head.len();
        subtract(head, &models[..count], &turns[..count]);
        subtract(tail, &models[count..], &turns[count..]);
    }

    /// The gain of every symbol: first as the signs alone tell it, then of a strong burst by what it is
    /// over a model with that gain.
    fn estimate_gains(&mut self, is_strong: bool) {
        self.gains.reset(self.layout.slots.len());
        self.models.clear();
        for (n, slot) in self.layout.slots.iter().enumerate() {
            let sign = Complex32::from(self.layout.signs[n + 1]);
            self.models.extend(slot.samples.clone().map(|_| sign));
        }
        self.gains.improve(&self.layout.slots, &self.freed, &self.models);
        self.sum_powers();
        if is_strong {
            self.estimate_pulses();
            self.fill_models();
            self.gains.improve(&self.layout.slots, &self.freed, &self.models);
            self.sum_powers();
        }
    }

    /// The powers that belong to the values of [`Canceller::estimate_pulses`], the same in all
    /// subbands.
    fn sum_powers(&mut self) {
        self.powers.reset(self.layout.all_rows());
        for n in self.layout.inside() {
            let slot = &self.layout.slots[n];
            let power = self.gains.smooth[n].norm_sqr();
            let row = self.layout.row(n);
            let late_power = power * slot.fraction;
            self.powers.early[row.clone()].iter_mut().for_each(|sum| *sum += power);
            self.powers.late[row].iter_mut().for_each(|sum| *sum += late_power);
        }
        self.equations.clear();
        self.equations.resize(self.layout.instants(), Equations::default());
        self.layout.for_each_step(|place, step, terms| {
            let late = step.late(self.powers.early[place], self.powers.late[place]);
            self.equations[step.instant].add(terms, self.powers.early[place] - late);
            self.equations[step.instant + 1].add(terms, late);
        });
        self.equations.iter_mut().for_each(Equations::eliminate);
    }

    /// The pulses at each instant, from the symbols whose neighbours are known too. Samples in the
    /// same step and pattern of signs are summed first: they have the same terms.
    fn estimate_pulses(&mut self) {
        let layout = &self.layout;
        self.values.reset(layout.all_rows());
        for n in layout.inside() {
            let slot = &layout.slots[n];
            let (gain, row) = (self.gains.smooth[n].conj(), layout.row(n));
            let freed = &self.freed[slot.samples.clone()];
            let early = &mut self.values.early[row.clone()];
            add_scaled(early, &mut self.values.late[row], freed, (gain, slot.fraction));
        }
        self.pulses.clear();
        self.pulses.resize(self.equations.len(), Default::default());
        layout.for_each_step(|place, step, terms| {
            let late = step.late(self.values.early[place], self.values.late[place]);
            add_terms(&mut self.pulses[step.instant], terms, self.values.early[place] - late);
            add_terms(&mut self.pulses[step.instant + 1], terms, late);
        });
        for (equations, pulses) in self.equations.iter().zip(&mut self.pulses) {
            equations.solve(pulses);
        }
        self.steps.reset(layout.all_rows());
        layout.for_each_step(|place, step, terms| {
            [self.steps.early[place], self.steps.late[place]] = step.model(&self.pulses, terms);
        });
    }

    /// The burst at every sample: the model, and at the burst's ends what is there on the average
    /// beyond it.
    fn fill_models(&mut self) {
        let layout = &self.layout;
        for n in layout.inside() {
            let slot = &layout.slots[n];
            let (gain, row) = (self.gains.smooth[n], layout.row(n));
            let models = &mut self.models[slot.samples.clone()];
            let (early, late) = (&self.steps.early[row.clone()], &self.steps.late[row]);
            fill(models, (early, gain), (late, gain * slot.fraction));
        }
        for n in layout.edges() {
            let slot = &layout.slots[n];
            let gain = self.gains.smooth[n];
            let signs = [0, 1, 2].map(|k| layout.signs[n + k]);
            for (k, model) in self.models[slot.samples.clone()].iter_mut().enumerate() {
                let step = layout.step(slot.phase, slot.first + k);
                let [early, late] = step.model(&self.pulses, &terms(signs, step.is_early));
                *model = (early + late * slot.fraction) * gain;
            }
            let steps = slot.first..slot.first + slot.samples.len();
            let pieces = self.pulses.len().min(EDGE_PIECES);
            let width = layout.width;
            let samples = slot.samples.clone();
            let (freed, models) = (&self.freed[samples.clone()], &mut self.models[samples]);
            fill_edge(models, freed, steps.map(|step| step * pieces / width));
        }
    }

    /// Whether the models explain more of the subband's power than their free values would of
    /// anything: near a much stronger signal a weak burst's pulses are that signal's.
    fn is_plausible(&self) -> bool {
        let (mut explained, mut power) = (0.0, 0.0);
        for slot in &self.layout.slots {
            explained += f64::from(energy(&self.models[slot.samples.clone()]));
            power += f64::from(energy(&self.freed[slot.samples.clone()]));
        }
        let free = (TERMS * self.equations.len()) as f64 / self.models.len().max(1) as f64;
        explained > LEAST_EXPLAINED * free * power
    }
}

/// Turns every second value by half a turn. The spacing of the subbands is half their rate: so much
/// more a carrier's phase advances from sample to sample in the next subband.
fn alternate(values: &mut [Complex32]) {
    for [_, odd] in values.as_chunks_mut().0 {
        *odd = -*odd;
    }
}

/// Takes the turns of a carrier out of samples.
#[multiversion(targets("x86_64+avx2"))]
fn free(samples: &mut [Complex32], turns: &[Complex32]) {
    samples.iter_mut().zip(turns).for_each(|(sample, turn)| *sample *= turn.conj());
}

/// Takes models with the turns of a carrier out of samples.
#[multiversion(targets("x86_64+avx2"))]
fn subtract(samples: &mut [Complex32], models: &[Complex32], turns: &[Complex32]) {
    let modelled = models.iter().zip(turns);
    samples.iter_mut().zip(modelled).for_each(|(sample, (model, turn))| *sample -= model * turn);
}

/// Adds values times a gain, and a share of that to other sums.
#[multiversion(targets("x86_64+avx2"))]
fn add_scaled(
    sums: &mut [Complex32],
    shares: &mut [Complex32],
    values: &[Complex32],
    (gain, share): (Complex32, f32),
) {
    for ((sum, part), value) in sums.iter_mut().zip(shares).zip(values) {
        let value = value * gain;
        *sum += value;
        *part += value * share;
    }
}

/// Writes the sum of two kinds of values times their factors.
#[multiversion(targets("x86_64+avx2"))]
fn fill(
    sums: &mut [Complex32],
    (a, u): (&[Complex32], Complex32),
    (b, v): (&[Complex32], Complex32),
) {
    sums.iter_mut().zip(a).zip(b).for_each(|((sum, a), b)| *sum = a * u + b * v);
}

/// Adds to models the mean of what is there beyond them in each piece of a symbol.
fn fill_edge(
    models: &mut [Complex32],
    freed: &[Complex32],
    pieces: impl Iterator<Item = usize> + Clone,
) {
    let mut sums = [(Complex32::default(), 0.0); EDGE_PIECES];
    for ((freed, model), piece) in freed.iter().zip(&*models).zip(pieces.clone()) {
        let (sum, weight) = &mut sums[piece];
        *sum += freed - model;
        *weight += 1.0;
    }
    for (model, piece) in models.iter_mut().zip(pieces) {
        let (sum, weight) = sums[piece];
        *model += sum / weight;
    }
}

/// How the stretch from a symbol before the burst to one after it is cut into symbols, and these into
/// steps of one sample: the first step of a symbol begins with it. The samples of a symbol lie at the
/// same fraction of their steps, so that sums over symbols are sums over rows of steps. It is the same
/// in all subbands.
#[derive(Debug, Default)]
struct Layout {
    /// The burst's signs with two zeros more on each side.
    signs: Vec<f32>,
    /// The symbols on the air, beginning with the one before the burst.
    slots: Vec<Slot>,
    /// Steps that a symbol can have.
    width: usize,
    /// Samples that a symbol has on the average.
    samples_a_symbol: f64,
    /// Into how many rows the samples of a pattern go by their fraction of a step: an instant for
    /// each, if there are several.
    phases: usize,
    /// How many steps there are from instant to instant, if there are several.
    stride: usize,
    /// The carrier's phase in the subband nearest to it.
    turns: Vec<Complex32>,
}

/// A symbol.
#[derive(Debug)]
struct Slot {
    samples: Range<usize>,
    /// The step of the first sample; 0 unless the history begins in this symbol or after it.
    first: usize,
    /// The row's number among the phases.
    phase: usize,
    /// Where in their phase of a step the samples lie.
    fraction: f32,
}

/// A step of a row: part of the way between two instants of the pulses.
struct Step {
    /// The instant before it.
    instant: usize,
    /// How much of the way to the next instant lies before the step, and in it.
    from: f32,
    length: f32,
    /// Whether it lies in the first half of a symbol.
    is_early: bool,
}

impl Step {
    /// What the sums over a row's step count for the instant after it: each sample by its distance from
    /// the one before.
    fn late<T: Mul<f32, Output = T> + Add<Output = T>>(&self, all: T, late: T) -> T {
        all * self.from + late * self.length
    }

    /// The sum of the pulses times their terms at the step's start, and its change over the step.
    fn model(&self, pulses: &[[Complex32; TERMS]], terms: &[f32; TERMS]) -> [Complex32; 2] {
        let at = |instant: usize| -> Complex32 {
            pulses[instant].iter().zip(terms).map(|(pulse, term)| pulse * term).sum()
        };
        let (before, after) = (at(self.instant), at(self.instant + 1));
        let change = after - before;
        [before + change * self.from, change * self.length]
    }
}

impl Layout {
    fn lay_out(
        &mut self,
        grid: &SubbandGrid,
        nearest: usize,
        columns: &Range<u64>,
        burst: &KnownBurst<'_>,
    ) {
        self.signs.clear();
        self.signs.extend([0.0; 2]);
        self.signs.extend(burst.signs.iter().map(|&sign| sign as f32));
        self.signs.extend([0.0; 2]);
        let count = (columns.end - columns.start) as usize;
        self.samples_a_symbol = burst.symbol_s * grid.rate_hz();
        self.width = self.samples_a_symbol as usize + 2;
        self.choose_instants(grid, count, burst);
        self.slots.clear();
        let step_s = grid.rate_hz().recip();
        let first_s = grid.time_s(columns.start);
        let centre_hz = grid.centre_hz(nearest);
        self.turns.clear();
        self.turns.resize(count, Complex32::ONE);
        // The burst turns the other way round.
        take_out(
            &mut self.turns,
            (first_s, step_s),
            |time_s| -burst.track.phase_at(time_s, centre_hz),
            |time_s| centre_hz - burst.track.frequency_at(time_s),
        );
        // In samples from the start of the symbol before the burst.
        let first = (first_s - burst.track.start_s) / step_s + self.samples_a_symbol;
        let mut from = 0;
        for n in 0..burst.signs.len() + 2 {
            let end = ((n + 1) as f64 * self.samples_a_symbol - first).ceil().max(0.0) as usize;
            let samples = from..end.clamp(from, count);
            let position = (first + from as f64 - n as f64 * self.samples_a_symbol).max(0.0);
            let phase = position.fract() * self.phases as f64;
            from = samples.end;
            self.slots.push(Slot {
                samples,
                first: (position as usize).min(self.width),
                phase: phase as usize,
                fraction: phase.fract() as f32,
            });
        }
        self.turns.truncate(from);
    }

    /// Chooses how far the instants lie apart, in a stretch of some samples.
    ///
    /// A line between two instants misses a sine by an eighth of the square of its phase between them.
    fn choose_instants(&mut self, grid: &SubbandGrid, count: usize, burst: &KnownBurst<'_>) {
        let highest_hz = burst.reach_hz().min(LARGEST_REACH * grid.spacing_hz);
        let power = burst.es_over_n0 / (PI * highest_hz * burst.symbol_s).powi(2);
        let largest_phase = (64.0 * LARGEST_ERROR / power).powf(0.25);
        let wanted = TAU * highest_hz * burst.symbol_s / largest_phase;
        let most = (count / SAMPLES_AN_INSTANT).max(1) as f64;
        let steps = self.samples_a_symbol / wanted.max(LEAST_INSTANTS).min(most);
        self.phases = (steps.recip().round() as usize).clamp(1, MOST_PHASES);
        self.stride = (steps.round() as usize).max(1);
    }

    /// The symbols that are known and both their neighbours too.
    fn inside(&self) -> Range<usize> {
        2..self.slots.len().saturating_sub(2)
    }

    /// The symbols before and after them.
    fn edges(&self) -> impl Iterator<Item = usize> + use<> {
        let count = self.slots.len();
        (0..2).chain(count - 2..count)
    }

    /// The length of all rows: those of the phases for every pattern of signs.
    fn all_rows(&self) -> usize {
        PATTERNS * self.phases * self.width
    }

    /// Where the sums over a symbol's samples are kept.
    fn row(&self, n: usize) -> Range<usize> {
        let Slot { samples, first, phase, .. } = &self.slots[n];
        let row = pattern(&self.signs, n) * self.phases + phase;
        let start = row * self.width + first;
        start..start + samples.len()
    }

    /// How many instants the pulses have.
    fn instants(&self) -> usize {
        self.step(self.phases - 1, self.width - 1).instant + 2
    }

    /// All steps of all patterns: where their sums are kept, and what multiplies the pulses there.
    fn for_each_step(&self, mut visit: impl FnMut(usize, &Step, &[f32; TERMS])) {
        for phase in 0..self.phases {
            for number in 0..self.width {
                let step = self.step(phase, number);
                for pattern in 0..PATTERNS {
                    let row = pattern * self.phases + phase;
                    visit(row * self.width + number, &step, &pattern_terms(pattern, step.is_early));
                }
            }
        }
    }

    fn step(&self, phase: usize, number: usize) -> Step {
        let part = number * self.phases + phase;
        let length = 1.0 / self.stride as f32;
        Step {
            instant: part / self.stride,
            from: (part % self.stride) as f32 * length,
            length,
            is_early: 2.0 * number as f64 <= self.samples_a_symbol,
        }
    }
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
    fn reset(&mut self, slots: usize) {
        self.smooth.clear();
        self.smooth.resize(slots, Complex32::ONE);
    }

    /// Multiplies the gains by those of the samples over their models.
    fn improve(&mut self, slots: &[Slot], freed: &[Complex32], models: &[Complex32]) {
        self.sums.clear();
        let (mut sum, mut power) = (Complex64::default(), 0.0);
        self.sums.push((sum, power));
        for Slot { samples, .. } in slots {
            let (freed, models) = (&freed[samples.clone()], &models[samples.clone()]);
            sum += wide(inner_product(freed, models));
            power += f64::from(energy(models));
            self.sums.push((sum, power));
        }
        let reach = GAIN_REACHES
            .into_iter()
            .min_by(|&a, &b| self.surprise(a).total_cmp(&self.surprise(b)))
            .unwrap_or_default();
        for slot in 0..slots.len() {
            let (sum, power) = self.over(self.around(slot, reach));
            self.smooth[slot] *= narrow(sum / power.max(f64::MIN_POSITIVE));
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

/// The matrix of the normal equations of the values that meet at one instant.
#[derive(Debug, Clone, Copy, Default)]
struct Equations {
    /// Above the diagonal and on it what elimination leaves, below it the factors of the rows taken off.
    matrix: [[f32; TERMS]; TERMS],
}

impl Equations {
    /// Adds samples of the same terms: the sum of the powers of their gains and weights.
    fn add(&mut self, terms: &[f32; TERMS], power: f32) {
        for (row, a) in self.matrix.iter_mut().zip(terms) {
            for (sum, b) in row.iter_mut().zip(terms) {
                *sum += power * a * b;
            }
        }
    }

    /// Gauss elimination. The little that is added to the diagonal makes what no sample tells zero.
    fn eliminate(&mut self) {
        for (i, row) in self.matrix.iter_mut().enumerate() {
            row[i] += LEAST_PIVOT;
        }
        for i in 0..TERMS {
            let (above, below) = self.matrix.split_at_mut(i + 1);
            let pivots = &above[i];
            for row in below {
                let factor = row[i] / pivots[i];
                row.iter_mut().zip(pivots).skip(i).for_each(|(a, pivot)| *a -= factor * pivot);
                row[i] = factor;
            }
        }
    }

    /// Turns the right side of the equations into their solution.
    fn solve(&self, right: &mut [Complex32; TERMS]) {
        for i in 0..TERMS {
            for j in 0..i {
                right[i] -= right[j] * self.matrix[i][j];
            }
        }
        for i in (0..TERMS).rev() {
            for j in i + 1..TERMS {
                right[i] -= right[j] * self.matrix[i][j];
            }
            right[i] /= self.matrix[i][i];
        }
    }
}

/// Adds a sum of values to the right side of the equations that their terms belong to.
fn add_terms(right: &mut [Complex32; TERMS], terms: &[f32; TERMS], value: Complex32) {
    right.iter_mut().zip(terms).for_each(|(sum, term)| *sum += value * term);
}
