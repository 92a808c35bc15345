//! What the thread that reads a source reports.

use crate::error::Error;
use crate::live::block::Block;
use crate::live::fault::Fault;
use crate::stream_info::StreamInfo;

/// A report of the thread that reads a source.
pub(super) enum WorkerMessage {
    /// The source is open.
    Opened(Box<StreamInfo>),
    /// Samples.
    Block(Block),
    /// Nothing; the thread is well.
    Idle,
    /// Samples have come, and are held back.
    Held,
    /// Samples are missing, before the next block.
    Lost(Fault),
    /// The source has to be opened again.
    Failed(Fault),
    /// The source could not be opened.
    NotOpened(Error),
    /// The recording is over.
    End,
}
