//! A burst that is known to the last symbol, and where it is in the subbands.

use std::f64::consts::PI;
use std::ops::Range;

use crate::demodulator::phase_track::PhaseTrack;
use crate::subbands::SubbandGrid;

/// Where a burst's sidelobes are less than this share of the noise, they need not be subtracted.
const SIDELOBES_OVER_NOISE: f64 = 0.05;
/// How far from its carrier a burst is cancelled at most, in spacings of the subbands: where it is in
/// their filters' stop band there is nothing to take out.
pub(super) const MAX_REACH: f64 = 0.75;

/// So many [subbands](KnownBurst::subbands) hold a burst at most: the whole spacings within its reach, one for
/// what is left of it, and the first.
pub const MAX_SUBBANDS: usize = (2.0 * MAX_REACH) as usize + 2;

/// A burst of which everything is known but its pulse.
#[derive(Debug, Clone, Copy)]
pub struct KnownBurst<'a> {
    /// Signs (±1) of its symbols.
    pub signs: &'a [f64],
    /// Start and phase of the burst.
    pub track: &'a PhaseTrack,
    /// Energy of a symbol over the noise density (linear).
    pub es_over_n0: f64,
}

impl KnownBurst<'_> {
    /// How far from its carrier the burst stands out, in hertz. The sidelobes of symbols without
    /// shaping fall to `(symbol rate / (π distance))²` of their middle.
    pub(super) fn reach_hz(&self) -> f64 {
        self.es_over_n0.sqrt() / (PI * SIDELOBES_OVER_NOISE.sqrt() * self.track.symbol_s())
    }

    /// The subbands that hold the burst: the nearest to its carrier, and its neighbours where they
    /// are within reach.
    #[must_use]
    pub fn subbands(&self, grid: &SubbandGrid) -> Range<usize> {
        let middle_s = self.track.start_s + self.track.duration_s / 2.0;
        let reach_hz = self.reach_hz().min(MAX_REACH * grid.spacing_hz);
        let carrier_hz = self.track.frequency_at(middle_s);
        grid.nearest(carrier_hz - reach_hz)..grid.nearest(carrier_hz + reach_hz) + 1
    }

    pub(super) fn nearest_subband(&self, grid: &SubbandGrid) -> usize {
        let middle_s = self.track.start_s + self.track.duration_s / 2.0;
        grid.nearest(self.track.frequency_at(middle_s))
    }
}
