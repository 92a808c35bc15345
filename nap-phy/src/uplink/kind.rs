//! The kinds of content that a message can have.

use core::fmt;

/// Kind of a message's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Kind {
    /// A payload of 1 to 12 bytes.
    Bytes,
    /// No payload.
    Empty,
    /// The bit 0.
    Bit0,
    /// The bit 1.
    Bit1,
    /// A control message: a sign of life.
    KeepAlive,
    /// A control message: a downlink was received.
    DlConfirmation,
}

impl Kind {
    /// The name used in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Empty => "empty",
            Self::Bit0 => "bit0",
            Self::Bit1 => "bit1",
            Self::KeepAlive => "keep_alive",
            Self::DlConfirmation => "dl_confirmation",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
