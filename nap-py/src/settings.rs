//! What receivers listen to, as Python says it.

use jiff::Timestamp;
use nap_phy::receiver::channel_choice::{ChannelChoice, Channels, ChosenChannels};
use nap_phy::{RadioConfiguration, ReceiverConfig};
use pyo3::prelude::*;

use crate::devices::PyDeviceTable;
use crate::error;

/// No crystal is off by more than so many millionths.
const MAX_PPM: f64 = 1000.0;

/// The keywords of receivers.
#[derive(Clone)]
pub struct Settings<'a> {
    pub sample_rate_hz: f64,
    pub center_hz: Option<f64>,
    pub radio_configurations: Vec<&'a str>,
    pub channel_centers_hz: Vec<f64>,
    pub bit_rate: &'a str,
    pub devices: &'a PyDeviceTable,
    pub full_scale_dbm: Option<f64>,
    pub false_messages_per_day: f64,
    pub max_drift_hz_per_s: f64,
}

impl Settings<'_> {
    /// The configuration of a receiver for each channel, and what is not listened to.
    pub fn chosen(&self) -> PyResult<ChosenChannels> {
        let bit_rate = self.bit_rate.parse().map_err(error::phy)?;
        let choice = ChannelChoice { channels: self.channels()?, bit_rate };
        let chosen = choice.in_band(self.sample_rate_hz, self.center_hz);
        let mut chosen = chosen.map_err(error::channel)?;
        for config in &mut chosen.configs {
            config.devices = self.devices.table().clone();
            config.full_scale_dbm = self.full_scale_dbm;
            config.false_messages_per_day = self.false_messages_per_day;
            config.limits.max_drift_hz_per_s = self.max_drift_hz_per_s;
        }
        Ok(chosen)
    }

    /// The configuration of the one receiver.
    pub fn one_config(&self) -> PyResult<ReceiverConfig> {
        match <[ReceiverConfig; 1]>::try_from(self.chosen()?.configs) {
            Ok([config]) => Ok(config),
            Err(_) => Err(error::configuration("a receiver listens to one channel")),
        }
    }

    fn channels(&self) -> PyResult<Channels> {
        if !self.channel_centers_hz.is_empty() {
            return Ok(Channels::Centers(self.channel_centers_hz.clone()));
        }
        let parse = |name: &&str| name.parse().map_err(error::phy);
        let chosen: Vec<RadioConfiguration> =
            self.radio_configurations.iter().map(parse).collect::<PyResult<_>>()?;
        if chosen.is_empty() {
            return Ok(Channels::Nearest);
        }
        Ok(Channels::Configurations(chosen))
    }
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
