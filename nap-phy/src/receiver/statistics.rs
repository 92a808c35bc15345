//! What the receiver counts.

use std::ops::AddAssign;

/// Of 65536 wrong decisions, one passes the check by chance.
const DECISIONS_PER_FALSE_MESSAGE: f64 = 65_536.0;

/// A counter with its name, for those who show them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counter {
    /// The name of the field in [`Statistics`].
    pub name: &'static str,
    /// What it counts, in one sentence.
    pub help: &'static str,
    /// How many there were since the start.
    pub value: u64,
}

/// Declares the counters: the fields and the list of them are one, so that none can be missing.
macro_rules! statistics {
    ($($name:ident: $help:literal,)*) => {
        /// Counters since the start.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Statistics {
            $(#[doc = $help] pub $name: u64,)*
        }

        impl Statistics {
            /// All counters, in the order of the signal's way.
            pub fn counters(&self) -> impl Iterator<Item = Counter> + use<> {
                [$(Counter { name: stringify!($name), help: $help, value: self.$name },)*]
                    .into_iter()
            }
        }

        impl Statistics {
            /// What was counted since `earlier`.
            pub(super) fn since(self, earlier: Self) -> Self {
                Self { $($name: self.$name.saturating_sub(earlier.$name),)* }
            }
        }

        impl AddAssign for Statistics {
            /// Adds up the counters of receivers.
            fn add_assign(&mut self, other: Self) {
                $(self.$name += other.$name;)*
            }
        }
    };
}

statistics! {
    samples: "Samples taken in.",
    lost_samples: "Samples that were lost before they came to the receiver.",
    unusable_samples: "Samples taken in that were not finite or absurdly large and counted as silence.",
    impulses: "Impulses that filled the whole band and were blanked.",
    blanked_samples: "Samples blanked with them.",
    candidates: "Places where a preamble might have begun.",
    dropped_candidates: "Candidates given up because there were too many at once.",
    bursts: "Candidates at which a preamble and a frame type were found.",
    dropped_bursts: "Bursts given up because there were too many at once.",
    hypotheses: "Demodulations of a burst as a frame of some type.",
    groups: "Sets of two or three frames that were decoded together, with or without success.",
    dropped_groups: "Sets of frames that were not tried because there were too many.",
    refuted_decisions: "Decisions that were rejected since their check sum was wrong; one in 65536 would have passed by chance.",
    a_priori_trials: "Trials to decode frames as those of a known device.",
    implausible_groups: "Sets of frames that decoded together to what no device sends at such times and on such carriers.",
    dropped_fragments: "Undecoded frames given up that might have decoded with others, because there were too many.",
    undecoded_bursts: "Bursts that were reported as seen and not decoded.",
    dropped_undecoded_bursts: "Bursts that were seen and not decoded, and not reported because there were too many.",
    frames: "Frames of messages.",
    messages: "Messages reported.",
    contradictions: "Bursts that two messages claimed; the better proven one kept them.",
    dropped_messages: "Messages that turned out wrong before they were reported.",
    retracted_messages: "Messages that turned out wrong after they were reported.",
}

impl Statistics {
    /// The number of false messages that were to be expected from the decisions tried.
    #[must_use]
    pub fn expected_false_messages(&self) -> f64 {
        self.refuted_decisions as f64 / DECISIONS_PER_FALSE_MESSAGE
    }
}
