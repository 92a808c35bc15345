//! Cancellation: subtracts a burst that is known to the last symbol in the subbands, so that what
//! it masked can be searched.
//!
//! The transmitters' shapes are linear in the signs of the symbols, whatever filters they have
//! passed, but for a little that polar transmitters do at each phase reversal. In a subband,
//! derotated by its phase, a burst is therefore `g(t) (Σ s[k] h(t - k T) + Σ reversal[k] q(t - k T))`. The
//! slowly changing gain `g` is smoothed from the symbols, and the pulses `h` and `q` are not assumed
//! but estimated by least squares, for each knot of a symbol by itself. With some 200 symbols for
//! the few values that meet at a knot, what the estimate leaves of the burst is far below the
//! noise.

mod gains;
mod known_burst;
mod layout;
mod least_squares;
mod tuning;

use std::ops::Range;

use multiversion::multiversion;
use num_complex::Complex32;

use crate::canceller::gains::Gains;
use crate::canceller::layout::{Layout, columns, regressors};
use crate::canceller::least_squares::{Branches, Equations, REGRESSORS, add_to_right_side};
use crate::kernels::sums::energy;
use crate::subbands::{SubbandGrid, SubbandHistory};

pub use known_burst::{KnownBurst, MAX_SUBBANDS};
pub use tuning::Tuning;

/// At its ends a burst's shape is its transmitter's own: there it is taken as constant over so many
/// parts of a symbol.
const END_PIECES: usize = 8;

/// Subtracts known bursts in the history of the subbands.
#[derive(Debug, Default)]
pub struct Canceller {
    tuning: Tuning,
    layout: Layout,
    gains: Gains,
    /// What a subband holds, without the carrier's phase.
    derotated: Vec<Complex32>,
    models: Vec<Complex32>,
    /// By [branch](Layout::branch): sums over the symbols.
    values: Branches<Complex32>,
    powers: Branches<f32>,
    /// By knot of the pulses.
    equations: Vec<Equations>,
    pulses: Vec<[Complex32; REGRESSORS]>,
    /// By branch: the burst there, and its change over a step of the branch.
    steps: Branches<Complex32>,
}

impl Canceller {
    /// A canceller with these thresholds.
    #[must_use]
    pub fn new(tuning: Tuning) -> Self {
        Self { tuning, ..Self::default() }
    }

    /// The subbands that hold a burst: the nearest to its carrier, and its neighbours where they are within reach.
    #[must_use]
    pub fn subbands(&self, grid: &SubbandGrid, burst: &KnownBurst<'_>) -> Range<usize> {
        burst.subbands(grid, self.tuning.sidelobes_over_noise)
    }

    /// Subtracts the burst in `subbands`, of [its own](Canceller::subbands), as far back as the history
    /// reaches. Those stay in the list in which something much stronger has to be cancelled first, and then the
    /// burst once more: there it could not be told apart, or its pulses hold a part of the other signal.
    /// Returns whether it was subtracted in any.
    pub fn cancel(
        &mut self,
        history: &mut SubbandHistory,
        grid: &SubbandGrid,
        burst: &KnownBurst<'_>,
        subbands: &mut Vec<usize>,
    ) -> bool {
        // 1. Where the burst's symbols lie among the samples, and its carrier.
        let columns = columns(history, grid, burst);
        let nearest = burst.nearest_subband(grid);
        self.layout.lay_out(grid, nearest, &columns, burst, &self.tuning);
        // 2. Its gain by symbol, in the subband that holds it best.
        self.derotate(history, nearest, columns.start, false);
        self.estimate_gains(burst.es_over_n0 >= self.tuning.min_strong_es_over_n0);
        let noise = self.energy_of_gains() / burst.es_over_n0;
        let mut is_subtracted = false;
        subbands.retain(|&b| {
            // 3. By subband: mixed down, pulses by least squares, the model, how well it fits, and subtraction.
            let alternates = b.abs_diff(nearest) % 2 == 1;
            self.derotate(history, b, columns.start, alternates);
            self.estimate_pulses();
            self.fill_models();
            let fit = self.fit();
            let is_plausible = fit.is_plausible(self.tuning.min_modelled_over_chance);
            if is_plausible {
                self.subtract(history, b, columns.start, alternates);
                is_subtracted = true;
            }
            !is_plausible || fit.ghost() > self.tuning.max_ghost_over_noise * noise
        });
        is_subtracted
    }

    /// The energy of the burst by its gains.
    fn energy_of_gains(&self) -> f64 {
        let gains = self.layout.slots.iter().zip(&self.gains.smooth);
        gains.map(|(slot, gain)| f64::from(gain.norm_sqr()) * slot.samples.len() as f64).sum()
    }

    /// Derotates the stretch of a subband by the carrier. It [alternates](alternate) in every second
    /// subband from the nearest.
    fn derotate(&mut self, history: &SubbandHistory, b: usize, start: u64, alternates: bool) {
        let phasors = &self.layout.phasors;
        self.derotated.clear();
        history.read(b, start, phasors.len(), &mut self.derotated);
        derotate(&mut self.derotated, phasors);
        if alternates {
            alternate(&mut self.derotated);
        }
    }

    /// Subtracts the models from the stretch of a subband.
    fn subtract(&mut self, history: &mut SubbandHistory, b: usize, start: u64, alternates: bool) {
        if alternates {
            alternate(&mut self.models);
        }
        // What was derotated is not needed any more.
        let samples = &mut self.derotated;
        samples.clear();
        history.read(b, start, self.models.len(), samples);
        subtract(samples, &self.models, &self.layout.phasors);
        history.write(b, start, samples);
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
        self.gains.improve(&self.layout.slots, &self.derotated, &self.models);
        self.sum_powers();
        if is_strong {
            self.estimate_pulses();
            self.fill_models();
            self.gains.improve(&self.layout.slots, &self.derotated, &self.models);
            self.sum_powers();
        }
    }

    /// The powers that belong to the values of [`Canceller::estimate_pulses`], the same in all
    /// subbands.
    fn sum_powers(&mut self) {
        // 1. Sums of the gains' powers over the symbols, by polyphase branch.
        self.powers.reset(self.layout.all_branches());
        for n in self.layout.inside() {
            let slot = &self.layout.slots[n];
            let power = self.gains.smooth[n].norm_sqr();
            let branch = self.layout.branch(n);
            let slope_power = power * slot.fraction;
            self.powers.level[branch.clone()].iter_mut().for_each(|sum| *sum += power);
            self.powers.slope[branch].iter_mut().for_each(|sum| *sum += slope_power);
        }
        // 2. The normal matrix of each knot, from the branches on both sides of it.
        self.equations.clear();
        self.equations.resize(self.layout.knots(), Equations::default());
        self.layout.for_each_step(|index, step, regressors| {
            let next = step.weight_of_next(self.powers.level[index], self.powers.slope[index]);
            self.equations[step.knot].add(regressors, self.powers.level[index] - next);
            self.equations[step.knot + 1].add(regressors, next);
        });
        // 3. Elimination, once for all right sides.
        self.equations.iter_mut().for_each(Equations::eliminate);
    }

    /// The pulses at each knot, from the symbols whose neighbours are known too. Samples in the
    /// same step and pattern of signs are summed first: they have the same regressors.
    fn estimate_pulses(&mut self) {
        let layout = &self.layout;
        // 1. Matched filter: sums of the samples times their conjugate gains, by polyphase branch.
        self.values.reset(layout.all_branches());
        for n in layout.inside() {
            let slot = &layout.slots[n];
            let (gain, branch) = (self.gains.smooth[n].conj(), layout.branch(n));
            let derotated = &self.derotated[slot.samples.clone()];
            let level = &mut self.values.level[branch.clone()];
            add_scaled(level, &mut self.values.slope[branch], derotated, (gain, slot.fraction));
        }
        // 2. The right sides of the normal equations, where the pulses will be.
        self.pulses.clear();
        self.pulses.resize(self.equations.len(), Default::default());
        layout.for_each_step(|index, step, regressors| {
            let next = step.weight_of_next(self.values.level[index], self.values.slope[index]);
            add_to_right_side(
                &mut self.pulses[step.knot],
                regressors,
                self.values.level[index] - next,
            );
            add_to_right_side(&mut self.pulses[step.knot + 1], regressors, next);
        });
        // 3. Solution by forward and back substitution.
        for (equations, pulses) in self.equations.iter().zip(&mut self.pulses) {
            equations.solve(pulses);
        }
        // 4. The model at the start of each step and its slope, by linear interpolation.
        self.steps.reset(layout.all_branches());
        layout.for_each_step(|index, step, regressors| {
            [self.steps.level[index], self.steps.slope[index]] =
                step.model(&self.pulses, regressors);
        });
    }

    /// The burst at every sample: the model, and at the burst's ends what is there on the average
    /// beyond it.
    fn fill_models(&mut self) {
        let layout = &self.layout;
        // 1. Symbols whose neighbours are known: the branch of their pattern, times their gain.
        for n in layout.inside() {
            let slot = &layout.slots[n];
            let (gain, branch) = (self.gains.smooth[n], layout.branch(n));
            let models = &mut self.models[slot.samples.clone()];
            let (level, slope) = (&self.steps.level[branch.clone()], &self.steps.slope[branch]);
            fill(models, (level, gain), (slope, gain * slot.fraction));
        }
        // 2. The others: the model of what is known of them, and what is there beyond it on the average.
        for n in layout.ends() {
            let slot = &layout.slots[n];
            let gain = self.gains.smooth[n];
            let signs = [0, 1, 2].map(|k| layout.signs[n + k]);
            for (k, model) in self.models[slot.samples.clone()].iter_mut().enumerate() {
                let step = layout.step(slot.phase, slot.first + k);
                let [level, slope] =
                    step.model(&self.pulses, &regressors(signs, step.is_first_half));
                *model = (level + slope * slot.fraction) * gain;
            }
            let steps = slot.first..slot.first + slot.samples.len();
            let pieces = self.pulses.len().min(END_PIECES);
            let width = layout.width;
            let samples = slot.samples.clone();
            let (derotated, models) = (&self.derotated[samples.clone()], &mut self.models[samples]);
            fill_end(models, derotated, steps.map(|step| step * pieces / width));
        }
    }

    /// How much of what is in the subband the models hold.
    fn fit(&self) -> Fit {
        let (mut modelled, mut power) = (0.0, 0.0);
        for slot in &self.layout.slots {
            modelled += f64::from(energy(&self.models[slot.samples.clone()]));
            power += f64::from(energy(&self.derotated[slot.samples.clone()]));
        }
        let free = (REGRESSORS * self.equations.len()) as f64 / self.models.len().max(1) as f64;
        Fit { modelled, power, free }
    }
}

/// How much of what is in a subband models of a burst hold.
struct Fit {
    /// Energy of the models.
    modelled: f64,
    /// Energy of all that is there.
    power: f64,
    /// The share of anything that the free values of the models hold by chance.
    free: f64,
}

impl Fit {
    /// Whether the models hold so many times more than their free values would of anything: near a much stronger
    /// signal a weak burst's pulses are that signal's.
    fn is_plausible(&self, min_over_chance: f64) -> bool {
        self.modelled > min_over_chance * self.free * self.power
    }

    /// Energy of what the models hold of other signals and noise. It stays where the burst was, with its signs,
    /// when those have been cancelled.
    fn ghost(&self) -> f64 {
        self.free * (self.power - self.modelled)
    }
}

/// Turns every second value by half a turn. The spacing of the subbands is half their rate: so much
/// more a carrier's phase advances from sample to sample in the next subband.
fn alternate(values: &mut [Complex32]) {
    for [_, odd] in values.as_chunks_mut().0 {
        *odd = -*odd;
    }
}

/// Derotates samples by the phasors of a carrier.
#[multiversion(targets("x86_64+avx2"))]
fn derotate(samples: &mut [Complex32], phasors: &[Complex32]) {
    samples.iter_mut().zip(phasors).for_each(|(sample, phasor)| *sample *= phasor.conj());
}

/// Subtracts models, rotated by the phasors of a carrier, from samples.
#[multiversion(targets("x86_64+avx2"))]
fn subtract(samples: &mut [Complex32], models: &[Complex32], phasors: &[Complex32]) {
    let modelled = models.iter().zip(phasors);
    samples
        .iter_mut()
        .zip(modelled)
        .for_each(|(sample, (model, phasor))| *sample -= model * phasor);
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
fn fill_end(
    models: &mut [Complex32],
    derotated: &[Complex32],
    pieces: impl Iterator<Item = usize> + Clone,
) {
    let mut sums = [(Complex32::default(), 0.0); END_PIECES];
    for ((derotated, model), piece) in derotated.iter().zip(&*models).zip(pieces.clone()) {
        let (sum, weight) = &mut sums[piece];
        *sum += derotated - model;
        *weight += 1.0;
    }
    for (model, piece) in models.iter_mut().zip(pieces) {
        let (sum, weight) = sums[piece];
        *model += sum / weight;
    }
}

#[cfg(test)]
mod tests {
    use num_complex::Complex64;
    use proptest::prelude::*;

    use super::*;
    use crate::carrier::Carrier;
    use crate::demodulator::phase_track::PhaseTrack;
    use crate::kernels::sums::to_c64;

    const GRID: SubbandGrid =
        SubbandGrid { subbands: 1, spacing_hz: 1e3, first_center_hz: 0.0, first_column_s: 0.0 };
    /// What the equations have on their diagonal beside the samples' own.
    const PIVOT: f64 = 1e-3;

    type Pulses = [Complex64; REGRESSORS];

    /// Numbers from -1 to 1 in an order that depends on a seed.
    fn numbers(seed: u32) -> impl Iterator<Item = f32> {
        let mut state = seed;
        std::iter::repeat_with(move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
    }

    /// Equations in double precision, solved by elimination with the largest pivot.
    #[derive(Clone, Default)]
    struct Plain {
        matrix: [[f64; REGRESSORS]; REGRESSORS],
        right: Pulses,
    }

    impl Plain {
        fn add(&mut self, regressors: [f64; REGRESSORS], power: f64, value: Complex64) {
            for (i, a) in regressors.into_iter().enumerate() {
                for (j, b) in regressors.into_iter().enumerate() {
                    self.matrix[i][j] += power * a * b;
                }
                self.right[i] += value * a;
            }
        }

        fn solved(mut self) -> Pulses {
            (0..REGRESSORS).for_each(|i| self.matrix[i][i] += PIVOT);
            for i in 0..REGRESSORS {
                let size = |&row: &usize| self.matrix[row][i].abs();
                let pivot = (i..REGRESSORS).max_by(|a, b| size(a).total_cmp(&size(b))).unwrap_or(i);
                self.matrix.swap(i, pivot);
                self.right.swap(i, pivot);
                for row in (0..REGRESSORS).filter(|&row| row != i) {
                    let factor = self.matrix[row][i] / self.matrix[i][i];
                    for column in 0..REGRESSORS {
                        self.matrix[row][column] -= factor * self.matrix[i][column];
                    }
                    let change = self.right[i] * factor;
                    self.right[row] -= change;
                }
            }
            std::array::from_fn(|i| self.right[i] / self.matrix[i][i])
        }
    }

    /// Of a sample: the knot before it, the weight of the one after it, and its regressors.
    fn at(canceller: &Canceller, n: usize, sample: usize) -> (usize, f64, [f64; REGRESSORS]) {
        let slot = &canceller.layout.slots[n];
        let step = canceller.layout.step(slot.phase, slot.first + sample);
        let weight = f64::from(step.weight_of_next(1.0, slot.fraction));
        let [before, own, next] = [0, 1, 2].map(|k| f64::from(canceller.layout.signs[n + k]));
        let nearer = if step.is_first_half { before } else { next };
        let reversal = if own == nearer { 0.0 } else { 1.0 };
        (step.knot, weight, [next, own, before, reversal])
    }

    /// The pulses by sums over the samples one by one.
    fn plain_pulses(canceller: &Canceller) -> Vec<Pulses> {
        let mut equations = vec![Plain::default(); canceller.layout.knots()];
        for n in canceller.layout.inside() {
            let gain = to_c64(canceller.gains.smooth[n]);
            let samples = canceller.layout.slots[n].samples.clone();
            for (sample, value) in canceller.derotated[samples].iter().enumerate() {
                let (knot, weight, regressors) = at(canceller, n, sample);
                let (power, value) = (gain.norm_sqr(), to_c64(*value) * gain.conj());
                equations[knot].add(regressors, (1.0 - weight) * power, value * (1.0 - weight));
                equations[knot + 1].add(regressors, weight * power, value * weight);
            }
        }
        equations.into_iter().map(Plain::solved).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        /// Against sums over samples without branches, patterns and steps.
        #[test]
        fn pulses_and_models_are_those_of_plain_least_squares(
            seed in any::<u32>(),
            symbol_s in 0.003f64..0.02,
            start_s in 0.1f64..0.2,
            es_over_n0 in 1.0f64..1e4,
        ) {
            let signs: Vec<f64> = numbers(seed).take(60).map(|n| f64::from(n.signum())).collect();
            let carrier = Carrier { time_s: 0.0, frequency_hz: 77.0, drift_hz_per_s: 3.0 };
            let phasors = std::iter::repeat_n(Complex32::ONE, signs.len());
            let track = PhaseTrack::new(carrier, start_s, symbol_s, phasors);
            let burst = KnownBurst { signs: &signs, track: &track, es_over_n0 };
            let mut history = SubbandHistory::new(1, 4_000);
            let parts: Vec<f32> = numbers(!seed).take(8_000).collect();
            parts.as_chunks().0.iter().for_each(|&[re, im]| history.push(&[Complex32::new(re, im)]));

            let mut canceller = Canceller::default();
            let columns = columns(&history, &GRID, &burst);
            canceller.layout.lay_out(&GRID, 0, &columns, &burst, &Tuning::default());
            canceller.derotate(&history, 0, columns.start, false);
            canceller.estimate_gains(false);
            canceller.estimate_pulses();
            canceller.fill_models();

            let pulses = plain_pulses(&canceller);
            let largest = pulses.iter().flatten().map(|z| z.norm()).fold(0.0, f64::max);
            for (found, plain) in canceller.pulses.iter().flatten().zip(pulses.iter().flatten()) {
                prop_assert!((to_c64(*found) - plain).norm() < 2e-3 * largest, "{found} for {plain}");
            }
            for n in canceller.layout.inside() {
                let gain = to_c64(canceller.gains.smooth[n]);
                let samples = canceller.layout.slots[n].samples.clone();
                for (sample, model) in canceller.models[samples].iter().enumerate() {
                    let (knot, weight, regressors) = at(&canceller, n, sample);
                    let pulse = |k: usize| pulses[knot][k] * (1.0 - weight) + pulses[knot + 1][k] * weight;
                    let plain: Complex64 = (0..REGRESSORS).map(|k| pulse(k) * regressors[k]).sum();
                    let error = (to_c64(*model) - plain * gain).norm();
                    prop_assert!(error < 1e-2 * largest * gain.norm(), "{model} is off by {error}");
                }
            }
        }
    }
}
