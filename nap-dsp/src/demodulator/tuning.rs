//! What the demodulator tries, and what it asks of a burst.

use std::ops::Range;

use super::forward_backward::{Fading, Wander};

/// The search parameters and thresholds of the [`Demodulator`](super::Demodulator); by `default`, those of a receiver.
///
/// `make tune` changes one at a time and prints what that costs: docs/tuning.md has the table.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Tuning {
    /// Frequency error with which a burst may be handed in, as a share of the symbol rate.
    pub start_reach: f64,
    /// The quadratic phase, in radians at the ends of the known symbols, that a drift search over them may leave.
    pub quadratic_phase: f64,
    /// The same over the squares of all symbols.
    pub quadratic_phase_squared: f64,
    /// Frequency error that the known symbols may leave at their middle, as a share of the symbol rate.
    pub frequency_reach: f64,
    /// Drift error that they may leave: times the square of half their length, in cycles.
    pub drift_reach_cycles: f64,
    /// Coherence of the squared symbols, 0 to 1: `|Σ z²/|z|| / Σ|z|` after the best line has been mixed out. Below this no steady
    /// carrier is tried.
    pub min_coherence: f64,
    /// From this coherence on the line that was found is the carrier.
    pub clear_coherence: f64,
    /// From this coherence on nothing but a steady carrier is tried.
    pub steady_coherence: f64,
    /// How far off the symbol clocks of devices are at most, as a share.
    pub max_clock_error: f64,
    /// From one error of the symbol clock that is tried to the next, as a share.
    pub clock_step: f64,
    /// How much more energy another clock has to gather, in standard deviations of noise.
    pub min_clock_deviations: f64,
    /// The same as a share.
    pub min_clock_gain: f64,
    /// Energy of a symbol over the noise density (linear) beyond which symbols are not taken to be clearer; 1 at least.
    pub max_es_over_n0: f64,
    /// The models of how carriers wander, from a crystal at rest to a synthesiser that settles; each reaches further than
    /// the one before.
    pub models: [Wander; 4],
    /// In which symbols a carrier is lost.
    pub fading: Fading,
    /// Symbols over which the frequency hardly changes.
    pub steady_symbols: usize,
    /// How many times larger the signal has to be by its power than by its products for both to be tried.
    pub level_step: f64,
    /// How many times weaker a burst is tried that has not proved to be one; more than 1.
    pub level_descent: f64,
    /// Logarithm of how much likelier than noise of its power a burst must be.
    pub min_ln_likelihood_ratio: f64,
    /// On the coarse grid a burst may seem to be so much less likely than it is.
    pub coarse_ln_ratio: f64,
    /// A burst that is as likely on the coarse grid needs no finer look.
    pub clear_ln_likelihood_ratio: f64,
    /// What comes to [`Tuning::min_ln_likelihood_ratio`] for each step that the carrier's frequency may be off.
    pub ln_ratio_per_step: f64,
    /// Half the log likelihood ratio that the sign of a symbol must promise by itself for a half turn before it to be told.
    pub clear_sign: f32,
    /// Half the log likelihood ratio below which it is open for all that: before it the carrier may have gone on half a turn
    /// off.
    pub open_sign: f32,
    /// The clearest of so many symbols that a half turn leaves open decides it.
    pub open_symbols: usize,
    /// Interference is where the power has so many times the lower quartile over the burst.
    pub min_interference_ratio: f32,
}

impl Tuning {
    /// The logarithms of likelihood ratios on the coarse grid that leave open whether there is a burst.
    pub(super) fn unclear_ln_ratios(&self) -> Range<f64> {
        self.min_ln_likelihood_ratio - self.coarse_ln_ratio..self.clear_ln_likelihood_ratio
    }

    /// The least variance of the noise in each of the two dimensions of a symbol of this amplitude that is assumed: no symbol is
    /// taken to be clearer than `max_es_over_n0` says.
    pub(super) fn min_noise_variance(&self, amplitude: f64) -> f64 {
        amplitude * amplitude / (2.0 * self.max_es_over_n0)
    }

    /// The model after this one, which wanders more; the last is its own.
    pub(super) fn wider(&self, wander: Wander) -> Wander {
        self.models.into_iter().find(|other| other.reach > wander.reach).unwrap_or(wander)
    }

    /// Logarithm of how much likelier than noise a burst must be whose carrier wanders so: the more it may, the more of
    /// noise it explains.
    pub(super) fn min_ln_ratio(&self, wander: Wander) -> f64 {
        self.min_ln_likelihood_ratio + self.ln_ratio_per_step * wander.reach as f64
    }
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            // What the synchronizer tries, 0.075, and two steps of it.
            start_reach: 0.1,
            // It takes less than a hundredth of what they add up to: the variance of 0.25 x² for x between -1 and 1.
            quadratic_phase: 0.25,
            // It takes 3 % of what they add up to; the tracker follows what is left.
            quadratic_phase_squared: 0.6,
            // Seven standard deviations at an Es/N0 of 0 dB over 33 symbols (the bound of Cramér and Rao), since carriers
            // wander.
            frequency_reach: 0.015,
            // A fifth of a turn at the ends, which takes a seventh of what they add up to: noise may do as much.
            drift_reach_cycles: 0.4,
            // A long frame that is just clear enough to be kept has 0.4, the best line in noise a quarter, more in shorter frames: so this
            // saves time and is no gate on noise.
            min_coherence: 0.245,
            // Over the 113 symbols of the shortest frame noise has it on one of 6·10^7 carriers: exp(-113 · 0.45² · π/4), since squares
            // keep the magnitudes of their symbols.
            clear_coherence: 0.45,
            // Most frames of real devices have it, and the other models take most of the time.
            steady_coherence: 0.8,
            // Official test receivers take a hundredth; nine steps.
            max_clock_error: 0.0108,
            // Over the longest frame of some 200 symbols half a step moves its end by an eighth of a symbol.
            clock_step: 0.0012,
            // Of 18 clocks the best is often so much better by chance; the likelihood of the burst by either clock decides. This only
            // spares most of the bursts that never decode a second look. Of single frames with clocks off by up to 1 % 15 % are lost
            // at 6 dB with 3.5, 4 % with 2.45, 1.4 % with this.
            min_clock_deviations: 1.7,
            // An error of half a symbol over the frame loses more, and interference may be anything.
            min_clock_gain: 0.08,
            // 13 dB: beyond, shapes, the grid of phases and errors of timing are what symbols differ by.
            max_es_over_n0: 20.0,
            // Chosen at symbol level, with timing and noise given, as the four that lose least of carriers that are steady,
            // wobble, walk and settle; since bursts that settle are heard (`loss --settle`) the two widest have less jitter, and the
            // widest has more steps. Most bursts are nearly as likely with the next one.
            models: [
                Wander::new(2, 0.002, 0.08, 0.0005),
                Wander::new(4, 0.02, 0.12, 0.002),
                Wander::new(6, 0.1, 0.15, 0.005),
                Wander::new(12, 0.25, 0.15, 0.01),
            ],
            fading: Fading::default(),
            // Over as many, the largest drift of 60 Hz/s at 100 Bd turns products by 0.3 rad, which takes less than a hundredth
            // of their sum.
            steady_symbols: 8,
            // A standard deviation of what the products of 33 known symbols tell at an Es/N0 of 0 dB: √(3 / 32).
            level_step: 1.3,
            // The levels tried, 20, 5 and 1.25 at most, are within 3 dB of any.
            level_descent: 4.0,
            // 400 to one: what noise passes is read in vain, and pays for it with the budget of false messages.
            min_ln_likelihood_ratio: 6.0,
            // Of 118 messages that settle by 10 Hz 1 dB over the noise, 13 more were lost where the coarse grid alone told.
            coarse_ln_ratio: 3.0,
            // The widest model asks for 12, and models differ by less than the rest where a burst is as clear.
            clear_ln_likelihood_ratio: 40.0,
            // Of 2 r + 1 frequencies the best explains ln (2 r + 1) of noise, and one that changes explains more.
            ln_ratio_per_step: 0.5,
            // One sign in 22 000 is wrong.
            clear_sign: 5.0,
            // One sign in 55 is wrong.
            open_sign: 2.0,
            // What comes after a fade is clearest some symbols later, when the gain has risen.
            open_symbols: 6,
            // In white noise the mean of nine squares has it once in 330. Of single frames that settle from 60 Hz in 0.1 s 26 % are
            // lost at 8 dB with 6, 18 % with this and with 3.2; of steady ones at 5 dB 6.6, 7.0 and 7.3 % of 531.
            min_interference_ratio: 4.2,
        }
    }
}
