//! The thresholds of the receiver's stages.

use nap_dsp::{blanker, canceller, demodulator, detector, synchronizer};

use super::decoder::tuning::DecoderTuning;
use super::joint::tuning::JointTuning;
use super::masking::MaskingTuning;

/// What the stages of a receiver ask of what they pass on; by `default`, what has proved best.
///
/// `make tune` changes one at a time and prints what that costs: docs/tuning.md has the table.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Tuning {
    /// The preamble detector's.
    pub detector: detector::Tuning,
    /// Detection statistic, of a preamble's lines and of the energy after them, from which a region is looked
    /// at.
    pub min_detection_statistic: f64,
    /// Normalized correlation with preamble and frame type that a hypothesis must have.
    pub min_correlation: f64,
    /// Hypotheses whose correlation is so much lower than the best are not tried.
    pub competing_distance: f64,
    /// Below this correlation a burst counts as faint: few of those wait for their frame's end at a time, further ones are dropped.
    pub faint_correlation: f64,
    /// From this correlation on no better hypothesis is waited for that may explain the same signal.
    pub certain_correlation: f64,
    /// The blanker's.
    pub blanker: blanker::Tuning,
    /// What bursts do to each other.
    pub masking: MaskingTuning,
    /// The synchronizer's.
    pub synchronizer: synchronizer::Tuning,
    /// The demodulator's.
    pub demodulator: demodulator::Tuning,
    /// The decoder's.
    pub decoder: DecoderTuning,
    /// Joint decoding's.
    pub joint: JointTuning,
    /// The canceller's.
    pub canceller: canceller::Tuning,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            detector: detector::Tuning::default(),
            // White noise over a whole channel makes six candidates a second so at 100 bit/s, each of which costs less than
            // a millisecond; one step lower, at 17.5, 120. `make tune` shows both.
            min_detection_statistic: 25.0,
            // Noise passes with the probability (1 - 0.38)^32, two in ten million trials; what is made of it
            // has to pass the budget of false messages.
            min_correlation: 0.38,
            // At the levels at which frames decode together, the noise moves a correlation by 0.09: so these
            // are one and a half standard deviations.
            competing_distance: 0.14,
            // A frame has so much in the mean at an Es/N0 of -0.9 dB, x / (1 + x).
            faint_correlation: 0.45,
            // The same at 2.7 dB, where few frames decode by themselves.
            certain_correlation: 0.65,
            blanker: blanker::Tuning::default(),
            masking: MaskingTuning::default(),
            synchronizer: synchronizer::Tuning::default(),
            demodulator: demodulator::Tuning::default(),
            decoder: DecoderTuning::default(),
            joint: JointTuning::default(),
            canceller: canceller::Tuning::default(),
        }
    }
}
