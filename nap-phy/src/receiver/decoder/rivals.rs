//! Hypotheses on one burst that compete.

use super::symbols::SYNC_SYMBOLS;

/// What a symbol's worth of score adds to the log likelihood of a hypothesis: a score is the share
/// of the energy that the known symbols explain, and half of the energy is taken for noise. In
/// clearer signals that is too little, as it should: known symbols may have been hit by something.
const LN_LIKELIHOOD: f64 = 2.0 * SYNC_SYMBOLS as f64;
/// What is left at least of the belief in a hypothesis whose decisions were all refuted.
const LEAST_LEFT: f64 = 1e-3;

/// The hypotheses on one burst, of which one is right at most: what speaks for one speaks against
/// the others.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rivals {
    /// Of the hypotheses tried so far, the share of their decisions that was not refuted.
    left: Vec<f64>,
}

impl Rivals {
    /// The probability that the next hypothesis is right if any is, given the scores of all.
    pub(crate) fn share(&self, scores: impl Iterator<Item = f64>) -> f64 {
        // Relative to the highest score that there is.
        let weight = |score: f64| (LN_LIKELIHOOD * (score - 1.0)).exp();
        let next = self.left.len();
        let left = self.left.iter().copied().chain(std::iter::repeat(1.0));
        let weights: Vec<f64> =
            scores.zip(left).map(|(score, left)| left * weight(score)).collect();
        let all: f64 = weights.iter().sum();
        weights.get(next).map_or(0.0, |weight| weight / all.max(f64::MIN_POSITIVE))
    }

    /// Takes note that decisions were refuted that have this probability if the hypothesis is right.
    pub(crate) fn refute(&mut self, probability: f64) {
        self.left.push((1.0 - probability).max(LEAST_LEFT));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rival_is_believed_once_the_better_one_is_refuted() {
        let scores = [0.9, 0.8];
        let share = |rivals: &Rivals| rivals.share(scores.into_iter());
        let mut rivals = Rivals::default();
        assert!(share(&rivals) > 0.99);
        let mut untried = rivals.clone();
        untried.refute(0.0);
        assert!(share(&untried) < 0.01);
        rivals.refute(1.0);
        assert!(share(&rivals) > 0.5);
        rivals.refute(1.0);
        assert_eq!(share(&rivals), 0.0);
    }
}
