//! Which channels of a band to receive.

use std::str::FromStr;

use crate::error::Error;
use crate::radio::bit_rate::BitRate;
use crate::radio::channel::MACRO_CHANNEL_WIDTH_HZ;
use crate::radio::configuration::RadioConfiguration;
use crate::receiver::config::{ReceiverConfig, check_sample_rate, receivable};

/// Which channels of a band to receive, and how fast their devices send.
///
/// ```
/// use nap_phy::RadioConfiguration::{Rc1, Rc7};
/// use nap_phy::receiver::channel_choice::{ChannelChoice, Channels};
///
/// # fn main() -> Result<(), nap_phy::receiver::channel_choice::ChannelError> {
/// let nearest = ChannelChoice::default().in_band(2.4e6, Some(868.5e6))?;
/// assert_eq!(nearest.configs[0].radio_configuration, Some(Rc7));
/// assert_eq!(nearest.others, [Rc1]);
///
/// let both = ChannelChoice { channels: Channels::Configurations(vec![Rc1, Rc7]), ..ChannelChoice::default() };
/// assert_eq!(both.in_band(2.4e6, Some(868.5e6))?.configs.len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChannelChoice {
    /// Which channels.
    pub channels: Channels,
    /// How fast their devices send.
    pub bit_rate: BitRateChoice,
}

/// Which channels of a band to receive.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub enum Channels {
    /// The uplink channel in the band that is nearest to its centre; of a band that is narrower than a
    /// channel, the one of which most is in it. The middle of the band if nobody knows its frequency.
    #[default]
    Nearest,
    /// The uplink channels of radio configurations.
    Configurations(Vec<RadioConfiguration>),
    /// As wide as an uplink channel, around these frequencies in hertz.
    Centers(Vec<f64>),
}

/// A bit rate, or whatever is in use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BitRateChoice {
    /// All that a channel's radio configuration has; both where none is known.
    #[default]
    Auto,
    /// This one.
    Only(BitRate),
}

/// What was chosen.
#[derive(Debug, Clone)]
pub struct ChosenChannels {
    /// A receiver's configuration for each channel, in the order of the choice.
    pub configs: Vec<ReceiverConfig>,
    /// Where the nearest channel was chosen: the radio configurations whose channels are in the band
    /// too, the nearest first.
    pub others: Vec<RadioConfiguration>,
    /// Bit rates that are in use in the channels, but for which the sample rate is too low.
    pub unheard_bit_rates: Vec<BitRate>,
}

/// Why a band does not have the channels that were asked for.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// No receiver can work on the band.
    #[error(transparent)]
    Band(#[from] Error),
    /// Channels were asked for by their frequencies, and nobody knows that of the band.
    #[error("the centre frequency is not known, so the channel cannot be found")]
    UnknownCenter,
    /// No uplink channel is wholly in the band, nor any part of one in a narrow band.
    #[error(
        "no radio configuration's uplink channel is wholly in the band, {:.6} to {:.6} MHz",
        lowest_hz / 1e6,
        highest_hz / 1e6
    )]
    NoneInBand {
        /// Where the band begins.
        lowest_hz: f64,
        /// Where the band ends.
        highest_hz: f64,
    },
    /// Two of the channels are the same.
    #[error("the channel around {:.6} MHz was chosen twice", center_hz / 1e6)]
    Twice {
        /// Middle of the channel.
        center_hz: f64,
    },
}

impl ChannelChoice {
    /// The channels in the band of a recording or radio: `sample_rate_hz` wide around `center_hz`, if
    /// that is known.
    ///
    /// Whether a channel that was asked for is inside the band, the receiver itself checks.
    ///
    /// # Errors
    ///
    /// [`ChannelError`], if the band cannot have the channels.
    pub fn in_band(
        &self,
        sample_rate_hz: f64,
        center_hz: Option<f64>,
    ) -> Result<ChosenChannels, ChannelError> {
        check_sample_rate(sample_rate_hz, &[])?;
        let mut chosen = self.channels.in_band(sample_rate_hz, center_hz)?;
        for config in &mut chosen.configs {
            let in_use = self.bit_rate.bit_rates(config.radio_configuration);
            config.bit_rates = receivable(&in_use, sample_rate_hz);
            if config.bit_rates.is_empty() {
                check_sample_rate(sample_rate_hz, &in_use)?;
            }
            chosen
                .unheard_bit_rates
                .extend(in_use.iter().filter(|one| !config.bit_rates.contains(one)));
        }
        chosen.unheard_bit_rates.sort_unstable();
        chosen.unheard_bit_rates.dedup();
        Ok(chosen)
    }
}

impl Channels {
    /// The middle of what was chosen, in hertz, between the lowest and the highest channel; `None` if
    /// nothing was. There a radio is best tuned.
    #[must_use]
    pub fn middle_hz(&self) -> Option<f64> {
        let centers_hz = self.centers_hz();
        let lowest_hz = centers_hz.iter().copied().reduce(f64::min)?;
        let highest_hz = centers_hz.iter().copied().reduce(f64::max)?;
        Some(lowest_hz + (highest_hz - lowest_hz) / 2.0)
    }

    /// From the lower edge of the lowest channel to the upper edge of the highest, in hertz; `None` where they are not
    /// known before the stream.
    #[must_use]
    pub fn width_hz(&self) -> Option<f64> {
        let middle_hz = self.middle_hz()?;
        let distances_hz = self.centers_hz().into_iter().map(|hz| (hz - middle_hz).abs());
        let farthest_hz = distances_hz.fold(0.0, f64::max);
        Some(2.0 * farthest_hz + f64::from(MACRO_CHANNEL_WIDTH_HZ))
    }

    /// The middles of the channels that were chosen.
    fn centers_hz(&self) -> Vec<f64> {
        match self {
            Self::Nearest => Vec::new(),
            Self::Configurations(all) => {
                all.iter().map(|rc| rc.uplink_center_hz().into()).collect()
            }
            Self::Centers(centers_hz) => centers_hz.clone(),
        }
    }

    fn in_band(
        &self,
        sample_rate_hz: f64,
        center_hz: Option<f64>,
    ) -> Result<ChosenChannels, ChannelError> {
        let Some(center_hz) = center_hz else {
            // Frequencies count from the middle then.
            let middle = ReceiverConfig::new(sample_rate_hz, 0.0);
            return match self {
                Self::Nearest => Ok(ChosenChannels::only(vec![middle])),
                _ => Err(ChannelError::UnknownCenter),
            };
        };
        self.check_twice()?;
        let band = ReceiverConfig::new(sample_rate_hz, center_hz);
        let of = |rc: &RadioConfiguration| band.clone().with_radio_configuration(*rc);
        let at = |center_hz: &f64| band.clone().with_channel_center(*center_hz);
        match self {
            Self::Nearest => {
                let (first, others) = nearest(sample_rate_hz, center_hz)?;
                Ok(ChosenChannels { others, ..ChosenChannels::only(vec![of(&first)]) })
            }
            Self::Configurations(all) => Ok(ChosenChannels::only(all.iter().map(of).collect())),
            Self::Centers(all) => Ok(ChosenChannels::only(all.iter().map(at).collect())),
        }
    }

    /// Two receivers on one channel would report everything twice.
    fn check_twice(&self) -> Result<(), ChannelError> {
        let mut centers_hz = self.centers_hz();
        centers_hz.sort_by(f64::total_cmp);
        match centers_hz.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(ChannelError::Twice { center_hz: pair[0] }),
            None => Ok(()),
        }
    }
}

impl ChosenChannels {
    /// What of the channels is not listened to, in words; nothing if all is.
    #[must_use]
    pub fn unheard(&self) -> Vec<String> {
        let coverages = self.configs.iter().map(ReceiverConfig::coverage);
        let parts = coverages.filter(|coverage| !coverage.is_whole());
        let too_fast = self.unheard_bit_rates.iter().map(|bit_rate| {
            let min_hz = bit_rate.min_sample_rate_hz();
            format!("{bit_rate} bit/s is not listened for: that needs {min_hz} S/s")
        });
        parts.map(|coverage| coverage.to_string()).chain(too_fast).collect()
    }

    /// Nothing but these.
    fn only(configs: Vec<ReceiverConfig>) -> Self {
        Self { configs, others: Vec::new(), unheard_bit_rates: Vec::new() }
    }
}

/// The radio configuration whose channel is inside the band and nearest to its centre, and the others
/// inside it.
fn nearest(
    sample_rate_hz: f64,
    center_hz: f64,
) -> Result<(RadioConfiguration, Vec<RadioConfiguration>), ChannelError> {
    let none = ChannelError::NoneInBand {
        lowest_hz: center_hz - sample_rate_hz / 2.0,
        highest_hz: center_hz + sample_rate_hz / 2.0,
    };
    if sample_rate_hz < f64::from(MACRO_CHANNEL_WIDTH_HZ) {
        return Ok((partly_inside(sample_rate_hz, center_hz).ok_or(none)?, Vec::new()));
    }
    let inside = RadioConfiguration::inside(center_hz, sample_rate_hz);
    let (first, others) = inside.split_first().ok_or(none)?;
    Ok((*first, others.to_vec()))
}

/// The radio configuration of whose channel a narrow band holds most: of all, the one whose middle is
/// nearest. `None` if there is nothing of it in the band.
fn partly_inside(sample_rate_hz: f64, center_hz: f64) -> Option<RadioConfiguration> {
    let reach_hz = (f64::from(MACRO_CHANNEL_WIDTH_HZ) + sample_rate_hz) / 2.0;
    let distance_hz =
        |rc: &RadioConfiguration| (f64::from(rc.uplink_center_hz()) - center_hz).abs();
    let nearer =
        |a: &RadioConfiguration, b: &RadioConfiguration| distance_hz(a).total_cmp(&distance_hz(b));
    let nearest = RadioConfiguration::ALL.into_iter().min_by(nearer)?;
    (distance_hz(&nearest) < reach_hz).then_some(nearest)
}

impl BitRateChoice {
    /// The bit rates to listen for in the channel of a radio configuration.
    #[must_use]
    pub fn bit_rates(self, radio_configuration: Option<RadioConfiguration>) -> Vec<BitRate> {
        match self {
            Self::Only(bit_rate) => vec![bit_rate],
            Self::Auto => {
                radio_configuration.map_or(&BitRate::ALL[..], |rc| rc.bit_rates()).to_vec()
            }
        }
    }
}

impl FromStr for BitRateChoice {
    type Err = Error;

    /// Reads `100`, `600` or `auto`.
    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "auto" => Ok(Self::Auto),
            _ => text.parse().map(Self::Only),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use RadioConfiguration::{Rc1, Rc2, Rc3Lbt, Rc3Ldc, Rc5, Rc7};

    fn of(all: &[RadioConfiguration]) -> ChannelChoice {
        let channels = Channels::Configurations(all.to_vec());
        ChannelChoice { channels, ..ChannelChoice::default() }
    }

    fn at(centers_hz: &[f64]) -> ChannelChoice {
        let channels = Channels::Centers(centers_hz.to_vec());
        ChannelChoice { channels, ..ChannelChoice::default() }
    }

    #[test]
    fn the_nearest_channel_and_what_else_there_is() {
        let chosen = ChannelChoice::default().in_band(2.4e6, Some(868.6e6)).unwrap();
        let [config] = &chosen.configs[..] else { panic!("one channel") };
        assert_eq!((config.radio_configuration, config.channel_center_hz), (Some(Rc7), 868.8e6));
        assert_eq!(config.reported_channel_center_hz, None);
        assert_eq!(chosen.others, [Rc1]);
    }

    #[test]
    fn the_middle_where_nobody_knows_the_frequency() {
        let chosen = ChannelChoice::default().in_band(250e3, None).unwrap();
        assert_eq!((chosen.configs.len(), chosen.configs[0].channel_center_hz), (1, 0.0));
        assert_eq!(chosen.configs[0].radio_configuration, None);
        for choice in [of(&[Rc1]), at(&[868e6])] {
            assert_eq!(choice.in_band(250e3, None).unwrap_err(), ChannelError::UnknownCenter);
        }
    }

    #[test]
    fn several_channels_in_the_order_of_the_choice() {
        let chosen = of(&[Rc7, Rc1]).in_band(2.4e6, Some(868.5e6)).unwrap();
        let names: Vec<_> = chosen.configs.iter().map(|c| c.radio_configuration).collect();
        assert_eq!(names, [Some(Rc7), Some(Rc1)]);
        assert_eq!(chosen.others, []);
        let chosen = at(&[868.3e6, 868.1e6]).in_band(2.4e6, Some(868.5e6)).unwrap();
        for (config, center_hz) in chosen.configs.iter().zip([868.3e6, 868.1e6]) {
            assert_eq!(config.channel_center_hz, center_hz);
            assert_eq!(config.reported_channel_center_hz, Some(center_hz));
            assert_eq!(config.radio_configuration, None);
        }
    }

    #[test]
    fn the_bit_rates_in_use() {
        let rates = |choice: &str, rc| choice.parse::<BitRateChoice>().unwrap().bit_rates(rc);
        assert_eq!(rates("auto", None), BitRate::ALL);
        assert_eq!(rates("auto", Some(Rc1)), BitRate::ALL);
        assert_eq!(rates("auto", Some(Rc2)), [BitRate::Bps600]);
        assert_eq!(rates("100", Some(Rc2)), [BitRate::Bps100]);
        assert!("200".parse::<BitRateChoice>().is_err());
        let chosen = of(&[Rc2]).in_band(250e3, Some(902.2e6)).unwrap();
        assert_eq!(chosen.configs[0].bit_rates, [BitRate::Bps600]);
    }

    #[test]
    fn says_why_not() {
        let fails = |choice: ChannelChoice, rate_hz, center_hz| {
            choice.in_band(rate_hz, Some(center_hz)).unwrap_err()
        };
        let too_low = |found_hz, bits_per_s, min_hz| {
            ChannelError::Band(Error::SampleRate { found_hz, bits_per_s, min_hz })
        };
        assert_eq!(fails(of(&[Rc1]), 2.9e3, 868e6), too_low(2.9e3, 100, 3e3));
        assert_eq!(fails(of(&[Rc2]), 11.9e3, 902.2e6), too_low(11.9e3, 600, 12e3));
        let only_600 =
            ChannelChoice { bit_rate: BitRateChoice::Only(BitRate::Bps600), ..of(&[Rc1]) };
        assert_eq!(fails(only_600, 11.9e3, 868e6), too_low(11.9e3, 600, 12e3));
        let none = ChannelError::NoneInBand { lowest_hz: 433.795e6, highest_hz: 434.045e6 };
        assert_eq!(fails(ChannelChoice::default(), 250e3, 433.92e6), none);
        let twice = ChannelError::Twice { center_hz: 923.2e6 };
        assert_eq!(fails(of(&[Rc3Lbt, Rc5, Rc3Ldc]), 1e6, 923.2e6), twice);
    }

    #[test]
    fn the_channel_of_which_a_narrow_band_holds_most() {
        let choice = ChannelChoice::default();
        let chosen = choice.in_band(5e3, Some(868.2e6)).unwrap();
        let [config] = &chosen.configs[..] else { panic!("one channel") };
        assert_eq!(config.radio_configuration, Some(Rc1));
        assert_eq!(
            (&config.bit_rates[..], &chosen.unheard_bit_rates[..]),
            (&[BitRate::Bps100][..], &[BitRate::Bps600][..])
        );
        let [part, bit_rate] = &chosen.unheard()[..] else { panic!("two notes") };
        assert!(part.contains("5.000 of the channel's 192 kHz"), "{part}");
        assert_eq!(bit_rate, "600 bit/s is not listened for: that needs 12000 S/s");
        let chosen = choice.in_band(12e3, Some(868.03e6)).unwrap();
        assert_eq!(chosen.configs[0].radio_configuration, Some(Rc1));
        assert_eq!(chosen.configs[0].bit_rates, BitRate::ALL);
        assert_eq!(chosen.unheard_bit_rates, []);
        let chosen = choice.in_band(12e3, Some(923.29e6)).unwrap();
        assert_eq!(chosen.configs[0].radio_configuration, Some(Rc5));
        let none = ChannelError::NoneInBand { lowest_hz: 868.02e6, highest_hz: 868.032e6 };
        assert_eq!(choice.in_band(12e3, Some(868.026e6)).unwrap_err(), none);
    }

    #[test]
    fn a_radio_is_tuned_to_the_middle_of_all_channels() {
        assert_eq!(Channels::Nearest.middle_hz(), None);
        assert_eq!(of(&[Rc7, Rc1]).channels.middle_hz(), Some(868.465e6));
        assert_eq!(at(&[868.3e6]).channels.middle_hz(), Some(868.3e6));
        assert_eq!(Channels::Nearest.width_hz(), None);
        assert_eq!(of(&[Rc7, Rc1]).channels.width_hz(), Some(862e3));
    }
}
