//! Follows the carrier and the timing of a burst.

use num_complex::{Complex32, Complex64};

use crate::baseband::Baseband;
use crate::carrier::Carrier;
use crate::demodulator::beginning;
use crate::demodulator::envelope::{PARTS, Parts};
use crate::demodulator::forward_backward::{
    COARSE_PHASES, ForwardBackward, KNOWN_PRIOR, Smoothed, Wander,
};
use crate::demodulator::parabola::Parabola;
use crate::demodulator::phase_track::PhaseTrack;
use crate::demodulator::symbol_weights;
use crate::demodulator::tuning::Tuning;
use crate::kernels::bessel::ln_i0;
use crate::kernels::sums::to_c64;

/// Half turns that are decided at most.
pub(super) const MAX_HALF_TURNS: usize = 6;
/// Timing offsets at which the fit is tried, as shares of a symbol, one round after the other.
const TIMING_STEPS: [f64; 2] = [0.125, 0.0625];
/// The same once the signs are known as they are at that timing.
const LAST_TIMING_STEP: f64 = 0.0625;

/// Where a burst starts, and what is mixed out of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    pub(super) carrier: Carrier,
    pub(super) start_s: f64,
    pub(super) symbol_s: f64,
}

/// The state of tracking: timing, level, phases. Its memory is kept from one burst to the next.
#[derive(Debug)]
pub(super) struct Tracker {
    tuning: Tuning,
    start: Start,
    count: usize,
    wander: Wander,
    amplitude: f64,
    /// Of the noise in a symbol, both dimensions together.
    noise_density: f64,
    ln_likelihood_ratio: f64,
    /// As received, and as the passes take them.
    symbols: Vec<Complex32>,
    scaled: Vec<Complex32>,
    /// Half the log likelihood ratios of the signs before they are looked at.
    priors: Vec<f32>,
    /// The weights of the symbols, see [`symbol_weights::weigh`].
    weights: Vec<f32>,
    /// By symbol, the power across the line on which it lies.
    across: Vec<f32>,
    passes: ForwardBackward,
    coarse_passes: ForwardBackward<COARSE_PHASES>,
    smoothed: Smoothed,
    half_turns: Vec<HalfTurn>,
    /// The soft signs with all half turns decided, if there are any.
    decided_signs: Vec<f32>,
}

/// A place from which on a carrier may have gone on half a turn off: in a fade it cannot be followed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HalfTurn {
    /// The first symbol that would be turned.
    pub symbol: usize,
    /// The logarithm of the odds that it was not.
    pub ln_odds: f32,
}

impl Tracker {
    /// One that has followed nothing yet.
    pub(super) fn new(tuning: Tuning) -> Self {
        let carrier = Carrier { time_s: 0.0, frequency_hz: 0.0, drift_hz_per_s: 0.0 };
        Self {
            tuning,
            start: Start { carrier, start_s: 0.0, symbol_s: 1.0 },
            count: 0,
            wander: tuning.models[0],
            amplitude: 0.0,
            noise_density: 0.0,
            ln_likelihood_ratio: 0.0,
            symbols: Vec::new(),
            scaled: Vec::new(),
            priors: Vec::new(),
            weights: Vec::new(),
            across: Vec::new(),
            passes: ForwardBackward::new(tuning.fading),
            coarse_passes: ForwardBackward::new(tuning.fading),
            smoothed: Smoothed::default(),
            half_turns: Vec::new(),
            decided_signs: Vec::new(),
        }
    }
}

/// The first of some ways to wander after which the next is not likelier, and the logarithm of how much likelier than
/// noise the burst is with it.
fn first_likeliest(
    wanders: impl Iterator<Item = Wander>,
    mut ln_ratio: impl FnMut(Wander) -> f64,
) -> (Wander, f64) {
    let mut best = (Wander::STEADY, f64::NEG_INFINITY);
    for wander in wanders {
        let ratio = ln_ratio(wander);
        if ratio <= best.1 {
            break;
        }
        best = (wander, ratio);
    }
    best
}

/// How a burst may be followed, as a first look tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Acquisition {
    pub(super) start: Start,
    pub(super) wander: Wander,
    /// Energy of a symbol over the noise density (linear).
    es_over_n0: f64,
    /// The logarithm of how much likelier the burst is than noise of its power.
    pub(super) ln_likelihood_ratio: f64,
}

impl Acquisition {
    /// Whether it is a burst and not noise.
    pub(super) fn is_burst(&self, tuning: &Tuning) -> bool {
        self.ln_likelihood_ratio >= tuning.min_ln_ratio(self.wander)
    }

    fn or_likelier(self, other: Self) -> Self {
        if other.ln_likelihood_ratio > self.ln_likelihood_ratio { other } else { self }
    }
}

impl Tracker {
    /// Looks how a burst of `count` symbols, of which the first are known (±1), wanders around the start's
    /// carrier, in noise that has `expected_noise` in a symbol (0 if that is not known).
    ///
    /// The ways to wander are tried in their order as long as they become likelier.
    pub(super) fn compare_models(
        &mut self,
        baseband: &Baseband,
        start: Start,
        (known, count): (&[f64], usize),
        expected_noise: f64,
        wanders: impl Iterator<Item = Wander> + Clone,
    ) -> Acquisition {
        self.reset(baseband, start, known, count);
        let by_products = self.first_es_over_n0(known);
        let mut best = self.compare_models_at(by_products, wanders.clone());
        let by_power = self.es_over(expected_noise);
        if by_power > self.tuning.level_step * by_products {
            best = best.or_likelier(self.compare_models_at(by_power, wanders.clone()));
        }
        // Where something lies over a part of a strong burst, its symbols are less clear than its first.
        let mut es_over_n0 = by_products;
        while !best.is_burst(&self.tuning) && es_over_n0 >= self.tuning.level_descent {
            es_over_n0 /= self.tuning.level_descent;
            best = best.or_likelier(self.compare_models_at(es_over_n0, wanders.clone()));
        }
        best
    }

    /// The first of some ways to wander after which the next is not likelier. The coarse grid tells what is hardly a burst
    /// and what clearly is one, in a quarter of the time; between them the fine one tells.
    fn compare_models_at(
        &mut self,
        es_over_n0: f64,
        wanders: impl Iterator<Item = Wander> + Clone,
    ) -> Acquisition {
        self.set_level(es_over_n0);
        let ln_noise = self.scale();
        self.coarse_passes.observe(&self.scaled, &self.priors);
        let coarse = |wander: Wander| self.coarse_passes.ln_likelihood(wander.coarse()) - ln_noise;
        let (mut wander, mut ln_likelihood_ratio) = first_likeliest(wanders.clone(), coarse);
        if self.tuning.unclear_ln_ratios().contains(&ln_likelihood_ratio) {
            self.passes.observe(&self.scaled, &self.priors);
            let fine = |wander: Wander| self.passes.ln_likelihood(wander) - ln_noise;
            (wander, ln_likelihood_ratio) = first_likeliest(wanders, fine);
        }
        Acquisition { start: self.start, wander, es_over_n0, ln_likelihood_ratio }
    }

    /// Finds timing, level and, roughly, the phases of a burst of `count` symbols, of which the first are known (±1).
    pub(super) fn coarse_fit(
        &mut self,
        baseband: &Baseband,
        acquisition: &Acquisition,
        known: &[f64],
        count: usize,
    ) {
        let Acquisition { start, wander, es_over_n0, .. } = *acquisition;
        self.reset(baseband, start, known, count);
        self.set_level(es_over_n0);
        self.converge(baseband, wander);
    }

    /// The logarithm of how much likelier the burst is than noise of its power if it wanders so.
    pub(super) fn ln_ratio(&mut self, wander: Wander) -> f64 {
        let ln_noise = self.scale();
        self.passes.observe(&self.scaled, &self.priors);
        self.passes.ln_likelihood(wander) - ln_noise
    }

    /// The carrier that fits the burst best, of which the first symbols are known (±1), if it is steady.
    pub(super) fn steady_carrier(&mut self, known: &[f64]) -> Carrier {
        self.scale();
        let level = (self.amplitude * self.factor()) as f32;
        let mut parabola = Parabola::through(&self.smoothed.phasors);
        parabola.improve(&self.scaled, (&self.weights, level), known);
        let Start { carrier, start_s, symbol_s } = self.start;
        parabola.added_to(&carrier, start_s, symbol_s)
    }

    /// Follows the burst around a carrier, which is mixed out of it. Returns what [`Tracker::ln_ratio`] does.
    pub(super) fn follow(&mut self, baseband: &Baseband, carrier: Carrier, wander: Wander) -> f64 {
        self.start.carrier = carrier;
        self.take_symbols(baseband);
        self.pass(wander);
        self.ln_likelihood_ratio
    }

    /// What is left to be done of a burst that was followed.
    pub(super) fn finish(&mut self) {
        self.half_turns.clear();
        self.decided_signs.clear();
        if self.is_burst() {
            self.decide_half_turns(self.wander);
        }
        self.fit_level();
    }

    /// Follows a burst whose signs (±1) are all known.
    pub(super) fn follow_known(
        &mut self,
        baseband: &Baseband,
        start: Start,
        signs: &[f64],
        wander: Wander,
    ) {
        self.reset(baseband, start, signs, signs.len());
        self.set_level(self.first_es_over_n0(signs));
        self.converge(baseband, wander);
        self.pass(wander);
        self.fit_level();
    }

    /// Finds timing, level and, roughly, phases from a first level on.
    fn converge(&mut self, baseband: &Baseband, wander: Wander) {
        self.coarse_pass(wander);
        for step in TIMING_STEPS {
            self.adjust_timing(baseband, step);
        }
        self.take_symbols(baseband);
        // The level tells how closely a carrier that wanders has to be followed, and the symbols the timing.
        self.coarse_pass(wander);
        self.adjust_timing(baseband, LAST_TIMING_STEP);
        self.take_symbols(baseband);
    }

    /// Where a fade leaves open by which half turn the carrier goes on, decides for the likelier one, so that the
    /// signs of all symbols after it are known to each other, if not to those before.
    fn decide_half_turns(&mut self, wander: Wander) {
        // 1. The first symbol that is clear but for its sign: before it, in the fade, the carrier may have turned.
        let mut decided: Vec<(usize, f32)> = Vec::new();
        let mut open_signs = None;
        while decided.len() < MAX_HALF_TURNS {
            let from = decided.last().map_or(0, |(last, _)| last + 1);
            let Some(symbol) = self.open_symbol(from) else { break };
            open_signs.get_or_insert_with(|| self.smoothed.soft_signs.clone());
            // 2. It is taken for what it is likelier, at the odds that it is.
            let soft_sign = self.smoothed.soft_signs[symbol];
            let ln_odds = 2.0 * soft_sign.abs();
            self.half_turns.push(HalfTurn { symbol: self.weakest_before(symbol) + 1, ln_odds });
            decided.push((symbol, self.promised_sign(symbol).copysign(soft_sign)));
            self.priors[symbol] = KNOWN_PRIOR.copysign(soft_sign);
            // 3. A pass with that sign known. The decisions make nothing likelier.
            let ln_likelihood_ratio = self.ln_likelihood_ratio;
            self.pass(wander);
            self.ln_likelihood_ratio = ln_likelihood_ratio;
        }
        if let Some(open_signs) = open_signs {
            self.decided_signs = std::mem::replace(&mut self.smoothed.soft_signs, open_signs);
            // By itself none of these tells its sign.
            decided.iter().for_each(|&(symbol, soft)| self.decided_signs[symbol] = soft);
        }
    }

    /// Half the log likelihood ratio that a symbol would have if the half turn of its phase were known: what of it lies
    /// on the line that the others tell.
    fn promised_sign(&self, symbol: usize) -> f32 {
        let axis = self.smoothed.axes[symbol];
        let line = Complex32::cis(axis.arg() / 2.0);
        (self.scaled[symbol] * line.conj()).re.abs() * axis.norm()
    }

    /// A symbol from `from` on that is clear but for a half turn.
    fn open_symbol(&self, from: usize) -> Option<usize> {
        let is_open = |&n: &usize| {
            self.smoothed.soft_signs[n].abs() < self.tuning.open_sign
                && self.promised_sign(n) >= self.tuning.clear_sign
        };
        let first = (from..self.count).find(is_open)?;
        let near = first..(first + self.tuning.open_symbols).min(self.count);
        let by_promise =
            |a: &usize, b: &usize| self.promised_sign(*a).total_cmp(&self.promised_sign(*b));
        near.filter(is_open).max_by(by_promise)
    }

    /// The weakest of the symbols just before one: there it fades.
    fn weakest_before(&self, symbol: usize) -> usize {
        let power = |n: &usize| self.symbols[*n].norm_sqr();
        let near = symbol.saturating_sub(2 * self.tuning.open_symbols)..symbol;
        near.min_by(|a, b| power(a).total_cmp(&power(b))).unwrap_or_default()
    }

    /// Finds phases and level roughly.
    fn coarse_pass(&mut self, wander: Wander) {
        self.scale();
        let Self { coarse_passes, scaled, priors, .. } = self;
        self.smoothed.clone_from(coarse_passes.run(scaled, priors, wander.coarse()));
        self.fit_level();
    }

    fn reset(&mut self, baseband: &Baseband, start: Start, known: &[f64], count: usize) {
        (self.start, self.count) = (start, count);
        self.priors.clear();
        self.priors.extend(known.iter().take(count).map(|&sign| KNOWN_PRIOR * sign as f32));
        self.priors.resize(count, 0.0);
        self.take_symbols(baseband);
        // Before the phase is known, interference shows in the power only.
        symbol_weights::weigh(
            &mut self.weights,
            self.tuning.min_interference_ratio,
            self.symbols.iter().map(Complex32::norm_sqr),
        );
    }

    /// Takes signal and noise to be as strong as their power and this ratio of them say.
    fn set_level(&mut self, es_over_n0: f64) {
        let power = self.mean_power();
        self.amplitude = (power * es_over_n0 / (1.0 + es_over_n0)).sqrt();
        self.noise_density = power / (1.0 + es_over_n0);
    }

    /// The energy of a symbol over the noise density (linear) if the noise is as expected; 0 if nothing is.
    fn es_over(&self, expected_noise: f64) -> f64 {
        if expected_noise <= 0.0 {
            return 0.0;
        }
        (self.mean_power() / expected_noise - 1.0).clamp(0.0, self.tuning.max_es_over_n0)
    }

    /// The energy of a symbol over the noise density (linear) as the products of neighbouring known symbols
    /// tell it, whatever the carrier does; the least if there are none. It is not taken too high: the tracker would
    /// follow the noise.
    fn first_es_over_n0(&self, known: &[f64]) -> f64 {
        let signed = || self.symbols.iter().zip(known).map(|(symbol, &sign)| symbol * sign as f32);
        let count = self.symbols.len().min(known.len()) as f64;
        let power =
            signed().map(|symbol| f64::from(symbol.norm_sqr())).sum::<f64>() / count.max(1.0);
        let products = signed().zip(signed().skip(1)).map(|(before, after)| after * before.conj());
        let products: Vec<Complex32> = products.collect();
        // A few at a time, over which the frequency stays what it is.
        let sums = products
            .chunks(self.tuning.steady_symbols.max(1))
            .map(|some| some.iter().sum::<Complex32>().norm());
        let squared = sums.map(f64::from).sum::<f64>() / (count - 1.0).max(1.0);
        let es_over_n0 = squared / (power - squared).max(f64::MIN_POSITIVE);
        es_over_n0.clamp(1.0, self.tuning.max_es_over_n0)
    }

    fn take_symbols(&mut self, baseband: &Baseband) {
        self.symbols.clear();
        let Start { start_s, symbol_s, .. } = self.start;
        self.symbols.extend(baseband.means(start_s, symbol_s, self.count));
    }

    /// One pass over the symbols.
    fn pass(&mut self, wander: Wander) {
        self.wander = wander;
        let ln_noise = self.scale();
        self.smoothed.clone_from(self.passes.run(&self.scaled, &self.priors, wander));
        self.ln_likelihood_ratio = self.smoothed.ln_likelihood - ln_noise;
    }

    /// Scales the symbols as passes take them. Returns the logarithm of the likelihood of any phases, each by
    /// chance, given how strong the symbols are: so a burst that fades is told from noise as well.
    fn scale(&mut self) -> f64 {
        let factor = self.factor() as f32;
        self.scaled.clear();
        let weighted = self.symbols.iter().zip(&self.weights);
        self.scaled.extend(weighted.map(|(symbol, weight)| symbol * (factor * weight)));
        self.scaled.iter().map(|symbol| ln_i0(f64::from(symbol.norm_sqr()).sqrt())).sum()
    }

    /// Over the symbols as received, those that passes take, but for their weights.
    fn factor(&self) -> f64 {
        let squared = self.amplitude * self.amplitude;
        let density =
            self.noise_density.max(squared / self.tuning.max_es_over_n0).max(f64::MIN_POSITIVE);
        2.0 * self.amplitude / density
    }

    /// The mean power of the symbols, by their weights.
    fn mean_power(&self) -> f64 {
        let weighted = self.symbols.iter().zip(&self.weights);
        let power: f64 =
            weighted.map(|(symbol, weight)| f64::from(symbol.norm_sqr() * weight)).sum();
        power / self.total_weight()
    }

    fn total_weight(&self) -> f64 {
        self.weights.iter().copied().map(f64::from).sum::<f64>().max(f64::MIN_POSITIVE)
    }

    /// The amplitude and the noise that the smoothed phases leave, and where the noise is stronger than
    /// elsewhere.
    fn fit_level(&mut self) {
        // 1. The amplitude: the weighted mean of what of the symbols lies along their expected values.
        let agreement =
            |(symbol, expected): (&Complex32, &Complex32)| (symbol * expected.conj()).re;
        let agreements = self.symbols.iter().zip(&self.smoothed.signed_phasors).map(agreement);
        let weighted =
            agreements.zip(&self.weights).map(|(value, weight)| f64::from(value * weight));
        self.amplitude = (weighted.sum::<f64>() / self.total_weight()).max(0.0);
        // 2. Across the line on which a symbol lies, as the others tell it, there is noise alone, and as much of
        //    the signal as the line is uncertain.
        let across = |(symbol, axis): (&Complex32, &Complex32)| {
            let line = Complex32::cis(-axis.arg() / 2.0);
            (symbol * line).im.powi(2)
        };
        // 3. Where there is more than elsewhere, symbols weigh less. None is taken to be clearer than
        //    `Tuning::max_es_over_n0` says.
        let least = self.tuning.min_noise_variance(self.amplitude) as f32;
        self.across.clear();
        self.across.extend(self.symbols.iter().zip(&self.smoothed.axes).map(across));
        symbol_weights::weigh(
            &mut self.weights,
            self.tuning.min_interference_ratio,
            self.across.iter().map(|value| value + least),
        );
        // 4. The noise: the weighted mean of what lies across, less what leaked there.
        let mean = |values: &mut dyn Iterator<Item = f32>| -> f64 {
            let weighted =
                values.zip(&self.weights).map(|(value, weight)| f64::from(value * weight));
            weighted.sum::<f64>() / self.total_weight()
        };
        let noise = mean(&mut self.across.iter().copied());
        let uncertain = mean(&mut self.smoothed.axes.iter().map(|axis| 1.0 - axis.norm()));
        let leaked = self.amplitude * self.amplitude * uncertain / 2.0;
        self.noise_density = (2.0 * (noise - leaked)).max(noise / 2.0);
    }

    /// Moves the timing by up to `step` of a symbol to where the symbols agree best with what is expected
    /// of them.
    fn adjust_timing(&mut self, baseband: &Baseband, step: f64) {
        let Start { start_s, symbol_s, .. } = self.start;
        let step_s = step * symbol_s;
        let agreement = |offset_s: f64| -> f64 {
            let symbols = baseband.means(start_s + offset_s, symbol_s, self.count);
            let expected = self.smoothed.signed_phasors.iter().zip(&self.weights);
            symbols.zip(expected).map(|(z, (e, w))| f64::from((z * e.conj()).re * w)).sum()
        };
        let (early, here, late) = (agreement(-step_s), agreement(0.0), agreement(step_s));
        let curvature = early - 2.0 * here + late;
        let offset = if curvature < 0.0 {
            ((early - late) / (2.0 * curvature)).clamp(-1.0, 1.0)
        } else {
            (late - early).signum()
        };
        self.start.start_s += offset * step_s;
    }

    /// The smoothed phases over time.
    pub(super) fn track(&self) -> PhaseTrack {
        let Start { carrier, start_s, symbol_s } = self.start;
        PhaseTrack::new(carrier, start_s, symbol_s, self.smoothed.phasors.iter().copied())
    }

    /// The phases as the symbols of these signs (±1) themselves tell them, smoothed anew: the passes know
    /// the phases of their grid only.
    pub(super) fn refined_track(&self, signs: &[f64]) -> PhaseTrack {
        let mut track = self.track();
        let amplitude = self.amplitude.max(f64::MIN_POSITIVE);
        let errors = self.symbols.iter().zip(&self.smoothed.phasors).zip(signs);
        let errors: Vec<f64> = errors
            .map(|((symbol, phasor), sign)| {
                let derotated = to_c64(symbol * phasor.conj()) * *sign / f64::from(phasor.norm());
                // A weak symbol's phase says little and may be anything.
                (derotated.im / derotated.re.max(amplitude / 2.0)).clamp(-1.0, 1.0)
            })
            .collect();
        track.refine(&errors, &self.certainties());
        track
    }

    /// How well each symbol tells the phase.
    pub(super) fn certainties(&self) -> Vec<f64> {
        self.weights.iter().copied().map(f64::from).collect()
    }

    /// The symbols in parts, derotated by a track's phase.
    pub(super) fn parts(&self, baseband: &Baseband, track: &PhaseTrack) -> Vec<Parts> {
        let part_s = self.start.symbol_s / PARTS as f64;
        let means = baseband.means(self.start.start_s, part_s, PARTS * self.count);
        let middle_s = |n: usize| self.start.start_s + (n as f64 + 0.5) * part_s;
        let derotated: Vec<Complex32> = means
            .enumerate()
            .map(|(n, mean)| {
                let phase = track.correction_at(middle_s(n)) as f32;
                mean * Complex32::cis(-phase)
            })
            .collect();
        derotated.as_chunks().0.to_vec()
    }

    /// The mean before the first symbol over the amplitude, turned to that symbol's sign.
    pub(super) fn before(&self, baseband: &Baseband) -> f64 {
        let span_s = beginning::BEFORE * self.start.symbol_s;
        let mean = baseband.means(self.start.start_s - span_s, span_s, 1).next();
        let (Some(mean), Some(first)) = (mean, self.smoothed.signed_phasors.first()) else {
            return 0.0;
        };
        let turned =
            f64::from((mean * first.conj()).re / first.norm_sqr().sqrt().max(f32::MIN_POSITIVE));
        turned / self.amplitude.max(f64::MIN_POSITIVE)
    }

    /// The symbols, derotated.
    pub(super) fn derotated(&self) -> Vec<Complex64> {
        let places = self.symbols.iter().zip(&self.smoothed.phasors);
        places
            .map(|(symbol, phasor)| {
                to_c64(symbol * phasor.conj()) / f64::from(phasor.norm()).max(1e-9)
            })
            .collect()
    }

    /// The expected signs, -1 to 1.
    pub(super) fn expected_signs(&self) -> Vec<f32> {
        let Smoothed { phasors, signed_phasors, .. } = &self.smoothed;
        let places = phasors.iter().zip(signed_phasors);
        places
            .map(|(phasor, signed)| {
                (signed * phasor.conj()).re / phasor.norm_sqr().sqrt().max(1e-9)
            })
            .map(|sign| sign.clamp(-1.0, 1.0))
            .collect()
    }

    /// Where the carrier may have gone on half a turn off.
    pub(super) fn half_turns(&self) -> &[HalfTurn] {
        &self.half_turns
    }

    /// The soft signs with those half turns decided, if there are any.
    pub(super) fn decided_signs(&self) -> &[f32] {
        &self.decided_signs
    }

    pub(super) fn soft_signs(&self) -> &[f32] {
        &self.smoothed.soft_signs
    }

    /// The symbols as the last pass took them.
    pub(super) fn scaled(&self) -> &[Complex32] {
        &self.scaled
    }

    pub(super) fn weights(&self) -> &[f32] {
        &self.weights
    }

    pub(super) fn amplitude(&self) -> f64 {
        self.amplitude
    }

    pub(super) fn noise_density(&self) -> f64 {
        self.noise_density
    }

    pub(super) fn wander(&self) -> Wander {
        self.wander
    }

    pub(super) fn ln_likelihood_ratio(&self) -> f64 {
        self.ln_likelihood_ratio
    }

    /// Whether what was followed is a burst and not noise.
    pub(super) fn is_burst(&self) -> bool {
        self.ln_likelihood_ratio >= self.tuning.min_ln_ratio(self.wander)
    }
}
