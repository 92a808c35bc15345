//! What the blanker takes for an impulse.

/// The thresholds of the [`Blanker`](super::Blanker); by `default`, those of a receiver.
///
/// `make tune` changes one at a time and prints what that costs: docs/tuning.md has the table.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Tuning {
    /// A segment is looked at if a real or imaginary part of a sample in it has a square this many times the level.
    pub min_peak: f32,
    /// Times the level, the mean power of a cell in an impulse's middle.
    pub min_core: f32,
    /// Times the level, the mean power of the cells at its edges.
    pub min_edge: f32,
    /// The longest impulse in seconds.
    pub max_impulse_s: f64,
    /// A carrier's second differences of phase add up to at least this share of their magnitudes.
    pub min_smoothness: f64,
    /// So many samples tell whether they are smooth.
    pub min_smooth_samples: f64,
    /// Of an even envelope, at least this share of its length holds the energy.
    pub min_evenness: f64,
    /// So many samples tell whether they are even.
    pub min_even_samples: f64,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            // In white noise one segment of 4096 samples in 130 has one: 8192 parts, each beyond √24 of its deviations.
            min_peak: 12.0,
            // The mean of four samples of noise is so high once in 10^10 cells.
            min_core: 8.0,
            // The same once in 400 cells, so that runs of cells end with the impulse.
            min_edge: 3.0,
            // Sparks and switches are shorter, the shortest bursts of other systems a little longer.
            max_impulse_s: 3e-3,
            // Those of noise cancel: their sum falls with the square root of their number.
            min_smoothness: 0.75,
            // The few of a very short impulse are smooth by chance, or by the receiver's filter.
            min_smooth_samples: 8.0,
            // Of noise half of it does: the square of a mean power over the mean of its square.
            min_evenness: 0.75,
            // So many samples of noise are never that even.
            min_even_samples: 12.0,
        }
    }
}
