//! Choosing the writer for a recording.

use std::path::Path;

use crate::error::Error;
use crate::file_name::{extension, file_name};
use crate::raw::RawWriter;
use crate::sigmf::writer::SigmfWriter;
use crate::sink::SampleSink;
use crate::stream_info::StreamInfo;
use crate::wav::writer::WavWriter;

/// Creates a recording in `info.format`, as the path says: `x.sigmf-meta`, `x.sigmf-data` or
/// `x.sigmf` a SigMF recording, `x.wav` a WAV file, anything else a raw file. Rate, centre, start
/// and description are stored where the kind of file has a place for them.
///
/// # Errors
/// [`Error::Io`] if a file cannot be created, [`Error::Unsupported`] if this kind of file cannot
/// hold the format, [`Error::OutOfRange`] for an impossible rate or centre.
pub fn create(path: &Path, info: &StreamInfo) -> Result<Box<dyn SampleSink>, Error> {
    let name = file_name(path);
    match extension(&name).map(str::to_ascii_lowercase).as_deref() {
        Some("sigmf-meta" | "sigmf-data" | "sigmf") => {
            Ok(Box::new(SigmfWriter::create(path, info)?))
        }
        Some("wav") => Ok(Box::new(WavWriter::create(path, info)?)),
        _ => Ok(Box::new(RawWriter::create(path, info.format)?)),
    }
}
