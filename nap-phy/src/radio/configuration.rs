//! The radio configurations: where, how fast and by which rules devices of a region send.
//!
//! All figures are those of sigfox-ep-lib 4.3 (`sigfox_rc.c`, `sigfox_types.h`) unless an item says
//! otherwise.

use core::fmt;
use core::str::FromStr;

use arrayvec::ArrayVec;

use crate::error::Error;
use crate::radio::access::Access;
use crate::radio::bit_rate::BitRate;
use crate::radio::channel::MACRO_CHANNEL_WIDTH_HZ;
use crate::radio::guard::Guard;
use crate::radio::hopping::HoppingRaster;

/// Pause between the frames of a message that asks for a downlink, ms.
pub const BIDIRECTIONAL_PAUSE_MS: u32 = 500;

/// Longest pause between the frames of a message that asks for no downlink, ms. The device
/// chooses; none is possible.
pub const MAX_UPLINK_PAUSE_MS: u32 = 2000;

/// Shortest and longest time from the reception of a downlink to its confirmation, ms.
pub const CONFIRMATION_DELAY_MS: (u32, u32) = (1400, 4000);

/// How many radio configurations there are.
const COUNT: usize = 8;

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
    pub const ALL: [Self; COUNT] = [
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
    pub const fn uplink_center_hz(self) -> u32 {
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
    pub const fn downlink_center_hz(self) -> u32 {
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
        f64::from(self.downlink_center_hz()) - f64::from(self.uplink_center_hz())
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
            Self::Rc1 | Self::Rc7 => Access::DutyCycle { max_percent: Some(1) },
            Self::Rc6 => Access::DutyCycle { max_percent: None },
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
        let offset_hz = frequency_hz - f64::from(self.uplink_center_hz());
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
    /// `center_hz`, the one nearest to the middle first.
    #[must_use]
    pub fn inside(center_hz: f64, width_hz: f64) -> ArrayVec<Self, COUNT> {
        let distance_hz =
            |configuration: &Self| (f64::from(configuration.uplink_center_hz()) - center_hz).abs();
        let reach_hz = (width_hz - f64::from(MACRO_CHANNEL_WIDTH_HZ)) / 2.0;
        let mut found: ArrayVec<Self, COUNT> = Self::ALL
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

    /// Sigfox's module table has 1 % for RC1 and RC7 and nothing for RC6.
    #[test]
    fn duty_cycles() {
        let max_percent = |configuration: RadioConfiguration| match configuration.access() {
            Access::DutyCycle { max_percent } => Some(max_percent),
            _ => None,
        };
        assert_eq!([Rc1, Rc7].map(max_percent), [Some(Some(1)); 2]);
        assert_eq!(max_percent(Rc6), Some(None));
        assert_eq!([Rc2, Rc3Lbt, Rc3Ldc, Rc4, Rc5].map(max_percent), [None; 5]);
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
        let inside = |center_hz, width_hz| RadioConfiguration::inside(center_hz, width_hz).to_vec();
        assert_eq!(inside(868.13e6, 250e3), [Rc1]);
        assert_eq!(inside(868.159e6, 250e3), [Rc1]);
        assert_eq!(inside(868.16e6, 250e3), []);
        assert_eq!(inside(433.92e6, 2.4e6), []);
        assert_eq!(inside(868.6e6, 2e6), [Rc7, Rc1]);
        assert_eq!(inside(923.29e6, 400e3), [Rc5, Rc3Lbt, Rc3Ldc]);
        assert_eq!(inside(f64::NAN, 250e3), []);
    }
}
