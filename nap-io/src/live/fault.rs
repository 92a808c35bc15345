//! What goes wrong with a live source.

use std::fmt;

/// A kind of fault, as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FaultKind {
    /// The source could not be opened: it is missing, or used by somebody else.
    Open,
    /// The source does not deliver any more.
    Stall,
    /// All samples have the same value.
    Stuck,
    /// The samples come at another rate than the source says.
    Rate,
    /// Samples were lost because the source or the computer was too slow.
    Overflow,
    /// Samples are missing that the source said nothing about.
    Gap,
    /// Reading failed.
    Read,
    /// The source has ended, which live sources should not.
    Ended,
}

impl FaultKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Open,
        Self::Stall,
        Self::Stuck,
        Self::Rate,
        Self::Overflow,
        Self::Gap,
        Self::Read,
        Self::Ended,
    ];

    /// A word for counters and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Stall => "stall",
            Self::Stuck => "stuck",
            Self::Rate => "rate",
            Self::Overflow => "overflow",
            Self::Gap => "gap",
            Self::Read => "read",
            Self::Ended => "ended",
        }
    }

    /// Whether the source has to be opened again.
    #[must_use]
    pub fn is_fatal(self) -> bool {
        !matches!(self, Self::Overflow | Self::Gap)
    }
}

/// Something that went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What kind of thing.
    pub kind: FaultKind,
    /// What was seen, with its numbers, for people.
    pub text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
