//! The radio configurations: where, how fast and by which rules devices of a region send.
//!
//! All figures are those of sigfox-ep-lib 4.3 (`sigfox_rc.c`, `sigfox_types.h`) unless an item says
//! otherwise.

use core::fmt;
use core::str::FromStr;

use arrayvec::ArrayVec;

use crate::{BitRate, Error};

/// Width of the channel in which the devices of a radio configuration send, Hz.
pub const MACRO_CHANNEL_WIDTH_HZ: u32 = 192_000;

/// Pause between the frames of a message that asks for a downlink, ms.
pub const BIDIRECTIONAL_PAUSE_MS: u32 = 500;

/// Longest pause between the frames of a message that asks for no downlink, ms. The device
/// chooses; none is possible.
pub const MAX_UPLINK_PAUSE_MS: u32 = 2000;

/// Shortest and longest time from the reception of a downlink to its confirmation, ms.
pub const CONFIRMATION_DELAY_MS: (u32, u32) = (1400, 4000);

/// The rules of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RadioConfiguration {
    /// Europe, Middle East and Africa: 868.13 MHz.
    Rc1,
    /// North America, Brazil: 902.2 MHz.
    Rc2,
    /// Japan, listen before talk: 923.2 MHz. Older libraries call it RC3c.
    Rc3Lbt,
    /// Japan, low duty cycle: 923.2 MHz. Older libraries call it RC3d.
    Rc3Ldc,
    /// Latin America, Asia-Pacific: 920.8 MHz.
    Rc4,
    /// South Korea: 923.3 MHz.
    Rc5,
    /// India: 865.2 MHz.
    Rc6,
    /// Russia: 868.8 MHz.
    Rc7,
}

impl RadioConfiguration {
    /// All radio configurations.
    pub const ALL: [Self; 8] = [
        Self::Rc1,
        Self::Rc2,
        Self::Rc3Lbt,
        Self::Rc3Ldc,
        Self::Rc4,
        Self::Rc5,
        Self::Rc6,
        Self::Rc7,
    ];

    /// Its name, as printed and parsed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rc1 => "RC1",
            Self::Rc2 => "RC2",
            Self::Rc3Lbt => "RC3_LBT",
            Self::Rc3Ldc => "RC3_LDC",
            Self::Rc4 => "RC4",
            Self::Rc5 => "RC5",
            Self::Rc6 => "RC6",
            Self::Rc7 => "RC7",
        }
    }

    /// Centre of the uplink channel, Hz.
    #[must_use]
    pub const fn uplink_centre_hz(self) -> u32 {
        match self {
            Self::Rc1 => 868_130_000,
            Self::Rc2 => 902_200_000,
            Self::Rc3Lbt | Self::Rc3Ldc => 923_200_000,
            Self::Rc4 => 920_800_000,
            Self::Rc5 => 923_300_000,
            Self::Rc6 => 865_200_000,
            Self::Rc7 => 868_800_000,
        }
    }

    /// Centre of the downlink channel, Hz.
    #[must_use]
    pub const fn downlink_centre_hz(self) -> u32 {
        match self {
            Self::Rc1 => 869_525_000,
            Self::Rc2 => 905_200_000,
            Self::Rc3Lbt | Self::Rc3Ldc => 922_200_000,
            Self::Rc4 | Self::Rc5 => 922_300_000,
            Self::Rc6 => 866_300_000,
            Self::Rc7 => 869_100_000,
        }
    }

    /// From an uplink frequency to its downlink's, Hz.
    #[must_use]
    pub fn downlink_offset_hz(self) -> f64 {
        f64::from(self.downlink_centre_hz()) - f64::from(self.uplink_centre_hz())
    }

    /// Where a device listens that sent its first frame on `uplink_frequency_hz`.
    ///
    /// Taken from the frequency as received, the downlink meets the device whatever its crystal's
    /// error.
    #[must_use]
    pub fn downlink_frequency_hz(self, uplink_frequency_hz: f64) -> f64 {
        uplink_frequency_hz + self.downlink_offset_hz()
    }

    /// By which rule devices share the channel.
    #[must_use]
    pub const fn access(self) -> Access {
        match self {
            Self::Rc1 | Self::Rc6 | Self::Rc7 => Access::DUTY_CYCLE,
            Self::Rc2 => Access::hopping(HoppingRaster::RC2),
            Self::Rc3Lbt => Access::listen_before_talk(-80),
            Self::Rc3Ldc => Access::LOW_DUTY_CYCLE,
            Self::Rc4 => Access::hopping(HoppingRaster::RC4),
            Self::Rc5 => Access::listen_before_talk(-65),
        }
    }

    /// How far from the channel's edges devices stay.
    #[must_use]
    pub const fn guard(self) -> Guard {
        let (network_hz, device_hz) = match self {
            Self::Rc1 => (1410, 17_370),
            Self::Rc3Lbt | Self::Rc3Ldc | Self::Rc5 => (1500, 18_470),
            Self::Rc6 => (1410, 17_310),
            Self::Rc7 => (1410, 17_380),
            Self::Rc2 | Self::Rc4 => return Guard::MicroChannel { width_hz: 21_000 },
        };
        Guard::Oscillators { network_hz, device_hz }
    }

    /// Bit rates that devices may use, slowest first.
    #[must_use]
    pub const fn bit_rates(self) -> &'static [BitRate] {
        match self {
            Self::Rc2 | Self::Rc4 => &[BitRate::Bps600],
            _ => &BitRate::ALL,
        }
    }

    /// The bit rate in the field (Sigfox's build pages).
    #[must_use]
    pub const fn nominal_bit_rate(self) -> BitRate {
        match self {
            Self::Rc2 | Self::Rc4 => BitRate::Bps600,
            _ => BitRate::Bps100,
        }
    }

    /// Highest power that a device may radiate, dBm EIRP.
    #[must_use]
    pub const fn max_eirp_dbm(self) -> i8 {
        match self {
            Self::Rc2 | Self::Rc4 => 24,
            Self::Rc5 => 14,
            _ => 16,
        }
    }

    /// Whether `frequency_hz` is inside the uplink channel.
    #[must_use]
    pub fn covers(self, frequency_hz: f64) -> bool {
        let offset_hz = frequency_hz - f64::from(self.uplink_centre_hz());
        let half_width_hz = f64::from(MACRO_CHANNEL_WIDTH_HZ / 2);
        (-half_width_hz..=half_width_hz).contains(&offset_hz)
    }

    /// The radio configurations whose uplink channel has `frequency_hz` in it.
    ///
    /// There may be several: both of Japan share a channel, which Korea's overlaps.
    pub fn covering(frequency_hz: f64) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |configuration| configuration.covers(frequency_hz))
    }

    /// The radio configurations whose whole uplink channel is inside a band of `width_hz` around
    /// `centre_hz`, the one nearest to the middle first.
    #[must_use]
    pub fn inside(centre_hz: f64, width_hz: f64) -> ArrayVec<Self, 8> {
        let distance_hz =
            |configuration: &Self| (f64::from(configuration.uplink_centre_hz()) - centre_hz).abs();
        let reach_hz = (width_hz - f64::from(MACRO_CHANNEL_WIDTH_HZ)) / 2.0;
        let mut found: ArrayVec<Self, 8> = Self::ALL
            .into_iter()
            .filter(|configuration| distance_hz(configuration) <= reach_hz)
            .collect();
        // Without an allocator there is no stable sort: those of one channel stay in their order.
        found.sort_unstable_by(|a, b| distance_hz(a).total_cmp(&distance_hz(b)).then(a.cmp(b)));
        found
    }
}

impl fmt::Display for RadioConfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for RadioConfiguration {
    type Err = Error;

    /// Reads a name in either case. `RC3` is taken for `RC3_LBT`: a receiver hears no difference.
    fn from_str(text: &str) -> Result<Self, Error> {
        if text.eq_ignore_ascii_case("RC3") {
            return Ok(Self::Rc3Lbt);
        }
        Self::ALL
            .into_iter()
            .find(|configuration| configuration.name().eq_ignore_ascii_case(text))
            .ok_or(Error::RadioConfiguration)
    }
}

#[cfg(feature = "serde")]
crate::serde_text::serialize_as_text!(RadioConfiguration);
#[cfg(feature = "serde")]
crate::serde_text::deserialize_from_text!(RadioConfiguration, "a radio configuration, RC1 to RC7");

/// By which rule devices share a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// A device sends a small part of the time.
    DutyCycle {
        /// Greatest part of an hour that a device sends, percent.
        max_percent: u8,
    },
    /// A device sends a small part of the time and pauses between frames.
    LowDutyCycle {
        /// Shortest pause between two frames, ms.
        min_pause_ms: u32,
        /// Longest that the frames of a message may last together if they are closer, ms.
        max_transmission_ms: u32,
    },
    /// A device listens before it sends.
    ListenBeforeTalk {
        /// Level below which the channel counts as free, dBm.
        threshold_dbm: i8,
        /// Bandwidth in which the device listens, Hz.
        sense_bandwidth_hz: u32,
        /// Shortest time that the device listens, ms.
        min_sense_ms: u32,
        /// Longest time that the first frame waits for a free channel, ms.
        max_wait_ms: u32,
        /// Time within which all frames of a message must have been sent, ms.
        max_message_ms: u32,
    },
    /// A device sends each frame on another micro channel.
    FrequencyHopping {
        /// Longest time on one micro channel, ms (Sigfox module manuals).
        max_dwell_ms: u32,
        /// Shortest time from a message's last frame to the next message, ms.
        min_message_pause_ms: u32,
        /// The micro channels.
        raster: HoppingRaster,
    },
}

impl Access {
    const DUTY_CYCLE: Self = Self::DutyCycle { max_percent: 1 };

    const LOW_DUTY_CYCLE: Self = Self::LowDutyCycle { min_pause_ms: 50, max_transmission_ms: 4000 };

    const fn listen_before_talk(threshold_dbm: i8) -> Self {
        Self::ListenBeforeTalk {
            threshold_dbm,
            sense_bandwidth_hz: 200_000,
            min_sense_ms: 5,
            max_wait_ms: 5000,
            max_message_ms: 8000,
        }
    }

    const fn hopping(raster: HoppingRaster) -> Self {
        Self::FrequencyHopping { max_dwell_ms: 400, min_message_pause_ms: 20_000, raster }
    }

    /// How far frame 2 is above and frame 3 below frame 1 in a message that asks for a downlink, Hz.
    #[must_use]
    pub const fn bidirectional_offset_hz(self) -> u32 {
        match self {
            Self::FrequencyHopping { .. } => HoppingRaster::MICRO_CHANNEL_WIDTH_HZ,
            _ => 6000,
        }
    }

    /// When a device listens for the downlink it asked for.
    #[must_use]
    pub const fn downlink_window(self) -> DownlinkWindow {
        match self {
            Self::DutyCycle { .. } | Self::FrequencyHopping { .. } => {
                DownlinkWindow { start_ms: 20_000, length_ms: 25_000 }
            }
            Self::ListenBeforeTalk { .. } | Self::LowDutyCycle { .. } => {
                DownlinkWindow { start_ms: 19_000, length_ms: 33_500 }
            }
        }
    }
}

/// When a device listens for a downlink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DownlinkWindow {
    /// From the end of frame 1 to the start of the window, ms.
    pub start_ms: u32,
    /// How long the window is open, ms.
    pub length_ms: u32,
}

/// How far devices stay from a channel's edges, so that no oscillator's error takes them out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Guard {
    /// Room for the errors of two oscillators.
    Oscillators {
        /// The network's reference, 1.62 ppm, Hz.
        network_hz: u32,
        /// The device's crystal, 20 ppm, Hz.
        device_hz: u32,
    },
    /// An unused micro channel.
    MicroChannel {
        /// Its width, Hz.
        width_hz: u32,
    },
}

impl Guard {
    /// The whole guard at each edge, Hz.
    #[must_use]
    pub const fn total_hz(self) -> u32 {
        match self {
            Self::Oscillators { network_hz, device_hz } => network_hz + device_hz,
            Self::MicroChannel { width_hz } => width_hz,
        }
    }
}

/// The grid on which frequency-hopping devices send: nine macro channels of eight micro channels.
///
/// The outermost micro channels of each macro channel stay free, as do 2 kHz at each edge of a
/// micro channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HoppingRaster {
    /// Centre of macro channel 0, Hz.
    pub first_macro_channel_hz: u32,
    /// The macro channel that networks operate.
    pub operated_macro_channel: u8,
}

impl HoppingRaster {
    /// The grid of RC2, operated on 902.2 MHz.
    pub const RC2: Self = Self { first_macro_channel_hz: 902_200_000, operated_macro_channel: 0 };

    /// The grid of RC4, operated on 920.8 MHz.
    pub const RC4: Self = Self { first_macro_channel_hz: 920_200_000, operated_macro_channel: 2 };

    /// Macro channels of a grid.
    pub const MACRO_CHANNELS: u8 = 9;
    /// Distance between the centres of macro channels, Hz.
    pub const MACRO_CHANNEL_SPACING_HZ: u32 = 300_000;
    /// Width of a micro channel, Hz.
    pub const MICRO_CHANNEL_WIDTH_HZ: u32 = 25_000;
    /// Part of a micro channel at each edge that stays free, Hz.
    pub const MICRO_CHANNEL_GUARD_HZ: u32 = 2_000;
    /// Micro channels of a macro channel that devices use, numbered 0 to 5 here.
    pub const MICRO_CHANNELS: u8 = 6;

    /// From a macro channel's centre down to the lower edge of the first micro channel used, Hz.
    const SPAN_BELOW_CENTRE_HZ: u32 =
        Self::MICRO_CHANNELS as u32 * Self::MICRO_CHANNEL_WIDTH_HZ / 2;

    /// Centre of a macro channel, Hz; `None` from 9 on.
    #[must_use]
    pub fn macro_channel_centre_hz(self, macro_channel: u8) -> Option<u32> {
        (macro_channel < Self::MACRO_CHANNELS).then(|| {
            self.first_macro_channel_hz + u32::from(macro_channel) * Self::MACRO_CHANNEL_SPACING_HZ
        })
    }

    /// Centres of the micro channels used in a macro channel, Hz, lowest first; none from 9 on.
    pub fn micro_channel_centres_hz(self, macro_channel: u8) -> impl Iterator<Item = u32> {
        self.macro_channel_centre_hz(macro_channel).into_iter().flat_map(|centre_hz| {
            let lower_edge_hz = centre_hz - Self::SPAN_BELOW_CENTRE_HZ;
            (0..u32::from(Self::MICRO_CHANNELS)).map(move |micro_channel| {
                lower_edge_hz
                    + micro_channel * Self::MICRO_CHANNEL_WIDTH_HZ
                    + Self::MICRO_CHANNEL_WIDTH_HZ / 2
            })
        })
    }

    /// The micro channel of the operated macro channel, 0 to 5, in whose usable part
    /// `frequency_hz` is.
    #[must_use]
    pub fn usable_micro_channel(self, frequency_hz: u32) -> Option<u8> {
        let usable_half_hz = Self::MICRO_CHANNEL_WIDTH_HZ / 2 - Self::MICRO_CHANNEL_GUARD_HZ;
        (0..)
            .zip(self.micro_channel_centres_hz(self.operated_macro_channel))
            .find(|(_, centre_hz)| centre_hz.abs_diff(frequency_hz) <= usable_half_hz)
            .map(|(micro_channel, _)| micro_channel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use RadioConfiguration::*;

    #[test]
    fn names_read_back() {
        for configuration in RadioConfiguration::ALL {
            assert_eq!(configuration.to_string().parse(), Ok(configuration));
        }
        assert_eq!("rc3".parse(), Ok(Rc3Lbt));
        assert_eq!("RC8".parse::<RadioConfiguration>(), Err(Error::RadioConfiguration));
    }

    #[test]
    fn guards() {
        let totals = RadioConfiguration::ALL.map(|configuration| configuration.guard().total_hz());
        assert_eq!(totals, [18_780, 21_000, 19_970, 19_970, 21_000, 19_970, 18_720, 18_790]);
    }

    #[test]
    fn downlink_offsets() {
        let offsets = RadioConfiguration::ALL.map(RadioConfiguration::downlink_offset_hz);
        assert_eq!(offsets, [1.395e6, 3e6, -1e6, -1e6, 1.5e6, -1e6, 1.1e6, 0.3e6]);
        // The pairs that renard measured on a real network, without that network's wrap.
        assert_eq!(Rc1.downlink_frequency_hz(868_200_000.0), 869_595_000.0);
        assert_eq!(Rc1.downlink_frequency_hz(868_100_000.0), 869_495_000.0);
    }

    #[test]
    fn covering_channels() {
        let covering =
            |frequency_hz| RadioConfiguration::covering(frequency_hz).collect::<Vec<_>>();
        assert_eq!(covering(868.13e6), [Rc1]);
        assert_eq!(covering(868.226e6), [Rc1]);
        assert_eq!(covering(868.2261e6), []);
        assert_eq!(covering(923.12e6), [Rc3Lbt, Rc3Ldc]);
        assert_eq!(covering(923.25e6), [Rc3Lbt, Rc3Ldc, Rc5]);
        assert_eq!(covering(f64::NAN), []);
    }

    #[test]
    fn channels_inside_a_band() {
        let inside = |centre_hz, width_hz| RadioConfiguration::inside(centre_hz, width_hz).to_vec();
        assert_eq!(inside(868.13e6, 250e3), [Rc1]);
        assert_eq!(inside(868.159e6, 250e3), [Rc1]);
        assert_eq!(inside(868.16e6, 250e3), []);
        assert_eq!(inside(433.92e6, 2.4e6), []);
        assert_eq!(inside(868.6e6, 2e6), [Rc7, Rc1]);
        assert_eq!(inside(923.29e6, 400e3), [Rc5, Rc3Lbt, Rc3Ldc]);
        assert_eq!(inside(f64::NAN, 250e3), []);
    }

    #[test]
    fn micro_channels() {
        let operated = |raster: HoppingRaster| {
            raster.micro_channel_centres_hz(raster.operated_macro_channel).collect::<Vec<_>>()
        };
        assert_eq!(
            operated(HoppingRaster::RC2),
            [902_137_500, 902_162_500, 902_187_500, 902_212_500, 902_237_500, 902_262_500]
        );
        assert_eq!(
            operated(HoppingRaster::RC4),
            [920_737_500, 920_762_500, 920_787_500, 920_812_500, 920_837_500, 920_862_500]
        );
        assert_eq!(HoppingRaster::RC2.micro_channel_centres_hz(8).last(), Some(904_662_500));
        assert_eq!(HoppingRaster::RC2.micro_channel_centres_hz(9).count(), 0);
        assert_eq!(HoppingRaster::RC4.macro_channel_centre_hz(2), Some(920_800_000));
    }

    #[test]
    fn usable_parts_of_micro_channels() {
        let usable = |frequency_hz| HoppingRaster::RC2.usable_micro_channel(frequency_hz);
        assert_eq!(usable(902_126_999), None);
        assert_eq!(usable(902_127_000), Some(0));
        assert_eq!(usable(902_148_000), Some(0));
        assert_eq!(usable(902_148_001), None);
        assert_eq!(usable(902_262_500), Some(5));
        assert_eq!(usable(902_287_500), None);
    }
}
