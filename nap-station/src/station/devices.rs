//! The operator's table of devices, read again when it changes.

use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use nap_phy::DeviceTable;

use crate::error::Error;

/// The operator's table of devices: never written, read again when it changes.
#[derive(Debug)]
pub struct DevicesFile {
    path: Option<PathBuf>,
    /// The file's time and size when it was read.
    read: Option<(SystemTime, u64)>,
}

impl DevicesFile {
    /// A table that was not read yet; without a path there are no devices.
    #[must_use]
    pub fn new(path: Option<PathBuf>) -> Self {
        Self { path, read: None }
    }

    /// Reads the table.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::BadFile`]; no error shows a key.
    pub fn read(&mut self) -> Result<DeviceTable, Error> {
        let Some(path) = &self.path else { return Ok(DeviceTable::new()) };
        self.read = self.stamp();
        let bytes = fs::read(path).map_err(Error::io(path, "read"))?;
        DeviceTable::from_csv(&bytes)
            .map_err(|error| Error::BadFile { path: path.clone(), problem: error.to_string() })
    }

    /// Whether the file is another one than that which was read last.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.path.is_some() && self.stamp() != self.read
    }

    fn stamp(&self) -> Option<(SystemTime, u64)> {
        let metadata = fs::metadata(self.path.as_ref()?).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    }
}
