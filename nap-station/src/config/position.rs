//! `[position]`.

use serde::Deserialize;
use serde::de::{self, Deserializer};

/// Where the station is.
#[derive(Debug, Clone, Default, PartialEq)]
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
    /// A GPS receiver says, which also tells the time of day.
    Gpsd {
        /// `HOST:PORT` of the gpsd that has it.
        address: String,
    },
}

/// Where a gpsd listens if nobody says otherwise.
const GPSD: &str = "127.0.0.1:2947";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    source: String,
    latitude: Option<f64>,
    longitude: Option<f64>,
    address: Option<String>,
}

impl<'de> Deserialize<'de> for PositionConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let section = Section::deserialize(deserializer)?;
        if section.source != "gpsd" && section.address.is_some() {
            return Err(de::Error::custom("`address` is gpsd's, and needs `source` = \"gpsd\""));
        }
        match (section.source.as_str(), section.latitude, section.longitude) {
            ("none", None, None) => Ok(Self::None),
            ("gpsd", None, None) => gpsd(section.address),
            (source @ ("none" | "gpsd"), ..) => Err(de::Error::custom(format!(
                "a `source` of {source:?} has no latitude and longitude"
            ))),
            ("fixed", Some(latitude), Some(longitude)) => fixed(latitude, longitude),
            ("fixed", ..) => {
                Err(de::Error::custom("`source` = \"fixed\" needs `latitude` and `longitude`"))
            }
            _ => Err(de::Error::custom("`source` is \"gpsd\", \"fixed\" or \"none\"")),
        }
    }
}

fn gpsd<E: de::Error>(address: Option<String>) -> Result<PositionConfig, E> {
    let address = address.unwrap_or_else(|| GPSD.into());
    let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    if port.is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
        return Ok(PositionConfig::Gpsd { address });
    }
    Err(E::custom("`address` is HOST:PORT of a gpsd"))
}

fn fixed<E: de::Error>(latitude: f64, longitude: f64) -> Result<PositionConfig, E> {
    if latitude.abs() <= 90.0 && longitude.abs() <= 180.0 {
        return Ok(PositionConfig::Fixed { latitude, longitude });
    }
    Err(E::custom("`latitude` is -90 to 90 and `longitude` -180 to 180, in degrees"))
}
