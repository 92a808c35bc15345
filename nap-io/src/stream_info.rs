//! What is known about a stream of samples.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use crate::error::Error;
use crate::format::SampleFormat;
use crate::sigmf::annotation::Annotation;

/// The lowest sample rate taken for real, in samples per second.
pub const MIN_SAMPLE_RATE_HZ: f64 = 1.0;
/// The highest sample rate taken for real, in samples per second.
pub const MAX_SAMPLE_RATE_HZ: f64 = 1e11;
/// The highest centre frequency taken for real, in Hz; SigMF has the same limit.
pub const MAX_CENTER_HZ: f64 = 1e12;

/// What is known about a stream of samples.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamInfo {
    /// Samples per second, from [`MIN_SAMPLE_RATE_HZ`] to [`MAX_SAMPLE_RATE_HZ`].
    pub sample_rate_hz: f64,
    /// The radio frequency at the centre of the spectrum, in Hz.
    pub center_hz: Option<f64>,
    /// The time of the first sample.
    pub start: Option<Timestamp>,
    /// How many samples can be read; `None` for a pipe. A recording that is cut short counts what
    /// is there.
    pub total_samples: Option<u64>,
    /// How the samples are stored.
    pub format: SampleFormat,
    /// What the recording says about itself.
    pub description: Option<String>,
    /// What others have marked in the recording; sample indices count from the first sample.
    pub annotations: Vec<Annotation>,
    /// What a user should be told about the recording though it can be read, a sentence each.
    pub warnings: Vec<String>,
    /// What was not told by the recording itself but taken from its name or a file beside it, a sentence
    /// each.
    pub notes: Vec<String>,
}

impl StreamInfo {
    /// A stream of which only rate and format are known.
    pub fn new(sample_rate_hz: f64, format: SampleFormat) -> Self {
        Self {
            sample_rate_hz,
            center_hz: None,
            start: None,
            total_samples: None,
            format,
            description: None,
            annotations: Vec::new(),
            warnings: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The time of a sample counted from the first; `None` if the time of the first is not known
    /// or the result is not a date before the year 10000.
    pub fn time_at(&self, sample: u64) -> Option<Timestamp> {
        let offset = SignedDuration::try_from_secs_f64(sample as f64 / self.sample_rate_hz).ok()?;
        self.start?.checked_add(offset).ok()
    }

    /// How long the recording is, in seconds; `None` for a pipe.
    pub fn duration_s(&self) -> Option<f64> {
        self.total_samples.map(|samples| samples as f64 / self.sample_rate_hz)
    }
}

/// Checks a sample rate, wherever it comes from.
pub(crate) fn check_sample_rate(path: &Path, rate_hz: f64) -> Result<f64, Error> {
    if (MIN_SAMPLE_RATE_HZ..=MAX_SAMPLE_RATE_HZ).contains(&rate_hz) {
        return Ok(rate_hz);
    }
    Err(Error::OutOfRange {
        path: path.into(),
        parameter: "sample rate in Hz",
        value: rate_hz,
        range: "1 to 1e11",
    })
}

/// Checks a centre frequency, wherever it comes from.
pub(crate) fn check_center(path: &Path, center_hz: f64) -> Result<f64, Error> {
    if (-MAX_CENTER_HZ..=MAX_CENTER_HZ).contains(&center_hz) {
        return Ok(center_hz);
    }
    Err(Error::OutOfRange {
        path: path.into(),
        parameter: "centre frequency in Hz",
        value: center_hz,
        range: "-1e12 to 1e12",
    })
}
