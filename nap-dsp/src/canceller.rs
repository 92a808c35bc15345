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
use crate::oscillator::Oscillator;
use crate::sample::narrow;

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
    /// Sums over samples by pattern of signs and then by instant.
    values: Vec<PatternValue>,
    powers: Vec<PatternPower>,
    equations: Vec<Equations>,
    pulses: Vec<[Complex32; TERMS]>,
    /// By pattern of signs and then by instant: the burst there, and its change to the next instant.
    steps: Vec<[Complex32; 2]>,
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
        for part in [head, tail] {
            let turns = &turns[self.freed.len()..];
            self.freed.extend(part.iter().zip(turns).map(|(sample, turn)| sample * turn.conj()));
        }
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
        let mut models = self.models.iter().zip(&self.layout.turns);
        for part in [head, tail] {
            for (sample, (model, turn)) in part.iter_mut().zip(&mut models) {
                *sample -= model * turn;
            }
        }
    }

    /// The gain of every symbol: first as the signs alone tell it, then of a strong burst by what it is
    /// over a model with that gain.
    fn estimate_gains(&mut self, is_strong: bool) {
        self.gains.reset(self.layout.slots.len());
        self.models.clear();
        for (slot, samples) in self.layout.slots.iter().enumerate() {
            let sign = Complex32::from(self.layout.signs[slot + 1]);
            self.models.extend(samples.clone().map(|_| sign));
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
        self.powers.clear();
        self.powers.resize(PATTERNS * self.layout.instants, PatternPower::default());
        for slot in self.layout.inside() {
            let power = self.gains.smooth[slot].norm_sqr();
            let powers = &mut self.powers[self.layout.of_pattern(slot)];
            for place in &self.layout.places[self.layout.slots[slot].clone()] {
                let sum = &mut powers[place.instant];
                sum.power += power;
                sum.late_power += power * place.fraction;
            }
        }
    }

    /// The pulses at each instant, from the symbols whose neighbours are known too. Samples of the same
    /// instant and pattern of signs are summed first: they have the same terms.
    fn estimate_pulses(&mut self) {
        let instants = self.layout.instants;
        self.values.clear();
        self.values.resize(PATTERNS * instants, PatternValue::default());
        for slot in self.layout.inside() {
            let gain = self.gains.smooth[slot].conj();
            let values = &mut self.values[self.layout.of_pattern(slot)];
            let samples = self.layout.slots[slot].clone();
            for (freed, place) in
                self.freed[samples.clone()].iter().zip(&self.layout.places[samples])
            {
                let sum = &mut values[place.instant];
                let value = freed * gain;
                sum.value += value;
                sum.late += value * place.fraction;
            }
        }
        self.equations.clear();
        self.equations.resize(instants + 1, Equations::default());
        for (n, (sum, powers)) in self.values.iter().zip(&self.powers).enumerate() {
            let (pattern, instant) = (n / instants, n % instants);
            let terms = pattern_terms(pattern, is_early(instant, instants));
            let early_power = powers.power - powers.late_power;
            self.equations[instant].add(&terms, sum.value - sum.late, early_power);
            self.equations[instant + 1].add(&terms, sum.late, powers.late_power);
        }
        self.pulses.clear();
        self.pulses.extend(self.equations.iter().map(Equations::solve));
        self.tabulate_steps();
    }

    /// What the pulses add up to for every pattern of signs.
    fn tabulate_steps(&mut self) {
        self.steps.clear();
        for pattern in 0..PATTERNS {
            let instants = 0..self.layout.instants;
            self.steps.extend(instants.map(|instant| {
                let terms = pattern_terms(pattern, is_early(instant, self.layout.instants));
                step(&self.pulses, instant, &terms)
            }));
        }
    }

    /// The burst at every sample: the model, and at the burst's ends what is there on the average
    /// beyond it.
    fn fill_models(&mut self) {
        self.models.clear();
        for (slot, samples) in self.layout.slots.iter().enumerate() {
            let gain = self.gains.smooth[slot];
            let places = &self.layout.places[samples.clone()];
            let model = |place: &Place, [value, change]: [Complex32; 2]| {
                (value + change * place.fraction) * gain
            };
            if self.layout.inside().contains(&slot) {
                let steps = &self.steps[self.layout.of_pattern(slot)];
                self.models.extend(places.iter().map(|place| model(place, steps[place.instant])));
            } else {
                let signs = [0, 1, 2].map(|n| self.layout.signs[slot + n]);
                self.models.extend(places.iter().map(|place| {
                    let is_early = is_early(place.instant, self.layout.instants);
                    model(place, step(&self.pulses, place.instant, &terms(signs, is_early)))
                }));
            }
        }
        for slot in self.layout.edges() {
            self.fill_edge(self.layout.slots[slot].clone());
        }
    }

    /// Adds to the models of some samples what is there beyond them, by parts of a symbol.
    fn fill_edge(&mut self, samples: Range<usize>) {
        let (freed, models) = (&self.freed[samples.clone()], &mut self.models[samples.clone()]);
        let places = &self.layout.places[samples];
        let pieces = self.equations.len().min(EDGE_PIECES);
        let piece = |place: &Place| place.instant * pieces / self.equations.len();
        let mut sums = [(Complex32::default(), 0.0); EDGE_PIECES];
        for ((freed, model), place) in freed.iter().zip(&*models).zip(places) {
            let (sum, weight) = &mut sums[piece(place)];
            *sum += freed - model;
            *weight += 1.0;
        }
        for (model, place) in models.iter_mut().zip(places) {
            let (sum, weight) = sums[piece(place)];
            *model += sum / weight;
        }
    }

    /// Whether the models explain more of the subband's power than their free values would of
    /// anything: near a much stronger signal a weak burst's pulses are that signal's.
    fn is_plausible(&self) -> bool {
        let (mut explained, mut power) = (0.0, 0.0);
        for samples in &self.layout.slots {
            explained += energy(&self.models[samples.clone()]);
            power += energy(&self.freed[samples.clone()]);
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

fn energy(samples: &[Complex32]) -> f64 {
    samples.iter().map(Complex32::norm_sqr).sum::<f32>().into()
}

/// How the stretch from a symbol before the burst to one after it is cut into symbols and instants.
/// It is the same in all subbands.
#[derive(Debug, Default)]
struct Layout {
    /// The burst's signs with two zeros more on each side.
    signs: Vec<f32>,
    /// The samples of each symbol on the air, beginning with the one before the burst.
    slots: Vec<Range<usize>>,
    /// Into how many parts a symbol is cut.
    instants: usize,
    places: Vec<Place>,
    /// The carrier's phase in the subband nearest to it.
    turns: Vec<Complex32>,
}

/// Where in its symbol a sample lies.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// The instant before it.
    instant: usize,
    /// How much of the way it is to the next one.
    fraction: f32,
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
        let wanted = (INSTANTS_A_CYCLE * burst.reach_hz() * burst.symbol_s) as usize;
        self.instants = wanted.max(LEAST_INSTANTS).min(count / SAMPLES_AN_INSTANT).max(1);
        self.slots.clear();
        self.places.clear();
        self.turns.clear();
        let step_s = grid.rate_hz().recip();
        let first_s = grid.time_s(columns.start);
        let first = (first_s - burst.track.start_s) / burst.symbol_s + 1.0;
        let symbols_a_step = step_s / burst.symbol_s;
        let centre_hz = grid.centre_hz(nearest);
        for slot in 0..burst.signs.len() + 2 {
            let from = self.places.len();
            let positions = (from..count)
                .map(|n| first + n as f64 * symbols_a_step - slot as f64)
                .take_while(|&position| position < 1.0);
            self.places.extend(positions.map(|position| {
                let instant = position.max(0.0) * self.instants as f64;
                Place { instant: instant as usize, fraction: instant.fract() as f32 }
            }));
            self.slots.push(from..self.places.len());
            // Within a symbol the frequency is taken as constant.
            let time_s = first_s + from as f64 * step_s;
            let cycles =
                (burst.track.frequency_at(time_s + burst.symbol_s / 2.0) - centre_hz) * step_s;
            let phase = burst.track.phase_at(time_s, centre_hz);
            let turns = Oscillator::new([-phase, -TAU * cycles]);
            self.turns.extend(turns.take(self.places.len() - from).map(narrow));
        }
    }

    /// The slots whose symbol and both its neighbours are known.
    fn inside(&self) -> Range<usize> {
        2..self.slots.len().saturating_sub(2)
    }

    /// The slots before and after them.
    fn edges(&self) -> impl Iterator<Item = usize> + use<> {
        let count = self.slots.len();
        (0..2).chain(count - 2..count)
    }

    /// Where the sums of a slot's pattern of signs are kept, all instants.
    fn of_pattern(&self, slot: usize) -> Range<usize> {
        let pattern = pattern(&self.signs, slot);
        pattern * self.instants..(pattern + 1) * self.instants
    }
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

/// The sum of the pulses at an instant times their terms, and its change to the next instant.
fn step(pulses: &[[Complex32; TERMS]], instant: usize, terms: &[f32; TERMS]) -> [Complex32; 2] {
    let at = |instant: usize| -> Complex32 {
        pulses[instant].iter().zip(terms).map(|(pulse, term)| pulse * term).sum()
    };
    [at(instant), at(instant + 1) - at(instant)]
}

/// Sums over the samples of one instant that follow the same pattern of signs: their values, and
/// those that count for the next instant by their fractions.
#[derive(Debug, Clone, Copy, Default)]
struct PatternValue {
    value: Complex32,
    late: Complex32,
}

/// The powers of the gains that belong to both.
#[derive(Debug, Clone, Copy, Default)]
struct PatternPower {
    power: f32,
    late_power: f32,
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
    fn improve(&mut self, slots: &[Range<usize>], freed: &[Complex32], models: &[Complex32]) {
        self.sums.clear();
        let (mut sum, mut power) = (Complex64::default(), 0.0);
        self.sums.push((sum, power));
        for samples in slots {
            let (freed, models) = (&freed[samples.clone()], &models[samples.clone()]);
            let product: Complex32 =
                freed.iter().zip(models).map(|(z, model)| z * model.conj()).sum();
            sum += Complex64::new(product.re.into(), product.im.into());
            power += energy(models);
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
