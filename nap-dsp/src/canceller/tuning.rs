//! What the canceller asks of its models.

/// The thresholds of the [`Canceller`](super::Canceller); by `default`, those of a receiver.
///
/// `make tune` changes one at a time and prints what that costs: docs/tuning.md has the table.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Tuning {
    /// Where a burst's sidelobes are less than this share of the noise, they need not be subtracted.
    pub sidelobes_over_noise: f64,
    /// Energy of a symbol over the noise density from which on the signs alone tell the gains not well enough.
    pub min_strong_es_over_n0: f64,
    /// How many times more power than by chance a model must hold.
    pub min_modelled_over_chance: f64,
    /// What the pulses may hold of other signals in the subband: so many times the noise in the burst's bandwidth.
    pub max_ghost_over_noise: f64,
    /// What lines between the knots of the pulses may leave of the burst, as a share of the noise, where it
    /// reaches farthest.
    pub max_interpolation_error: f64,
    /// Knots in the time of a symbol, at least.
    pub min_knots: f64,
    /// Samples that share one knot at least: where a burst has fewer, it gets fewer knots.
    pub samples_per_knot: f64,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            // A twentieth of the noise raises it by 0.2 dB.
            sidelobes_over_noise: 0.05,
            // Without a second look at the gains up to a thousandth of a burst is left: from 20 dB on more than a tenth
            // of the noise.
            min_strong_es_over_n0: 100.0,
            // What forty free values hold of white noise scatters by a sixth: three times as much is a burst.
            min_modelled_over_chance: 3.0,
            // As much as the noise does that is there anyway.
            max_ghost_over_noise: 1.0,
            // A fiftieth raises the noise by 0.09 dB. More knots would not make the burst's own model better, but fit it to other
            // signals in the subband.
            max_interpolation_error: 0.02,
            // Enough for pulses that fall and rise around a reversal; strong bursts ask for more by
            // `max_interpolation_error`.
            min_knots: 8.0,
            // Six for each of four unknowns: a knot has a sixth of the noise of a sample.
            samples_per_knot: 25.0,
        }
    }
}
