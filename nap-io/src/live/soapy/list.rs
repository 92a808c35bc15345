//! What is plugged in, and what it can do.

use soapysdr::Direction::Rx;

use super::c_text;
use crate::error::Error;

/// From low to high.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Range {
    /// The lowest value.
    pub low: f64,
    /// The highest value.
    pub high: f64,
}

/// A radio that was found.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Found {
    /// What chooses it: `driver=rtlsdr,serial=1`.
    pub arguments: String,
    /// What it is called.
    pub label: String,
    /// Number of channels that receive.
    pub channels: usize,
    /// The antenna connectors of the first channel.
    pub antennas: Vec<String>,
    /// The gain elements with their ranges, dB.
    pub gains_db: Vec<(String, Range)>,
    /// Sample rates.
    pub sample_rates_hz: Vec<Range>,
    /// Frequencies.
    pub frequencies_hz: Vec<Range>,
    /// Bandwidths of the analogue filter.
    pub bandwidths_hz: Vec<Range>,
    /// Why the radio could not be asked, if it could not.
    pub problem: Option<String>,
}

/// Lists the radios that `arguments` fit; all with an empty text.
///
/// # Errors
/// [`Error::Radio`] if a module fails to look; [`Error::Refused`] for a NUL in the text.
pub fn list(arguments: &str) -> Result<Vec<Found>, Error> {
    c_text::check(arguments, [arguments])?;
    let found = soapysdr::enumerate(arguments)
        .map_err(|error| Error::radio("SoapySDR", format!("cannot look for radios: {error}")))?;
    Ok(found.iter().map(describe).collect())
}

fn describe(arguments: &soapysdr::Args) -> Found {
    let mut found = Found {
        arguments: arguments
            .iter()
            .filter(|(key, _)| *key != "label")
            .map(|(key, value)| format!("{key}={value}"))
            .collect::<Vec<_>>()
            .join(","),
        label: arguments.get("label").unwrap_or_default().to_owned(),
        channels: 0,
        antennas: Vec::new(),
        gains_db: Vec::new(),
        sample_rates_hz: Vec::new(),
        frequencies_hz: Vec::new(),
        bandwidths_hz: Vec::new(),
        problem: None,
    };
    if let Err(error) = ask(&mut found) {
        found.problem = Some(error.to_string());
    }
    found
}

fn ask(found: &mut Found) -> Result<(), soapysdr::Error> {
    let range = |range: soapysdr::Range| Range { low: range.minimum, high: range.maximum };
    let ranges = |ranges: Vec<soapysdr::Range>| ranges.into_iter().map(range).collect();
    let radio = soapysdr::Device::new(found.arguments.as_str())?;
    found.channels = radio.num_channels(Rx)?;
    if found.channels == 0 {
        return Ok(());
    }
    found.antennas = radio.antennas(Rx, 0)?;
    for name in radio.list_gains(Rx, 0)? {
        let gains = radio.gain_element_range(Rx, 0, name.as_str())?;
        found.gains_db.push((name, range(gains)));
    }
    found.sample_rates_hz = ranges(radio.get_sample_rate_range(Rx, 0)?);
    found.frequencies_hz = ranges(radio.frequency_range(Rx, 0)?);
    found.bandwidths_hz = ranges(radio.bandwidth_range(Rx, 0)?);
    Ok(())
}
