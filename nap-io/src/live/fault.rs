//! What goes wrong with a live source.

use std::fmt;

use crate::error::Error;

/// A kind of fault, as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FaultKind {
    /// The source could not be opened: it is missing, or used by somebody else.
    Open,
    /// The source cannot be what is asked of it: a rate or a frequency that it does not have.
    Refused,
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
    pub const ALL: [Self; 9] = [
        Self::Open,
        Self::Refused,
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
            Self::Refused => "refused",
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

impl Fault {
    /// What an error means that happened while a source did what this kind is for.
    pub(crate) fn of(error: &Error, kind: FaultKind) -> Self {
        let is_refusal = matches!(error, Error::Refused { .. } | Error::Unsupported { .. });
        Self { kind: if is_refusal { FaultKind::Refused } else { kind }, text: error.nameless() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
