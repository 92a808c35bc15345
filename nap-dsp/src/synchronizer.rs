//! From a candidate to hypotheses: which known word begins when, on which carrier?
//!
//! The known symbols (preamble and frame type) are correlated over start time, frequency and drift.
//! The score is the share of the energy that the known word explains, so it needs no noise
//! estimate: `|Σ z p|² / (n Σ |z|²)` is 1 for a clean signal and about 1/n for noise, where it
//! exceeds x with the probability (1 - x)^(n - 1).

use num_complex::Complex64;
use std::f64::consts::{PI, TAU};

use crate::channelizer::{SubbandGrid, SubbandHistory};
use crate::detector::Candidate;
use crate::down_converter::{Baseband, Carrier};

/// Timing grid: quarters of a symbol. The demodulator refines it.
const STEPS_A_SYMBOL: usize = 4;
/// Symbols are summed coherently in segments of this length before frequencies are tried.
const SEGMENT: usize = 4;
/// Where the first known symbol may begin, in symbols before the middle of the candidate's window.
const EARLIEST_START: usize = 17;
const LATEST_START: usize = 3;
/// Frequencies tried, in fortieths of the symbol rate on each side.
const FREQUENCY_STEPS: i32 = 3;
const FREQUENCY_STEP: f64 = 1.0 / 40.0;
/// The quadratic phase, in radians at the ends of the word, that may stay uncorrected.
const LARGEST_QUADRATIC_PHASE: f64 = 0.7;
/// Starts whose preamble alone explains less than this are not looked at further.
const LEAST_PREAMBLE_SCORE: f64 = 0.2;
const MOST_STARTS: usize = 12;
/// The score that the energy over the noise promises is `1 - noise / energy`; a word must reach this
/// share of it: among the data of a strong frame a word is soon found that fits half.
const PROMISED_SHARE: f64 = 0.6;
/// Hypotheses kept for one candidate. Neighbouring frame types and starts resemble each other; the
/// check sum decides.
const MOST_HYPOTHESES: usize = 4;

/// A known word found at a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hypothesis {
    /// Index of the word.
    pub word: usize,
    /// Start of the word's first symbol, in seconds from the start of the recording.
    pub start_s: f64,
    /// The carrier, described at the middle of the word.
    pub carrier: Carrier,
    /// Share of the energy that the word explains, 0 to 1.
    pub score: f64,
}

/// Correlates candidates with a set of known words.
pub struct Synchronizer {
    symbol_s: f64,
    words: Vec<Vec<f64>>,
    preamble: usize,
    threshold: f64,
    /// Turns by trial carrier and segment; the carriers of one drift lie together.
    turns: Vec<Vec<Complex64>>,
    trials: Vec<(f64, f64)>,
    baseband: Baseband,
    symbols: Vec<Complex64>,
    starts: Vec<(f64, usize)>,
    found: Vec<Hypothesis>,
}

impl Synchronizer {
    /// A synchroniser for words of equal length, given as the signs (±1) of their symbols.
    ///
    /// `most_drift_hz_per_s` bounds the drifts tried; hypotheses score at least `threshold`.
    #[must_use]
    pub fn new(
        symbol_rate_hz: f64,
        words: &[Vec<f64>],
        most_drift_hz_per_s: f64,
        threshold: f64,
    ) -> Self {
        let symbol_s = 1.0 / symbol_rate_hz;
        let length = words.first().map_or(0, Vec::len);
        let common = (0..length).take_while(|&k| words.iter().all(|w| w[k] == words[0][k])).count();
        // Whole segments only, so that the words' own segments begin where the preamble's end.
        let preamble = common / SEGMENT * SEGMENT;
        let half_s = length as f64 * symbol_s / 2.0;
        let drift_step = 2.0 * LARGEST_QUADRATIC_PHASE / (PI * half_s * half_s);
        let drift_steps = (most_drift_hz_per_s / drift_step).round() as i32;
        let trials: Vec<(f64, f64)> = (-drift_steps..=drift_steps)
            .flat_map(|d| {
                (-FREQUENCY_STEPS..=FREQUENCY_STEPS).map(move |f| {
                    (f64::from(f) * FREQUENCY_STEP * symbol_rate_hz, f64::from(d) * drift_step)
                })
            })
            .collect();
        let turns = trials
            .iter()
            .map(|&(frequency_hz, drift)| {
                segments(length)
                    .map(|(from, to)| {
                        let time_s = (from + to) as f64 / 2.0 * symbol_s - half_s;
                        let cycles = frequency_hz * time_s + drift * time_s * time_s / 2.0;
                        Complex64::from_polar(1.0, -TAU * cycles)
                    })
                    .collect()
            })
            .collect();
        Self {
            symbol_s,
            words: words.to_vec(),
            preamble,
            threshold,
            turns,
            trials,
            baseband: Baseband::default(),
            symbols: Vec::new(),
            starts: Vec::new(),
            found: Vec::new(),
        }
    }

    fn length(&self) -> usize {
        self.words.first().map_or(0, Vec::len)
    }

    /// When the signal that [`Synchronizer::search`] looks at has passed, in seconds.
    #[must_use]
    pub fn ready_s(&self, candidate: &Candidate) -> f64 {
        candidate.time_s + (self.length() - LATEST_START + 1) as f64 * self.symbol_s
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
        let step_s = self.symbol_s / STEPS_A_SYMBOL as f64;
        let first_s = candidate.time_s - EARLIEST_START as f64 * self.symbol_s;
        let carrier = Carrier {
            time_s: candidate.time_s,
            frequency_hz: candidate.frequency_hz,
            drift_hz_per_s: 0.0,
        };
        let stretch = (first_s - self.symbol_s, self.ready_s(candidate));
        self.baseband.extract(history, grid, &carrier, 1.0 / self.symbol_s, stretch);
        let starts = (EARLIEST_START - LATEST_START) * STEPS_A_SYMBOL + 1;
        let count = starts + (self.length() - 1) * STEPS_A_SYMBOL;
        self.symbols.clear();
        for i in 0..count {
            self.symbols.push(self.baseband.mean(first_s + i as f64 * step_s, self.symbol_s));
        }

        self.rank_starts(starts);
        self.found.clear();
        for index in 0..self.starts.len() {
            let start = self.starts[index].1;
            self.try_words(start, first_s + start as f64 * step_s, &carrier, noise_density);
        }
        self.keep_best();
        if std::env::var("DBG2")
            .is_ok_and(|f| (f.parse::<f64>().unwrap() - candidate.frequency_hz).abs() < 3.0)
        {
            println!(
                "sym {:?}",
                (0..33)
                    .map(|k| {
                        let z = self.symbol(15, k);
                        ((z.norm() * 1e4) as i32, z.arg().to_degrees() as i32)
                    })
                    .collect::<Vec<_>>()
            );
            println!(
                "  starts {:?} words {:?}",
                self.starts,
                (0..18)
                    .map(|w| (0..self.starts.len())
                        .map(|i| {
                            let st = self.starts[i].1;
                            (100.0
                                * self
                                    .turns
                                    .iter()
                                    .map(|t| {
                                        dot(
                                            &self.segment_sums(st, &self.words[w].clone(), (0, 33)),
                                            t,
                                        )
                                        .norm_sqr()
                                    })
                                    .fold(0.0, f64::max)
                                / 33.0
                                / self.energy(st, 33)) as i32
                        })
                        .max())
                    .collect::<Vec<_>>()
            );
        }
        &self.found
    }

    /// The symbols of a word that begins at timing step `start`.
    fn symbol(&self, start: usize, k: usize) -> Complex64 {
        self.symbols[start + k * STEPS_A_SYMBOL]
    }

    fn energy(&self, start: usize, count: usize) -> f64 {
        (0..count).map(|k| self.symbol(start, k).norm_sqr()).sum()
    }

    /// Chooses the starts at which the preamble alone fits best.
    fn rank_starts(&mut self, starts: usize) {
        self.starts.clear();
        for start in 0..starts {
            let sums = self.segment_sums(start, &self.words[0], (0, self.preamble));
            let best =
                self.turns.iter().map(|turns| dot(&sums, turns).norm_sqr()).fold(0.0, f64::max);
            let full = self.preamble as f64 * self.energy(start, self.preamble);
            if full > 0.0 && best / full >= LEAST_PREAMBLE_SCORE {
                self.starts.push((best / full, start));
            }
        }
        self.starts.sort_by(|a, b| b.0.total_cmp(&a.0));
        self.starts.truncate(MOST_STARTS);
    }

    /// Tries every word at one start, with the carriers that suit the preamble.
    fn try_words(&mut self, start: usize, start_s: f64, mixed: &Carrier, noise_density: f64) {
        let length = self.length();
        let preamble = self.segment_sums(start, &self.words[0], (0, self.preamble));
        let by_trial: Vec<Complex64> =
            self.turns.iter().map(|turns| dot(&preamble, turns)).collect();
        let energy = self.energy(start, length);
        let full = length as f64 * energy;
        let noise = length as f64 * noise_density / self.symbol_s;
        let promised = 1.0 - noise / energy.max(f64::MIN_POSITIVE);
        let threshold = self.threshold.max(PROMISED_SHARE * promised);
        let frequencies = 2 * FREQUENCY_STEPS as usize + 1;
        let skip = self.preamble / SEGMENT;
        for (index, word) in self.words.iter().enumerate() {
            let sums = self.segment_sums(start, word, (self.preamble, length));
            let mut best = (0.0, 0);
            for (group, values) in by_trial.chunks(frequencies).enumerate() {
                // For each drift, the frequency that suits the preamble and its neighbours.
                let top = (0..frequencies)
                    .max_by(|&a, &b| values[a].norm_sqr().total_cmp(&values[b].norm_sqr()))
                    .unwrap_or(0);
                for f in top.saturating_sub(1)..(top + 2).min(frequencies) {
                    let trial = group * frequencies + f;
                    let power = (values[f] + dot(&sums, &self.turns[trial][skip..])).norm_sqr();
                    if power > best.0 {
                        best = (power, trial);
                    }
                }
            }
            let score = best.0 / full.max(f64::MIN_POSITIVE);
            if score >= threshold {
                let (frequency_hz, drift_hz_per_s) = self.trials[best.1];
                let middle_s = start_s + length as f64 * self.symbol_s / 2.0;
                let frequency_hz = mixed.frequency_at(middle_s) + frequency_hz;
                let carrier = Carrier { time_s: middle_s, frequency_hz, drift_hz_per_s };
                self.found.push(Hypothesis { word: index, start_s, carrier, score });
            }
        }
    }

    /// Sums of the symbols `from..to`, freed of the word's signs, segment by segment.
    fn segment_sums(
        &self,
        start: usize,
        word: &[f64],
        (from, to): (usize, usize),
    ) -> Vec<Complex64> {
        segments(word.len())
            .filter(|segment| segment.0 >= from && segment.1 <= to)
            .map(|(a, b)| (a..b).map(|k| self.symbol(start, k) * word[k]).sum())
            .collect()
    }

    /// Sorts by score; of one word's neighbouring starts only the best stays.
    fn keep_best(&mut self) {
        self.found.sort_by(|a, b| b.score.total_cmp(&a.score));
        let mut kept = 0;
        for index in 0..self.found.len() {
            let this = self.found[index];
            let repeated = self.found[..kept].iter().any(|better| {
                better.word == this.word && (better.start_s - this.start_s).abs() < self.symbol_s
            });
            if !repeated && kept < MOST_HYPOTHESES {
                self.found[kept] = this;
                kept += 1;
            }
        }
        self.found.truncate(kept);
    }
}

/// Cuts `length` symbols into segments; a rest shorter than a segment joins the last one.
fn segments(length: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = (length / SEGMENT).max(1);
    (0..count).map(move |s| (s * SEGMENT, if s + 1 == count { length } else { (s + 1) * SEGMENT }))
}

fn dot(a: &[Complex64], b: &[Complex64]) -> Complex64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
