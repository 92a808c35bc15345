//! Choosing the reader for a recording.

use std::io::{self, Read};
use std::path::Path;

use jiff::Timestamp;

use crate::file_name::extension;
use crate::input::Input;
use crate::stream_info::{check_center, check_sample_rate};
use crate::{Error, FileName, SampleFormat, SampleSource, StreamInfo, raw, sigmf, wav};

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
}

/// Opens a recording.
///
/// | `path` | is read as |
/// | --- | --- |
/// | `x.sigmf-meta`, `x.sigmf-data`, or `x` and `x.sigmf` where these two exist | SigMF |
/// | `x.wav`, `x.rf64` | WAV with two channels, I and Q |
/// | `-` | raw samples from standard input |
/// | anything else | a raw file; see [`FileName`] for what its name tells, a prefix like `cs16:` included |
///
/// Named pipes work like standard input.
///
/// # Errors
/// Any [`Error`] but the ones for writing; a recording without a single byte of samples is
/// [`Error::Empty`].
pub fn open(path: &Path, options: &OpenOptions) -> Result<Box<dyn SampleSource>, Error> {
    if path.as_os_str() == "-" {
        return open_stream(Box::new(io::stdin()), path, options);
    }
    if let Some(meta_path) = sigmf::find_meta(path)? {
        return sigmf::open(&meta_path, options);
    }
    let name = file_name(path);
    match extension(&name).map(str::to_ascii_lowercase).as_deref() {
        Some("wav" | "rf64" | "bwf") => wav::open(path, options),
        _ => raw::open(path, options),
    }
}

/// Reads raw samples from a pipe, a socket or anything else that delivers bytes. `name` is used in
/// messages only; the format and the sample rate must be in the options.
///
/// # Errors
/// [`Error::UnknownFormat`] or [`Error::Missing`] for an option that is missing,
/// [`Error::OutOfRange`] for one that cannot be right.
pub fn open_stream(
    stream: Box<dyn Read + Send>,
    name: &Path,
    options: &OpenOptions,
) -> Result<Box<dyn SampleSource>, Error> {
    raw::source(name, Input::Pipe(stream), options.as_told(), name_hint(None))
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

/// The last part of a path as text, for looking at; characters that are not Unicode are replaced.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The extension for a message, as far as there is one.
pub(crate) fn name_hint(extension: Option<&str>) -> String {
    extension.map(|extension| format!(" (extension .{extension})")).unwrap_or_default()
}
