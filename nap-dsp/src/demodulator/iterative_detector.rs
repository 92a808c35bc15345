//! Passes over a burst once more, with what a decoder says of its symbols.

use super::forward_backward::{ForwardBackward, KNOWN_PRIOR, Wander};
use super::soft_frame::SoftFrame;

/// The largest half log likelihood ratio that is taken over from a decoder: it may be wrong.
const MAX_PRIOR: f32 = 4.0;

/// The detector's half of iterative detection and decoding. Its memory is kept from one pass to the next.
#[derive(Debug, Default)]
pub struct IterativeDetector {
    passes: ForwardBackward,
    priors: Vec<f32>,
    signs: Vec<f32>,
}

impl IterativeDetector {
    /// By symbol, half the log likelihood ratio of its sign without its prior: of the
    /// first that they are `known` (±1), of the others their `priors`, half log likelihood ratios too.
    pub fn soft_signs(
        &mut self,
        frame: &SoftFrame,
        wander: Wander,
        known: &[f64],
        priors: impl Iterator<Item = f32>,
    ) -> &[f32] {
        self.priors.clear();
        self.priors.extend(known.iter().map(|&sign| KNOWN_PRIOR * sign as f32));
        self.priors.extend(priors.map(|prior| prior.clamp(-MAX_PRIOR, MAX_PRIOR)));
        self.priors.resize(frame.scaled.len(), 0.0);
        self.passes.fading = frame.tuning.fading;
        &self.passes.run(&frame.scaled, &self.priors, wander).soft_signs
    }

    /// The logarithm of how much likelier a burst is with these signs (±1) of all its symbols than with the
    /// first of them, `known` many, and all others left open, so that each of them is a guess of two.
    pub fn ln_signs_ratio(
        &mut self,
        frame: &SoftFrame,
        wander: Wander,
        signs: &[f64],
        known: usize,
    ) -> f64 {
        self.signs.clear();
        self.signs.extend(signs.iter().map(|&sign| sign as f32));
        self.passes.fading = frame.tuning.fading;
        self.passes.ln_signs_ratio(&frame.scaled, &self.signs, known, wander)
    }
}
