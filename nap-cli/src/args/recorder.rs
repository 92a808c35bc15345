//! Which bursts to keep as recordings.

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use nap_phy::DeviceTable;
use nap_station::recorder::{RecorderOptions, WhichBursts};

use crate::args::quantity;
use crate::outcome::misuse;

/// What to record.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Recorder")]
pub struct RecorderArgs {
    /// Keep bursts as SigMF recordings in this folder.
    #[arg(long, value_name = "FOLDER")]
    record: Option<PathBuf>,

    /// Which bursts to keep.
    #[arg(long, value_enum, default_value = "undecoded", requires = "record")]
    record_which: Which,

    /// Disk space that the recordings may take, in megabytes; the oldest go.
    #[arg(long, value_name = "MB", value_parser = quantity::positive, default_value = "500", requires = "record")]
    record_size: f64,
}

/// Which bursts to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Which {
    /// Those that were detected but not decoded.
    Undecoded,
    /// Those of devices in the table of devices (--devices).
    Known,
    /// All.
    All,
}

impl From<Which> for WhichBursts {
    fn from(which: Which) -> Self {
        match which {
            Which::Undecoded => Self::Undecoded,
            Which::Known => Self::Known,
            Which::All => Self::All,
        }
    }
}

impl RecorderArgs {
    /// What to record, if anything.
    ///
    /// # Errors
    /// If bursts of known devices are wanted and none is known.
    pub fn options(&self, devices: &DeviceTable) -> Result<Option<RecorderOptions>> {
        let Some(folder) = &self.record else { return Ok(None) };
        if self.record_which == Which::Known && devices.is_empty() {
            return Err(misuse(anyhow!(
                "--record-which known keeps bursts of known devices, and none is known; give --devices"
            )));
        }
        let mut options = RecorderOptions::new(folder.clone());
        options.which = self.record_which.into();
        options.max_bytes = (self.record_size * 1e6) as u64;
        Ok(Some(options))
    }
}
