//! Bursts that were seen and not decoded.

use std::fmt;

use crate::message::{Extent, Signal};
use crate::radio::bit_rate::BitRate;
use crate::uplink::frame_type::FrameType;

/// A burst that was seen and not decoded.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct UndecodedBurst {
    /// Its signal, measured over what was known of it: the preamble and the frame type.
    pub signal: Signal,
    /// How far it reaches, as far as its frame type tells; without one, what was seen of it.
    pub extent: Extent,
    /// How fast it was sent.
    pub bit_rate: BitRate,
    /// The frame type that fits best; `None` if none does.
    pub frame_type: Option<FrameType>,
    /// Why it was not decoded.
    pub reason: UndecodedReason,
}

impl UndecodedBurst {
    /// The same with its time moved by `offset_s`.
    #[must_use]
    pub fn moved_by(mut self, offset_s: f64) -> Self {
        self.signal.time_s += offset_s;
        self
    }
}

/// Why a burst was not decoded. None of the frames in question could be decoded with others either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum UndecodedReason {
    /// There is a preamble, but no frame type fits what follows.
    NoFrameType,
    /// The carrier of no frame type that fits goes on to the frame's end.
    NoCarrier,
    /// The frame's symbols are less clear than those of any that decodes, alone or with others.
    Faint,
    /// No decision was likely enough to be tried within the budget of false messages.
    Unlikely,
    /// All decisions that were tried failed the check.
    CheckFailed,
    /// It was given up because there were too many at once.
    TooMany,
}

impl UndecodedReason {
    /// In words, for a log.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::NoFrameType => "no frame type fits",
            Self::NoCarrier => "no carrier to the frame's end",
            Self::Faint => "too faint",
            Self::Unlikely => "no decision likely enough",
            Self::CheckFailed => "check sum wrong",
            Self::TooMany => "too many bursts at once",
        }
    }
}

impl fmt::Display for UndecodedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}
