//! Which channels of a recording to listen to, and how.

use anyhow::{Context, Result, anyhow};
use nap_io::StreamInfo;
use nap_phy::receiver::channel_choice::{
    BitRateChoice, ChannelChoice, ChannelError, Channels, ChosenChannels,
};
use nap_phy::{DeviceTable, RadioConfiguration, ReceiverConfig};

use crate::args::quantity;
use crate::outcome::misuse;

/// What to listen to.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Channel")]
pub struct ChannelArgs {
    /// Listen to the uplink channel of RC1 to RC7; if left out, to the one that is in the
    /// recording, nearest to its centre. `nap decode` takes several, such as RC1,RC7.
    #[arg(long, value_name = "RC", value_delimiter = ',')]
    radio_configuration: Vec<RadioConfiguration>,

    /// Listen to the 192 kHz around this frequency instead, such as 868.13M. `nap decode` takes several.
    #[arg(long, value_name = "HZ", value_parser = quantity::hertz, value_delimiter = ',',
        conflicts_with = "radio_configuration")]
    channel_center: Vec<f64>,

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

impl ChannelArgs {
    /// The middle of what was chosen, if anything was.
    pub fn center_hz(&self) -> Option<f64> {
        self.choice().channels.middle_hz()
    }

    /// The same, but RC1 if nothing was chosen: a radio has to be tuned somewhere.
    pub fn or_default(&self) -> Self {
        let mut chosen = self.clone();
        if !self.is_chosen() {
            let default = RadioConfiguration::Rc1;
            tracing::info!("listening to {default}; --radio-configuration chooses another one");
            chosen.radio_configuration = vec![default];
        }
        chosen
    }

    /// Whether a channel was chosen.
    pub fn is_chosen(&self) -> bool {
        self.center_hz().is_some()
    }

    /// Power of a full-scale carrier at the antenna, if known.
    pub fn full_scale_dbm(&self) -> Option<f64> {
        self.full_scale_dbm
    }

    /// The configuration of the one receiver for this recording, called `name` in messages.
    ///
    /// # Errors
    /// Those of [`Self::receiver_configs`], and more than one channel.
    pub fn receiver_config(
        &self,
        name: &str,
        info: &StreamInfo,
        devices: &DeviceTable,
    ) -> Result<ReceiverConfig> {
        let configs = self.receiver_configs(name, info, devices)?;
        match <[ReceiverConfig; 1]>::try_from(configs) {
            Ok([config]) => Ok(config),
            Err(configs) => Err(misuse(anyhow!(
                "{} channels are chosen, and this command listens to one; `nap decode` takes several",
                configs.len()
            ))),
        }
    }

    /// The configurations of the receivers for this recording, called `name` in messages, one for each
    /// channel.
    ///
    /// # Errors
    /// A sample rate that is too low, and a channel that cannot be chosen.
    pub fn receiver_configs(
        &self,
        name: &str,
        info: &StreamInfo,
        devices: &DeviceTable,
    ) -> Result<Vec<ReceiverConfig>> {
        let chosen = self.choice().in_band(info.sample_rate_hz, info.center_hz);
        let chosen = chosen.map_err(with_flags).with_context(|| name.to_owned())?;
        tell(&chosen, info);
        let complete = |mut config: ReceiverConfig| {
            config.full_scale_dbm = self.full_scale_dbm;
            config.false_messages_per_day = self.false_messages_per_day;
            config.devices = devices.clone();
            tracing::debug!(
                "{name}: {} S/s, {}, channel around {:.6} MHz",
                info.sample_rate_hz,
                info.format,
                config.channel_center_hz / 1e6
            );
            config
        };
        Ok(chosen.configs.into_iter().map(complete).collect())
    }

    fn choice(&self) -> ChannelChoice {
        let channels = if !self.channel_center.is_empty() {
            Channels::Centers(self.channel_center.clone())
        } else if !self.radio_configuration.is_empty() {
            Channels::Configurations(self.radio_configuration.clone())
        } else {
            Channels::Nearest
        };
        ChannelChoice { channels, bit_rate: self.bit_rate }
    }
}

/// Says what was assumed.
fn tell(chosen: &ChosenChannels, info: &StreamInfo) {
    if info.center_hz.is_none() {
        tracing::info!(
            "the centre frequency is not known: listening in the middle, frequencies count from \
             there (--center-frequency HZ tells it)"
        );
    }
    for note in chosen.unheard() {
        tracing::info!("{note}");
    }
    let first = chosen.configs.first().and_then(|config| config.radio_configuration);
    if let (Some(first), false) = (first, chosen.others.is_empty()) {
        let names: Vec<&str> = chosen.others.iter().map(|other| other.name()).collect();
        tracing::info!(
            "listening to {first}; the recording also holds {} (--radio-configuration chooses)",
            names.join(", ")
        );
    }
}

/// Names the flags that help.
fn with_flags(error: ChannelError) -> anyhow::Error {
    match error {
        ChannelError::Band(error) => error.into(),
        ChannelError::UnknownCenter => misuse(anyhow!("{error}; give --center-frequency HZ")),
        ChannelError::NoneInBand { .. } => misuse(anyhow!(
            "{error}; correct that with --center-frequency HZ, or choose with --channel-center HZ"
        )),
        _ => misuse(anyhow!("{error}")),
    }
}
