//! The forward-backward algorithm over a grid of phase and frequency.
//!
//! A carrier is a hidden Markov chain: from symbol to symbol its frequency takes a step up or down now and
//! then, its phase turns by the frequency and jitters a little. One pass forwards and one backwards give,
//! for every symbol, the likelihood of both signs with all the phases that the carrier may have had in
//! between summed up, the phase itself, and the likelihood of the whole frame. A carrier that stands
//! still and one that wanders differ in nothing but the chain's [`Wander`].
//!
//! L. R. Bahl, J. Cocke, F. Jelinek, J. Raviv: Optimal decoding of linear codes for minimizing symbol error
//! rate (1974), with phases in place of the code's states.

use multiversion::multiversion;
use num_complex::{Complex32, Complex64};

/// Phases of the grid. A step of the frequency turns the phase by one of them a symbol.
const PHASES: usize = 48;
/// Half a turn: the phase of the opposite sign.
const HALF_TURN: usize = PHASES / 2;
/// Phases repeated at each end of a row, so that a turn by any frequency is a shift.
const MARGIN: usize = 16;
const PADDED: usize = PHASES + 2 * MARGIN;
/// The largest reach of the frequency: a row turned by it and jittered stays inside the margin.
const MAX_REACH: usize = MARGIN - 1;
/// Half the log likelihood ratio of a known symbol before it is looked at: something may have hit it.
pub(crate) const KNOWN_PRIOR: f32 = 4.0;
/// The least likelihood of a symbol at any phase, relative to that at the best: one click cannot break the
/// track.
const LIKELIHOOD_FLOOR: f32 = 1e-6;

/// How much a carrier is expected to wander around its reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wander {
    /// Frequencies tried on each side of the reference, in steps of 1/48 of the symbol rate: 2.1 Hz at
    /// 100 Bd.
    pub reach: usize,
    /// Probability that the frequency goes a step up from one symbol to the next; the same for down.
    pub step_probability: f32,
    /// Probability that the phase jitters by 1/48 of a turn; the same for the other way.
    pub jitter_probability: f32,
}

impl Wander {
    /// The models that are tried, from a crystal at rest to a synthesiser that settles.
    pub const LADDER: [Self; 4] = [
        Self { reach: 2, step_probability: 0.002, jitter_probability: 0.08 },
        Self { reach: 4, step_probability: 0.02, jitter_probability: 0.12 },
        Self { reach: 6, step_probability: 0.1, jitter_probability: 0.2 },
        Self { reach: 12, step_probability: 0.1, jitter_probability: 0.2 },
    ];

    /// The model after this one, which wanders more; the last is its own.
    #[must_use]
    pub fn wider(&self) -> Self {
        let wider = Self::LADDER.into_iter().find(|other| other.reach > self.reach);
        wider.unwrap_or(*self)
    }
}

/// What a pass found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Smoothed {
    /// By symbol, half the log likelihood ratio of its sign, without what was believed of it before.
    pub(crate) soft_signs: Vec<f32>,
    /// By symbol, the expected phasor of the carrier.
    pub(crate) phasors: Vec<Complex32>,
    /// By symbol, the expected phasor of the carrier times the symbol's sign.
    pub(crate) signed_phasors: Vec<Complex32>,
    /// By symbol, the expected square of the carrier's phasor as all other symbols tell it: which line the
    /// symbol lies on.
    pub(crate) axes: Vec<Complex32>,
    /// Logarithm of the likelihood of all symbols over that of the phase being known and right.
    pub(crate) ln_likelihood: f64,
}

/// Runs the algorithm; its memory is kept from one pass to the next.
#[derive(Debug)]
pub(crate) struct ForwardBackward {
    grid: [Complex32; PHASES],
    /// By symbol and phase: the likelihood of a positive sign, relative to that at the best phase.
    likelihoods: Vec<f32>,
    /// By symbol, the probability of a positive sign before it is looked at.
    positive: Vec<f32>,
    /// By symbol and phase: the likelihood with both signs weighed by that.
    observed: Vec<f32>,
    /// By symbol, frequency and phase: the probability given all symbols before.
    predicted: Vec<f32>,
    state: Vec<f32>,
    next: Vec<f32>,
    priors: Vec<f32>,
    smoothed: Smoothed,
}

impl Default for ForwardBackward {
    fn default() -> Self {
        let phasor = |n: usize| Complex64::cis(std::f64::consts::TAU * n as f64 / PHASES as f64);
        Self {
            grid: std::array::from_fn(|n| crate::kernels::sums::narrow(phasor(n))),
            likelihoods: Vec::new(),
            positive: Vec::new(),
            observed: Vec::new(),
            predicted: Vec::new(),
            state: Vec::new(),
            next: Vec::new(),
            priors: Vec::new(),
            smoothed: Smoothed::default(),
        }
    }
}

impl ForwardBackward {
    /// Passes over `symbols`, scaled to be `2 a y / n0` for the amplitude `a` and the noise density `n0` in
    /// a symbol, whose signs are believed as `priors` say: half the log likelihood ratio of each.
    pub(crate) fn run(
        &mut self,
        symbols: &[Complex32],
        priors: &[f32],
        wander: Wander,
    ) -> &Smoothed {
        let wander = Wander { reach: wander.reach.min(MAX_REACH), ..wander };
        let states = (2 * wander.reach + 1) * PHASES;
        self.observe(symbols, priors);
        self.predicted.resize(symbols.len() * states, 0.0);
        self.next.resize(states, 0.0);
        let ln_observed: f64 = symbols.iter().map(|z| f64::from(z.norm_sqr().sqrt())).sum();
        self.smoothed.ln_likelihood = ln_observed + self.forward(symbols.len(), states, wander);
        self.backward(symbols.len(), states, wander);
        &self.smoothed
    }

    /// The logarithm of how much likelier symbols, scaled as for [`ForwardBackward::run`], are with these
    /// `signs` (±1) than with the first of them only, `known` many, and any others.
    pub(crate) fn ln_signs_ratio(
        &mut self,
        symbols: &[Complex32],
        signs: &[f32],
        known: usize,
        wander: Wander,
    ) -> f64 {
        let of_signs = self.ln_normalizers(symbols, signs, signs.len(), wander);
        of_signs - self.ln_normalizers(symbols, signs, known, wander)
    }

    /// What a forward pass alone tells of symbols of which the first have these signs.
    fn ln_normalizers(
        &mut self,
        symbols: &[Complex32],
        signs: &[f32],
        known: usize,
        wander: Wander,
    ) -> f64 {
        self.priors.clear();
        self.priors.extend(signs.iter().take(known).map(|sign| KNOWN_PRIOR * sign));
        self.priors.resize(symbols.len(), 0.0);
        let priors = std::mem::take(&mut self.priors);
        self.observe(symbols, &priors);
        self.priors = priors;
        let states = (2 * wander.reach + 1) * PHASES;
        self.predicted.resize(symbols.len() * states, 0.0);
        self.next.resize(states, 0.0);
        self.forward(symbols.len(), states, wander)
    }

    /// The likelihoods of the symbols at all phases.
    fn observe(&mut self, symbols: &[Complex32], priors: &[f32]) {
        self.likelihoods.resize(symbols.len() * PHASES, 0.0);
        self.observed.resize(symbols.len() * PHASES, 0.0);
        let likelihoods = self.likelihoods.as_chunks_mut().0;
        let observed = self.observed.as_chunks_mut().0;
        self.positive.clear();
        self.positive.extend(priors.iter().map(|prior| 1.0 / (1.0 + (-2.0 * prior).exp())));
        let places = symbols.iter().zip(&self.positive).zip(likelihoods.iter_mut().zip(observed));
        for ((symbol, positive), (likelihoods, observed)) in places {
            write_likelihoods(likelihoods, &self.grid, *symbol);
            weigh_signs(observed, likelihoods, *positive);
        }
    }

    /// The forward pass; returns the logarithm of what the normalisers multiply to.
    fn forward(&mut self, symbols: usize, states: usize, wander: Wander) -> f64 {
        let mut ln_likelihood = 0.0;
        self.state.clear();
        self.state.resize(states, 1.0 / states as f32);
        let observed = self.observed.as_chunks().0;
        let predicted = self.predicted.chunks_exact_mut(states);
        for (k, (predicted, observed)) in predicted.zip(observed).take(symbols).enumerate() {
            if k == 0 {
                predicted.copy_from_slice(&self.state);
            } else {
                advance(predicted, &self.state, wander);
            }
            let total = multiply(&mut self.state, predicted, observed);
            ln_likelihood += f64::from(total.ln());
            scale(&mut self.state, total.recip());
        }
        ln_likelihood
    }

    /// The backward pass, which meets the forward one at every symbol.
    fn backward(&mut self, symbols: usize, states: usize, wander: Wander) {
        let Smoothed { soft_signs, phasors, signed_phasors, axes, .. } = &mut self.smoothed;
        axes.resize(symbols, Complex32::default());
        soft_signs.resize(symbols, 0.0);
        phasors.resize(symbols, Complex32::default());
        signed_phasors.resize(symbols, Complex32::default());
        self.state.fill(1.0 / states as f32);
        for k in (0..symbols).rev() {
            let phases = meet(&self.predicted[k * states..][..states], &self.state);
            let likelihoods = &self.likelihoods.as_chunks().0[k];
            let observed = &self.observed.as_chunks().0[k];
            axes[k] = expected_axis(&phases, &self.grid);
            soft_signs[k] = soft_sign(&phases, likelihoods);
            [phasors[k], signed_phasors[k]] =
                expected_phasors(&phases, likelihoods, self.positive[k], &self.grid);
            if k > 0 {
                // What the normalisers leave of a sum of one.
                let total = multiply(&mut self.next, &self.state, observed);
                scale(&mut self.next, total.recip());
                retreat(&mut self.state, &mut self.next, wander);
            }
        }
    }
}

/// The exponential of a number that is not positive, to four digits: by the powers of two, and between them
/// by a polynomial (Taylor's, which suffices below 1).
#[inline(always)]
fn exp(x: f32) -> f32 {
    let x = (x * std::f32::consts::LOG2_E).max(-126.0);
    let whole = x.floor();
    let rest = x - whole;
    let polynomial = 0.009_618_1 + rest * 0.001_333_4;
    let polynomial = 0.240_226_5 + rest * (0.055_504_1 + rest * polynomial);
    let polynomial = 1.0 + rest * (0.693_147_2 + rest * polynomial);
    polynomial * f32::from_bits(((whole as i32 + 127) << 23) as u32)
}

/// The likelihood of a positive symbol at each phase, relative to that at the best.
#[multiversion(targets("x86_64+avx2+fma"))]
fn write_likelihoods(
    likelihoods: &mut [f32; PHASES],
    grid: &[Complex32; PHASES],
    symbol: Complex32,
) {
    let best = symbol.norm_sqr().sqrt();
    for (likelihood, phasor) in likelihoods.iter_mut().zip(grid) {
        *likelihood = exp(symbol.re * phasor.re + symbol.im * phasor.im - best) + LIKELIHOOD_FLOOR;
    }
}

/// The likelihood of a symbol that is positive with some probability. A negative one at a phase looks like
/// a positive one half a turn further.
fn weigh_signs(observed: &mut [f32; PHASES], likelihoods: &[f32; PHASES], positive: f32) {
    let negative = 1.0 - positive;
    for n in 0..HALF_TURN {
        let (here, opposite) = (likelihoods[n], likelihoods[n + HALF_TURN]);
        observed[n] = positive * here + negative * opposite;
        observed[n + HALF_TURN] = positive * opposite + negative * here;
    }
}

/// The states times the likelihoods of their phases; returns their sum.
#[multiversion(targets("x86_64+avx2+fma"))]
fn multiply(out: &mut [f32], state: &[f32], likelihoods: &[f32; PHASES]) -> f32 {
    let mut sums = [0.0; PHASES];
    let rows = out.as_chunks_mut::<PHASES>().0.iter_mut().zip(state.as_chunks::<PHASES>().0);
    for (out, row) in rows {
        for n in 0..PHASES {
            out[n] = row[n] * likelihoods[n];
            sums[n] += out[n];
        }
    }
    sums.iter().sum()
}

#[multiversion(targets("x86_64+avx2+fma"))]
fn scale(state: &mut [f32], factor: f32) {
    state.iter_mut().for_each(|value| *value *= factor);
}

/// The row of a frequency's phases with those of both its neighbours, where the frequency has taken a step;
/// at the ends it stays.
#[inline(always)]
fn step(out: &mut [f32; PHASES], state: &[[f32; PHASES]], row: usize, probability: f32) {
    let (below, above) = (&state[row.saturating_sub(1)], &state[(row + 1).min(state.len() - 1)]);
    let (here, stay) = (&state[row], 1.0 - 2.0 * probability);
    for n in 0..PHASES {
        out[n] = stay * here[n] + probability * (below[n] + above[n]);
    }
}

/// A row's phases turned by some of them and jittered.
#[inline(always)]
fn turn(out: &mut [f32; PHASES], row: &[f32; PHASES], turn: isize, probability: f32) {
    let mut padded = [0.0; PADDED];
    padded[..MARGIN].copy_from_slice(&row[PHASES - MARGIN..]);
    padded[MARGIN..MARGIN + PHASES].copy_from_slice(row);
    padded[MARGIN + PHASES..].copy_from_slice(&row[..MARGIN]);
    let from = MARGIN.wrapping_add_signed(-turn);
    let (before, here, after) =
        (&padded[from - 1..][..PHASES], &padded[from..][..PHASES], &padded[from + 1..][..PHASES]);
    let stay = 1.0 - 2.0 * probability;
    for n in 0..PHASES {
        out[n] = stay * here[n] + probability * (before[n] + after[n]);
    }
}

/// From the states at a symbol to those at the next.
#[multiversion(targets("x86_64+avx2+fma"))]
fn advance(next: &mut [f32], state: &[f32], wander: Wander) {
    let state = state.as_chunks().0;
    let mut row = [0.0; PHASES];
    for (n, next) in next.as_chunks_mut().0.iter_mut().enumerate() {
        step(&mut row, state, n, wander.step_probability);
        turn(next, &row, n as isize - wander.reach as isize, wander.jitter_probability);
    }
}

/// From what the symbols after one say of the states there to what they say of the states before: the
/// transpose of [`advance`].
#[multiversion(targets("x86_64+avx2+fma"))]
fn retreat(before: &mut [f32], state: &mut [f32], wander: Wander) {
    let state = state.as_chunks_mut().0;
    for (n, row) in state.iter_mut().enumerate() {
        let from = *row;
        turn(row, &from, wander.reach as isize - n as isize, wander.jitter_probability);
    }
    for (n, before) in before.as_chunks_mut().0.iter_mut().enumerate() {
        step(before, state, n, wander.step_probability);
    }
}

/// The probability of each phase from both passes, with all frequencies, without a common factor.
#[multiversion(targets("x86_64+avx2+fma"))]
fn meet(predicted: &[f32], state: &[f32]) -> [f32; PHASES] {
    let mut phases = [0.0; PHASES];
    let rows = predicted.as_chunks::<PHASES>().0.iter().zip(state.as_chunks::<PHASES>().0);
    for (predicted, state) in rows {
        for n in 0..PHASES {
            phases[n] += predicted[n] * state[n];
        }
    }
    phases
}

/// Half the log likelihood ratio of a symbol's sign, given the probability of the phases without it.
fn soft_sign(phases: &[f32; PHASES], likelihoods: &[f32; PHASES]) -> f32 {
    let (mut positive, mut negative) = (f32::MIN_POSITIVE, f32::MIN_POSITIVE);
    for n in 0..HALF_TURN {
        let (here, opposite) = (likelihoods[n], likelihoods[n + HALF_TURN]);
        positive += phases[n] * here + phases[n + HALF_TURN] * opposite;
        negative += phases[n] * opposite + phases[n + HALF_TURN] * here;
    }
    (positive / negative).ln() / 2.0
}

/// The expected phasor, and that times the symbol's sign, which is positive with some probability before it
/// is looked at.
fn expected_phasors(
    phases: &[f32; PHASES],
    likelihoods: &[f32; PHASES],
    positive: f32,
    grid: &[Complex32; PHASES],
) -> [Complex32; 2] {
    let negative = 1.0 - positive;
    let (mut phasor, mut signed) = (Complex32::default(), Complex32::default());
    let mut total = f32::MIN_POSITIVE;
    for n in 0..HALF_TURN {
        let (here, opposite) = (likelihoods[n], likelihoods[n + HALF_TURN]);
        // Probabilities of this phase and the opposite one, with a positive and with a negative sign.
        let [this_positive, this_negative] =
            [positive * here, negative * opposite].map(|value| value * phases[n]);
        let [other_positive, other_negative] =
            [positive * opposite, negative * here].map(|value| value * phases[n + HALF_TURN]);
        let (this, other) = (this_positive + this_negative, other_positive + other_negative);
        phasor += grid[n] * (this - other);
        signed += grid[n] * (this_positive - this_negative - other_positive + other_negative);
        total += this + other;
    }
    [phasor / total, signed / total]
}

/// The expected square of the phasor, given the probability of the phases.
fn expected_axis(phases: &[f32; PHASES], grid: &[Complex32; PHASES]) -> Complex32 {
    let (mut axis, mut total) = (Complex32::default(), f32::MIN_POSITIVE);
    for n in 0..HALF_TURN {
        let either = phases[n] + phases[n + HALF_TURN];
        axis += grid[2 * n] * either;
        total += either;
    }
    axis / total
}
