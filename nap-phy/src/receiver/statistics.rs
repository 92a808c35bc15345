//! What the receiver counts.

/// Counters since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Samples taken in.
    pub samples: u64,
    /// Samples that were lost before they came here, see [`Receiver::skip`].
    pub lost_samples: u64,
    /// Of the samples taken in, those that were not finite or absurdly large and counted as silence.
    pub unusable_samples: u64,
    /// Places where a preamble might have begun.
    pub candidates: u64,
    /// Candidates given up because there were too many at once.
    pub dropped_candidates: u64,
    /// Candidates at which a preamble and a frame type were found.
    pub bursts: u64,
    /// Bursts given up because there were too many at once.
    pub dropped_bursts: u64,
    /// Demodulations of a burst as a frame of some type.
    pub hypotheses: u64,
    /// Sets of two or three frames that were decoded together, with or without success.
    pub groups: u64,
    /// Such sets that were not tried because there were too many.
    pub dropped_groups: u64,
    /// Decisions whose check sum was wrong. One in 65536 would have passed by chance, so this is
    /// 65536 times the number of false messages that were to be expected.
    pub refuted_decisions: u64,
    /// Trials to decode frames as those of a known device.
    pub a_priori_trials: u64,
    /// Frames given up that might have decoded with others, because there were too many.
    pub dropped_fragments: u64,
    /// Frames of messages.
    pub frames: u64,
    /// Messages reported.
    pub messages: u64,
}
