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

impl Statistics {
    fn combined(self, other: Self, combine: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            samples: combine(self.samples, other.samples),
            lost_samples: combine(self.lost_samples, other.lost_samples),
            unusable_samples: combine(self.unusable_samples, other.unusable_samples),
            candidates: combine(self.candidates, other.candidates),
            dropped_candidates: combine(self.dropped_candidates, other.dropped_candidates),
            bursts: combine(self.bursts, other.bursts),
            dropped_bursts: combine(self.dropped_bursts, other.dropped_bursts),
            hypotheses: combine(self.hypotheses, other.hypotheses),
            groups: combine(self.groups, other.groups),
            dropped_groups: combine(self.dropped_groups, other.dropped_groups),
            refuted_decisions: combine(self.refuted_decisions, other.refuted_decisions),
            a_priori_trials: combine(self.a_priori_trials, other.a_priori_trials),
            dropped_fragments: combine(self.dropped_fragments, other.dropped_fragments),
            frames: combine(self.frames, other.frames),
            messages: combine(self.messages, other.messages),
        }
    }

    /// Counts what two of them counted.
    pub(super) fn plus(self, other: Self) -> Self {
        self.combined(other, u64::saturating_add)
    }

    /// What was counted since `earlier`.
    pub(super) fn since(self, earlier: Self) -> Self {
        self.combined(earlier, u64::saturating_sub)
    }
}
