//! A burst in soft symbols, and its measurement once all of them are known.

use num_complex::{Complex32, Complex64};

use super::beginning;
use super::envelope::{self, Notches};
use super::forward_backward::Wander;
use super::phase_track::PhaseTrack;
use super::tracker::{HalfTurn, MAX_HALF_TURNS, Start, Tracker};
use super::tuning::Tuning;
use crate::baseband::Baseband;
use crate::carrier::Carrier;
use crate::subbands::SubbandGrid;

/// Symbols before and after a burst that are demodulated with it.
pub(super) const MARGIN_SYMBOLS: f64 = 2.0;

/// The symbols of one burst, turned so that the data lies on the real axis.
#[derive(Debug, Clone)]
pub struct SoftFrame {
    /// One value a symbol; its real part is `±amplitude` and noise.
    pub symbols: Vec<Complex64>,
    /// Start of the first symbol, in seconds from the start of the recording.
    pub start_s: f64,
    /// The carrier, described at the middle of the burst.
    pub carrier: Carrier,
    /// Amplitude of the symbols, 1 is full scale.
    pub amplitude: f64,
    /// Variance of the noise in each of the two dimensions of a symbol, where nothing else is on the
    /// air.
    pub noise_variance: f64,
    /// By symbol, the share of that in the variance there: 1, and less where a burst of another system
    /// lies over this one.
    pub weights: Vec<f32>,
    /// The notches of the envelope where the phase reverses.
    pub notches: Notches,
    /// By symbol, half the log likelihood ratio of its sign, the phases that the carrier may have had
    /// summed up.
    pub soft_signs: Vec<f32>,
    /// Where the carrier may have gone on half a turn off, in the order of time.
    pub half_turns: Vec<HalfTurn>,
    /// The soft signs with none of these, if there are any places: after a fade the signs are known to each other, but
    /// hardly to those before.
    pub decided_signs: Vec<f32>,
    /// How the carrier wanders, as the burst itself tells.
    pub wander: Wander,
    /// Logarithm of how many times likelier the symbols are with this carrier than in noise of the same power.
    pub ln_likelihood_ratio: f64,
    /// The symbols as the passes took them, see [`ForwardBackward::run`](forward_backward::ForwardBackward).
    pub(super) scaled: Vec<Complex32>,
    pub(super) symbol_s: f64,
    /// What the symbols were taken from.
    pub(super) baseband: Baseband,
    /// The carrier that was mixed out of it.
    pub(super) mixed: Carrier,
    pub(super) tuning: Tuning,
}

impl SoftFrame {
    /// What a frame of so many symbols takes beside itself, in bytes at most: it keeps the stretch that was
    /// loaded to demodulate it, which may be longer by as many symbols as other hypotheses on it differ.
    #[must_use]
    pub fn memory_bytes(
        grid: &SubbandGrid,
        symbol_rate_hz: f64,
        symbols: usize,
        other_symbols: usize,
    ) -> usize {
        let of_symbol = size_of::<Complex64>() + size_of::<Complex32>() + 5 * size_of::<f32>();
        let stretch = (symbols + other_symbols) as f64 + 2.0 * MARGIN_SYMBOLS;
        let stretch_s = stretch / symbol_rate_hz;
        symbols * of_symbol
            + MAX_HALF_TURNS * size_of::<HalfTurn>()
            + Baseband::snapshot_bytes(grid, symbol_rate_hz, stretch_s)
    }

    /// Energy of a symbol over the density of the noise that the burst itself shows (linear).
    #[must_use]
    pub fn es_over_n0(&self) -> f64 {
        self.amplitude * self.amplitude / (2.0 * self.noise_variance).max(f64::MIN_POSITIVE)
    }

    /// The variance of the noise as a decoder should take it: no symbol is taken to be clearer than
    /// [`Tuning::max_es_over_n0`] says.
    #[must_use]
    pub fn assumed_noise_variance(&self) -> f64 {
        self.noise_variance.max(self.tuning.min_noise_variance(self.amplitude))
    }

    /// The model of how the carrier wanders after the one that the burst tells; the last is its own.
    #[must_use]
    pub fn wider(&self) -> Wander {
        self.tuning.wider(self.wander)
    }

    /// Measures the burst again, now that the signs (±1) of all its symbols are known.
    #[must_use]
    pub fn measure(&self, signs: &[f64]) -> Measurement {
        let start = Start { carrier: self.mixed, start_s: self.start_s, symbol_s: self.symbol_s };
        let mut tracker = Tracker::new(self.tuning);
        tracker.follow_known(&self.baseband, start, signs, self.wander);
        let track = tracker.refined_track(signs);
        let parts = tracker.parts(&self.baseband, &track);
        let loss = envelope::loss(&parts, &tracker.expected_signs(), tracker.weights());
        let lead = beginning::lead(tracker.before(&self.baseband), self.es_over_n0(), loss);
        Measurement {
            start_s: track.start_s - lead * self.symbol_s,
            carrier: track.carrier_at_middle(&tracker.certainties()),
            power: envelope::power(&parts, signs),
            track,
        }
    }
}

/// What was measured on a burst whose symbols are known.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// When the transmission began, in seconds from the start of the recording: with its first symbol, which
    /// of a polar transmitter is the ramp. Where the amplitude rises smoothly, that is where it has risen to
    /// half.
    pub start_s: f64,
    /// The carrier, described at the middle of the burst.
    pub carrier: Carrier,
    /// Mean power, 1 is that of a carrier at full scale.
    pub power: f64,
    /// Phase, and the start of the first of the symbols between which it turns.
    pub track: PhaseTrack,
}
