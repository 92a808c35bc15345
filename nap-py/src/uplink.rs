//! Messages to bitstreams and back.

use nap_phy::schema::{FrameRecord, UplinkRecord};
use nap_phy::{Key, Rank, Uplink};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::devices::PyDeviceTable;
use crate::error;

/// Checks a record of a message to encode.
#[pyfunction]
pub fn check_uplink(record: &str) -> PyResult<()> {
    uplink(record).map(drop)
}

/// The frames of a message, one for each rank.
#[pyfunction]
pub fn encode<'py>(
    py: Python<'py>,
    record: &str,
    key: &str,
    ranks: Vec<u8>,
) -> PyResult<Vec<Bound<'py, PyBytes>>> {
    let key: Key = key.parse().map_err(error::phy)?;
    let container = uplink(record)?.container(&key);
    ranks
        .into_iter()
        .map(|number| {
            let rank = Rank::try_from(number).map_err(error::phy)?;
            Ok(PyBytes::new(py, &container.bitstream(rank)))
        })
        .collect()
}

/// The record of a bitstream's fields. `key` is that of the sender, whoever it is.
#[pyfunction]
pub fn parse_frame(
    bitstream: &[u8],
    key: Option<&str>,
    devices: &PyDeviceTable,
) -> PyResult<String> {
    let key: Option<Key> = key.map(str::parse).transpose().map_err(error::phy)?;
    let record = FrameRecord::parse(bitstream, key.as_ref(), devices.table());
    let record = record.map_err(error::frame)?;
    Ok(serde_json::json!(record).to_string())
}

fn uplink(record: &str) -> PyResult<Uplink> {
    // By way of a value: errors then name no place in a text that nobody wrote.
    let record: serde_json::Value = serde_json::from_str(record).map_err(error::configuration)?;
    let record: UplinkRecord = serde_json::from_value(record).map_err(error::configuration)?;
    record.uplink().map_err(error::phy)
}
