//! `[station]`.

use std::path::PathBuf;

use serde::Deserialize;

/// What the station is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StationConfig {
    /// Where it keeps what it must not lose.
    pub state: PathBuf,
    /// Which model it is.
    #[serde(default)]
    pub model: Model,
    /// What the model may have besides.
    #[serde(default)]
    pub options: Vec<StationOption>,
    /// How much it says over its links.
    #[serde(default)]
    pub profile: Profile,
    /// What the label's code points to.
    #[serde(default)]
    pub label_url: String,
}

/// A model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum Model {
    /// Ethernet and Wi-Fi.
    #[serde(rename = "NAP3")]
    Nap3,
    /// LTE and GPS as options.
    #[serde(rename = "NAP5")]
    Nap5,
    /// All of it.
    #[default]
    #[serde(rename = "NAP7")]
    Nap7,
}

impl Model {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nap3 => "NAP3",
            Self::Nap5 => "NAP5",
            Self::Nap7 => "NAP7",
        }
    }
}

/// What a NAP5 may have besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum StationOption {
    /// A modem for LTE-M.
    #[serde(rename = "lte-m")]
    LteM,
    /// A modem for LTE Cat 1.
    #[serde(rename = "lte-cat1")]
    LteCat1,
    /// A receiver for GPS.
    #[serde(rename = "gps")]
    Gps,
}

/// How much a station says over its links.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Whatever is of use.
    #[default]
    Normal,
    /// As little as can be: somebody pays by the byte.
    Metered,
}
