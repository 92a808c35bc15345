//! The forward-backward algorithm over a grid of phase and frequency.
//!
//! A carrier is a hidden Markov chain: from symbol to symbol its frequency takes a step up or down now and
//! then, its phase turns by the frequency and jitters a little. One pass forwards and one backwards give,
//! for every symbol, the likelihood of both signs with all the phases that the carrier may have had in
//! between summed up, the phase itself, and the likelihood of the whole frame. A carrier that stands
//! still and one that wanders differ in nothing but the chain's [`Wander`].
//!
//! With the frequency f in steps of the grid, of which one turns the phase θ by one of its own a symbol, from a
//! symbol to the next
//!
//! - f stays f, or goes to f + 1 or f - 1 with the `step_probability` each (at the ends of the reach it stays),
//! - θ becomes θ + f, and where f stays, that plus or minus 1 with the `jitter_probability` each,
//! - and with the probability of a loss, in a fade, any state is as likely as any other.
//!
//! Rows of the state are frequencies. Their phases have margins, so that turning them by f is reading from another
//! place on.
//!
//! L. R. Bahl, J. Cocke, F. Jelinek, J. Raviv: Optimal decoding of linear codes for minimizing symbol error
//! rate (1974), with phases in place of the code's states.

use multiversion::multiversion;
use multiversion::target::target_cfg_f;
use num_complex::Complex32;

use crate::kernels::bessel::ln_i0;
use crate::kernels::lanes::LANES;

/// Phases of the grid on which bursts are followed. A step of the frequency turns the phase by one of them a
/// symbol.
const FINE_PHASES: usize = 48;
/// Phases of the grid on which bursts are looked for.
pub(crate) const COARSE_PHASES: usize = FINE_PHASES / 2;
/// Phases of the grid that are summed up side by side.
const PART: usize = 4;
/// Half the log likelihood ratio of a known symbol before it is looked at: something may have hit it.
pub(crate) const KNOWN_PRIOR: f32 = 4.0;
/// The least likelihood of a symbol at any phase, relative to that at the best: one click cannot break the
/// track.
const LIKELIHOOD_FLOOR: f32 = 1e-6;
/// The power of a burst's own symbols over that of the weakest quarter is at most so much: in Rayleigh fading a hundredth
/// have more.
const MAX_OVER_QUARTILE: f32 = 16.0;

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
    /// Probability that a symbol lies in a fade, as far as is known before its amplitude is looked at: in a deep one
    /// the carrier cannot be followed, and phase and frequency after it may be any.
    pub fade_probability: f32,
}

/// How deep a fade is in which a carrier is lost.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Fading {
    /// The power of a symbol over the mean one at which the carrier is lost with the probability 1/e: while the path's
    /// gain passes near zero, its phase turns from one symbol to the next by any angle.
    pub power: f32,
    /// So many times that power is no fade.
    pub shallow: f32,
}

impl Default for Fading {
    fn default() -> Self {
        Self {
            // 0.11 of the amplitude: in a symbol of 10 ms the gain of a path that fades at 3 Hz moves by 2π · 3 / √2 · 0.01 = 0.13 of
            // its root mean square.
            power: 0.0125,
            // There the probability is e^-8.
            shallow: 8.0,
        }
    }
}

impl Wander {
    /// A carrier whose frequency is known to be steady.
    pub(crate) const STEADY: Self = Self::new(0, 0.0, 0.08, 0.0);
    /// The same around the very carrier that all symbols tell: the phase hardly leaves it.
    pub(crate) const STILL: Self = Self::new(0, 0.0, 0.005, 0.0);
    /// For sync words whose carrier is not known, on the coarse grid: as wide as the widest, with fewer steps and more jitter;
    /// set by hand.
    pub(crate) const COARSE: Self = Self::new(6, 0.05, 0.1, 0.01);

    /// A model of these parameters, in the order of the fields.
    pub(super) const fn new(
        reach: usize,
        step_probability: f32,
        jitter_probability: f32,
        fade_probability: f32,
    ) -> Self {
        Self { reach, step_probability, jitter_probability, fade_probability }
    }

    /// The same on the coarse grid, whose steps are twice as large: a fourth of them wander as far.
    pub(crate) fn coarse(&self) -> Self {
        Self {
            reach: self.reach.div_ceil(2),
            step_probability: self.step_probability / 4.0,
            jitter_probability: (self.jitter_probability / 4.0).max(0.06),
            fade_probability: self.fade_probability,
        }
    }
}

/// What a pass found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Smoothed {
    /// By symbol, half the log likelihood ratio of its sign, without its prior.
    pub(crate) soft_signs: Vec<f32>,
    /// By symbol, the expected phasor of the carrier.
    pub(crate) phasors: Vec<Complex32>,
    /// By symbol, the expected phasor of the carrier times the symbol's sign.
    pub(crate) signed_phasors: Vec<Complex32>,
    /// By symbol, the expected square of the carrier's phasor as all other symbols tell it: which line the
    /// symbol lies on.
    pub(crate) axes: Vec<Complex32>,
    /// Logarithm of the likelihood of all symbols, summed over all carriers, where a carrier of phasors `p` has the
    /// product of `exp(Re(z p*))`. What only the energy of the symbols tells is left out: beside it goes the sum of `ln I0(|z|)`,
    /// that of phases by chance.
    pub(crate) ln_likelihood: f64,
}

/// Runs the algorithm; its memory but the largest table is kept from one pass to the next.
#[derive(Debug)]
pub(crate) struct ForwardBackward<const PHASES: usize = FINE_PHASES> {
    /// Which symbols lie in fades.
    pub(super) fading: Fading,
    grid: Grid<PHASES>,
    /// By symbol and phase: the likelihood of a positive sign, relative to that at the best phase.
    likelihoods: Vec<f32>,
    /// By symbol, the probability of a positive sign before it is looked at.
    positive: Vec<f32>,
    /// By symbol and phase: the likelihood with both signs weighed by that.
    observed: Vec<f32>,
    powers: Vec<f32>,
    /// By symbol, whether it lies in a fade.
    fades: Vec<Fade>,
    /// The logarithm of the likelihood of symbols of which each has its best phase.
    ln_best: f64,
    /// By symbol, frequency and phase: the probability given all symbols before.
    predicted: Vec<f32>,
    /// By frequency: the phases, and around them the margins. The newest, and those before.
    state: Vec<f32>,
    before: Vec<f32>,
    priors: Vec<f32>,
    smoothed: Smoothed,
}

impl<const PHASES: usize> Default for ForwardBackward<PHASES> {
    fn default() -> Self {
        Self::new(Fading::default())
    }
}

impl<const PHASES: usize> ForwardBackward<PHASES> {
    /// Passes that take a carrier for lost in fades of this depth.
    pub(crate) fn new(fading: Fading) -> Self {
        Self {
            fading,
            grid: Grid::new(),
            likelihoods: Vec::new(),
            positive: Vec::new(),
            observed: Vec::new(),
            powers: Vec::new(),
            fades: Vec::new(),
            ln_best: 0.0,
            predicted: Vec::new(),
            state: Vec::new(),
            before: Vec::new(),
            priors: Vec::new(),
            smoothed: Smoothed::default(),
        }
    }

    /// Passes over `symbols`, scaled to be `2 a y / n0` for the amplitude `a` and the noise density `n0` in
    /// a symbol, whose signs have these `priors`: half the log likelihood ratio of each.
    pub(crate) fn run(
        &mut self,
        symbols: &[Complex32],
        priors: &[f32],
        wander: Wander,
    ) -> &Smoothed {
        self.observe(symbols, priors);
        self.smoothed.ln_likelihood = self.ln_best + self.forward(symbols.len(), wander, true);
        self.backward(symbols.len(), wander);
        &self.smoothed
    }

    /// The logarithm of the likelihood alone of what was observed, see [`Smoothed::ln_likelihood`]: half the
    /// work.
    pub(crate) fn ln_likelihood(&mut self, wander: Wander) -> f64 {
        self.ln_best + self.forward(self.positive.len(), wander, false)
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
        self.look_at(symbols);
        let of_signs = self.ln_normalizers(signs, signs.len(), wander);
        of_signs - self.ln_normalizers(signs, known, wander)
    }

    /// What a forward pass alone tells of symbols that were looked at, of which the first have these signs.
    fn ln_normalizers(&mut self, signs: &[f32], known: usize, wander: Wander) -> f64 {
        self.priors.clear();
        self.priors.extend(signs.iter().take(known).map(|sign| KNOWN_PRIOR * sign));
        let symbols = self.likelihoods.len() / PHASES;
        self.priors.resize(symbols, 0.0);
        let priors = std::mem::take(&mut self.priors);
        self.believe(&priors);
        self.priors = priors;
        self.forward(symbols, wander, false)
    }

    /// Works out the likelihoods of symbols at all phases, with the parameters of [`ForwardBackward::run`].
    pub(crate) fn observe(&mut self, symbols: &[Complex32], priors: &[f32]) {
        self.look_at(symbols);
        self.believe(priors);
    }

    /// The likelihoods of positive symbols.
    fn look_at(&mut self, symbols: &[Complex32]) {
        self.ln_best = symbols.iter().map(|z| f64::from(z.norm_sqr().sqrt())).sum();
        self.likelihoods.resize(symbols.len() * PHASES, 0.0);
        let likelihoods = self.likelihoods.as_chunks_mut::<PHASES>().0;
        for (likelihoods, symbol) in likelihoods.iter_mut().zip(symbols) {
            write_likelihoods(likelihoods, &self.grid, *symbol);
        }
        self.weigh_fades(symbols);
    }

    /// Tells by the symbols' amplitudes which of them lie in fades.
    fn weigh_fades(&mut self, symbols: &[Complex32]) {
        self.powers.clear();
        self.powers.extend(symbols.iter().map(Complex32::norm_sqr));
        let typical = typical_power(&mut self.powers);
        // Of symbols scaled by `2 a / n0` it is `4 e² + 4 e`, for their energy over the noise density.
        let es_over_n0 = (f64::from(1.0 + typical).sqrt() - 1.0) / 2.0;
        let Fading { power, shallow } = self.fading;
        let fade = |symbol: &Complex32| {
            let depth = symbol.norm_sqr() / (typical * power);
            if depth > shallow {
                return Fade::default();
            }
            let ln_ratio = es_over_n0 - ln_i0(f64::from(symbol.norm_sqr()).sqrt());
            Fade { likelihood_ratio: ln_ratio.exp() as f32, loss: (-depth).exp() }
        };
        self.fades.clear();
        self.fades.extend(symbols.iter().map(fade));
    }

    /// Weighs the likelihoods of both signs by their priors.
    fn believe(&mut self, priors: &[f32]) {
        self.positive.clear();
        self.positive.extend(priors.iter().map(|prior| 1.0 / (1.0 + (-2.0 * prior).exp())));
        self.observed.resize(priors.len() * PHASES, 0.0);
        let observed = self.observed.as_chunks_mut::<PHASES>().0;
        let likelihoods = self.likelihoods.as_chunks::<PHASES>().0;
        for ((observed, likelihoods), positive) in
            observed.iter_mut().zip(likelihoods).zip(&self.positive)
        {
            weigh_signs(observed, likelihoods, *positive);
        }
    }

    /// The forward pass; returns the logarithm of what the normalisers multiply to. For a backward pass what
    /// was predicted of each symbol `is_kept`.
    fn forward(&mut self, symbols: usize, wander: Wander, is_kept: bool) -> f64 {
        let chain = Chain::<PHASES>::new(wander);
        self.predicted.resize(if is_kept { symbols * chain.states() } else { 0 }, 0.0);
        let mut predicted = self.predicted.chunks_exact_mut(chain.states());
        let mut ln_likelihood = 0.0;
        let mut total = chain.begin(&mut self.state);
        self.before.resize(self.state.len(), 0.0);
        for n in 0..symbols {
            std::mem::swap(&mut self.state, &mut self.before);
            let predicted = predicted.next().unwrap_or_default();
            let transition = Transition {
                factor: total.recip(),
                loss: loss_probability(&self.fades, n, wander),
            };
            let observed = &self.observed.as_chunks::<PHASES>().0[n];
            total = advance(&mut self.state, &self.before, &chain, transition, observed, predicted);
            ln_likelihood += f64::from(total.ln());
        }
        ln_likelihood
    }

    /// The backward pass, which meets the forward one at every symbol.
    fn backward(&mut self, symbols: usize, wander: Wander) {
        let chain = Chain::<PHASES>::new(wander);
        let states = chain.states();
        let Smoothed { soft_signs, phasors, signed_phasors, axes, .. } = &mut self.smoothed;
        axes.resize(symbols, Complex32::default());
        soft_signs.resize(symbols, 0.0);
        phasors.resize(symbols, Complex32::default());
        signed_phasors.resize(symbols, Complex32::default());
        let mut total = chain.begin(&mut self.state);
        for k in (0..symbols).rev() {
            std::mem::swap(&mut self.state, &mut self.before);
            let observed = &self.observed.as_chunks::<PHASES>().0[k];
            let predicted = &self.predicted[k * states..][..states];
            let loss =
                if k + 1 < symbols { loss_probability(&self.fades, k + 1, wander) } else { 0.0 };
            let transition = Transition { factor: total.recip(), loss };
            let phases;
            (total, phases) =
                retreat(&mut self.state, &self.before, &chain, transition, observed, predicted);
            let likelihoods = &self.likelihoods.as_chunks::<PHASES>().0[k];
            let expected = expect(&phases, likelihoods, self.positive[k], &self.grid);
            [phasors[k], signed_phasors[k], axes[k]] = expected.phasors;
            soft_signs[k] = expected.sign_ratio.ln() / 2.0;
        }
        // The largest table by far, of which every bit rate would keep several.
        self.predicted = Vec::new();
    }
}

/// The unit phasors of the phases, real and imaginary parts by themselves.
#[derive(Debug)]
struct Grid<const PHASES: usize> {
    re: [f32; PHASES],
    im: [f32; PHASES],
}

impl<const PHASES: usize> Grid<PHASES> {
    fn new() -> Self {
        let angle = |n: usize| std::f64::consts::TAU * n as f64 / PHASES as f64;
        Self {
            re: std::array::from_fn(|n| angle(n).cos() as f32),
            im: std::array::from_fn(|n| angle(n).sin() as f32),
        }
    }
}

/// What a carrier does from one symbol to the next.
struct Chain<const PHASES: usize> {
    reach: usize,
    /// Probability that the frequency stays, and that it takes a step to either side.
    stays: f32,
    steps: f32,
    /// The same of the phase.
    holds: f32,
    jitters: f32,
}

impl<const PHASES: usize> Chain<PHASES> {
    /// Phases repeated at each end of a row, so that a turn by any frequency is a shift.
    const MARGIN: usize = PHASES / 3;
    /// From the start of one row to that of the next.
    const STRIDE: usize = PHASES + 2 * Self::MARGIN;
    /// The largest reach of the frequency: a row turned by it and jittered stays inside the margins.
    const MAX_REACH: usize = Self::MARGIN - 1;

    fn new(wander: Wander) -> Self {
        Self {
            reach: wander.reach.min(Self::MAX_REACH),
            stays: 1.0 - 2.0 * wander.step_probability,
            steps: wander.step_probability,
            holds: 1.0 - 2.0 * wander.jitter_probability,
            jitters: wander.jitter_probability,
        }
    }

    fn rows(&self) -> usize {
        2 * self.reach + 1
    }

    fn states(&self) -> usize {
        self.rows() * PHASES
    }

    /// Makes all states equally likely. Returns what they add up to.
    fn begin(&self, state: &mut Vec<f32>) -> f32 {
        state.clear();
        state.resize(self.rows() * Self::STRIDE, 1.0);
        self.states() as f32
    }

    /// The rows between which the frequency steps to or from a row: the one below, itself, the one above. At
    /// the ends it stays.
    #[inline(always)]
    fn neighbours(&self, row: usize) -> [usize; 3] {
        [row.saturating_sub(1), row, (row + 1).min(self.rows() - 1)]
    }

    /// From where on a padded row has to be read so that its phases are those after its frequency has turned them; if
    /// `is_turned`, those before, which the backward pass asks for.
    #[inline(always)]
    fn place(&self, row: usize, is_turned: bool) -> usize {
        let turn = if is_turned { row } else { 2 * self.reach - row };
        Self::MARGIN + turn - self.reach
    }
}

/// What the amplitude of a symbol says of a fade.
#[derive(Debug, Clone, Copy, Default)]
struct Fade {
    /// How much likelier it is as that of noise alone (Rayleigh's distribution) than as that of a symbol in noise
    /// (Rice's).
    likelihood_ratio: f32,
    /// Probability that the carrier is lost in so deep a fade.
    loss: f32,
}

/// How a pass goes from one symbol to the next, beside what the chain says.
#[derive(Clone, Copy)]
struct Transition {
    /// The reciprocal of what the states add up to: times it, they are probabilities.
    factor: f32,
    /// Probability that the carrier is lost on the way, so that all states are equally likely.
    loss: f32,
}

/// The mean power of symbols without those that something much stronger lies over, as over a part of a burst it may.
fn typical_power(powers: &mut [f32]) -> f32 {
    let quarter = powers.len() / 4;
    if powers.is_empty() {
        return f32::MIN_POSITIVE;
    }
    let (_, quartile, _) = powers.select_nth_unstable_by(quarter, f32::total_cmp);
    let bound = MAX_OVER_QUARTILE * *quartile;
    let own = || powers.iter().filter(|power| **power <= bound);
    (own().sum::<f32>() / own().count() as f32).max(f32::MIN_POSITIVE)
}

/// Probability that the carrier is lost between a symbol and the one before: in a fade of either.
fn loss_probability(fades: &[Fade], symbol: usize, wander: Wander) -> f32 {
    let of = |symbol: usize| {
        let Fade { likelihood_ratio, loss } = fades[symbol];
        let odds = wander.fade_probability * likelihood_ratio;
        odds / (1.0 + odds) * loss
    };
    symbol.checked_sub(1).map_or(0.0, |before| of(symbol).max(of(before)))
}

/// The exponential of a number that is not positive, to four digits: by the powers of two, and between them
/// by a polynomial (Taylor's, which suffices up to a half). Rounding is an addition, since a cast to integers is made one by
/// one.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// A smaller number added to it has no binary digits after the point left: the last digits are those of the nearest integer.
    const ROUNDER: f32 = 1.5 * (1 << 23) as f32;
    let x = (x * std::f32::consts::LOG2_E).max(-126.0);
    let rounded = x + ROUNDER;
    let rest = x - (rounded - ROUNDER);
    let polynomial = 0.009_618_1 + rest * 0.001_333_4;
    let polynomial = 0.240_226_5 + rest * (0.055_504_1 + rest * polynomial);
    let polynomial = 1.0 + rest * (std::f32::consts::LN_2 + rest * polynomial);
    let whole = rounded.to_bits().wrapping_sub(ROUNDER.to_bits());
    polynomial * f32::from_bits(whole.wrapping_add(127) << 23)
}

/// The likelihood of a positive symbol at each phase, relative to that at the best.
#[multiversion(targets("x86_64+avx2+fma"))]
fn write_likelihoods<const PHASES: usize>(
    likelihoods: &mut [f32; PHASES],
    grid: &Grid<PHASES>,
    symbol: Complex32,
) {
    let best = symbol.norm_sqr().sqrt();
    for (likelihood, (re, im)) in likelihoods.iter_mut().zip(grid.re.iter().zip(&grid.im)) {
        *likelihood = exp(symbol.re * re + symbol.im * im - best) + LIKELIHOOD_FLOOR;
    }
}

/// The likelihood of a symbol that is positive with some probability. A negative one at a phase looks like
/// a positive one half a turn further.
fn weigh_signs<const PHASES: usize>(
    observed: &mut [f32; PHASES],
    likelihoods: &[f32; PHASES],
    positive: f32,
) {
    let negative = 1.0 - positive;
    for n in 0..PHASES / 2 {
        let (here, opposite) = (likelihoods[n], likelihoods[n + PHASES / 2]);
        observed[n] = positive * here + negative * opposite;
        observed[n + PHASES / 2] = positive * opposite + negative * here;
    }
}

/// A row's phases from a place on, in groups of [`LANES`].
#[inline(always)]
fn phases<const PHASES: usize>(state: &[f32], (row, place): (usize, usize)) -> &[[f32; LANES]] {
    state[row * Chain::<PHASES>::STRIDE + place..][..PHASES].as_chunks().0
}

/// What the phases of a row come from, in groups of [`LANES`].
struct Sources<'a> {
    /// The row itself, and a phase before and after.
    here: &'a [[f32; LANES]],
    before: &'a [[f32; LANES]],
    after: &'a [[f32; LANES]],
    /// The rows from which the frequency steps.
    below: &'a [[f32; LANES]],
    above: &'a [[f32; LANES]],
}

impl<'a> Sources<'a> {
    /// Three rows, each from a place on.
    #[inline(always)]
    fn new<const PHASES: usize>(
        state: &'a [f32],
        [below, here, above]: [(usize, usize); 3],
    ) -> Self {
        let (row, place) = here;
        Self {
            here: phases::<PHASES>(state, here),
            before: phases::<PHASES>(state, (row, place - 1)),
            after: phases::<PHASES>(state, (row, place + 1)),
            below: phases::<PHASES>(state, below),
            above: phases::<PHASES>(state, above),
        }
    }

    /// A group of phases: those of the middle row jittered, and those of the others where the frequency has taken a
    /// step.
    #[inline(always)]
    fn blend(&self, group: usize, shares: &Shares) -> [f32; LANES] {
        let Shares { holds, jitters, steps, lost, is_fused } = *shares;
        let mut out = [lost; LANES];
        for (n, out) in out.iter_mut().enumerate() {
            let jittered = self.before[group][n] + self.after[group][n];
            let stepped = self.below[group][n] + self.above[group][n];
            *out = multiply_add((holds, self.here[group][n]), *out, is_fused);
            *out = multiply_add((jitters, jittered), *out, is_fused);
            *out = multiply_add((steps, stepped), *out, is_fused);
        }
        out
    }
}

/// The shares with which states go on to the next symbol, and whether this processor adds and multiplies at once.
struct Shares {
    holds: f32,
    jitters: f32,
    steps: f32,
    /// What any state has of all that are lost.
    lost: f32,
    is_fused: bool,
}

impl Shares {
    fn new<const PHASES: usize>(
        chain: &Chain<PHASES>,
        transition: Transition,
        is_fused: bool,
    ) -> Self {
        let factor = transition.factor * (1.0 - transition.loss);
        Self {
            holds: factor * chain.stays * chain.holds,
            jitters: factor * chain.stays * chain.jitters,
            steps: factor * chain.steps,
            lost: transition.loss / chain.states() as f32,
            is_fused,
        }
    }
}

/// A product and a sum. Only where the processor does both at once is that asked for: elsewhere it takes a library.
#[inline(always)]
fn multiply_add((a, b): (f32, f32), sum: f32, is_fused: bool) -> f32 {
    if is_fused { a.mul_add(b, sum) } else { a * b + sum }
}

/// Writes a group of a row's phases times their likelihoods, also where the margins repeat it; adds it to the sums.
#[inline(always)]
fn observe_group<const PHASES: usize>(
    padded: &mut [[f32; LANES]],
    group: usize,
    mut phases: [f32; LANES],
    observed: &[f32; LANES],
    sums: &mut [f32; LANES],
) {
    for n in 0..LANES {
        phases[n] *= observed[n];
        sums[n] += phases[n];
    }
    let (margin, groups) = (Chain::<PHASES>::MARGIN / LANES, PHASES / LANES);
    padded[margin + group] = phases;
    if group < margin {
        padded[margin + groups + group] = phases;
    }
    if group >= groups - margin {
        padded[margin + group - groups] = phases;
    }
}

/// From the states at a symbol, times a factor, to those at the next, which are written to `predicted`, if it
/// is not empty, and then multiplied by what was observed there. Returns what they add up to.
///
/// No closure is handed to the library in here: such are compiled for any processor, and called. Nor is there an array of
/// sums longer than a group, which the compiler would take apart.
#[multiversion(targets("x86_64+avx2+fma"))]
fn advance<const PHASES: usize>(
    next: &mut [f32],
    state: &[f32],
    chain: &Chain<PHASES>,
    transition: Transition,
    observed: &[f32; PHASES],
    predicted: &mut [f32],
) -> f32 {
    let is_fused = target_cfg_f!(any(target_arch = "aarch64", target_feature = "fma"));
    let shares = Shares::new(chain, transition, is_fused);
    let observed = observed.as_chunks::<LANES>().0;
    let predicted = predicted.as_chunks_mut::<PHASES>().0;
    let mut sums = [0.0; LANES];
    for (n, padded) in next.chunks_exact_mut(Chain::<PHASES>::STRIDE).enumerate() {
        let place = chain.place(n, false);
        let [below, here, above] = chain.neighbours(n);
        let places = [(below, place), (here, place), (above, place)];
        let sources = Sources::new::<PHASES>(state, places);
        let padded = padded.as_chunks_mut().0;
        let predicted = match predicted.get_mut(n) {
            Some(row) => row.as_chunks_mut().0,
            None => &mut [],
        };
        for (group, observed) in observed.iter().enumerate() {
            let out = sources.blend(group, &shares);
            if let Some(predicted) = predicted.get_mut(group) {
                *predicted = out;
            }
            observe_group::<PHASES>(padded, group, out, observed, &mut sums);
        }
    }
    sums.iter().sum()
}

/// From what the symbols after one say of the states there, times a factor, to what they say of the states
/// before: the transpose of [`advance`]. Returns what they add up to, and the probability of each phase, with
/// all frequencies and without a common factor, from both passes.
#[multiversion(targets("x86_64+avx2+fma"))]
fn retreat<const PHASES: usize>(
    before: &mut [f32],
    state: &[f32],
    chain: &Chain<PHASES>,
    transition: Transition,
    observed: &[f32; PHASES],
    predicted: &[f32],
) -> (f32, [f32; PHASES]) {
    let is_fused = target_cfg_f!(any(target_arch = "aarch64", target_feature = "fma"));
    let shares = Shares::new(chain, transition, is_fused);
    let observed = observed.as_chunks::<LANES>().0;
    let mut sums = [0.0; LANES];
    let mut phases = [0.0; PHASES];
    let rows = before.chunks_exact_mut(Chain::<PHASES>::STRIDE);
    for (n, (padded, predicted)) in rows.zip(predicted.as_chunks::<PHASES>().0).enumerate() {
        let [below, here, above] = chain.neighbours(n);
        let place = |row| (row, chain.place(row, true));
        let places = [place(below), place(here), place(above)];
        let sources = Sources::new::<PHASES>(state, places);
        let (padded, predicted) = (padded.as_chunks_mut().0, predicted.as_chunks::<LANES>().0);
        let phases = phases.as_chunks_mut::<LANES>().0;
        for (group, observed) in observed.iter().enumerate() {
            let out = sources.blend(group, &shares);
            for n in 0..LANES {
                phases[group][n] =
                    multiply_add((predicted[group][n], out[n]), phases[group][n], is_fused);
            }
            observe_group::<PHASES>(padded, group, out, observed, &mut sums);
        }
    }
    (sums.iter().sum(), phases)
}

/// Both halves of the phases, in parts.
#[inline(always)]
fn halves<const PHASES: usize>(values: &[f32; PHASES]) -> [&[[f32; PART]]; 2] {
    let (here, opposite) = values.split_at(PHASES / 2);
    [here.as_chunks().0, opposite.as_chunks().0]
}

/// What is expected of a symbol.
struct Expected {
    /// How much likelier a positive sign is than a negative one, by the symbol and the phases only.
    sign_ratio: f32,
    /// The phasor, the phasor times the symbol's sign, and its square as the other symbols tell it.
    phasors: [Complex32; 3],
}

/// What is expected of a symbol that is positive with some probability, given the probability of the phases
/// without it, which need not add up to 1.
#[multiversion(targets("x86_64+avx2+fma"))]
fn expect<const PHASES: usize>(
    phases: &[f32; PHASES],
    likelihoods: &[f32; PHASES],
    positive: f32,
    grid: &Grid<PHASES>,
) -> Expected {
    let negative = 1.0 - positive;
    let [plus, minus, phasor_re, phasor_im, signed_re, signed_im, axis_re, axis_im, either] =
        sum_signs(phases, likelihoods, [positive, negative], grid);
    let total = positive * plus + negative * minus + f32::MIN_POSITIVE;
    Expected {
        sign_ratio: (plus + f32::MIN_POSITIVE) / (minus + f32::MIN_POSITIVE),
        phasors: [
            Complex32::new(phasor_re, phasor_im) / total,
            Complex32::new(signed_re, signed_im) / total,
            Complex32::new(axis_re, axis_im) / (either + f32::MIN_POSITIVE),
        ],
    }
}

/// Sums over the phases, with the parameters of [`expect`]: the probabilities of a positive and of a negative symbol, the
/// phasor, the phasor times the sign, and its square and the probability without the symbol.
#[inline(always)]
fn sum_signs<const PHASES: usize>(
    phases: &[f32; PHASES],
    likelihoods: &[f32; PHASES],
    [positive, negative]: [f32; 2],
    grid: &Grid<PHASES>,
) -> [f32; 9] {
    // A negative symbol at a phase looks like a positive one at the opposite phase.
    let ([here, opposite], [like_here, like_opposite]) = (halves(phases), halves(likelihoods));
    let (re, im) = (grid.re.as_chunks::<PART>().0, grid.im.as_chunks::<PART>().0);
    let mut sums = [[0.0; PART]; 9];
    for group in 0..here.len() {
        for n in 0..PART {
            let (re, im) = (re[group][n], im[group][n]);
            let (here, opposite) = (here[group][n], opposite[group][n]);
            let (like_here, like_opposite) = (like_here[group][n], like_opposite[group][n]);
            // 1. Of this phase and the opposite one, the probabilities with either sign.
            let (plus_here, minus_here) = (here * like_here, here * like_opposite);
            let (plus_opposite, minus_opposite) = (opposite * like_opposite, opposite * like_here);
            // 2. By sign, and without the symbol, what of them the phasor counts: the opposite one is its negative.
            let plus = positive * (plus_here - plus_opposite);
            let minus = negative * (minus_here - minus_opposite);
            let either = here + opposite;
            // 3. The sums in their order: two probabilities, phasor, signed phasor, square and its probability.
            let terms = [
                plus_here + plus_opposite,
                minus_here + minus_opposite,
                re * (plus + minus),
                im * (plus + minus),
                re * (plus - minus),
                im * (plus - minus),
                (re * re - im * im) * either,
                2.0 * re * im * either,
                either,
            ];
            for (sum, term) in sums.iter_mut().zip(terms) {
                sum[n] += term;
            }
        }
    }
    sums.map(|sum| sum.iter().sum::<f32>())
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use num_complex::Complex64;
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::sums::to_c64;

    const PHASES: usize = COARSE_PHASES;

    /// The same algorithm state by state, in double precision: no margins, no lanes, no running factors.
    struct Plain {
        wander: Wander,
        rows: usize,
    }

    /// Probabilities by frequency and phase.
    type States = Vec<[f64; PHASES]>;

    impl Plain {
        fn new(wander: Wander) -> Self {
            Self { wander, rows: 2 * wander.reach + 1 }
        }

        /// The states that follow a state, each with its probability: first the frequency changes, then the
        /// phase turns by the new one.
        fn successors(&self, row: usize, phase: usize) -> Vec<(usize, usize, f64)> {
            let (step, jitter) = (
                f64::from(self.wander.step_probability),
                f64::from(self.wander.jitter_probability),
            );
            let turned = |row: usize, more: isize| {
                let turn = row as isize - self.wander.reach as isize + more;
                (phase as isize + turn).rem_euclid(PHASES as isize) as usize
            };
            let stays = 1.0 - 2.0 * step;
            vec![
                (row, turned(row, 0), stays * (1.0 - 2.0 * jitter)),
                (row, turned(row, 1), stays * jitter),
                (row, turned(row, -1), stays * jitter),
                ((row + 1).min(self.rows - 1), turned((row + 1).min(self.rows - 1), 0), step),
                (row.saturating_sub(1), turned(row.saturating_sub(1), 0), step),
            ]
        }

        /// Probability that any state follows the one before a symbol: one of the two lies in a deep fade.
        fn loss(&self, symbols: &[Complex32], k: usize) -> f64 {
            let powers = || symbols.iter().map(|z| to_c64(*z).norm_sqr());
            let mut sorted: Vec<f64> = powers().collect();
            sorted.sort_by(f64::total_cmp);
            let bound = f64::from(MAX_OVER_QUARTILE) * sorted[sorted.len() / 4];
            sorted.retain(|power| *power <= bound);
            let mean = sorted.iter().sum::<f64>() / sorted.len() as f64;
            let typical = mean.max(f64::from(f32::MIN_POSITIVE));
            let es_over_n0 = ((1.0 + typical).sqrt() - 1.0) / 2.0;
            let of = |power: f64| {
                let Fading { power: fade_power, shallow } = Fading::default();
                let depth = power / (typical * f64::from(fade_power));
                let ratio = (es_over_n0 - ln_i0(power.sqrt())).exp();
                let odds = f64::from(self.wander.fade_probability) * ratio;
                if depth > f64::from(shallow) { 0.0 } else { odds / (1.0 + odds) * (-depth).exp() }
            };
            if k == 0 { 0.0 } else { powers().skip(k - 1).take(2).map(of).fold(0.0, f64::max) }
        }

        /// The same states, if with a probability any of them takes their place.
        fn mixed(&self, states: States, loss: f64, all: f64) -> States {
            let lost = loss * all / (self.rows * PHASES) as f64;
            states.into_iter().map(|row| row.map(|value| (1.0 - loss) * value + lost)).collect()
        }

        fn predict(&self, before: &States, loss: f64) -> States {
            let mut after = vec![[0.0; PHASES]; self.rows];
            for (row, phases) in before.iter().enumerate() {
                for (phase, value) in phases.iter().enumerate() {
                    for (to_row, to_phase, share) in self.successors(row, phase) {
                        after[to_row][to_phase] += share * value;
                    }
                }
            }
            self.mixed(after, loss, before.iter().flatten().sum())
        }

        /// The transpose of [`Self::predict`].
        fn retrodict(&self, after: &States, loss: f64) -> States {
            let value = |row, phase| -> f64 {
                let successors = self.successors(row, phase).into_iter();
                successors.map(|(row, phase, share)| share * after[row][phase]).sum()
            };
            let states =
                (0..self.rows).map(|row| std::array::from_fn(|phase| value(row, phase))).collect();
            self.mixed(states, loss, after.iter().flatten().sum())
        }

        /// The likelihood of a symbol of a sign at each phase, relative to that at the best.
        fn likelihoods(symbol: Complex32, sign: f64) -> [f64; PHASES] {
            std::array::from_fn(|n| {
                let phasor = Complex64::cis(TAU * n as f64 / PHASES as f64);
                let along = (to_c64(symbol) * phasor.conj()).re * sign;
                (along - to_c64(symbol).norm()).exp() + f64::from(LIKELIHOOD_FLOOR)
            })
        }

        /// Soft signs and expected phasors, and the logarithm of the likelihood.
        fn run(&self, symbols: &[Complex32], priors: &[f32]) -> (Vec<f64>, Vec<Complex64>, f64) {
            let positive: Vec<f64> = priors
                .iter()
                .map(|&prior| 1.0 / (1.0 + f64::exp(-2.0 * f64::from(prior))))
                .collect();
            let observed = |k: usize| -> [f64; PHASES] {
                let (plus, minus) =
                    (Self::likelihoods(symbols[k], 1.0), Self::likelihoods(symbols[k], -1.0));
                std::array::from_fn(|n| positive[k] * plus[n] + (1.0 - positive[k]) * minus[n])
            };
            let times = |states: &States, factors: &[f64; PHASES]| -> States {
                let row = |phases: &[f64; PHASES]| std::array::from_fn(|n| phases[n] * factors[n]);
                states.iter().map(row).collect()
            };
            let uniform = vec![[1.0 / (self.rows * PHASES) as f64; PHASES]; self.rows];
            let (mut state, mut predicted) = (uniform, Vec::new());
            for k in 0..symbols.len() {
                let before = self.predict(&state, self.loss(symbols, k));
                state = times(&before, &observed(k));
                predicted.push(before);
            }
            let total: f64 = state.iter().flatten().sum();
            let ln_best: f64 = symbols.iter().map(|z| to_c64(*z).norm()).sum();

            let mut after = vec![[1.0; PHASES]; self.rows];
            let (mut soft_signs, mut phasors) = (Vec::new(), Vec::new());
            for k in (0..symbols.len()).rev() {
                let from_after = if k + 1 == symbols.len() {
                    after.clone()
                } else {
                    self.retrodict(&after, self.loss(symbols, k + 1))
                };
                let phases: [f64; PHASES] = std::array::from_fn(|n| {
                    (0..self.rows).map(|row| predicted[k][row][n] * from_after[row][n]).sum()
                });
                let with_sign = |sign| -> [f64; PHASES] {
                    let likelihoods = Self::likelihoods(symbols[k], sign);
                    std::array::from_fn(|n| phases[n] * likelihoods[n])
                };
                let (plus, minus) = (with_sign(1.0), with_sign(-1.0));
                let sums: (f64, f64) = (plus.iter().sum(), minus.iter().sum());
                soft_signs.push((sums.0 / sums.1).ln() / 2.0);
                let weighed = |n: usize| positive[k] * plus[n] + (1.0 - positive[k]) * minus[n];
                let phasor: Complex64 = (0..PHASES)
                    .map(|n| Complex64::cis(TAU * n as f64 / PHASES as f64) * weighed(n))
                    .sum();
                phasors.push(phasor / (0..PHASES).map(weighed).sum::<f64>());
                after = times(&from_after, &observed(k));
            }
            soft_signs.reverse();
            phasors.reverse();
            (soft_signs, phasors, ln_best + total.ln())
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn a_pass_is_that_of_plain_sums(
            parts in prop::collection::vec((-4.0f32..4.0, -4.0f32..4.0, -4.0f32..4.0), 1..12),
            reach in 0usize..8,
            step_probability in 0.0f32..0.3,
            jitter_probability in 0.0f32..0.3,
            fade_probability in 0.0f32..0.3,
            fading in 0usize..12,
        ) {
            let wander = Wander { reach, step_probability, jitter_probability, fade_probability };
            let mut symbols: Vec<Complex32> =
                parts.iter().map(|&(re, im, _)| Complex32::new(re, im)).collect();
            if let Some(symbol) = symbols.get_mut(fading) {
                *symbol *= 0.02;
            }
            let priors: Vec<f32> = parts.iter().map(|&(_, _, prior)| prior).collect();
            let (soft_signs, phasors, ln_likelihood) = Plain::new(wander).run(&symbols, &priors);
            let mut passes = ForwardBackward::<PHASES>::default();
            let found = passes.run(&symbols, &priors, wander).clone();
            prop_assert!(
                (found.ln_likelihood - ln_likelihood).abs() < 1e-2,
                "{} for {ln_likelihood}", found.ln_likelihood
            );
            for (found, expected) in found.soft_signs.iter().zip(soft_signs) {
                prop_assert!((f64::from(*found) - expected).abs() < 1e-2, "{found} for {expected}");
            }
            for (found, expected) in found.phasors.iter().zip(phasors) {
                prop_assert!((to_c64(*found) - expected).norm() < 1e-2, "{found} for {expected}");
            }
            prop_assert!((passes.ln_likelihood(wander) - ln_likelihood).abs() < 1e-2);
        }
    }
}
