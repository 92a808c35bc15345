//! What is asked of frames that may be of one message.

/// The thresholds of joint decoding; by `default`, those of a receiver.
///
/// `make tune` changes one at a time and prints what that costs: docs/tuning.md has the table.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct JointTuning {
    /// Levels of frames of one message differ by no more than this, in dB.
    pub max_level_ratio_db: f64,
    /// Parity checks between two frames that must hold beyond chance, in standard deviations.
    pub min_parity_agreement: f64,
    /// Es/N0 (linear) of frames that are kept to be decoded with others, at least.
    pub min_es_over_n0: f64,
    /// The two pauses of a message are equal to within this share of a frame.
    pub pause_tolerance: f64,
    /// Logarithm of how much likelier another frame of a known message must be with its bits than with any.
    pub min_ln_sibling_ratio: f64,
    /// That over what it would be with the bits that are likeliest by the frame alone.
    pub min_sibling_share: f64,
    /// Logarithm of the odds, by the first soft symbols, from which on a group is decoded iteratively.
    pub min_ln_group_odds: f64,
    /// Share of what the code says of a symbol that the next round takes over.
    pub extrinsic_share: f64,
    /// What a half turn at which a frame goes on costs, as a logarithm.
    pub half_turn_cost: f64,
    /// Rounds of detection and decoding.
    pub rounds: usize,
    /// Groups of a new undecoded frame that are decoded iteratively, the likeliest.
    pub max_iterated_groups: usize,
}

impl Default for JointTuning {
    fn default() -> Self {
        Self {
            // They come from one transmitter within seconds: the path fades, and the weakest are measured to within
            // a decibel.
            max_level_ratio_db: 8.0,
            // At an Es/N0 of 0 dB some six are expected; chance has three once in some 400 pairs, since the larger of two statistics
            // counts, each of which has it once in 740.
            min_parity_agreement: 3.0,
            // -1.5 dB: at -1 dB most messages of three frames are lost.
            min_es_over_n0: 0.7,
            // A tenth of a second at 100 bit/s: devices pause by a timer, and starts are found to within a symbol.
            pause_tolerance: 0.05,
            // Frames of other messages have it once in 160 000 (Markov's inequality); those of the message have 20 at an
            // Es/N0 of -5 dB.
            min_ln_sibling_ratio: 12.0,
            // 0.85 at an Es/N0 of 0 dB, 0.6 at -5 dB; 0.35 if one bit in seven is another.
            min_sibling_share: 0.5,
            // 160 000 to one against: what is less likely would have to be tried in every crowd.
            min_ln_group_odds: -12.0,
            // The code's max-log form is too sure of itself; 0.7 to 0.8 is what the literature on turbo codes scales it
            // with (Vogt and Finger, 2000).
            extrinsic_share: 0.7,
            // One half turn in 3 000 symbols, exp(-8): in fifteen of the longest frames one.
            half_turn_cost: 8.0,
            // Bounds on work.
            rounds: 4,
            max_iterated_groups: 2,
        }
    }
}
