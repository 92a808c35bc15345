//! What the decoder asks of a frame, and how far it looks for its bits.

use super::frame_priors::FramePriors;

/// The thresholds of decoding frames and groups of frames; by `default`, those of a receiver.
///
/// `make tune` changes one at a time and prints what that costs: docs/tuning.md has the table. How sure a decision must
/// be follows from the budget of false messages that a user sets.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct DecoderTuning {
    /// What is taken for likely of a frame before its symbols are looked at.
    pub priors: FramePriors,
    /// Normalized correlation with preamble and frame type below which a burst is too faint for its clock to be told.
    pub min_clock_correlation: f64,
    /// Probability that nothing but half turns is wrong with a frame that fades.
    pub faded_share: f64,
    /// The most that the model of signal and noise is trusted: the probability that a frame is there.
    pub max_posterior: f64,
    /// Odds that frames which fit in class, time and level are of one message, if their carriers tell nothing.
    pub group_odds: f64,
    /// The largest such odds that are assumed.
    pub max_group_odds: f64,
    /// What decisions on symbols that hold the code's own opinion may lack of the odds asked for, as a logarithm, by the
    /// likelihood of the carriers that they imply.
    pub iterated_leeway: f64,
    /// Decisions that are tried at most where no key helps.
    pub max_decisions: usize,
    /// The same with the help of a key.
    pub max_decisions_with_key: usize,
}

impl Default for DecoderTuning {
    fn default() -> Self {
        Self {
            priors: FramePriors::default(),
            // A frame has so much in the mean at an Es/N0 of -0.9 dB, x / (1 + x): the faintest that decode together. Of three frames
            // with clocks off by up to 1 % 35 % are lost at 3 dB with 0.65, 2.4 % with this.
            min_clock_correlation: 0.45,
            // Of 118 messages in fading of 3 Hz at 30 dB one was false without it.
            faded_share: 0.2,
            // No model of signal and noise is right to more than one in fifty. Trusted to 0.69 only, one frame at 5 dB is
            // lost in 10 % of cases instead of 5 %; trusted without bound, in 4 %, and nothing stands for what no model has.
            max_posterior: 0.98,
            // Most frames that fit so are of two messages. With 0.7 and 1.4 times of it the same messages are lost.
            group_odds: 1e-3,
            // Carriers are where a message would have them by chance, too. From 21 to 42 the same messages are lost.
            max_group_odds: 30.0,
            // The models of carriers are a little too narrow. Of 422 decisions in weak fading six were false: of those with
            // less four of 22, of the others two.
            iterated_leeway: 2.0,
            // What limits decisions first is, mostly, how sure one must be; these bound the work.
            max_decisions: 256,
            max_decisions_with_key: 1024,
        }
    }
}
