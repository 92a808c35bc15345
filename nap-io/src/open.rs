//! Choosing the reader for a recording.

use std::io::{self, Read};
use std::path::Path;

use crate::error::Error;
use crate::file_name::{extension, file_name, name_hint};
use crate::input::Input;
use crate::open_options::OpenOptions;
use crate::raw;
use crate::sdriq;
use crate::sigmf::names::find_meta;
use crate::sigmf::recording as sigmf_recording;
use crate::source::SampleSource;
use crate::wav::recording as wav_recording;

/// Opens a recording.
///
/// | `path` | is read as |
/// | --- | --- |
/// | `x.sigmf-meta`, `x.sigmf-data`, or `x` and `x.sigmf` where these two exist | SigMF |
/// | `x.sigmf` | a SigMF archive of one recording, read where it lies in the archive |
/// | `x.wav`, `x.rf64` | WAV with two channels, I and Q |
/// | `x.sdriq` | a recording of SDRangel |
/// | `-` | raw samples from standard input |
/// | anything else | a raw file; see [`FileName`](crate::FileName) for what its name tells, a prefix like `cs16:` included. Beside PortaPack's `x.C16` and `x.C8`, `x.TXT` tells the rest |
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
    if let Some(meta_path) = find_meta(path)? {
        return sigmf_recording::open(&meta_path, options);
    }
    let name = file_name(path);
    match extension(&name).map(str::to_ascii_lowercase).as_deref() {
        Some("wav" | "rf64" | "bwf") => wav_recording::open(path, options),
        Some("sigmf") => sigmf_recording::open_archive(path, options),
        Some("sdriq") => sdriq::open(path, options),
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
    raw::source(name, Input::Pipe(stream), options.as_told(), name_hint(None), Vec::new())
}
