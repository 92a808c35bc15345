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
    /// Where samples are missing, the centre changes or the clock was set, in order. `center_hz` and
    /// `start` are those before the first of them; [`StreamInfo::stretches`] gives the parts between.
    pub breaks: Vec<Break>,
    /// How many samples of a longer recording, in several files, come before the first one here.
    pub offset: Option<u64>,
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

/// A place where a recording does not simply go on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Break {
    /// The first sample after it, counted in the samples that can be read.
    pub sample: u64,
    /// How many samples are missing before it.
    pub lost_samples: u64,
    /// The centre frequency from here on, in Hz, if it changes.
    pub center_hz: Option<f64>,
    /// The time of this sample, if it is not what the samples since the start come to, those that are
    /// missing included.
    pub time: Option<Timestamp>,
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
            breaks: Vec::new(),
            offset: None,
            description: None,
            annotations: Vec::new(),
            warnings: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Corrects rate, centres and annotations of a radio whose crystal is so many millionths too fast: all
    /// its frequencies are too high by that, the sample rate too.
    pub fn correct(&mut self, ppm: f64) {
        let ratio = true_to_nominal(ppm);
        self.sample_rate_hz *= ratio;
        let later = self.breaks.iter_mut().map(|at| &mut at.center_hz);
        later.chain([&mut self.center_hz]).flatten().for_each(|hz| *hz *= ratio);
        for annotation in &mut self.annotations {
            let edges = [&mut annotation.freq_lower_edge_hz, &mut annotation.freq_upper_edge_hz];
            edges.into_iter().flatten().for_each(|hz| *hz *= ratio);
        }
    }

    /// The time of a sample counted from the first, missing ones included; `None` if the time of the
    /// first is not known or the result is not a date before the year 10000. The clock is that of the
    /// start: see [`StreamInfo::stretches`] for recordings in which it was set.
    pub fn time_at(&self, sample: u64) -> Option<Timestamp> {
        self.time_after(self.start, sample)
    }

    /// The time so many samples after another one.
    pub(crate) fn time_after(&self, start: Option<Timestamp>, samples: u64) -> Option<Timestamp> {
        let offset =
            SignedDuration::try_from_secs_f64(samples as f64 / self.sample_rate_hz).ok()?;
        start?.checked_add(offset).ok()
    }

    /// How long the recording is, in seconds; `None` for a pipe.
    pub fn duration_s(&self) -> Option<f64> {
        self.total_samples.map(|samples| samples as f64 / self.sample_rate_hz)
    }
}

/// The true frequencies of a radio over those that it says, if its crystal is so many millionths too fast.
pub(crate) fn true_to_nominal(ppm: f64) -> f64 {
    1.0 + ppm * 1e-6
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
