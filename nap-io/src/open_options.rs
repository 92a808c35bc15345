//! What the user says about a recording.

use std::path::Path;

use jiff::Timestamp;

use crate::error::Error;
use crate::file_name::FileName;
use crate::format::SampleFormat;
use crate::stream_info::{StreamInfo, check_center, check_sample_rate};

/// What the user says about a recording. It fills in what the file does not tell, and wins over
/// file names.
///
/// For files that describe themselves (SigMF, WAV), `center_hz` and `start` replace what the file
/// says, since these are easily noted wrongly; a `format` or `sample_rate_hz` that differs is an
/// error, since samples read with the wrong one are noise.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct OpenOptions {
    /// How the samples are stored.
    pub format: Option<SampleFormat>,
    /// Samples per second.
    pub sample_rate_hz: Option<f64>,
    /// The centre frequency, in Hz.
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

    /// Applies the options to what a file says about itself.
    pub(crate) fn apply(&self, path: &Path, mut info: StreamInfo) -> Result<StreamInfo, Error> {
        if let Some(given) = self.format.filter(|&given| given != info.format) {
            return Err(conflict(path, "sample format", given, info.format));
        }
        self.check_rate_agrees(path, info.sample_rate_hz)?;
        if let Some(center_hz) = self.center_hz {
            info.center_hz = Some(check_center(path, center_hz)?);
        }
        info.start = self.start.or(info.start);
        Ok(info)
    }

    fn check_rate_agrees(&self, path: &Path, rate_hz: f64) -> Result<(), Error> {
        let Some(given_hz) = self.sample_rate_hz else {
            return Ok(());
        };
        check_sample_rate(path, given_hz)?;
        // A rate typed by hand has fewer digits than one computed from a crystal's frequency.
        if (given_hz - rate_hz).abs() <= 1e-9 * rate_hz {
            return Ok(());
        }
        Err(conflict(path, "sample rate", given_hz, rate_hz))
    }
}

fn conflict(
    path: &Path,
    parameter: &'static str,
    given: impl ToString,
    found: impl ToString,
) -> Error {
    Error::Conflict {
        path: path.into(),
        parameter,
        given: given.to_string(),
        found: found.to_string(),
    }
}
