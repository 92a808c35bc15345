//! Known devices and their keys.

use nap_phy::{Device, DeviceId, DeviceTable, Key};
use pyo3::prelude::*;

use crate::error;

/// A device as Python tells it: identity, key, message modulo and name, empty where unknown.
type DeviceFields = (String, String, String, String);

/// Known devices. Python cannot look inside.
#[pyclass(frozen, module = "nap_sdr._nap", name = "DeviceTable")]
pub struct PyDeviceTable(DeviceTable);

#[pymethods]
impl PyDeviceTable {
    #[new]
    fn new(devices: Vec<DeviceFields>) -> PyResult<Self> {
        let mut table = DeviceTable::new();
        for (device_id, key, message_modulo, name) in &devices {
            Device::from_fields(device_id, key, message_modulo, name)
                .and_then(|device| table.insert(device))
                .map_err(error::phy)?;
        }
        Ok(Self(table))
    }

    /// Reads the table of a CSV file.
    #[staticmethod]
    fn from_csv(content: &[u8]) -> PyResult<Self> {
        DeviceTable::from_csv(content).map(Self).map_err(error::configuration)
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }
}

impl PyDeviceTable {
    pub fn table(&self) -> &DeviceTable {
        &self.0
    }
}

/// Checks the digits of a key.
#[pyfunction]
pub fn check_key(digits: &str) -> PyResult<()> {
    digits.parse::<Key>().map(drop).map_err(error::phy)
}

/// A device's identity as it is printed.
#[pyfunction]
pub fn check_device_id(digits: &str) -> PyResult<String> {
    digits.parse().map(|device_id: DeviceId| device_id.to_string()).map_err(error::phy)
}
