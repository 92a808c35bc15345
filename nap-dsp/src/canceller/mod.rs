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

mod gains;
mod known_burst;
mod layout;
mod least_squares;

use multiversion::multiversion;
use num_complex::Complex32;

use crate::canceller::gains::Gains;
use crate::canceller::layout::{Layout, columns, terms};
use crate::canceller::least_squares::{Equations, Rows, TERMS, add_terms};
use crate::kernels::sums::energy;
use crate::subbands::{SubbandGrid, SubbandHistory};

pub use known_burst::{KnownBurst, MOST_SUBBANDS};

/// At its ends a burst's shape is its transmitter's own: there it is taken as constant over so many
/// parts of a symbol.
const EDGE_PIECES: usize = 8;
/// Energy of a symbol over the noise density from which on the signs alone tell the gains not well
/// enough: they leave up to a thousandth of a burst.
const STRONG: f64 = 100.0;
/// How many times more than by chance a model must explain.
const LEAST_EXPLAINED: f64 = 3.0;

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

impl Canceller {
    /// Takes the burst out of `subbands`, of [its own](KnownBurst::subbands), as far back as the history
    /// reaches. Those stay in the list in which it could not be told apart: something much stronger may
    /// have to be taken out of them first. Returns whether it could in any.
    pub fn cancel(
        &mut self,
        history: &mut SubbandHistory,
        grid: &SubbandGrid,
        burst: &KnownBurst<'_>,
        subbands: &mut Vec<usize>,
    ) -> bool {
        let columns = columns(history, grid, burst);
        let nearest = burst.nearest_subband(grid);
        self.layout.lay_out(grid, nearest, &columns, burst);
        self.free(history, nearest, columns.start, false);
        self.estimate_gains(burst.es_over_n0 >= STRONG);
        let before = subbands.len();
        subbands.retain(|&b| {
            let alternates = b.abs_diff(nearest) % 2 == 1;
            self.free(history, b, columns.start, alternates);
            self.estimate_pulses();
            self.fill_models();
            let is_plausible = self.is_plausible();
            if is_plausible {
                self.subtract(history, b, columns.start, alternates);
            }
            !is_plausible
        });
        subbands.len() < before
    }

    /// Frees the stretch of a subband of the carrier. It [alternates](alternate) in every second
    /// subband from the nearest.
    fn free(&mut self, history: &SubbandHistory, b: usize, start: u64, alternates: bool) {
        let turns = &self.layout.turns;
        self.freed.clear();
        history.read(b, start, turns.len(), &mut self.freed);
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
        // What was freed is not needed any more.
        let samples = &mut self.freed;
        samples.clear();
        history.read(b, start, self.models.len(), samples);
        subtract(samples, &self.models, &self.layout.turns);
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
