//! Which channel of a recording to listen to, and how.

use std::str::FromStr;

use anyhow::{Context, Result, anyhow};
use nap_io::StreamInfo;
use nap_phy::receiver::LEAST_SAMPLE_RATE_HZ;
use nap_phy::{BitRate, DeviceTable, RadioConfiguration, ReceiverConfig};

use crate::args::quantity;
use crate::outcome::misuse;

/// What to listen to.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Channel")]
pub struct ChannelArgs {
    /// Listen to the uplink channel of RC1 to RC7; if left out, to the one that is in the
    /// recording, nearest to its centre.
    #[arg(long, value_name = "RC")]
    radio_configuration: Option<RadioConfiguration>,

    /// Listen to the 192 kHz around this frequency instead, such as 868.13M.
    #[arg(long, value_name = "HZ", value_parser = quantity::hertz,
        conflicts_with = "radio_configuration")]
    channel_center: Option<f64>,

    /// Bit rate to listen for: 100, 600, or auto for all that the radio configuration has.
    #[arg(long, value_name = "100|600|auto", default_value = "auto")]
    bit_rate: BitRateChoice,

    /// Power of a full-scale carrier at the antenna; levels are then in dBm.
    #[arg(long, value_name = "DBM", value_parser = quantity::number, allow_negative_numbers = true)]
    full_scale_dbm: Option<f64>,

    /// How many false messages a day may be expected at most: with more, fainter messages are found.
    #[arg(long, value_name = "N", value_parser = quantity::number, default_value = "1")]
    false_messages_per_day: f64,
}

/// A bit rate, or whatever is in use.
#[derive(Debug, Clone, Copy)]
enum BitRateChoice {
    Auto,
    Only(BitRate),
}

impl FromStr for BitRateChoice {
    type Err = nap_phy::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            _ => text.parse().map(Self::Only),
        }
    }
}

impl BitRateChoice {
    fn bit_rates(self, radio_configuration: Option<RadioConfiguration>) -> Vec<BitRate> {
        match self {
            Self::Only(bit_rate) => vec![bit_rate],
            Self::Auto => {
                radio_configuration.map_or(&BitRate::ALL[..], |rc| rc.bit_rates()).to_vec()
            }
        }
    }
}

impl ChannelArgs {
    /// The middle of the channel that was chosen, if one was.
    pub fn center_hz(&self) -> Option<f64> {
        let of_configuration = self.radio_configuration.map(|rc| f64::from(rc.uplink_centre_hz()));
        self.channel_center.or(of_configuration)
    }

    /// The same, but RC1 if nothing was chosen: a receiver has to be tuned somewhere.
    pub fn or_default(&self) -> Self {
        let mut chosen = self.clone();
        if self.center_hz().is_none() {
            let default = RadioConfiguration::Rc1;
            tracing::info!("listening to {default}; --radio-configuration chooses another one");
            chosen.radio_configuration = Some(default);
        }
        chosen
    }

    /// The configuration of a receiver for this recording, called `name` in messages.
    ///
    /// # Errors
    /// A sample rate that is too low, and a channel that cannot be chosen.
    pub fn receiver_config(
        &self,
        name: &str,
        info: &StreamInfo,
        devices: &DeviceTable,
    ) -> Result<ReceiverConfig> {
        let mut config = self.channel(info).with_context(|| name.to_owned())?;
        config.bit_rates = self.bit_rate.bit_rates(config.radio_configuration);
        config.full_scale_dbm = self.full_scale_dbm;
        config.false_messages_per_day = self.false_messages_per_day;
        config.devices = devices.clone();
        tracing::debug!(
            "{name}: {} S/s, {}, channel around {:.6} MHz",
            info.sample_rate_hz,
            info.format,
            config.channel_centre_hz / 1e6
        );
        Ok(config)
    }

    fn channel(&self, info: &StreamInfo) -> Result<ReceiverConfig> {
        let rate_hz = info.sample_rate_hz;
        if rate_hz < LEAST_SAMPLE_RATE_HZ {
            return Err(nap_phy::Error::SampleRate { found_hz: rate_hz }.into());
        }
        let Some(center_hz) = info.center_hz else {
            return self.middle(rate_hz);
        };
        let mut config = ReceiverConfig::new(rate_hz, center_hz);
        if let Some(channel_centre_hz) = self.channel_center {
            config.channel_centre_hz = channel_centre_hz;
            return Ok(config);
        }
        let chosen = self.radio_configuration.map_or_else(|| nearest(center_hz, rate_hz), Ok)?;
        Ok(config.with_radio_configuration(chosen))
    }

    /// The channel in the middle of a recording whose centre frequency nobody knows.
    fn middle(&self, rate_hz: f64) -> Result<ReceiverConfig> {
        if self.radio_configuration.is_some() || self.channel_center.is_some() {
            return Err(misuse(anyhow!(
                "the centre frequency is not known, so the channel cannot be found; \
                 give --center-frequency HZ"
            )));
        }
        tracing::info!(
            "the centre frequency is not known: listening in the middle, frequencies count from \
             there (--center-frequency HZ tells it)"
        );
        Ok(ReceiverConfig::new(rate_hz, 0.0))
    }
}

/// The radio configuration whose channel is inside the band and nearest to its centre.
fn nearest(center_hz: f64, rate_hz: f64) -> Result<RadioConfiguration> {
    let covered = RadioConfiguration::inside(center_hz, rate_hz);
    let Some((first, others)) = covered.split_first() else {
        return Err(misuse(anyhow!(
            "no radio configuration's uplink channel is in the recorded band, {:.6} to {:.6} MHz; \
             correct that with --center-frequency HZ, or choose with --channel-center HZ",
            (center_hz - rate_hz / 2.0) / 1e6,
            (center_hz + rate_hz / 2.0) / 1e6,
        )));
    };
    if !others.is_empty() {
        let names: Vec<&str> = others.iter().map(|other| other.name()).collect();
        tracing::info!(
            "listening to {first}; the recording also holds {} (--radio-configuration chooses)",
            names.join(", ")
        );
    }
    Ok(*first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use RadioConfiguration::Rc1;

    #[test]
    fn listens_for_the_bit_rates_in_use() {
        let auto = |rc| "auto".parse::<BitRateChoice>().unwrap().bit_rates(rc);
        assert_eq!(auto(None), BitRate::ALL);
        assert_eq!(auto(Some(Rc1)), BitRate::ALL);
        assert_eq!(auto(Some(RadioConfiguration::Rc2)), [BitRate::Bps600]);
        let only = "100".parse::<BitRateChoice>().unwrap();
        assert_eq!(only.bit_rates(Some(RadioConfiguration::Rc2)), [BitRate::Bps100]);
        assert!("200".parse::<BitRateChoice>().is_err());
    }
}
