//! Numbers that cannot be.

use serde::Deserialize;
use serde::de::{self, Deserializer};

/// A number from 1 on.
pub(super) fn positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer)? {
        0 => Err(de::Error::custom("0 is too few; 1 is the least")),
        number => Ok(number),
    }
}

/// A number, not `inf` and `nan`.
pub(super) fn finite<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let number = f64::deserialize(deserializer)?;
    let is_finite = number.is_finite().then_some(number);
    is_finite.ok_or_else(|| de::Error::custom(format!("{number} is no number to go by")))
}

/// The error of a crystal in millionths.
pub(super) fn ppm<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let ppm = finite(deserializer)?;
    if ppm.abs() <= 1000.0 {
        return Ok(ppm);
    }
    Err(de::Error::custom(format!(
        "{ppm} is not the error of a crystal in millionths, such as -1.5"
    )))
}

/// A number where it may be left out.
pub(super) fn finite_if<'de, D>(deserializer: D) -> Result<Option<f64>, D::Error>
where
    D: Deserializer<'de>,
{
    finite(deserializer).map(Some)
}

/// Hertz, where they may be left out.
pub(super) fn hertz_if<'de, D>(deserializer: D) -> Result<Option<f64>, D::Error>
where
    D: Deserializer<'de>,
{
    let hertz = finite(deserializer)?;
    if hertz > 0.0 {
        return Ok(Some(hertz));
    }
    Err(de::Error::custom(format!("{hertz} is no number of hertz above 0")))
}
