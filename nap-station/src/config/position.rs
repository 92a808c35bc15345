//! `[position]`.

use serde::Deserialize;
use serde::de::{self, Deserializer};

/// Where the station is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum PositionConfig {
    /// Nobody says.
    #[default]
    None,
    /// Where its operator says.
    Fixed {
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    source: String,
    latitude: Option<f64>,
    longitude: Option<f64>,
}

impl<'de> Deserialize<'de> for PositionConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let section = Section::deserialize(deserializer)?;
        match (section.source.as_str(), section.latitude, section.longitude) {
            ("none", None, None) => Ok(Self::None),
            ("none", ..) => {
                Err(de::Error::custom("a `source` of \"none\" has no latitude and longitude"))
            }
            ("fixed", Some(latitude), Some(longitude)) => fixed(latitude, longitude),
            ("fixed", ..) => {
                Err(de::Error::custom("`source` = \"fixed\" needs `latitude` and `longitude`"))
            }
            ("gpsd", ..) => Err(de::Error::custom("`source` = \"gpsd\" is not in this version")),
            _ => Err(de::Error::custom("`source` is \"fixed\" or \"none\"")),
        }
    }
}

fn fixed<E: de::Error>(latitude: f64, longitude: f64) -> Result<PositionConfig, E> {
    if latitude.abs() <= 90.0 && longitude.abs() <= 180.0 {
        return Ok(PositionConfig::Fixed { latitude, longitude });
    }
    Err(E::custom("`latitude` is -90 to 90 and `longitude` -180 to 180, in degrees"))
}
