//! The table of known devices, a CSV file.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nap_phy::DeviceTable;

use crate::outcome::misuse;

/// Which devices are known.
#[derive(Debug, clap::Args)]
pub struct DevicesArg {
    /// Known devices: CSV with the header `device_id,key[,message_modulo][,name]`. Messages of a
    /// device with a key are authenticated.
    #[arg(long, value_name = "FILE.csv")]
    devices: Option<PathBuf>,
}

impl DevicesArg {
    /// The devices of the file, none without one.
    ///
    /// # Errors
    /// Names the line and what is wrong with it, but never a key.
    pub fn load(&self) -> Result<DeviceTable> {
        let Some(path) = &self.devices else {
            return Ok(DeviceTable::new());
        };
        load(path).with_context(|| path.display().to_string()).map_err(misuse)
    }
}

fn load(path: &Path) -> Result<DeviceTable> {
    let bytes = fs::read(path).context("cannot open the table of devices")?;
    Ok(DeviceTable::from_csv(&bytes)?)
}
