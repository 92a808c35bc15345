//! The carriers that are tried on preambles and sync words.

use std::f64::consts::{PI, TAU};

use multiversion::multiversion;
use num_complex::{Complex32, Complex64};

use super::tuning::Tuning;
use crate::carrier::Carrier;
use crate::kernels::lanes::{LANES, Lanes};
use crate::kernels::sums::{larger, to_c32};

/// Symbols are summed coherently in segments of this length before carriers are tried: the preamble repeats after as many.
pub(super) const SEGMENT: usize = 4;

/// The trials of the preamble and of whole sync words.
pub(super) struct TrialCarriers {
    pub(super) preamble: Trials,
    pub(super) sync_word: Trials,
    /// By frequency of the preamble's trials: the trials of the sync word that suit it.
    pub(super) choices: Vec<Choice>,
}

impl TrialCarriers {
    /// Those for a preamble and for sync words of so many symbols.
    pub(super) fn new(
        (preamble, sync_word): (usize, usize),
        symbol_s: f64,
        max_drift_hz_per_s: f64,
        tuning: &Tuning,
    ) -> Self {
        let preamble = Trials::new(preamble, symbol_s, max_drift_hz_per_s, tuning);
        let sync_word = Trials::new(sync_word, symbol_s, max_drift_hz_per_s, tuning);
        // From the middle of the preamble to that of the sync word.
        let advance_s = (sync_word.length - preamble.length) as f64 * symbol_s / 2.0;
        let frequencies = preamble.carriers[..preamble.frequencies].iter();
        let choices =
            frequencies.map(|&(frequency_hz, _)| sync_word.choose(frequency_hz, advance_s));
        Self { choices: choices.collect(), preamble, sync_word }
    }

    /// The carrier of a trial of a sync word that starts there, around the frequency that was mixed out.
    pub(super) fn carrier(
        &self,
        trial: usize,
        start_s: f64,
        center_hz: f64,
        symbol_s: f64,
    ) -> Carrier {
        let (frequency_hz, drift_hz_per_s) = self.sync_word.carriers[trial];
        let middle_s = self.sync_word.length as f64 * symbol_s / 2.0;
        let (time_s, frequency_hz) = (start_s + middle_s, center_hz + frequency_hz);
        Carrier { time_s, frequency_hz, drift_hz_per_s }
    }
}

/// A grid of carriers tried on a stretch of symbols.
///
/// The phasors of one segment lie together for all trials, so that the compiler can work on several
/// trials at once.
pub(super) struct Trials {
    /// Symbols in the stretch.
    pub(super) length: usize,
    /// Frequency and drift of each trial, relative to the candidate, at the stretch's middle: all
    /// frequencies with one drift, then all with the next.
    pub(super) carriers: Vec<(f64, f64)>,
    frequencies: usize,
    /// By segment: the turn that takes each trial's carrier out of it.
    phasors: Vec<Phasors>,
    pub(super) frequency_step_hz: f64,
}

/// Complex numbers, one a trial, and zeros to fill up the last lanes.
pub(super) type Phasors = Vec<Lanes>;

pub(super) fn reset(phasors: &mut Phasors, count: usize) {
    phasors.clear();
    phasors.resize(count.div_ceil(LANES), Lanes::default());
}

fn lay_out(phasors: &[Complex32]) -> Phasors {
    phasors.chunks(LANES).map(|phasors| Lanes::new(phasors.iter().copied())).collect()
}

/// Adds the sums of segments times the phasors of each trial to what was gathered. Returns the largest
/// square of a magnitude.
pub(super) fn gather(gathered: &mut [Lanes], sums: &[Complex32], phasors: &[Phasors]) -> f64 {
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
pub(super) fn peak_position(gathered: &[Lanes]) -> usize {
    let larger = |best: (usize, f32), this: (usize, f32)| if this.1 > best.1 { this } else { best };
    let parts = gathered.iter().flat_map(|lanes| lanes.re.iter().zip(&lanes.im));
    parts.map(|(re, im)| re * re + im * im).enumerate().fold((0, 0.0), larger).0
}

impl Trials {
    fn new(length: usize, symbol_s: f64, max_drift_hz_per_s: f64, tuning: &Tuning) -> Self {
        let span_s = length as f64 * symbol_s;
        let frequency_step_hz = tuning.frequency_step_cycles / span_s;
        let frequency_steps = (tuning.frequency_reach / symbol_s / frequency_step_hz).ceil() as i32;
        let drift_step = 8.0 * tuning.max_quadratic_phase / (PI * span_s * span_s);
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
    pub(super) fn gather(&self, sums: &[Complex32], gathered: &mut Phasors) -> f64 {
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
pub(super) struct Choice {
    pub(super) trials: Vec<usize>,
    pub(super) phasors: Vec<Phasors>,
}

/// Cuts `length` symbols into segments; a rest shorter than a segment joins the last one.
pub(super) fn segments(length: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = (length / SEGMENT).max(1);
    (0..count).map(move |s| (s * SEGMENT, if s + 1 == count { length } else { (s + 1) * SEGMENT }))
}
