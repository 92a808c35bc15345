//! What is taken for likely of a frame before its symbols are looked at.

use super::trellis::ln_cosh;

/// The probabilities of what else than signal and noise symbols may be; by `default`, those of a receiver.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct FramePriors {
    /// Half the log likelihood ratio that a known symbol may have at most.
    pub known_llr_clip: f64,
    /// Logarithm of how rarely one of the places that are looked at holds a frame.
    pub ln_places: f64,
    /// Share of the interference of which the phases recur.
    pub periodic_share: f64,
}

impl Default for FramePriors {
    fn default() -> Self {
        Self {
            // One in 34, `1 / (1 + e^3.5)`, may have been hit by something. That is more than the passes allow for (one in 3 000,
            // `KNOWN_PRIOR`): here it decides whether a frame is believed, there how firmly its track is held. The first symbols of
            // a carrier that settles are often followed wrongly: of single frames that settle from 60 Hz in 0.1 s 24 % are lost at
            // 8 dB with 3.5, 11 % with 2.5, 5 % with this; of others the same.
            known_llr_clip: 1.75,
            // e^12 = 160 000: of 18 types, 93 starts and 15 frequencies with 9 drifts each, of which neighbours are alike, the one
            // that fits best has been chosen.
            ln_places: 12.0,
            // Set by hand. One of the 32 patterns must be e^8.1 = 32 / 0.01 times likelier than phases by chance to weigh as much.
            periodic_share: 0.01,
        }
    }
}

impl FramePriors {
    /// The logarithm of how much likelier a symbol is with a known sign than with any, given half the log likelihood
    /// ratio of that sign. It may have been hit by something.
    pub(super) fn ln_agreement(&self, value: f64) -> f64 {
        let value = value.clamp(-self.known_llr_clip, self.known_llr_clip);
        value - ln_cosh(value as f32)
    }

    /// Probability that the known symbols of these signs are there, given half the log likelihood ratios of the
    /// symbols.
    pub(super) fn sync_posterior(
        &self,
        soft_signs: impl Iterator<Item = f64>,
        signs: &[f64],
    ) -> f64 {
        let agreement = |(value, sign): (f64, &f64)| self.ln_agreement(value * sign);
        let ln_sync: f64 = soft_signs.zip(signs).map(agreement).sum();
        1.0 / (1.0 + (self.ln_places - ln_sync).exp())
    }
}
