//! A burst that is known to the last symbol, and where it is in the subbands.

use std::f64::consts::PI;
use std::ops::Range;

use crate::demodulator::phase_track::PhaseTrack;
use crate::subbands::SubbandGrid;

/// How far from its carrier a burst is cancelled at most, in spacings of the subbands: where it is in
/// their filters' stop band there is nothing to take out.
pub(super) const MAX_REACH: f64 = 0.75;

/// So many [subbands](super::Canceller::subbands) hold a burst at most: the whole spacings within its reach, one for
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
    /// How far from its carrier the burst has sidelobes of more than a share of the noise, in hertz: those of symbols
    /// without shaping fall to `(symbol rate / (π distance))²` of their middle.
    pub(super) fn reach_hz(&self, sidelobes_over_noise: f64) -> f64 {
        self.es_over_n0.sqrt() / (PI * sidelobes_over_noise.sqrt() * self.track.symbol_s())
    }

    /// The subbands within that reach.
    pub(super) fn subbands(&self, grid: &SubbandGrid, sidelobes_over_noise: f64) -> Range<usize> {
        let reach_hz = self.reach_hz(sidelobes_over_noise).min(MAX_REACH * grid.spacing_hz);
        let carrier_hz = self.middle_hz();
        grid.nearest(carrier_hz - reach_hz)..grid.nearest(carrier_hz + reach_hz) + 1
    }

    pub(super) fn nearest_subband(&self, grid: &SubbandGrid) -> usize {
        grid.nearest(self.middle_hz())
    }

    /// The carrier in the middle of the burst.
    fn middle_hz(&self) -> f64 {
        self.track.frequency_at(self.track.start_s + self.track.duration_s / 2.0)
    }
}
