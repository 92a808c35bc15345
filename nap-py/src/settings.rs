//! What receivers listen to, as Python says it.

use jiff::Timestamp;
use nap_phy::receiver::channel_choice::{BitRateChoice, ChannelChoice, Channels, ChosenChannels};
use nap_phy::{DeviceTable, RadioConfiguration, ReceiverConfig};
use pyo3::prelude::*;

use crate::devices::PyDeviceTable;
use crate::error;

/// No crystal is off by more than so many millionths.
const MAX_PPM: f64 = 1000.0;

/// What is listened for, and where.
#[pyclass(frozen, module = "nap_sdr._nap", name = "Settings")]
pub struct PySettings {
    channels: Channels,
    bit_rate: BitRateChoice,
    devices: DeviceTable,
    full_scale_dbm: Option<f64>,
    false_messages_per_day: f64,
    max_drift_hz_per_s: f64,
}

#[pymethods]
impl PySettings {
    #[new]
    #[pyo3(signature = (*, radio_configurations, channel_centers_hz, bit_rate, devices, full_scale_dbm,
        false_messages_per_day, max_drift_hz_per_s))]
    fn new(
        radio_configurations: Vec<String>,
        channel_centers_hz: Vec<f64>,
        bit_rate: &str,
        devices: &PyDeviceTable,
        full_scale_dbm: Option<f64>,
        false_messages_per_day: f64,
        max_drift_hz_per_s: f64,
    ) -> PyResult<Self> {
        Ok(Self {
            channels: channels(&radio_configurations, channel_centers_hz)?,
            bit_rate: bit_rate.parse().map_err(error::phy)?,
            devices: devices.table().clone(),
            full_scale_dbm,
            false_messages_per_day,
            max_drift_hz_per_s,
        })
    }
}

impl PySettings {
    /// Who is known.
    pub fn devices(&self) -> &DeviceTable {
        &self.devices
    }

    /// The configuration of a receiver for each channel of a band, and what is not listened to.
    pub fn chosen(&self, sample_rate_hz: f64, center_hz: Option<f64>) -> PyResult<ChosenChannels> {
        let choice = ChannelChoice { channels: self.channels.clone(), bit_rate: self.bit_rate };
        let chosen = choice.in_band(sample_rate_hz, center_hz);
        let mut chosen = chosen.map_err(error::channel)?;
        for config in &mut chosen.configs {
            config.devices = self.devices.clone();
            config.full_scale_dbm = self.full_scale_dbm;
            config.false_messages_per_day = self.false_messages_per_day;
            config.limits.max_drift_hz_per_s = self.max_drift_hz_per_s;
        }
        Ok(chosen)
    }

    /// The configuration of the one receiver.
    pub fn one_config(
        &self,
        sample_rate_hz: f64,
        center_hz: Option<f64>,
    ) -> PyResult<ReceiverConfig> {
        let chosen = self.chosen(sample_rate_hz, center_hz)?;
        match <[ReceiverConfig; 1]>::try_from(chosen.configs) {
            Ok([config]) => Ok(config),
            Err(_) => Err(error::configuration("a receiver listens to one channel")),
        }
    }
}

fn channels(radio_configurations: &[String], centers_hz: Vec<f64>) -> PyResult<Channels> {
    if !centers_hz.is_empty() {
        return Ok(Channels::Centers(centers_hz));
    }
    let parse = |name: &String| name.parse().map_err(error::phy);
    let chosen: Vec<RadioConfiguration> =
        radio_configurations.iter().map(parse).collect::<PyResult<_>>()?;
    if chosen.is_empty() {
        return Ok(Channels::Nearest);
    }
    Ok(Channels::Configurations(chosen))
}

/// Reads the time of a first sample.
pub fn parse_time(text: &str) -> PyResult<Timestamp> {
    text.parse().map_err(|error| {
        error::configuration(format!(
            "{text:?} is not a time such as 2026-11-23T06:16:00Z: {error}"
        ))
    })
}

/// Checks by how many millionths a crystal is said to be off.
pub fn check_ppm(ppm: f64) -> PyResult<()> {
    if ppm.abs() <= MAX_PPM {
        return Ok(());
    }
    Err(error::configuration(format!(
        "ppm is {ppm}, but must lie between -{MAX_PPM} and {MAX_PPM}"
    )))
}
