//! Hypotheses on one burst that compete.

use super::symbols::SYNC_SYMBOLS;

/// What the correlation of one symbol adds to the log likelihood of a hypothesis: a correlation is the share
/// of the energy that the known symbols explain, and half of the energy is taken for noise. In
/// clearer signals that is too little, as it should: known symbols may have been hit by something.
const LN_LIKELIHOOD: f64 = 2.0 * SYNC_SYMBOLS as f64;
/// What is left at least of the probability of a hypothesis whose decisions were all rejected.
const MIN_LEFT: f64 = 1e-3;

/// The hypotheses on one burst, of which one is right at most: what speaks for one speaks against
/// the others.
#[derive(Debug, Clone, Default)]
pub(crate) struct CompetingHypotheses {
    /// Of the hypotheses tried so far, the share of their decisions that was not rejected.
    left: Vec<f64>,
}

impl CompetingHypotheses {
    /// The probability that the next hypothesis is right if any is, given the correlations of all.
    pub(crate) fn share(&self, correlations: impl Iterator<Item = f64>) -> f64 {
        // Relative to the highest correlation that there is.
        let weight = |correlation: f64| (LN_LIKELIHOOD * (correlation - 1.0)).exp();
        let next = self.left.len();
        let left = self.left.iter().copied().chain(std::iter::repeat(1.0));
        let weights: Vec<f64> =
            correlations.zip(left).map(|(correlation, left)| left * weight(correlation)).collect();
        let all: f64 = weights.iter().sum();
        weights.get(next).map_or(0.0, |weight| weight / all.max(f64::MIN_POSITIVE))
    }

    /// Takes note that decisions were rejected that have this probability if the hypothesis is right.
    pub(crate) fn reject(&mut self, probability: f64) {
        self.left.push((1.0 - probability).max(MIN_LEFT));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_competing_hypothesis_counts_once_the_better_one_is_rejected() {
        let correlations = [0.9, 0.8];
        let share = |competing: &CompetingHypotheses| competing.share(correlations.into_iter());
        let mut competing = CompetingHypotheses::default();
        assert!(share(&competing) > 0.99);
        let mut untried = competing.clone();
        untried.reject(0.0);
        assert!(share(&untried) < 0.01);
        competing.reject(1.0);
        assert!(share(&competing) > 0.5);
        competing.reject(1.0);
        assert_eq!(share(&competing), 0.0);
    }
}
