//! Which frequencies to show.

use std::str::FromStr;

use nap_phy::ReceiverConfig;

use crate::args::quantity;

/// Frequencies as the user asks for them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Span {
    /// A width around the middle of the channel.
    Width(f64),
    /// From one frequency to another.
    Range(f64, f64),
}

impl Span {
    /// The lowest and the highest frequency, in hertz.
    pub fn range_hz(self, config: &ReceiverConfig) -> (f64, f64) {
        let center_hz = config.channel_center_hz;
        match self {
            Self::Width(width_hz) => (center_hz - width_hz / 2.0, center_hz + width_hz / 2.0),
            Self::Range(low_hz, high_hz) => (low_hz, high_hz),
        }
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((low, high)) = text.split_once("..") else {
            let width_hz = quantity::hertz(text)?;
            return match width_hz > 0.0 {
                true => Ok(Self::Width(width_hz)),
                false => Err(format!("{text:?} is no width: it must be above 0")),
            };
        };
        let (low_hz, high_hz) = (quantity::hertz(low)?, quantity::hertz(high)?);
        match low_hz < high_hz {
            true => Ok(Self::Range(low_hz, high_hz)),
            false => Err(format!("{text:?} does not go from a lower to a higher frequency")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_widths_and_ranges() {
        assert_eq!("50k".parse(), Ok(Span::Width(50e3)));
        assert_eq!("868.1M..868.2M".parse(), Ok(Span::Range(868.1e6, 868.2e6)));
        assert_eq!("-20k..20k".parse(), Ok(Span::Range(-20e3, 20e3)));
        for text in ["0", "-5k", "868.2M..868.1M", "..", "1..", "wide"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_width_is_around_the_channel() {
        let mut config = ReceiverConfig::new(1e6, 868.3e6);
        config.channel_center_hz = 868.13e6;
        assert_eq!(Span::Width(50e3).range_hz(&config), (868.105e6, 868.155e6));
        assert_eq!(Span::Range(1.0, 2.0).range_hz(&config), (1.0, 2.0));
    }
}
