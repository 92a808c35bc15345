//! From a candidate to hypotheses: which sync word begins when, on which carrier?
//!
//! The sync word (preamble and frame type) is correlated over start time, frequency and drift.
//! The normalized correlation is the share of the energy that the sync word explains, so it needs no noise
//! estimate: `|Σ z p|² / (n Σ |z|²)` is 1 for a clean signal and about 1/n for noise, where it
//! exceeds x with the probability (1 - x)^(n - 1).

use multiversion::multiversion;
use num_complex::{Complex32, Complex64};
use std::cmp::Ordering;
use std::f32::consts::FRAC_PI_4;
use std::f64::consts::{PI, TAU};
use std::fmt;
use std::ops::{Add, Mul};

use crate::baseband::Baseband;
use crate::boxcar::IntegrateAndDump;
use crate::carrier::{Carrier, carrier_differences};
use crate::demodulator::forward_backward::{COARSE_PHASES, ForwardBackward, Wander};
use crate::detector::Candidate;
use crate::kernels::lanes::{LANES, Lanes};
use crate::kernels::sums::{larger, to_c32};
use crate::oscillator::Oscillator;
use crate::subbands::{SubbandGrid, SubbandHistory};

/// Timing grid: quarters of a symbol. The demodulator refines it.
const STEPS_PER_SYMBOL: usize = 4;
/// Symbols are summed coherently in segments of this length before frequencies are tried.
const SEGMENT: usize = 4;
/// Where the first known symbol may begin, in symbols before the middle of the candidate's window. Ten
/// is the best view, and the hop lets it be six to fourteen; in noise the next window often wins.
const EARLIEST_START: usize = 23;
const LATEST_START: usize = 0;
/// Frequencies tried reach this far from the candidate's, as a share of the symbol rate.
const FREQUENCY_REACH: f64 = 0.075;
/// Spacing of the trial frequencies in cycles over the length of what is correlated.
const FREQUENCY_STEP_CYCLES: f64 = 0.4;
/// The quadratic phase, in radians at the ends, that trial drifts may leave uncorrected.
const MAX_QUADRATIC_PHASE: f64 = 0.7;
/// Starts whose preamble alone explains less than this are not looked at further.
const MIN_PREAMBLE_CORRELATION: f64 = 0.3;
/// Starts looked at further. The preamble repeats, so that several starts fit it.
const MAX_STARTS: usize = 6;
/// The correlation that the energy over the noise leads to expect is `1 - noise / energy`; a preamble and a sync word
/// must reach this share of it: among the data of a strong frame one is soon found that fits half.
const EXPECTED_SHARE: f64 = 0.6;
/// Share of the threshold that a sync word must reach before its timing and frequency are refined.
const COARSE_SHARE: f64 = 0.88;
/// Hypotheses kept for one candidate. Neighbouring frame types and starts resemble each other; the
/// check sum decides.
pub const MAX_HYPOTHESES: usize = 8;
/// From the first to the last start that a candidate's hypotheses may have, in symbols: those that are tried,
/// and what their refinement adds.
pub const START_SPREAD_SYMBOLS: usize = EARLIEST_START - LATEST_START + 1;

/// Neighbouring products over which the phase changes by nearly the same, and sums of as many.
const LOCAL_PRODUCTS: usize = 8;
const LOCAL_SUMS: usize = 4;
/// Chirps that are tried on each side, in eighths of a turn from one of these sums to the next: 156 Hz/s at 100 Bd. The
/// third is that of a carrier that settles from 60 Hz in 100 ms.
const MAX_CHIRP: i32 = 3;
/// Share of the products of neighbouring symbols that must add up as a sync word has it.
const MIN_DIFFERENTIAL_SHARE: f64 = 0.5;
/// How much larger than in noise, in the mean, the square of their sum must be. In noise it is exponentially
/// distributed, and a candidate has some 400 independent places and sync words.
const MIN_DIFFERENTIAL_POWER: f32 = 5.0;
/// The same for chirps, of which there are six.
const MIN_CHIRPED_POWER: f32 = 6.5;
/// The same of the preamble alone.
const MIN_PREAMBLE_SHARE: f32 = 0.35;
/// The share that the energy over the noise leads to expect, and of that what must be there however the carrier bends.
const DIFFERENTIAL_EXPECTED_SHARE: f64 = 0.75;
/// A correlation from which on the sync word's carrier is known to be steady.
const CERTAIN_CORRELATION: f64 = 0.65;
/// The correlation of a sync word that explains all products, which tell less than the symbols in step.
const DIFFERENTIAL_WEIGHT: f64 = 0.8;
/// Places that are looked at with a pass, those whose products agree best. Of carriers that settle from 60 Hz 30 % are
/// lost at 3 dB with five of them, 12 % with twelve or twenty; of 40 Hz at 2 dB 64, 41 and 34 %.
const MAX_DIFFERENTIAL_TRIALS: usize = 20;
/// Logarithm of how much likelier symbols must be with a sync word than with any others. Of a candidate's 1700
/// places and sync words some are not independent.
const MIN_LN_SYNC_WORD_RATIO: f64 = 7.0;
/// Energy of a symbol over the noise density (linear) that is assumed at most, as in the demodulator.
const MAX_ES_OVER_N0: f64 = 20.0;
/// Share of a symbol's energy that is taken for noise at most.
const MAX_NOISE_SHARE: f64 = 0.67;

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
    symbol_s: f64,
    sync_words: Vec<Vec<f32>>,
    threshold: f64,
    preamble: Trials,
    sync_word: Trials,
    /// By frequency of the preamble's trials: the trials of the sync word that suit it.
    choices: Vec<Choice>,
    integrate_and_dump: IntegrateAndDump,
    baseband: Baseband,
    /// Means over the steps of the timing grid, and over a symbol from each of them on.
    steps: Vec<Complex32>,
    symbols: Vec<Complex32>,
    /// Means over symbols from between the steps on.
    between: Vec<Complex32>,
    /// Energy of a symbol, and that and the sum of a segment of the preamble, from each step on.
    symbol_energies: Vec<f32>,
    /// From each step on, a symbol times the conjugate of the one before.
    products: Vec<Complex32>,
    product_magnitudes: Vec<f32>,
    sync_word_changes: Vec<Vec<f32>>,
    /// From each start on, over the preamble: the sum of the products, its signs removed, and of their
    /// magnitudes.
    preamble_changes: Vec<(LocalSums, f32)>,
    chirps: Chirps,
    changes: Vec<Changes>,
    scaled: Vec<Complex32>,
    passes: ForwardBackward<COARSE_PHASES>,
    segment_energies: Vec<f32>,
    segments: Vec<Complex32>,
    segment_magnitudes: Vec<f32>,
    /// Of the whole preamble from each start on: its energy, and the magnitudes of its segments.
    energies: Vec<f32>,
    magnitudes: Vec<f32>,
    sums: Vec<Complex32>,
    scratch: Phasors,
    gathered: Phasors,
    starts: Vec<Start>,
    correlations: Vec<f64>,
    found: Vec<Hypothesis>,
}

/// The sums of neighbouring products, freed of a sync word's signs.
type LocalSums = [Complex32; LOCAL_SUMS];

/// The sum to which a product belongs.
fn local_sum(product: usize) -> usize {
    (product / LOCAL_PRODUCTS).min(LOCAL_SUMS - 1)
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
    /// How the frequency changes, see [`MAX_CHIRP`].
    chirp: i32,
}

/// By chirp from the lowest on, what takes it out of the local sums.
#[derive(Debug)]
struct Chirps([LocalSums; 2 * MAX_CHIRP as usize + 1]);

impl Chirps {
    fn new() -> Self {
        let middle = (LOCAL_SUMS - 1) as f32 / 2.0;
        let turn = |sum: usize, chirp: i32| (middle - sum as f32) * chirp as f32 * FRAC_PI_4;
        Self(std::array::from_fn(|n| {
            let chirp = n as i32 - MAX_CHIRP;
            std::array::from_fn(|sum| Complex32::cis(turn(sum, chirp)))
        }))
    }

    /// The chirp without which the local sums add up to most, and that sum. Without any that is said to be `straight`.
    fn best(&self, local: &LocalSums, straight: Complex32) -> (i32, Complex32) {
        let sum = |phasors: &LocalSums| -> Complex32 {
            local.iter().zip(phasors).map(|(sum, phasor)| sum * phasor).sum()
        };
        let bent = (-MAX_CHIRP..).zip(self.0.iter().map(sum)).filter(|(chirp, _)| *chirp != 0);
        bent.fold(
            (0, straight),
            |best, other| {
                if other.1.norm_sqr() > best.1.norm_sqr() { other } else { best }
            },
        )
    }
}

/// A start at which the preamble fits.
#[derive(Debug, Clone, Copy)]
struct Start {
    step: usize,
    correlation: f64,
    least: f64,
}

impl Synchronizer {
    /// A synchroniser for sync words of equal length, given as the signs (±1) of their symbols. They begin
    /// with the same preamble, which repeats after four symbols.
    ///
    /// `max_drift_hz_per_s` bounds the drifts tried; hypotheses have a correlation of at least `threshold`.
    #[must_use]
    pub fn new(
        symbol_rate_hz: f64,
        sync_words: &[Vec<f64>],
        max_drift_hz_per_s: f64,
        threshold: f64,
    ) -> Self {
        let symbol_s = 1.0 / symbol_rate_hz;
        let length = sync_words.first().map_or(0, Vec::len);
        let is_common = |&k: &usize| sync_words.iter().all(|w| w[k] == sync_words[0][k % SEGMENT]);
        let common = (0..length).take_while(is_common).count();
        // Whole segments only, so that the sync words' own segments begin where the preamble's end.
        let preamble = common / SEGMENT * SEGMENT;
        let (preamble, sync_word) = (
            Trials::new(preamble, symbol_s, max_drift_hz_per_s),
            Trials::new(length, symbol_s, max_drift_hz_per_s),
        );
        // From the middle of the preamble to that of the sync word.
        let advance_s = (sync_word.length - preamble.length) as f64 * symbol_s / 2.0;
        let frequencies = preamble.carriers[..preamble.frequencies].iter();
        let choices =
            frequencies.map(|&(frequency_hz, _)| sync_word.choose(frequency_hz, advance_s));
        Self {
            symbol_s,
            choices: choices.collect(),
            sync_words: sync_words
                .iter()
                .map(|w| w.iter().map(|&sign| sign as f32).collect())
                .collect(),
            threshold,
            preamble,
            sync_word,
            integrate_and_dump: IntegrateAndDump::default(),
            baseband: Baseband::default(),
            steps: Vec::new(),
            symbols: Vec::new(),
            between: Vec::new(),
            symbol_energies: Vec::new(),
            products: Vec::new(),
            product_magnitudes: Vec::new(),
            sync_word_changes: sync_words
                .iter()
                .map(|w| w.windows(2).map(|pair| (pair[0] * pair[1]) as f32).collect())
                .collect(),
            preamble_changes: Vec::new(),
            chirps: Chirps::new(),
            changes: Vec::new(),
            scaled: Vec::new(),
            passes: ForwardBackward::default(),
            segment_energies: Vec::new(),
            segments: Vec::new(),
            segment_magnitudes: Vec::new(),
            energies: Vec::new(),
            magnitudes: Vec::new(),
            sums: Vec::new(),
            scratch: Phasors::new(),
            gathered: Phasors::new(),
            starts: Vec::new(),
            correlations: Vec::new(),
            found: Vec::new(),
        }
    }

    /// When the signal that [`Synchronizer::search`] looks at has passed, in seconds.
    #[must_use]
    pub fn ready_s(&self, candidate: &Candidate) -> f64 {
        candidate.time_s + (self.sync_word.length - LATEST_START + 1) as f64 * self.symbol_s
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
        let first_s = candidate.time_s - EARLIEST_START as f64 * self.symbol_s;
        let starts = (EARLIEST_START - LATEST_START) * STEPS_PER_SYMBOL + 1;
        let count = starts + self.sync_word.length * STEPS_PER_SYMBOL - 1;
        let steps = (first_s, step_s, count);
        let center_hz = candidate.frequency_hz;
        self.integrate_and_dump.extract(history, grid, center_hz, steps, &mut self.steps);
        self.sum_steps();

        let noise = noise_density / self.symbol_s;
        self.find_starts(starts, noise);
        self.found.clear();
        for index in 0..self.starts.len() {
            let start = self.starts[index];
            let start_s = first_s + start.step as f64 * step_s;
            self.try_sync_words(start, (start_s, center_hz), noise);
        }
        if !self.found.is_empty() {
            self.keep_best();
            let (time_s, ready_s) = (candidate.time_s, self.ready_s(candidate));
            let carrier = Carrier { time_s, frequency_hz: center_hz, drift_hz_per_s: 0.0 };
            let stretch = (first_s, ready_s);
            self.baseband.extract(history, grid, &carrier, 1.0 / self.symbol_s, stretch);
            self.refine(center_hz, first_s);
        }
        if self.found.first().is_none_or(|best| best.correlation < CERTAIN_CORRELATION) {
            self.try_differentially((first_s, step_s, starts), center_hz, noise);
            self.keep_best();
        }
        &self.found
    }

    /// Sums steps up to symbols and to segments of the preamble, from every step on.
    fn sum_steps(&mut self) {
        let Self { steps, symbols, symbol_energies, segment_energies, segments, .. } = self;
        sum_four(symbols, steps, 1, [1.0 / STEPS_PER_SYMBOL as f32; STEPS_PER_SYMBOL]);
        symbol_energies.clear();
        symbol_energies.extend(symbols.iter().map(Complex32::norm_sqr));
        sum_four(segment_energies, symbol_energies, STEPS_PER_SYMBOL, [1.0; SEGMENT]);
        let signs = self.sync_words.first().and_then(|sync_word| sync_word.first_chunk());
        sum_four(segments, symbols, STEPS_PER_SYMBOL, *signs.unwrap_or(&[0.0; SEGMENT]));
    }

    /// Chooses the starts at which the preamble alone fits best. `noise` is that of a symbol.
    fn find_starts(&mut self, starts: usize, noise: f64) {
        self.starts.clear();
        let Self { segments, preamble, sums, scratch, .. } = self;
        let count = preamble.length / SEGMENT;
        let length = preamble.length as f64;
        sum_segments(&mut self.energies, &self.segment_energies, starts, count);
        self.segment_magnitudes.clear();
        self.segment_magnitudes.extend(segments.iter().map(|z| z.norm_sqr().sqrt()));
        sum_segments(&mut self.magnitudes, &self.segment_magnitudes, starts, count);
        for (step, (&energy, &magnitude)) in self.energies.iter().zip(&self.magnitudes).enumerate()
        {
            let (energy, magnitude) = (f64::from(energy), f64::from(magnitude));
            let full = (length * energy).max(f64::MIN_POSITIVE);
            let least = MIN_PREAMBLE_CORRELATION.max(expected_share(length * noise, energy));
            // No carrier gathers more than the segments' magnitudes would in step.
            let mut correlation = 0.0;
            if magnitude * magnitude >= least * full {
                sums.clear();
                sums.extend(every_segment(segments, step, count));
                correlation = preamble.gather(sums, scratch) / full;
            }
            self.starts.push(Start { step, correlation, least });
        }
        // Only local maxima in time: neighbours see the same.
        self.correlations.clear();
        self.correlations.extend(self.starts.iter().map(|start| start.correlation));
        let correlations = &self.correlations;
        self.starts.retain(|start| {
            let near = start.step.saturating_sub(2)..(start.step + 3).min(correlations.len());
            start.correlation >= start.least
                && correlations[near].iter().all(|&s| s <= start.correlation)
        });
        self.starts.sort_unstable_by(|a, b| {
            b.correlation.total_cmp(&a.correlation).then(a.step.cmp(&b.step))
        });
        self.starts.truncate(MAX_STARTS);
    }

    /// Tries every sync word at one start, with the carriers that suit the preamble.
    fn try_sync_words(&mut self, start: Start, (start_s, center_hz): (f64, f64), noise: f64) {
        let symbols = &self.symbols[start.step..];
        let length = self.sync_word.length;
        let energies = self.symbol_energies[start.step..].iter().step_by(STEPS_PER_SYMBOL);
        let energy = energies.take(length).sum::<f32>().into();
        let expected = expected_share(length as f64 * noise, energy);
        let threshold = (COARSE_SHARE * self.threshold).max(expected);
        let middle_s = length as f64 * self.symbol_s / 2.0;
        let shared = self.preamble.length / SEGMENT;
        self.sums.clear();
        self.sums.extend(every_segment(&self.segments, start.step, shared));
        self.preamble.gather(&self.sums, &mut self.scratch);
        let choice = &self.choices[peak_position(&self.scratch) % self.choices.len()];
        reset(&mut self.scratch, choice.trials.len());
        let shared_peak = gather(&mut self.scratch, &self.sums, &choice.phasors).sqrt();
        let full = (length as f64 * energy).max(f64::MIN_POSITIVE);
        for (index, sync_word) in self.sync_words.iter().enumerate() {
            segment_sums(&mut self.sums, symbols, sync_word, shared);
            // No carrier gathers more than the segments' magnitudes would in step.
            let own = f64::from(self.sums.iter().map(|sum| sum.norm_sqr().sqrt()).sum::<f32>());
            if (shared_peak + own).powi(2) < threshold * full {
                continue;
            }
            self.gathered.clone_from(&self.scratch);
            let power = gather(&mut self.gathered, &self.sums, &choice.phasors[shared..]);
            let correlation = power / full;
            let power = power / (length * length) as f64;
            if correlation >= threshold {
                let trial = choice.trials[peak_position(&self.gathered)];
                let (frequency_hz, drift_hz_per_s) = self.sync_word.carriers[trial];
                let carrier = Carrier {
                    time_s: start_s + middle_s,
                    frequency_hz: center_hz + frequency_hz,
                    drift_hz_per_s,
                };
                self.found.push(Hypothesis {
                    sync_word: index,
                    start_s,
                    carrier,
                    correlation,
                    power,
                });
            }
        }
    }

    /// Looks for sync words by the changes of the phase from symbol to symbol, whatever the carrier does over
    /// more of them; the best of them are kept if a carrier that wanders makes them likely.
    fn try_differentially(
        &mut self,
        (first_s, step_s, starts): (f64, f64, usize),
        center_hz: f64,
        noise: f64,
    ) {
        self.sum_products(starts);
        self.changes.clear();
        for step in 0..starts {
            self.find_changes(step, noise);
        }
        let steadiest = |a: &Changes, b: &Changes| {
            let share = b.share.total_cmp(&a.share);
            share.then(a.step.cmp(&b.step)).then(a.sync_word.cmp(&b.sync_word))
        };
        self.changes.sort_unstable_by(steadiest);
        let mut tried = 0;
        for index in 0..self.changes.len() {
            let this = self.changes[index];
            let repeated = self.changes[..index].iter().any(|better| {
                better.sync_word == this.sync_word
                    && better.step.abs_diff(this.step) < STEPS_PER_SYMBOL
            });
            if repeated {
                continue;
            }
            tried += 1;
            if tried > MAX_DIFFERENTIAL_TRIALS {
                break;
            }
            if self.is_beside(this.step)
                || self.ln_sync_word_ratio(&this, noise) < MIN_LN_SYNC_WORD_RATIO
            {
                continue;
            }
            let start_s = first_s + this.step as f64 * step_s;
            let carrier = Carrier {
                time_s: start_s + self.sync_word.length as f64 * self.symbol_s / 2.0,
                frequency_hz: center_hz + f64::from(this.sum.arg()) / (TAU * self.symbol_s),
                drift_hz_per_s: 0.0,
            };
            let power = f64::from(this.sum.norm()) / (self.sync_word.length - 1) as f64;
            let correlation = DIFFERENTIAL_WEIGHT * f64::from(this.share);
            self.found.push(Hypothesis {
                sync_word: this.sync_word,
                start_s,
                carrier,
                correlation,
                power,
            });
        }
    }

    /// Sums the products of neighbouring symbols and their magnitudes over the preamble, from every step on.
    fn sum_products(&mut self, starts: usize) {
        let after = self.symbols.get(STEPS_PER_SYMBOL..).unwrap_or_default();
        self.products.clear();
        let pairs = after.iter().zip(&self.symbols);
        self.products.extend(pairs.map(|(after, before)| after * before.conj()));
        self.product_magnitudes.clear();
        self.product_magnitudes
            .extend(self.products.iter().map(|product| product.norm_sqr().sqrt()));
        let shared = self.preamble.length - 1;
        let Some(changes) = self.sync_word_changes.first() else { return };
        self.preamble_changes.clear();
        self.preamble_changes.extend((0..starts).map(|step| {
            let (mut local, mut all) = (LocalSums::default(), 0.0);
            for (k, sign) in changes[..shared].iter().enumerate() {
                let place = step + k * STEPS_PER_SYMBOL;
                local[local_sum(k)] += self.products[place] * *sign;
                all += self.product_magnitudes[place];
            }
            (local, all)
        }));
    }

    /// Finds the sync words that the changes of the phase from a start on resemble.
    fn find_changes(&mut self, step: usize, noise: f64) {
        let (of_preamble_locally, of_preamble) = self.preamble_changes[step];
        let preamble: Complex32 = of_preamble_locally.iter().sum();
        if preamble.norm_sqr().sqrt() < MIN_PREAMBLE_SHARE * of_preamble {
            return;
        }
        let length = self.sync_word.length;
        let shared = self.preamble.length - 1;
        let own = || (shared..length - 1).map(|k| step + k * STEPS_PER_SYMBOL);
        let all = of_preamble + own().map(|place| self.product_magnitudes[place]).sum::<f32>();
        let energies = self.symbol_energies[step..].iter().step_by(STEPS_PER_SYMBOL);
        let energy: f64 = energies.take(length).sum::<f32>().into();
        let expected = DIFFERENTIAL_EXPECTED_SHARE * (1.0 - length as f64 * noise / energy);
        let least = all * expected.max(MIN_DIFFERENTIAL_SHARE) as f32;
        // The frame type may agree with the preamble at most.
        if preamble.norm_sqr().sqrt() + all - of_preamble < least {
            return;
        }
        let squares =
            (0..length - 1).map(|k| self.product_magnitudes[step + k * STEPS_PER_SYMBOL].powi(2));
        let squares: f32 = squares.sum();
        for (sync_word, changes) in self.sync_word_changes.iter().enumerate() {
            let mut local = of_preamble_locally;
            for (k, sign) in changes.iter().enumerate().skip(shared) {
                local[local_sum(k)] += self.products[step + k * STEPS_PER_SYMBOL] * *sign;
            }
            // No chirp lets more add up than the magnitudes.
            let most = local.iter().map(|sum| sum.norm_sqr().sqrt()).sum::<f32>();
            if most < least || most * most < MIN_DIFFERENTIAL_POWER * squares {
                continue;
            }
            let (chirp, sum) = self.chirps.best(&local, local.iter().sum());
            let min_power = if chirp == 0 { MIN_DIFFERENTIAL_POWER } else { MIN_CHIRPED_POWER };
            let power = sum.norm_sqr();
            if power >= (min_power * squares).max(least * least) {
                let share = power.sqrt() / all.max(f32::MIN_POSITIVE);
                self.changes.push(Changes { step, sync_word, share, sum, chirp });
            }
        }
    }

    /// Whether the carrier is a symbol rate away: there the phase changes from symbol to symbol as it does here,
    /// but the symbols have more energy.
    fn is_beside(&self, step: usize) -> bool {
        let steps = &self.steps[step..][..self.sync_word.length * STEPS_PER_SYMBOL];
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
        let length = self.sync_word.length;
        let symbols = || self.symbols[changes.step..].iter().step_by(STEPS_PER_SYMBOL).take(length);
        let power = symbols().map(|z| f64::from(z.norm_sqr())).sum::<f64>() / length as f64;
        let noise = noise.clamp(power / (1.0 + MAX_ES_OVER_N0), power * MAX_NOISE_SHARE);
        let factor = (2.0 * (power - noise).sqrt() / noise.max(f64::MIN_POSITIVE)) as f32;
        // By as much the phase turns from one symbol to the next, and by so much more each time.
        let chirp = changes.chirp as f32 * FRAC_PI_4 / LOCAL_PRODUCTS as f32;
        let mut phasor = Complex32::cis(chirp * (length - 1) as f32 / 2.0 - changes.sum.arg());
        let bend = Complex32::cis(-chirp);
        let mut scaled_phasor = Complex32::from(factor);
        self.scaled.clear();
        self.scaled.extend(symbols().map(|z| {
            scaled_phasor *= phasor;
            phasor *= bend;
            z * scaled_phasor
        }));
        self.passes.ln_signs_ratio(
            &self.scaled,
            &self.sync_words[changes.sync_word],
            0,
            Wander::COARSE,
        )
    }

    /// Looks around each hypothesis between the steps of timing and frequency, and drops what does
    /// not reach the threshold even so.
    fn refine(&mut self, center_hz: f64, first_s: f64) {
        let length = self.sync_word.length;
        for hypothesis in &mut self.found {
            let sync_word = &self.sync_words[hypothesis.sync_word];
            let (coarse_s, coarse) = (hypothesis.start_s, hypothesis.carrier);
            for eighth in -1..=1 {
                let start_s = coarse_s + f64::from(eighth) * self.symbol_s / 8.0;
                if start_s < first_s {
                    continue;
                }
                self.between.clear();
                self.between.extend(self.baseband.means(start_s, self.symbol_s, length));
                for half_step in -1..=1 {
                    let offset_hz = f64::from(half_step) * self.sync_word.frequency_step_hz / 2.0;
                    let frequency_hz = coarse.frequency_hz + offset_hz;
                    let relative = Carrier { frequency_hz: frequency_hz - center_hz, ..coarse };
                    let (correlation, power) = exact_correlation(
                        &self.between,
                        sync_word,
                        &relative,
                        start_s,
                        self.symbol_s,
                    );
                    if correlation > hypothesis.correlation {
                        hypothesis.correlation = correlation;
                        hypothesis.power = power;
                        hypothesis.start_s = start_s;
                        hypothesis.carrier.frequency_hz = frequency_hz;
                    }
                }
            }
        }
        self.found.retain(|hypothesis| hypothesis.correlation >= self.threshold);
        self.found.sort_unstable_by(Hypothesis::by_correlation);
    }

    /// Sorts by correlation; of one sync word's neighbouring starts only the best stays.
    fn keep_best(&mut self) {
        self.found.sort_unstable_by(Hypothesis::by_correlation);
        let mut kept = 0;
        for index in 0..self.found.len() {
            let this = self.found[index];
            let repeated = self.found[..kept].iter().any(|better| {
                better.sync_word == this.sync_word
                    && (better.start_s - this.start_s).abs() < self.symbol_s
            });
            if !repeated && kept < MAX_HYPOTHESES {
                self.found[kept] = this;
                kept += 1;
            }
        }
        self.found.truncate(kept);
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

/// The correlation that a known stretch must reach for what its energy leads to expect.
fn expected_share(noise: f64, energy: f64) -> f64 {
    EXPECTED_SHARE * (1.0 - noise / energy.max(f64::MIN_POSITIVE))
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

/// A grid of carriers tried on a stretch of symbols.
///
/// The phasors of one segment lie together for all trials, so that the compiler can work on several
/// trials at once.
struct Trials {
    /// Symbols in the stretch.
    length: usize,
    /// Frequency and drift of each trial, relative to the candidate, at the stretch's middle: all
    /// frequencies with one drift, then all with the next.
    carriers: Vec<(f64, f64)>,
    frequencies: usize,
    /// By segment: the turn that takes each trial's carrier out of it.
    phasors: Vec<Phasors>,
    frequency_step_hz: f64,
}

/// Complex numbers, one a trial, and zeros to fill up the last lanes.
type Phasors = Vec<Lanes>;

fn reset(phasors: &mut Phasors, count: usize) {
    phasors.clear();
    phasors.resize(count.div_ceil(LANES), Lanes::default());
}

fn lay_out(phasors: &[Complex32]) -> Phasors {
    phasors.chunks(LANES).map(|phasors| Lanes::new(phasors.iter().copied())).collect()
}

/// Adds the sums of segments times the phasors of each trial to what was gathered. Returns the largest
/// square of a magnitude.
fn gather(gathered: &mut [Lanes], sums: &[Complex32], phasors: &[Phasors]) -> f64 {
    let peaks = add_segments(gathered, sums, phasors);
    peaks.into_iter().fold(0.0, f32::max).into()
}

#[multiversion(targets("x86_64+avx2"))]
fn add_segments(gathered: &mut [Lanes], sums: &[Complex32], phasors: &[Phasors]) -> [f32; LANES] {
    let mut peaks = [0.0f32; LANES];
    for (group, gathered) in gathered.iter_mut().enumerate() {
        let Lanes { mut re, mut im } = *gathered;
        for (sum, phasors) in sums.iter().zip(phasors) {
            let phasor = &phasors[group];
            for n in 0..LANES {
                re[n] += sum.re * phasor.re[n] - sum.im * phasor.im[n];
                im[n] += sum.re * phasor.im[n] + sum.im * phasor.re[n];
            }
        }
        for n in 0..LANES {
            let power = re[n] * re[n] + im[n] * im[n];
            peaks[n] = larger(peaks[n], power);
        }
        *gathered = Lanes { re, im };
    }
    peaks
}

/// The trial with the largest square.
fn peak_position(gathered: &[Lanes]) -> usize {
    let larger = |best: (usize, f32), this: (usize, f32)| if this.1 > best.1 { this } else { best };
    let parts = gathered.iter().flat_map(|lanes| lanes.re.iter().zip(&lanes.im));
    parts.map(|(re, im)| re * re + im * im).enumerate().fold((0, 0.0), larger).0
}

impl Trials {
    fn new(length: usize, symbol_s: f64, max_drift_hz_per_s: f64) -> Self {
        let span_s = length as f64 * symbol_s;
        let frequency_step_hz = FREQUENCY_STEP_CYCLES / span_s;
        let frequency_steps = (FREQUENCY_REACH / symbol_s / frequency_step_hz).ceil() as i32;
        let drift_step = 8.0 * MAX_QUADRATIC_PHASE / (PI * span_s * span_s);
        let drift_steps = (max_drift_hz_per_s / drift_step).round() as i32;
        let carriers: Vec<(f64, f64)> = (-drift_steps..=drift_steps)
            .flat_map(|d| {
                (-frequency_steps..=frequency_steps)
                    .map(move |f| (f64::from(f) * frequency_step_hz, f64::from(d) * drift_step))
            })
            .collect();
        let phasors_of = |(from, to): (usize, usize)| {
            let time_s = (from + to) as f64 / 2.0 * symbol_s - span_s / 2.0;
            let phasor = |&(frequency_hz, drift): &(f64, f64)| {
                let cycles = frequency_hz * time_s + drift * time_s * time_s / 2.0;
                to_c32(Complex64::from_polar(1.0, -TAU * cycles))
            };
            lay_out(&carriers.iter().map(phasor).collect::<Vec<_>>())
        };
        let phasors = segments(length).map(phasors_of).collect();
        let frequencies = 2 * frequency_steps as usize + 1;
        Self { length, carriers, frequencies, phasors, frequency_step_hz }
    }

    /// What each trial gathers from the segments' sums, and the largest square of a magnitude.
    fn gather(&self, sums: &[Complex32], gathered: &mut Phasors) -> f64 {
        reset(gathered, self.carriers.len());
        gather(gathered, sums, &self.phasors)
    }

    /// The trials that have about this frequency `advance_s` before the stretch's middle.
    fn choose(&self, frequency_hz: f64, advance_s: f64) -> Choice {
        let reach_hz = 2.0 * self.frequency_step_hz;
        let near = |&trial: &usize| {
            let (f, d) = self.carriers[trial];
            (f - d * advance_s - frequency_hz).abs() <= reach_hz
        };
        let trials: Vec<usize> = (0..self.carriers.len()).filter(near).collect();
        let phasors = self.phasors.iter().map(|all| {
            let phasor = |&trial: &usize| {
                let (lanes, n) = (&all[trial / LANES], trial % LANES);
                Complex32::new(lanes.re[n], lanes.im[n])
            };
            lay_out(&trials.iter().map(phasor).collect::<Vec<_>>())
        });
        Choice { phasors: phasors.collect(), trials }
    }
}

/// Some of the trials.
struct Choice {
    trials: Vec<usize>,
    phasors: Vec<Phasors>,
}

/// Cuts `length` symbols into segments; a rest shorter than a segment joins the last one.
fn segments(length: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = (length / SEGMENT).max(1);
    (0..count).map(move |s| (s * SEGMENT, if s + 1 == count { length } else { (s + 1) * SEGMENT }))
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
