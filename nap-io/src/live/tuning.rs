//! How a radio is to be set.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The gain of a radio.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub enum Gain {
    /// As the driver has it.
    #[default]
    Default,
    /// Found by trying: as much as there can be without overload, no more than lifts the noise of the
    /// antenna over that of the converter.
    Auto,
    /// All elements together, dB.
    Total(f64),
    /// Each element by its name, dB.
    Elements(BTreeMap<String, f64>),
}

impl FromStr for Gain {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| {
            let value = text.trim().parse().ok().filter(|value: &f64| value.is_finite());
            value.ok_or_else(|| format!("{text:?} is not a gain such as 30, LNA=20,VGA=10 or auto"))
        };
        if text == "auto" {
            return Ok(Self::Auto);
        }
        if !text.contains('=') {
            return number(text).map(Self::Total);
        }
        let element = |part: &str| {
            let (name, value) = part.split_once('=').ok_or_else(|| format!("{part:?} has no ="))?;
            Ok((name.trim().to_owned(), number(value)?))
        };
        text.split(',').map(element).collect::<Result<_, String>>().map(Self::Elements)
    }
}

/// How a radio is to be set. What is not given stays as the driver has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Tuning {
    /// Samples a second; if not given, the lowest that the radio offers with room for the channel
    /// beside the DC spike.
    pub sample_rate_hz: Option<f64>,
    /// The middle of the channel to be received, Hz.
    pub channel_center_hz: f64,
    /// The width of the channel, Hz.
    pub channel_width_hz: f64,
    /// Where to tune to instead of beside the channel, Hz.
    pub center_hz: Option<f64>,
    /// The gain.
    pub gain: Gain,
    /// Which antenna connector.
    pub antenna: Option<String>,
    /// Bandwidth of the analogue filter, Hz.
    pub bandwidth_hz: Option<f64>,
    /// By how much the radio's crystal is too fast, in millionths.
    pub ppm: f64,
    /// Whether to feed an amplifier at the antenna.
    pub bias_tee: bool,
    /// Which channel of a radio that has several.
    pub channel: usize,
    /// Settings of the driver, key and value.
    pub settings: Vec<(String, String)>,
}

/// Beside the channel, room for the DC spike and what is around it.
const DC_GUARD_HZ: f64 = 5_000.0;
/// Share of the sampled band that filters leave undisturbed.
const USABLE_SHARE: f64 = 0.85;

impl Tuning {
    /// The lowest sample rate at which the DC spike lies outside the channel.
    #[must_use]
    pub fn comfortable_rate_hz(&self) -> f64 {
        (2.0 * self.channel_width_hz + 2.0 * DC_GUARD_HZ) / USABLE_SHARE
    }

    /// Where to tune to at a sample rate: just so far below the channel that the DC spike falls
    /// outside it, or its middle where the band is too narrow for that.
    #[must_use]
    pub fn center_hz(&self, sample_rate_hz: f64) -> f64 {
        if let Some(center_hz) = self.center_hz {
            return center_hz;
        }
        let offset_hz = if sample_rate_hz >= self.comfortable_rate_hz() {
            self.channel_width_hz / 2.0 + DC_GUARD_HZ
        } else {
            0.0
        };
        self.channel_center_hz - offset_hz
    }

    /// The lowest sample rate of those that the radio offers, as ranges from low to high, at which
    /// the DC spike lies outside the channel; else the highest.
    #[must_use]
    pub fn choose_rate(&self, ranges_hz: &[(f64, f64)]) -> Option<f64> {
        let wanted_hz = self.comfortable_rate_hz();
        let enough = ranges_hz.iter().filter(|(_, high)| *high >= wanted_hz);
        enough
            .map(|(low, _)| low.max(wanted_hz))
            .min_by(f64::total_cmp)
            .or_else(|| ranges_hz.iter().map(|(_, high)| *high).max_by(f64::total_cmp))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_are_read() {
        assert_eq!("auto".parse(), Ok(Gain::Auto));
        assert_eq!("29.7".parse(), Ok(Gain::Total(29.7)));
        let elements = BTreeMap::from([("LNA".to_owned(), 20.0), ("VGA".to_owned(), 10.0)]);
        assert_eq!("LNA=20,VGA=10".parse(), Ok(Gain::Elements(elements)));
        assert!("LNA=x".parse::<Gain>().is_err());
        assert!("much".parse::<Gain>().is_err());
    }

    #[test]
    fn the_dc_spike_falls_beside_the_channel_where_there_is_room() {
        let tuning =
            Tuning { channel_center_hz: 868.13e6, channel_width_hz: 192e3, ..Tuning::default() };
        assert_eq!(tuning.center_hz(250e3), 868.13e6);
        assert_eq!(tuning.center_hz(1.024e6), 868.029e6);
        // RTL-SDR: the two ranges of its resampler.
        let rtl = [(225_001.0, 300_000.0), (900_001.0, 3_200_000.0)];
        assert_eq!(tuning.choose_rate(&rtl), Some(900_001.0));
        let list = [(250e3, 250e3), (1.024e6, 1.024e6), (2.4e6, 2.4e6)];
        assert_eq!(tuning.choose_rate(&list), Some(1.024e6));
        assert_eq!(tuning.choose_rate(&[(200e3, 300e3)]), Some(300e3));
        assert_eq!(tuning.choose_rate(&[]), None);
    }
}
