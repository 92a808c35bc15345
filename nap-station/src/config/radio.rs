//! `[radio]`.

use std::path::{Path, PathBuf};

use nap_io::SampleFormat;
use nap_io::live::{Gain, SourceAddress, SourceKind};
use nap_phy::RadioConfiguration;
use nap_phy::receiver::channel_choice::BitRateChoice;
use serde::Deserialize;
use serde::de::{self, Deserializer};

use crate::config::range::{finite_if, hertz_if, ppm};

/// Where samples come from, and how they are received.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RadioConfig {
    /// Where messages come from.
    pub source: SourceChoice,
    /// How fast recordings play.
    #[serde(default)]
    pub replay: Replay,
    /// How the radio's amplifiers are set.
    #[serde(default = "auto", deserialize_with = "gain")]
    pub gain: Gain,
    /// By how many millionths the radio's crystal is too fast.
    #[serde(default, deserialize_with = "ppm")]
    pub ppm: f64,
    /// Power of a full-scale carrier at the antenna, where it is known.
    #[serde(default, deserialize_with = "finite_if")]
    pub full_scale_dbm: Option<f64>,
    /// What is received.
    #[serde(default = "rc1", deserialize_with = "radio_configurations")]
    pub radio_configurations: Vec<RadioConfiguration>,
    /// What to do where no radio configuration is known.
    #[serde(default = "keep")]
    pub unknown_territory: String,
    /// The operator's own table of countries.
    #[serde(default)]
    pub territories: toml::Table,
    /// How fast devices send.
    #[serde(default, deserialize_with = "bit_rate")]
    pub bit_rate: BitRateChoice,
    /// Samples a second, of raw samples and of radios that are to have another rate than the lowest.
    #[serde(default, deserialize_with = "hertz_if")]
    pub sample_rate_hz: Option<f64>,
    /// Where a radio is tuned to, and the centre of raw samples.
    #[serde(default, deserialize_with = "hertz_if")]
    pub center_hz: Option<f64>,
    /// How raw samples are stored.
    #[serde(default, deserialize_with = "sample_format")]
    pub sample_format: Option<SampleFormat>,
}

/// Where messages come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceChoice {
    /// From samples, out of a radio, the network or a recording.
    Samples(String),
    /// From message records, one JSON object a line.
    Records(PathBuf),
}

impl SourceChoice {
    /// Reads what `source` says.
    ///
    /// # Errors
    /// If it says nothing.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("a source is needed, such as \"driver=rtlsdr\"".into());
        }
        Ok(match text.strip_prefix("records:") {
            Some(path) => Self::Records(path.into()),
            None => Self::Samples(text.into()),
        })
    }

    /// Has a path start from a folder.
    pub(super) fn start_from(&mut self, folder: &Path) {
        match self {
            Self::Records(path) => *path = folder.join(&*path),
            Self::Samples(text) => {
                let path = folder.join(&*text);
                let is_recording = source_address(text).kind() == SourceKind::Recording;
                if text != "-" && (path.exists() || is_recording) {
                    *text = path.display().to_string();
                }
            }
        }
    }
}

/// A source of samples as the configuration names it: what has `KEY=VALUE` in it and is no file is a radio.
#[must_use]
pub fn source_address(text: &str) -> SourceAddress {
    let is_radio = text.contains('=') && !text.contains("://") && !Path::new(text).exists();
    if is_radio { SourceAddress::Radio(text.into()) } else { SourceAddress::parse(text) }
}

impl<'de> Deserialize<'de> for SourceChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

/// How fast recordings play.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Replay {
    /// As fast as can be.
    #[default]
    Max,
    /// So many times their own speed.
    Times(f64),
}

impl Replay {
    /// How many seconds of signal a second brings; `None` for as many as can be.
    #[must_use]
    pub fn times(self) -> Option<f64> {
        match self {
            Self::Max => None,
            Self::Times(times) => Some(times),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(f64),
    Text(String),
}

impl<'de> Deserialize<'de> for Replay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match NumberOrText::deserialize(deserializer)? {
            NumberOrText::Number(times) if times.is_finite() && times > 0.0 => {
                Ok(Self::Times(times))
            }
            NumberOrText::Text(text) if text == "max" => Ok(Self::Max),
            _ => Err(de::Error::custom("a speed is \"max\", or a number above 0")),
        }
    }
}

fn gain<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Gain, D::Error> {
    let text = match NumberOrText::deserialize(deserializer)? {
        NumberOrText::Number(gain_db) => gain_db.to_string(),
        NumberOrText::Text(text) => text,
    };
    text.parse().map_err(de::Error::custom)
}

fn sample_format<'de, D>(deserializer: D) -> Result<Option<SampleFormat>, D::Error>
where
    D: Deserializer<'de>,
{
    String::deserialize(deserializer)?.parse().map(Some).map_err(de::Error::custom)
}

fn bit_rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BitRateChoice, D::Error> {
    let text = match NumberOrText::deserialize(deserializer)? {
        NumberOrText::Number(bits_per_s) => bits_per_s.to_string(),
        NumberOrText::Text(text) => text,
    };
    text.parse().map_err(|_| de::Error::custom("a bit rate is 100, 600 or \"auto\""))
}

fn radio_configurations<'de, D>(deserializer: D) -> Result<Vec<RadioConfiguration>, D::Error>
where
    D: Deserializer<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum ListOrText {
        List(Vec<String>),
        Text(String),
    }
    match ListOrText::deserialize(deserializer)? {
        ListOrText::List(names) if !names.is_empty() => {
            let parse = |name: &String| name.parse().map_err(de::Error::custom);
            names.iter().map(parse).collect()
        }
        ListOrText::Text(text) if text == "auto" => {
            Err(de::Error::custom("\"auto\" is not in this version; name them, such as [\"RC1\"]"))
        }
        _ => Err(de::Error::custom("radio configurations are listed, such as [\"RC1\"]")),
    }
}

fn auto() -> Gain {
    Gain::Auto
}

fn rc1() -> Vec<RadioConfiguration> {
    vec![RadioConfiguration::Rc1]
}

fn keep() -> String {
    "keep".into()
}
