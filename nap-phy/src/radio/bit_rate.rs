//! How fast a device sends.

use core::fmt;
use core::str::FromStr;

use crate::error::Error;

/// Bit rate of an uplink. One bit is one symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(into = "u16", try_from = "u16")
)]
pub enum BitRate {
    /// 100 bit/s.
    Bps100,
    /// 600 bit/s.
    Bps600,
}

impl BitRate {
    /// Both bit rates, slowest first.
    pub const ALL: [Self; 2] = [Self::Bps100, Self::Bps600];

    /// Bits, and symbols, a second.
    #[must_use]
    pub const fn bits_per_s(self) -> u16 {
        match self {
            Self::Bps100 => 100,
            Self::Bps600 => 600,
        }
    }

    /// The lowest sample rate, in samples per second, at which a receiver hears frames of this bit rate:
    /// a band that holds the frame, and around it enough to tell the noise.
    #[must_use]
    pub const fn min_sample_rate_hz(self) -> f64 {
        match self {
            Self::Bps100 => 3_000.0,
            Self::Bps600 => 12_000.0,
        }
    }

    /// Duration of a symbol in seconds.
    #[must_use]
    pub fn symbol_s(self) -> f64 {
        1.0 / f64::from(self.bits_per_s())
    }
}

impl From<BitRate> for u16 {
    fn from(bit_rate: BitRate) -> Self {
        bit_rate.bits_per_s()
    }
}

impl TryFrom<u16> for BitRate {
    type Error = Error;

    fn try_from(found: u16) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|bit_rate| bit_rate.bits_per_s() == found)
            .ok_or(Error::BitRate { found })
    }
}

impl fmt::Display for BitRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bits_per_s().fmt(f)
    }
}

impl FromStr for BitRate {
    type Err = Error;

    /// Reads `100` or `600`.
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::try_from(text.parse::<u16>().map_err(|_| Error::BitRateText)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for bit_rate in BitRate::ALL {
            assert_eq!(bit_rate.to_string().parse(), Ok(bit_rate));
        }
        assert_eq!("300".parse::<BitRate>(), Err(Error::BitRate { found: 300 }));
        assert_eq!("auto".parse::<BitRate>(), Err(Error::BitRateText));
    }
}
