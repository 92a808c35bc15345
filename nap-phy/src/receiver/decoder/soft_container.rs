//! The soft symbols of a frame's container.

use std::f64::consts::PI;

use nap_dsp::demodulator::{Notches, SoftFrame};
use num_complex::Complex64;

use super::frame_priors::FramePriors;
use super::periodicity::ln_interference;
use super::symbols::{SYNC_SYMBOLS, sync_signs};
use super::trellis::{SoftPhase, SoftPhases, constant, phase, tap};
use crate::uplink::container::Container;
use crate::uplink::frame_type::FrameType;
use crate::uplink::rank::Rank;

/// Symbols over which a carrier is hardly lost more than once: a quarter of the longest container.
const STRETCH: usize = 44;
/// The largest number that is kept, so that sums of some have no end either.
const MAX_KEPT: f64 = 1e30;

/// The soft symbols of a frame, as a demodulator gives them.
#[derive(Debug, Clone, Copy)]
pub struct SoftSymbols<'a> {
    /// Which frame of a message, and how long.
    pub frame_type: FrameType,
    /// All symbols of the frame from the reference on, as many as
    /// [`symbol_count`](crate::receiver::stages::symbol_count) says, turned so that the data lies on the
    /// real axis.
    pub symbols: &'a [Complex64],
    /// Amplitude of the symbols.
    pub amplitude: f64,
    /// Variance of the noise in each of the two dimensions of a symbol.
    pub noise_variance: f64,
    /// The notches of the envelope where the phase reverses; it is taken for steady without them. With them
    /// their amplitude counts instead of `amplitude`.
    pub notches: Option<&'a Notches>,
}

/// The soft symbols of a frame's container.
#[derive(Debug, Clone)]
pub(crate) struct SoftContainer {
    priors: FramePriors,
    rank: Rank,
    phases: Vec<SoftPhase>,
    /// Hard decisions on the phase bits, the constant sequence of the rank removed.
    hard: Vec<bool>,
    /// Logarithm of the likelihood if there is no frame, as [`Trellis::run`] counts.
    ln_chance: f64,
    /// Probability that the known symbols before the container are there.
    sync_posterior: f64,
}

impl SoftContainer {
    /// What one of so many phases takes beside itself, in bytes.
    pub(crate) fn memory_bytes(phases: usize) -> usize {
        phases * (size_of::<SoftPhase>() + size_of::<bool>())
    }

    /// That of a frame with half the log likelihood ratios of its symbols' signs.
    pub(crate) fn with_soft_signs(
        frame: &SoftFrame,
        frame_type: FrameType,
        soft_signs: &[f32],
        priors: FramePriors,
    ) -> Self {
        let weights = frame.weights.iter().copied().map(f64::from);
        let symbols = frame.symbols.iter().zip(weights).map(|(symbol, weight)| symbol * weight);
        let symbols: Vec<Complex64> = symbols.collect();
        let symbols = SoftSymbols {
            frame_type,
            symbols: &symbols,
            amplitude: frame.amplitude,
            noise_variance: frame.assumed_noise_variance(),
            notches: Some(&frame.notches),
        };
        let mut container = Self::of_symbols(&symbols, priors);
        container.take_soft_signs(soft_signs, frame_type);
        container
    }

    /// Takes half the log likelihood ratios of all symbols' signs, from the reference on, in place of what
    /// the symbols say with the phase taken for known.
    fn take_soft_signs(&mut self, soft_signs: &[f32], frame_type: FrameType) {
        let signs = sync_signs(frame_type);
        let symbols = soft_signs.iter().copied().map(f64::from);
        self.sync_posterior = self.priors.sync_posterior(symbols, &signs);
        let last = signs.last().copied().unwrap_or(1.0) as f32;
        let soft_signs = soft_signs.get(SYNC_SYMBOLS..).unwrap_or_default();
        for (phase, soft_sign) in self.phases.iter_mut().zip(soft_signs) {
            // What the envelope says weighs as much less as the phase is uncertain.
            let certainty = (soft_sign.abs() / phase.value.abs().max(f32::MIN_POSITIVE)).min(1.0);
            phase.reversal *= certainty;
            phase.notch *= certainty;
            phase.value = last * soft_sign;
        }
        self.decide();
    }

    /// The same with the phases turned by half a turn where that is said.
    pub(crate) fn straightened(&self, turned: impl Iterator<Item = bool>) -> Self {
        let mut straight = self.clone();
        for (phase, turned) in straight.phases.iter_mut().zip(turned) {
            if turned {
                (phase.value, phase.reversal) = (-phase.value, -phase.reversal);
            }
        }
        straight.decide();
        straight
    }

    /// What follows from the phases.
    fn decide(&mut self) {
        let decide = |(n, phase): (usize, &SoftPhase)| (phase.value < 0.0) ^ constant(self.rank, n);
        self.hard = self.phases.iter().enumerate().map(decide).collect();
        self.ln_chance = SoftPhases { rank: self.rank, phases: &self.phases }.ln_chance();
    }

    /// The container of these symbols, each times its weight.
    pub(crate) fn of_symbols(frame: &SoftSymbols<'_>, priors: FramePriors) -> Self {
        let SoftSymbols { frame_type, symbols: all, noise_variance, notches, .. } = *frame;
        let signs = sync_signs(frame_type);
        let amplitude = notches.map_or(frame.amplitude, |notches| notches.amplitude);
        // Without noise all is as clear as numbers can tell.
        let min_variance = f64::max(amplitude * amplitude * f64::EPSILON, f64::MIN_POSITIVE);
        let weight = amplitude / noise_variance.max(min_variance);
        let known = all.iter().map(|symbol| weight * symbol.re);
        let sync_posterior = priors.sync_posterior(known, &signs);

        let scale = weight * signs.last().copied().unwrap_or(1.0);
        let symbols = all.get(SYNC_SYMBOLS..).unwrap_or_default();
        let value = |symbol: &Complex64| soft(scale * symbol.re);
        let steady = symbols.iter().map(|z| SoftPhase { value: value(z), ..SoftPhase::default() });
        let mut phases: Vec<SoftPhase> = steady.collect();
        if let Some(notches) = notches {
            let places =
                notches.missing_signal.iter().zip(&notches.missing_energy).skip(SYNC_SYMBOLS);
            for (phase, (&missing, &energy)) in phases.iter_mut().zip(places) {
                phase.reversal = soft(scale * f64::from(missing));
                phase.notch = soft(weight * amplitude * f64::from(energy));
            }
        }
        Self { sync_posterior, ..Self::from_phases(frame_type.rank, phases, priors) }
    }

    fn from_phases(rank: Rank, phases: Vec<SoftPhase>, priors: FramePriors) -> Self {
        let decide = |(n, phase): (usize, &SoftPhase)| (phase.value < 0.0) ^ constant(rank, n);
        let hard = phases.iter().enumerate().map(decide).collect();
        let ln_chance = ln_interference(SoftPhases { rank, phases: &phases }, &priors);
        Self { priors, rank, phases, hard, ln_chance, sync_posterior: 1.0 }
    }

    /// Logarithm of how much likelier the phases are as those of periodic interference, of which there is
    /// little, than each by chance.
    pub(crate) fn ln_periodic(&self) -> f64 {
        ln_interference(self.soft_phases(), &self.priors) - self.soft_phases().ln_chance()
    }

    /// What was taken for likely before the symbols were looked at.
    pub(crate) fn priors(&self) -> FramePriors {
        self.priors
    }

    /// Probability that the known symbols before the container are there, as far as they tell.
    pub(crate) fn sync_posterior(&self) -> f64 {
        self.sync_posterior
    }

    /// Symbols of the container.
    pub(crate) fn length(&self) -> usize {
        self.phases.len()
    }

    /// Logarithm of the likelihood if there is no frame: by chance, or of interference that recurs.
    pub(crate) fn ln_chance(&self) -> f64 {
        self.ln_chance
    }

    pub(crate) fn soft_phases(&self) -> SoftPhases<'_> {
        SoftPhases { rank: self.rank, phases: &self.phases }
    }

    /// How well two frames of different rank obey the code together, before any decoding: the
    /// parity checks that hold beyond half of them, in standard deviations of chance.
    ///
    /// Both phases stem from the same bits, so one's phases convolved with the other's generator
    /// equal the reverse. Where a frame goes on with its phases turned by half a turn, none hold in place of
    /// all: so the checks are counted by stretches too.
    pub(crate) fn parity_agreement(&self, other: &Self) -> f64 {
        // 1. The checks, 1 where one holds and -1 where not.
        let length = self.hard.len().min(other.hard.len());
        let checks: Vec<i32> = (0..length)
            .map(|n| tap(other.rank, &self.hard, n) == tap(self.rank, &other.hard, n))
            .map(|holds| if holds { 1 } else { -1 })
            .collect();
        // 2. Over the whole frame: the sum over its deviation by chance.
        let beyond = |checks: &[i32]| f64::from(checks.iter().sum::<i32>());
        let steady = beyond(&checks) / (length as f64).sqrt().max(1.0);
        // 3. By stretches, either of whose signs may hold: the magnitudes of their sums, beyond what chance has.
        let stretches = checks.chunks(STRETCH);
        let (excess, variance) = stretches.fold((0.0, 0.0), |(excess, variance), stretch| {
            let count = stretch.len() as f64;
            // The magnitude of a sum of chance: its mean and its variance.
            let mean = (2.0 * count / PI).sqrt();
            (excess + beyond(stretch).abs() - mean, variance + count - mean * mean)
        });
        steady.max(excess / f64::sqrt(variance).max(1.0))
    }

    /// How well a frame that may be one of a known container agrees with its bits.
    pub(crate) fn agreement_with(&self, container: &Container) -> Agreement {
        let first = phases_of(container);
        if first.len() != self.phases.len() {
            return Agreement { ln_ratio: f64::NEG_INFINITY, share: 0.0 };
        }
        let (mut ln_ratio, mut most) = (0.0, 0.0);
        for (n, SoftPhase { value, .. }) in self.phases.iter().enumerate() {
            let value = f64::from(*value);
            ln_ratio +=
                self.priors.ln_agreement(if phase(self.rank, &first, n) { -value } else { value });
            most += self.priors.ln_agreement(value.abs());
        }
        let ln_sync_odds = (self.sync_posterior / (1.0 - self.sync_posterior)).ln();
        let share = ln_ratio / f64::max(most, f64::MIN_POSITIVE);
        Agreement { ln_ratio: ln_ratio + ln_sync_odds, share }
    }
}

/// How well a frame agrees with a known container.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Agreement {
    /// The logarithm of how much likelier its symbols are with the container's bits, and its type's, than with any.
    pub(crate) ln_ratio: f64,
    /// That of the container's bits over what it would be with the likeliest: frames of devices of a kind, which have
    /// most of their bits in common, have little.
    pub(crate) share: f64,
}

/// A half log likelihood ratio as it is kept.
fn soft(value: f64) -> f32 {
    value.clamp(-MAX_KEPT, MAX_KEPT) as f32
}

/// Frame 1's phases of a container.
pub(crate) fn phases_of(container: &Container) -> Vec<bool> {
    let bits =
        container.as_bytes().iter().flat_map(|byte| (0..8).rev().map(move |b| byte >> b & 1));
    let phases = bits.scan(false, |phase, bit| {
        *phase ^= bit == 0;
        Some(*phase)
    });
    phases.collect()
}

#[cfg(test)]
pub(crate) fn from_values(rank: Rank, values: Vec<f32>) -> SoftContainer {
    let phases = values.into_iter().map(|value| SoftPhase { value, ..SoftPhase::default() });
    SoftContainer::from_phases(rank, phases.collect(), FramePriors::default())
}

/// A frame's container in white noise, everything but its bits being known.
#[cfg(test)]
pub(crate) fn ideal(
    container: &Container,
    rank: Rank,
    es_over_n0_db: f64,
    rng: &mut impl rand::Rng,
) -> SoftContainer {
    use super::symbols::symbol_signs;
    use rand::RngExt;
    let amplitude = (2.0 * 10f64.powf(es_over_n0_db / 10.0)).sqrt();
    let signs = symbol_signs(&container.bitstream(rank));
    let last = signs[SYNC_SYMBOLS - 1];
    let mut receive = |sign: &f64| {
        // Box and Muller's normal numbers, of variance 1 in each dimension.
        let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
        let noise = radius * (std::f64::consts::TAU * rng.random::<f64>()).cos();
        (amplitude * (noise + amplitude * sign * last)) as f32
    };
    let values = signs[SYNC_SYMBOLS..].iter().map(&mut receive).collect();
    from_values(rank, values)
}
