//! From a candidate to hypotheses: which sync word begins when, on which carrier?
//!
//! The sync word (preamble and frame type) is correlated over start time, frequency and drift.
//! The normalized correlation is the share of the energy that the sync word explains, so it needs no noise
//! estimate: `|Σ z p|² / (n Σ |z|²)` is 1 for a clean signal and about 1/n for noise, where it
//! exceeds x with the probability (1 - x)^(n - 1).

mod chirps;
mod trials;
mod tuning;

#[cfg(test)]
mod tests;

use num_complex::Complex32;
use std::cmp::Ordering;
use std::f32::consts::FRAC_PI_4;
use std::f64::consts::{LN_2, TAU};
use std::fmt;
use std::ops::{Add, Mul};

use crate::baseband::Baseband;
use crate::boxcar::IntegrateAndDump;
use crate::carrier::{Carrier, carrier_differences};
use crate::demodulator::forward_backward::{COARSE_PHASES, ForwardBackward, Wander};
use crate::detector::{Candidate, Preamble};
use crate::kernels::sums::to_c32;
use crate::oscillator::Oscillator;
use crate::subbands::{SubbandGrid, SubbandHistory};
use crate::synchronizer::chirps::{Chirps, LOCAL_PRODUCTS, LOCAL_SUMS, LocalSums, local_sum};
use crate::synchronizer::trials::{
    Choice, Phasors, SEGMENT, TrialCarriers, gather, peak_position, reset, segments,
};

pub use tuning::Tuning;

/// Timing grid: quarters of a symbol. The demodulator refines it.
const STEPS_PER_SYMBOL: usize = 4;
/// The first known symbol may begin by so many symbols more than a preamble before the middle of the candidate's window, and
/// up to that middle. The window that sees a preamble best has its middle half a preamble after that start. Windows overlap
/// by half, so that the nearest is up to a quarter of a preamble off; in noise the next one, half a preamble later, often wins.
const START_SLACK: usize = 3;
/// Hypotheses kept for one candidate. Neighbouring frame types and starts resemble each other; the
/// check sum decides.
pub const MAX_HYPOTHESES: usize = 8;

/// From the first to the last start that a candidate's hypotheses may have, in symbols: those that are tried,
/// and what their refinement adds.
#[must_use]
pub const fn start_spread_symbols(preamble: Preamble) -> usize {
    preamble.symbols + START_SLACK + 1
}

/// A sync word found at a place.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Hypothesis {
    /// Index of the sync word.
    pub sync_word: usize,
    /// Start of the sync word's first symbol, in seconds from the start of the recording.
    pub start_s: f64,
    /// The carrier, described at the middle of the sync word.
    pub carrier: Carrier,
    /// Normalized correlation with the sync word, 0 to 1: the share of the energy that it explains.
    pub correlation: f64,
    /// Power of what the sync word explains, 1 is that of a carrier at full scale.
    pub power: f64,
}

impl Hypothesis {
    /// The best first, in an order that does not depend on how they are sorted.
    fn by_correlation(a: &Self, b: &Self) -> Ordering {
        let (correlation, start) =
            (b.correlation.total_cmp(&a.correlation), a.start_s.total_cmp(&b.start_s));
        correlation.then(start).then(a.sync_word.cmp(&b.sync_word))
    }
}

/// Correlates candidates with a set of sync words.
pub struct Synchronizer {
    tuning: Tuning,
    symbol_s: f64,
    max_drift_hz_per_s: f64,
    threshold: f64,
    /// How many symbols before the middle of a candidate's window the first known one may begin.
    earliest_start: usize,
    /// The signs of the symbols, and the products of neighbouring ones.
    sync_words: Vec<Vec<f32>>,
    sync_word_changes: Vec<Vec<f32>>,
    trials: TrialCarriers,
    chirps: Chirps,
    work: Work,
}

/// What a search works on; its memory is kept from one to the next.
#[derive(Default)]
struct Work {
    integrate_and_dump: IntegrateAndDump,
    baseband: Baseband,
    /// Means over the steps of the timing grid, and over a symbol from each of them on.
    steps: Vec<Complex32>,
    symbols: Vec<Complex32>,
    /// Means over symbols from between the steps on.
    between: Vec<Complex32>,
    /// Energy of a symbol, and that and the sum of a segment of the preamble, from each step on.
    symbol_energies: Vec<f32>,
    segment_energies: Vec<f32>,
    segments: Vec<Complex32>,
    segment_magnitudes: Vec<f32>,
    /// Of the whole preamble from each start on: its energy, and the magnitudes of its segments.
    energies: Vec<f32>,
    magnitudes: Vec<f32>,
    /// Of each segment of what is correlated, and what trials gather from those of the preamble and from all.
    sums: Vec<Complex32>,
    scratch: Phasors,
    gathered: Phasors,
    starts: Vec<PreambleFit>,
    correlations: Vec<f64>,
    /// From each step on, a symbol times the conjugate of the one before.
    products: Vec<Complex32>,
    product_magnitudes: Vec<f32>,
    /// From each start on, over the preamble: the local sums of the products, its signs removed, and the sum of their
    /// magnitudes. All starts of one sum stand beside each other, since they are added up together.
    preamble_products: [Vec<Complex32>; LOCAL_SUMS],
    preamble_magnitudes: Vec<f32>,
    changes: Vec<Changes>,
    /// The symbols as the passes take them.
    scaled: Vec<Complex32>,
    passes: ForwardBackward<COARSE_PHASES>,
    found: Vec<Hypothesis>,
}

/// A sync word that the changes of the phase from a start on resemble.
#[derive(Debug, Clone, Copy)]
struct Changes {
    step: usize,
    sync_word: usize,
    /// How much of the products of neighbouring symbols adds up.
    share: f32,
    /// Their sum, the sync word's signs and the chirp removed: it has the phase of the middle.
    sum: Complex32,
    /// How the frequency changes, see [`MAX_CHIRP`](chirps::MAX_CHIRP).
    chirp: i32,
}

impl Changes {
    /// The steadiest first, in an order that does not depend on how they are sorted.
    fn by_share(a: &Self, b: &Self) -> Ordering {
        let share = b.share.total_cmp(&a.share);
        share.then(a.step.cmp(&b.step)).then(a.sync_word.cmp(&b.sync_word))
    }

    /// Whether it is the same sync word within a symbol.
    fn repeats(&self, other: &Self) -> bool {
        other.sync_word == self.sync_word && other.step.abs_diff(self.step) < STEPS_PER_SYMBOL
    }
}

/// A start at which the preamble fits.
#[derive(Debug, Clone, Copy)]
struct PreambleFit {
    step: usize,
    correlation: f64,
    least: f64,
}

impl Synchronizer {
    /// A synchroniser for bursts of `symbol_rate_hz` that begin with this preamble, and for sync words of equal length,
    /// given as the signs (±1) of their symbols. They begin with the preamble, which repeats after four symbols.
    ///
    /// `max_drift_hz_per_s` bounds the drifts tried; hypotheses have a correlation of at least `threshold`.
    #[must_use]
    pub fn new(
        (symbol_rate_hz, preamble): (f64, Preamble),
        sync_words: &[Vec<f64>],
        max_drift_hz_per_s: f64,
        threshold: f64,
    ) -> Self {
        let (symbol_s, tuning) = (1.0 / symbol_rate_hz, Tuning::default());
        let signs = |sync_word: &Vec<f64>| sync_word.iter().map(|&sign| sign as f32).collect();
        let sync_words: Vec<Vec<f32>> = sync_words.iter().map(signs).collect();
        let changes = |signs: &Vec<f32>| signs.windows(2).map(|pair| pair[0] * pair[1]).collect();
        let length = sync_words.first().map_or(0, Vec::len);
        // Whole segments only, so that the sync words' own segments begin where the preamble's end.
        let lengths = (preamble.symbols.min(length) / SEGMENT * SEGMENT, length);
        Self {
            tuning,
            symbol_s,
            max_drift_hz_per_s,
            threshold,
            earliest_start: preamble.symbols + START_SLACK,
            sync_word_changes: sync_words.iter().map(changes).collect(),
            sync_words,
            trials: TrialCarriers::new(lengths, symbol_s, max_drift_hz_per_s, &tuning),
            chirps: Chirps::new(),
            work: Work::default(),
        }
    }

    /// The same with other thresholds.
    #[must_use]
    pub fn tuned(self, tuning: Tuning) -> Self {
        let lengths = (self.trials.preamble.length, self.trials.sync_word.length);
        let trials = TrialCarriers::new(lengths, self.symbol_s, self.max_drift_hz_per_s, &tuning);
        Self { tuning, trials, ..self }
    }

    /// When the signal that [`Synchronizer::search`] looks at has passed, in seconds.
    #[must_use]
    pub fn ready_s(&self, candidate: &Candidate) -> f64 {
        candidate.time_s + (self.trials.sync_word.length + 1) as f64 * self.symbol_s
    }

    /// The best hypotheses for a candidate, best first. `noise_density` is that of the subband, in
    /// (full scale)² per hertz.
    pub fn search(
        &mut self,
        history: &SubbandHistory,
        grid: &SubbandGrid,
        candidate: &Candidate,
        noise_density: f64,
    ) -> &[Hypothesis] {
        let step_s = self.symbol_s / STEPS_PER_SYMBOL as f64;
        let first_s = candidate.time_s - self.earliest_start as f64 * self.symbol_s;
        let starts = self.earliest_start * STEPS_PER_SYMBOL + 1;
        let count = starts + self.trials.sync_word.length * STEPS_PER_SYMBOL - 1;
        let center_hz = candidate.frequency_hz;
        let noise = noise_density / self.symbol_s;
        // 1. Integrate and dump on the timing grid, mixed down by the candidate's frequency.
        let Work { integrate_and_dump, steps: sums, .. } = &mut self.work;
        integrate_and_dump.extract(history, grid, center_hz, (first_s, step_s, count), sums);
        self.sum_steps();
        // 2. The starts at which the preamble fits.
        self.find_starts(starts, noise);
        // 3. At each of them all sync words, on the grid.
        self.work.found.clear();
        for index in 0..self.work.starts.len() {
            let fit = self.work.starts[index];
            let start_s = first_s + fit.step as f64 * step_s;
            self.try_sync_words(fit, (start_s, center_hz), noise);
        }
        // 4. Those found, between the steps of the grid.
        if !self.work.found.is_empty() {
            self.keep_best();
            self.load(history, grid, candidate, first_s);
            self.refine(center_hz, first_s);
        }
        // 5. Where none is certain, those that fit a carrier that moves.
        if self.is_uncertain() {
            self.try_differentially((first_s, step_s, starts), center_hz, noise);
            self.keep_best();
        }
        &self.work.found
    }

    /// Whether the carrier may be none of those that were tried.
    fn is_uncertain(&self) -> bool {
        let certain = self.tuning.max_differential_correlation;
        self.work.found.first().is_none_or(|best| best.correlation < certain)
    }

    /// Takes in all that [`Synchronizer::refine`] looks at, mixed down by the candidate's frequency.
    fn load(
        &mut self,
        history: &SubbandHistory,
        grid: &SubbandGrid,
        candidate: &Candidate,
        first_s: f64,
    ) {
        let Candidate { time_s, frequency_hz, .. } = *candidate;
        let carrier = Carrier { time_s, frequency_hz, drift_hz_per_s: 0.0 };
        let stretch = (first_s, self.ready_s(candidate));
        self.work.baseband.extract(history, grid, &carrier, 1.0 / self.symbol_s, stretch);
    }

    /// Sums steps up to symbols and to segments of the preamble, from every step on.
    fn sum_steps(&mut self) {
        let Work { steps, symbols, symbol_energies, segment_energies, segments, .. } =
            &mut self.work;
        sum_four(symbols, steps, 1, [1.0 / STEPS_PER_SYMBOL as f32; STEPS_PER_SYMBOL]);
        symbol_energies.clear();
        symbol_energies.extend(symbols.iter().map(Complex32::norm_sqr));
        sum_four(segment_energies, symbol_energies, STEPS_PER_SYMBOL, [1.0; SEGMENT]);
        let signs = self.sync_words.first().and_then(|sync_word| sync_word.first_chunk());
        sum_four(segments, symbols, STEPS_PER_SYMBOL, *signs.unwrap_or(&[0.0; SEGMENT]));
    }

    /// Chooses the starts at which the preamble alone fits best. `noise` is that of a symbol.
    fn find_starts(&mut self, starts: usize, noise: f64) {
        let count = self.trials.preamble.length / SEGMENT;
        let length = self.trials.preamble.length as f64;
        let work = &mut self.work;
        // 1. The energies of the preamble from each start on, and an upper bound of its correlation.
        sum_segments(&mut work.energies, &work.segment_energies, starts, count);
        work.segment_magnitudes.clear();
        work.segment_magnitudes.extend(work.segments.iter().map(|z| z.norm_sqr().sqrt()));
        sum_segments(&mut work.magnitudes, &work.segment_magnitudes, starts, count);
        work.starts.clear();
        for (step, (&energy, &magnitude)) in work.energies.iter().zip(&work.magnitudes).enumerate()
        {
            let (energy, magnitude) = (f64::from(energy), f64::from(magnitude));
            let full = (length * energy).max(f64::MIN_POSITIVE);
            let expected = self.tuning.expected(length * noise, energy);
            let least = self.tuning.min_preamble_correlation.max(expected);
            // 2. Where that may suffice, the correlation: no carrier gathers more than the segments' magnitudes
            //    would in step.
            let mut correlation = 0.0;
            if magnitude * magnitude >= least * full {
                work.sums.clear();
                work.sums.extend(every_segment(&work.segments, step, count));
                let power = self.trials.preamble.gather(&work.sums, &mut work.scratch);
                correlation = power / full;
            }
            work.starts.push(PreambleFit { step, correlation, least });
        }
        self.keep_best_starts();
    }

    /// Of the starts only those stay at which the correlation has a maximum and suffices, the best first.
    fn keep_best_starts(&mut self) {
        let Work { starts, correlations, .. } = &mut self.work;
        correlations.clear();
        correlations.extend(starts.iter().map(|start| start.correlation));
        starts.retain(|start| {
            // Neighbours see the same.
            let near = start.step.saturating_sub(2)..(start.step + 3).min(correlations.len());
            start.correlation >= start.least
                && correlations[near].iter().all(|&other| other <= start.correlation)
        });
        starts.sort_unstable_by(|a, b| {
            b.correlation.total_cmp(&a.correlation).then(a.step.cmp(&b.step))
        });
        starts.truncate(self.tuning.max_starts);
    }

    /// Tries every sync word at one start, with the carriers that suit the preamble.
    fn try_sync_words(
        &mut self,
        PreambleFit { step, .. }: PreambleFit,
        (start_s, center_hz): (f64, f64),
        noise: f64,
    ) {
        let length = self.trials.sync_word.length;
        let shared = self.trials.preamble.length / SEGMENT;
        // 1. The correlation that the energy leads to expect.
        let energy = self.energy_from(step);
        let expected = self.tuning.expected(length as f64 * noise, energy);
        let threshold = (self.tuning.coarse_share * self.threshold).max(expected);
        let full = (length as f64 * energy).max(f64::MIN_POSITIVE);
        // 2. What all sync words share, over the trial carriers that suit it.
        let (choice, shared_peak) = self.gather_preamble(step);
        let choice = &self.trials.choices[choice];
        let Work { symbols, sums, scratch, gathered, found, .. } = &mut self.work;
        for (sync_word, signs) in self.sync_words.iter().enumerate() {
            // 3. The segments of its own, and the same upper bound as of the preamble.
            segment_sums(sums, &symbols[step..], signs, shared);
            let own = f64::from(sums.iter().map(|sum| sum.norm_sqr().sqrt()).sum::<f32>());
            if (shared_peak + own).powi(2) < threshold * full {
                continue;
            }
            // 4. Where that may suffice, the correlation.
            gathered.clone_from(scratch);
            let power = gather(gathered, sums, &choice.phasors[shared..]);
            let correlation = power / full;
            if correlation >= threshold {
                let trial = choice.trials[peak_position(gathered)];
                let carrier = self.trials.carrier(trial, start_s, center_hz, self.symbol_s);
                let power = power / (length * length) as f64;
                found.push(Hypothesis { sync_word, start_s, carrier, correlation, power });
            }
        }
    }

    /// Gathers the segments of the preamble from a step on, over those trials of sync words that suit its best carrier.
    /// Returns which choice of them that is, and the largest magnitude.
    fn gather_preamble(&mut self, step: usize) -> (usize, f64) {
        let TrialCarriers { preamble, choices, .. } = &self.trials;
        let Work { segments, sums, scratch, .. } = &mut self.work;
        sums.clear();
        sums.extend(every_segment(segments, step, preamble.length / SEGMENT));
        preamble.gather(sums, scratch);
        let choice = peak_position(scratch) % choices.len();
        let Choice { trials, phasors } = &choices[choice];
        reset(scratch, trials.len());
        (choice, gather(scratch, sums, phasors).sqrt())
    }

    /// Looks for sync words by the changes of the phase from symbol to symbol, whatever the carrier does over
    /// more of them; the best of them are kept if a carrier that wanders makes them likely.
    fn try_differentially(
        &mut self,
        (first_s, step_s, starts): (f64, f64, usize),
        center_hz: f64,
        noise: f64,
    ) {
        // 1. Differential correlation of all starts and sync words.
        self.sum_products(starts);
        self.work.changes.clear();
        for step in 0..starts {
            self.find_changes(step, noise);
        }
        self.work.changes.sort_unstable_by(Changes::by_share);
        // 2. A forward pass over the best of each sync word within a symbol.
        let mut tried = 0;
        for index in 0..self.work.changes.len() {
            let (better, this) = (&self.work.changes[..index], self.work.changes[index]);
            if better.iter().any(|better| this.repeats(better)) {
                continue;
            }
            tried += 1;
            if tried > self.tuning.max_differential_trials {
                break;
            }
            if self.is_beside(this.step) {
                continue;
            }
            let ln_ratio = self.ln_sync_word_ratio(&this, noise);
            if ln_ratio < self.tuning.min_ln_sync_word_ratio {
                continue;
            }
            let start_s = first_s + this.step as f64 * step_s;
            let hypothesis = self.differential_hypothesis(&this, ln_ratio, start_s, center_hz);
            self.work.found.push(hypothesis);
        }
    }

    /// What the changes of the phase say of a sync word's carrier, and a forward pass of the sync word: `ln_ratio` is what
    /// [`Synchronizer::ln_sync_word_ratio`] returns.
    fn differential_hypothesis(
        &self,
        changes: &Changes,
        ln_ratio: f64,
        start_s: f64,
        center_hz: f64,
    ) -> Hypothesis {
        let length = self.trials.sync_word.length;
        let carrier = Carrier {
            time_s: start_s + length as f64 * self.symbol_s / 2.0,
            frequency_hz: center_hz + f64::from(changes.sum.arg()) / (TAU * self.symbol_s),
            drift_hz_per_s: 0.0,
        };
        // The products of a carrier that settles hardly agree at first; the pass follows it. Other words are as likely as
        // guesses of two at every symbol.
        let max_ln_ratio = length as f64 * LN_2;
        let agreement = (f64::from(changes.share) + ln_ratio / max_ln_ratio) / 2.0;
        Hypothesis {
            sync_word: changes.sync_word,
            start_s,
            carrier,
            correlation: self.tuning.differential_weight * agreement,
            power: f64::from(changes.sum.norm()) / (length - 1) as f64,
        }
    }

    /// The energy of as many symbols as a sync word has, from a step on.
    fn energy_from(&self, step: usize) -> f64 {
        let energies = self.work.symbol_energies[step..].iter().step_by(STEPS_PER_SYMBOL);
        energies.take(self.trials.sync_word.length).sum::<f32>().into()
    }

    /// Sums the products of neighbouring symbols and their magnitudes over the preamble, from every step on.
    fn sum_products(&mut self, starts: usize) {
        let Work {
            symbols,
            products,
            product_magnitudes,
            preamble_products,
            preamble_magnitudes,
            ..
        } = &mut self.work;
        let after = symbols.get(STEPS_PER_SYMBOL..).unwrap_or_default();
        products.clear();
        products.extend(after.iter().zip(&*symbols).map(|(after, before)| after * before.conj()));
        product_magnitudes.clear();
        product_magnitudes.extend(products.iter().map(|product| product.norm_sqr().sqrt()));
        let shared = self.trials.preamble.length - 1;
        let Some(changes) = self.sync_word_changes.first() else { return };
        for local in &mut *preamble_products {
            local.clear();
            local.resize(starts, Complex32::ZERO);
        }
        preamble_magnitudes.clear();
        preamble_magnitudes.resize(starts, 0.0);
        for (k, &sign) in changes[..shared].iter().enumerate() {
            let from = k * STEPS_PER_SYMBOL;
            let local = preamble_products[local_sum(k)].iter_mut().zip(&products[from..]);
            local.for_each(|(sum, product)| *sum += product * sign);
            let magnitudes = preamble_magnitudes.iter_mut().zip(&product_magnitudes[from..]);
            magnitudes.for_each(|(sum, magnitude)| *sum += magnitude);
        }
    }

    /// Finds the sync words that the changes of the phase from a start on resemble.
    fn find_changes(&mut self, step: usize, noise: f64) {
        let of_preamble_locally = self.work.preamble_products.each_ref().map(|local| local[step]);
        let of_preamble = self.work.preamble_magnitudes[step];
        // 1. The preamble alone.
        let preamble: Complex32 = of_preamble_locally.iter().sum();
        if preamble.norm_sqr().sqrt() < self.tuning.min_preamble_share * of_preamble {
            return;
        }
        // 2. How much must add up, by the energy. The frame type may agree with the preamble at most.
        let length = self.trials.sync_word.length;
        let shared = self.trials.preamble.length - 1;
        let magnitude = |k: usize| self.work.product_magnitudes[step + k * STEPS_PER_SYMBOL];
        let all = of_preamble + (shared..length - 1).map(magnitude).sum::<f32>();
        let signal = 1.0 - length as f64 * noise / self.energy_from(step);
        let expected = self.tuning.differential_expected_share * signal;
        let least = all * expected.max(self.tuning.min_differential_share) as f32;
        if preamble.norm_sqr().sqrt() + all - of_preamble < least {
            return;
        }
        let squares: f32 = (0..length - 1).map(|k| magnitude(k).powi(2)).sum();
        // 3. Each sync word, with the chirp that suits it best.
        for (sync_word, changes) in self.sync_word_changes.iter().enumerate() {
            let mut local = of_preamble_locally;
            for (k, sign) in changes.iter().enumerate().skip(shared) {
                local[local_sum(k)] += self.work.products[step + k * STEPS_PER_SYMBOL] * *sign;
            }
            let Some((chirp, sum)) = self.agreement(&local, least, squares) else { continue };
            let share = sum.norm_sqr().sqrt() / all.max(f32::MIN_POSITIVE);
            self.work.changes.push(Changes { step, sync_word, share, sum, chirp });
        }
    }

    /// The chirp without which the products agree best, and the sum that they have then; `None` if that is less than
    /// `least`, or if noise of these `squares` often has as much.
    fn agreement(&self, local: &LocalSums, least: f32, squares: f32) -> Option<(i32, Complex32)> {
        let Tuning { min_differential_power, min_chirped_power, .. } = self.tuning;
        // No chirp lets more add up than the magnitudes.
        let most = local.iter().map(|sum| sum.norm_sqr().sqrt()).sum::<f32>();
        if most < least || most * most < min_differential_power * squares {
            return None;
        }
        let (chirp, sum) = self.chirps.best(local);
        let min_power = if chirp == 0 { min_differential_power } else { min_chirped_power };
        (sum.norm_sqr() >= (min_power * squares).max(least * least)).then_some((chirp, sum))
    }

    /// Whether the carrier is a symbol rate away: there the phase changes from symbol to symbol as it does here,
    /// but the symbols have more energy.
    fn is_beside(&self, step: usize) -> bool {
        let steps = &self.work.steps[step..][..self.trials.sync_word.length * STEPS_PER_SYMBOL];
        let symbols = steps.as_chunks::<STEPS_PER_SYMBOL>().0;
        let energy = |phasor: Complex32| -> f32 {
            let sum = |steps: &[Complex32; STEPS_PER_SYMBOL]| {
                steps.iter().rev().fold(Complex32::default(), |sum, step| sum * phasor + step)
            };
            symbols.iter().map(|steps| sum(steps).norm_sqr()).sum()
        };
        let here = energy(Complex32::ONE);
        energy(Complex32::I).max(energy(-Complex32::I)) > here
    }

    /// The logarithm of how much likelier the symbols are with a sync word than with any others, if the carrier
    /// may wander as far as it can be followed.
    fn ln_sync_word_ratio(&mut self, changes: &Changes, noise: f64) -> f64 {
        let length = self.trials.sync_word.length;
        let Work { symbols, scaled, passes, .. } = &mut self.work;
        let symbols = || symbols[changes.step..].iter().step_by(STEPS_PER_SYMBOL).take(length);
        let power = symbols().map(|z| f64::from(z.norm_sqr())).sum::<f64>() / length as f64;
        let Tuning { max_es_over_n0, max_noise_share, .. } = self.tuning;
        let noise = noise.clamp(power / (1.0 + max_es_over_n0), power * max_noise_share);
        let factor = (2.0 * (power - noise).sqrt() / noise.max(f64::MIN_POSITIVE)) as f32;
        // By as much the phase turns from one symbol to the next, and by so much more each time.
        let chirp = changes.chirp as f32 * FRAC_PI_4 / LOCAL_PRODUCTS as f32;
        let mut phasor = Complex32::cis(chirp * (length - 1) as f32 / 2.0 - changes.sum.arg());
        let bend = Complex32::cis(-chirp);
        let mut scaled_phasor = Complex32::from(factor);
        scaled.clear();
        scaled.extend(symbols().map(|z| {
            scaled_phasor *= phasor;
            phasor *= bend;
            z * scaled_phasor
        }));
        let signs = &self.sync_words[changes.sync_word];
        passes.ln_signs_ratio(scaled, signs, 0, Wander::COARSE)
    }

    /// Looks around each hypothesis between the steps of timing and frequency, and drops what does
    /// not reach the threshold even so.
    fn refine(&mut self, center_hz: f64, first_s: f64) {
        let length = self.trials.sync_word.length;
        let Work { found, between, baseband, .. } = &mut self.work;
        for hypothesis in &mut *found {
            let sync_word = &self.sync_words[hypothesis.sync_word];
            let (coarse_s, coarse) = (hypothesis.start_s, hypothesis.carrier);
            for eighth in -1..=1 {
                let start_s = coarse_s + f64::from(eighth) * self.symbol_s / 8.0;
                if start_s < first_s {
                    continue;
                }
                between.clear();
                between.extend(baseband.means(start_s, self.symbol_s, length));
                for half_step in -1..=1 {
                    let offset_hz =
                        f64::from(half_step) * self.trials.sync_word.frequency_step_hz / 2.0;
                    let frequency_hz = coarse.frequency_hz + offset_hz;
                    let relative = Carrier { frequency_hz: frequency_hz - center_hz, ..coarse };
                    let (correlation, power) =
                        exact_correlation(between, sync_word, &relative, start_s, self.symbol_s);
                    if correlation > hypothesis.correlation {
                        hypothesis.correlation = correlation;
                        hypothesis.power = power;
                        hypothesis.start_s = start_s;
                        hypothesis.carrier.frequency_hz = frequency_hz;
                    }
                }
            }
        }
        found.retain(|hypothesis| hypothesis.correlation >= self.threshold);
        found.sort_unstable_by(Hypothesis::by_correlation);
    }

    /// Sorts by correlation; of one sync word's neighbouring starts only the best stays.
    fn keep_best(&mut self) {
        let found = &mut self.work.found;
        found.sort_unstable_by(Hypothesis::by_correlation);
        let mut kept = 0;
        for index in 0..found.len() {
            let this = found[index];
            let repeated = found[..kept].iter().any(|better| {
                better.sync_word == this.sync_word
                    && (better.start_s - this.start_s).abs() < self.symbol_s
            });
            if !repeated && kept < MAX_HYPOTHESES {
                found[kept] = this;
                kept += 1;
            }
        }
        found.truncate(kept);
    }
}

impl fmt::Debug for Synchronizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Synchronizer")
            .field("symbol_s", &self.symbol_s)
            .field("sync_words", &self.sync_words.len())
            .field("threshold", &self.threshold)
            .finish_non_exhaustive()
    }
}

/// The share of the symbols' energy that a sync word on a carrier explains, symbol by symbol, and the
/// power of what it explains.
fn exact_correlation(
    symbols: &[Complex32],
    sync_word: &[f32],
    carrier: &Carrier,
    start_s: f64,
    symbol_s: f64,
) -> (f64, f64) {
    let energy: f64 = symbols.iter().map(|z| f64::from(z.norm_sqr())).sum();
    let phasors = Oscillator::new(carrier_differences(carrier, start_s + symbol_s / 2.0, symbol_s));
    let derotated = symbols.iter().zip(sync_word).zip(phasors);
    let derotated = derotated.map(|((symbol, sign), phasor)| symbol * *sign * to_c32(phasor));
    let power = f64::from(derotated.sum::<Complex32>().norm_sqr());
    let count = symbols.len() as f64;
    (power / (count * energy).max(f64::MIN_POSITIVE), power / (count * count))
}

/// Sums over a sync word's segments from one on, its signs removed.
fn segment_sums(sums: &mut Vec<Complex32>, symbols: &[Complex32], sync_word: &[f32], first: usize) {
    sums.clear();
    sums.extend(segments(sync_word.len()).skip(first).map(|(from, to)| -> Complex32 {
        (from..to).map(|k| symbols[k * STEPS_PER_SYMBOL] * sync_word[k]).sum()
    }));
}

/// What belongs to `count` segments one after the other, of what is known from every step on.
fn every_segment<T: Copy>(values: &[T], step: usize, count: usize) -> impl Iterator<Item = T> {
    values[step..].iter().step_by(SEGMENT * STEPS_PER_SYMBOL).take(count).copied()
}

/// For some steps, the sums over as many segments one after the other.
fn sum_segments(sums: &mut Vec<f32>, values: &[f32], starts: usize, segments: usize) {
    sums.clear();
    sums.resize(starts, 0.0);
    for segment in 0..segments {
        let values = &values[segment * SEGMENT * STEPS_PER_SYMBOL..];
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    }
}

/// From every value on, the weighted sum of four that lie some places apart.
fn sum_four<T>(sums: &mut Vec<T>, values: &[T], apart: usize, weights: [f32; 4])
where
    T: Copy + Add<Output = T> + Mul<f32, Output = T>,
{
    let count = values.len() - 3 * apart;
    let [a, b, c, d] = [0, 1, 2, 3].map(|n| &values[n * apart..n * apart + count]);
    let [u, v, w, x] = weights;
    sums.clear();
    let quadruples = a.iter().zip(b).zip(c).zip(d);
    sums.extend(quadruples.map(|(((&a, &b), &c), &d)| a * u + b * v + c * w + d * x));
}
