//! What the synchronizer tries, and what it asks of a start and of a sync word.

/// The search parameters and thresholds of the [`Synchronizer`](super::Synchronizer); by `default`, those of a receiver.
///
/// `make tune` changes one at a time and prints what that costs: docs/tuning.md has the table.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Tuning {
    /// Trial frequencies reach this far from the candidate's, as a share of the symbol rate.
    pub frequency_reach: f64,
    /// Spacing of the trial frequencies in cycles over the length of what is correlated.
    pub frequency_step_cycles: f64,
    /// The quadratic phase, in radians at the ends, that trial drifts may leave uncorrected.
    pub max_quadratic_phase: f64,
    /// Starts whose preamble alone has a smaller normalized correlation are not looked at further.
    pub min_preamble_correlation: f64,
    /// Share of the correlation that the energy over the noise leads to expect which a preamble and a sync word must
    /// reach.
    pub expected_share: f64,
    /// Starts looked at further at most, those whose preamble fits best.
    pub max_starts: usize,
    /// Share of the threshold that a sync word must reach before its timing and frequency are refined.
    pub coarse_share: f64,
    /// The normalized correlation of a sync word from which on its carrier is known to be steady: below, sync words are
    /// looked for differentially, too.
    pub max_differential_correlation: f64,
    /// Share of the magnitudes of the products of neighbouring symbols that must add up in the preamble alone.
    pub min_preamble_share: f32,
    /// Share of them that must add up over a sync word, whatever the noise is.
    pub min_differential_share: f64,
    /// Share of what the energy over the noise leads to expect of them that must add up over a sync word.
    pub differential_expected_share: f64,
    /// How much larger than in noise, in the mean, the square of their sum must be.
    pub min_differential_power: f32,
    /// The same for carriers that chirp.
    pub min_chirped_power: f32,
    /// Places and sync words that are looked at with a forward pass at most, those whose products agree best.
    pub max_differential_trials: usize,
    /// Energy of a symbol over the noise density (linear) that such a pass assumes at most.
    pub max_es_over_n0: f64,
    /// Share of a symbol's energy that it takes for noise at most.
    pub max_noise_share: f64,
    /// Logarithm of how much likelier the symbols must be with a sync word than with any others.
    pub min_ln_sync_word_ratio: f64,
    /// The normalized correlation that is told of a sync word all of whose products add up and that is as much likelier than
    /// others as can be. Each counts half.
    pub differential_weight: f64,
}

impl Tuning {
    /// The correlation that known symbols of this energy must reach, in as much noise.
    pub(super) fn expected(&self, noise: f64, energy: f64) -> f64 {
        self.expected_share * (1.0 - noise / energy.max(f64::MIN_POSITIVE))
    }
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            // One and a half bins of the detector's spectra over a preamble of 20 symbols: in noise, the neighbour of the
            // nearest bin may win.
            frequency_reach: 0.075,
            // Half a step beside the carrier, (sin 0.2π / 0.2π)² = 0.88 of the correlation is left.
            frequency_step_cycles: 0.4,
            // It takes 4 % of the correlation: the variance of 0.7 x² for x between -1 and 1.
            max_quadratic_phase: 0.7,
            // Noise passes with the probability 0.7^19 on one carrier: once in a thousand.
            min_preamble_correlation: 0.3,
            // The correlation expected is `1 - noise / energy`. Among the data of a strong frame a sync word is soon
            // found that fits half of it.
            expected_share: 0.6,
            // The preamble repeats after two symbols, its sign aside, so that some of the starts around the right one fit it,
            // too. With four of them a message in a hundred more is lost at three frames of 0.5 dB, with eight none fewer.
            max_starts: 6,
            // What half a step of the trial frequencies leaves.
            coarse_share: 0.88,
            // That of a steady carrier at an Es/N0 of 2.7 dB.
            max_differential_correlation: 0.65,
            // In noise the sum of 19 products has 0.28 of the sum of their magnitudes in the root mean square: 4/π over the root of
            // their number, since products of Rayleigh's magnitudes are not alike.
            min_preamble_share: 0.35,
            // In noise the sum of 32 has 0.22 in the root mean square.
            min_differential_share: 0.5,
            // The rest is left to carriers that bend, and to noise.
            differential_expected_share: 0.75,
            // In noise the square is exponentially distributed: of some 400 independent places and sync words of a candidate
            // three pass.
            min_differential_power: 5.0,
            // Six chirps are tried beside none, of which neighbours resemble each other: ln 4.5 more.
            min_chirped_power: 6.5,
            // Of carriers that settle from 60 Hz 30 % are lost at 3 dB with five of them, 12 % with twelve or twenty; of 40 Hz
            // at 2 dB 64, 41 and 34 %, with sixty 30 %: the right one is often the likeliest and not among the first by its products.
            max_differential_trials: 60,
            // 13 dB: beyond, pulses, the grid of phases and errors of timing are what symbols differ by.
            max_es_over_n0: 20.0,
            // An Es/N0 of -3 dB, at which frames do not decode together either.
            max_noise_share: 0.67,
            // ln 1100: a candidate has 1700 places and sync words, some of which are not independent.
            min_ln_sync_word_ratio: 7.0,
            // Products tell less than the symbols in step, which shall win where both fit.
            differential_weight: 0.8,
        }
    }
}
