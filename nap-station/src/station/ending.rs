//! How a station ends.

/// How a station has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The recording is over, and all is delivered; or somebody said stop.
    Done,
    /// The recording is over, and this was not delivered in time: relays and how much each has left.
    Undelivered(Vec<(String, u64)>),
    /// The source has failed for good.
    SourceFailed,
}
