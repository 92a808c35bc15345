//! The table of radio configurations.

use nap_phy::{BitRate, MACRO_CHANNEL_WIDTH_HZ, RadioConfiguration};
use pyo3::prelude::*;

/// Name, centre of the uplink channel, centre of the downlink channel, guard, bit rates, usual bit
/// rate, highest EIRP.
type Row = (&'static str, u32, u32, u32, Vec<u16>, u16, i8);

/// All radio configurations.
#[pyfunction]
pub fn radio_configurations() -> Vec<Row> {
    RadioConfiguration::ALL
        .into_iter()
        .map(|configuration| {
            (
                configuration.name(),
                configuration.uplink_center_hz(),
                configuration.downlink_center_hz(),
                configuration.guard().total_hz(),
                configuration.bit_rates().iter().copied().map(BitRate::bits_per_s).collect(),
                configuration.nominal_bit_rate().bits_per_s(),
                configuration.max_eirp_dbm(),
            )
        })
        .collect()
}

/// Width of an uplink channel, Hz.
#[pyfunction]
pub fn channel_width_hz() -> u32 {
    MACRO_CHANNEL_WIDTH_HZ
}
