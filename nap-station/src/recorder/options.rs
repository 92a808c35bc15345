//! What to record.

use std::path::PathBuf;

/// What to record, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecorderOptions {
    /// The folder for the recordings; it is made if need be.
    pub folder: PathBuf,
    /// Which bursts to keep.
    pub which: WhichBursts,
    /// Disk space that the recordings may take, in bytes; the oldest go.
    pub max_bytes: u64,
}

/// Which bursts to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhichBursts {
    /// Those that were detected but not decoded.
    #[default]
    Undecoded,
    /// Those of devices in the table of devices.
    Known,
    /// All.
    All,
}

impl RecorderOptions {
    /// Bursts that were not decoded, in this folder, in 500 megabytes.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, which: WhichBursts::default(), max_bytes: 500_000_000 }
    }
}
