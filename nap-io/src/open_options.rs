//! What the user says about a recording.

use std::path::Path;

use jiff::Timestamp;

use crate::error::Error;
use crate::file_name::told::FileName;
use crate::format::SampleFormat;
use crate::stream_info::{StreamInfo, check_center, check_sample_rate};

/// Centre frequencies that differ by less are the same, rounded.
pub(crate) const SAME_CENTER_HZ: f64 = 1.0;

/// Sample rates in names are rounded by less than this.
const ROUNDED_RATE: f64 = 0.01;

/// What the user says about a recording. It fills in what the file does not tell, and wins over
/// what the file says and over its name: programs note all of it wrongly. Where it differs from what is
/// written in the file, [`StreamInfo::warnings`] tells.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct OpenOptions {
    /// How the samples are stored.
    pub format: Option<SampleFormat>,
    /// Samples per second.
    pub sample_rate_hz: Option<f64>,
    /// The centre frequency, in Hz, of the whole recording.
    pub center_hz: Option<f64>,
    /// The time of the first sample.
    pub start: Option<Timestamp>,
    /// Whether I and Q are the wrong way round, so that the spectrum is mirrored: they are swapped on
    /// the way, whatever stores the samples.
    pub swap_iq: bool,
}

impl OpenOptions {
    /// The options as if a file name had told them.
    pub(crate) fn as_told(&self) -> FileName {
        FileName {
            format: self.format,
            sample_rate_hz: self.sample_rate_hz,
            center_hz: self.center_hz,
            start: self.start,
        }
    }

    /// These options, and what a prefix of the path tells where they are silent.
    pub(crate) fn or(&self, prefix: FileName) -> Self {
        let FileName { format, sample_rate_hz, center_hz, start } = self.as_told().or(prefix);
        Self { format, sample_rate_hz, center_hz, start, swap_iq: self.swap_iq }
    }

    /// Applies the options to what a file says about itself, which is checked here.
    pub(crate) fn apply(&self, path: &Path, mut info: StreamInfo) -> Result<StreamInfo, Error> {
        let mut told = Vec::new();
        if let Some(format) = self.format {
            note(&mut told, "sample format", format, info.format, format != info.format);
            info.format = format;
        }
        if let Some(rate_hz) = self.sample_rate_hz {
            // A rate typed by hand has fewer digits than one computed from a crystal's frequency.
            let differs = (rate_hz - info.sample_rate_hz).abs() > 1e-9 * info.sample_rate_hz;
            note(&mut told, "sample rate", rate_hz, info.sample_rate_hz, differs);
            info.sample_rate_hz = rate_hz;
        }
        check_sample_rate(path, info.sample_rate_hz)?;
        if let (Some(center_hz), Some(said_hz)) = (self.center_hz, info.center_hz) {
            let differs = (center_hz - said_hz).abs() > SAME_CENTER_HZ;
            note(&mut told, "centre frequency", center_hz, said_hz, differs);
        }
        info.center_hz = self.center_hz.or(info.center_hz);
        info.center_hz.map(|center_hz| check_center(path, center_hz)).transpose()?;
        if let (Some(start), Some(said)) = (self.start, info.start) {
            note(&mut told, "start", start, said, start != said);
        }
        info.start = self.start.or(info.start);
        info.warnings.splice(0..0, told);
        Ok(info)
    }
}

/// Doubts the sample rate that a file tells where its name tells another one: programs write the rate before a
/// decimation, and people rename files. Who gives the rate knows.
pub(crate) fn doubt_rate(name: &str, info: &mut StreamInfo, options: &OpenOptions) {
    let named_hz =
        FileName::parse(name).sample_rate_hz.filter(|_| options.sample_rate_hz.is_none());
    let Some(named_hz) = named_hz else { return };
    let said_hz = info.sample_rate_hz;
    if (named_hz / said_hz - 1.0).abs() > ROUNDED_RATE {
        info.warnings.push(format!(
            "the name tells {named_hz} samples a second, the file itself {said_hz}; reading it with \
             {said_hz} (a sample rate that is given wins)"
        ));
    }
}

/// Notes that the user overrules the file.
fn note(
    told: &mut Vec<String>,
    parameter: &str,
    given: impl ToString,
    said: impl ToString,
    differs: bool,
) {
    if differs {
        let (given, said) = (given.to_string(), said.to_string());
        told.push(format!(
            "the file says that the {parameter} is {said}; reading it with {given}, as given"
        ));
    }
}
