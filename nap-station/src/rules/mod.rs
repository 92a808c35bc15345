//! What becomes of a message: pure state machines, to which time is handed in.
//!
//! [`Rules::judge`] takes what was heard and says accepted, held or refused, with what else there is to
//! tell. It does no input or output: what it has to remember over a restart is handed in again, as
//! [`Remembered`], by whoever stores its verdicts.

pub mod anomaly;
pub mod budget;
pub mod clock;
pub mod gps;
pub mod heard;
pub mod history;
pub(crate) mod judge;
pub mod listing;
pub mod notice;
pub mod sequence;
pub mod utc;
pub mod verdict;

pub use judge::{Judgement, Remembered, Rules, RulesConfig, SequencePolicy};
