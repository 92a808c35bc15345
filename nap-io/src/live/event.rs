//! What happens while a source runs.

use std::time::Duration;

use super::block::Block;
use super::fault::Fault;
use crate::stream_info::StreamInfo;

/// A time without samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// How long it was.
    pub duration: Duration,
    /// How often the source was opened, the last time with success.
    pub trials: u32,
}

/// What happened.
#[derive(Debug)]
pub enum LiveEvent {
    /// The source is open.
    Started(Box<StreamInfo>),
    /// After an interruption, samples come again: the next block.
    Recovered(Outage),
    /// Samples.
    Block(Block),
    /// Something went wrong. The index of the samples goes on over what is lost.
    Fault(Fault),
    /// The recording is over, or a fault was one too many.
    Ended,
}
