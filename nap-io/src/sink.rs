//! Where samples go.

use std::path::Path;

use num_complex::Complex32;

use crate::file_name::extension;
use crate::open::file_name;
use crate::sigmf::SigmfWriter;
use crate::wav::WavWriter;
use crate::{Error, RawWriter, StreamInfo};

/// A recording being written.
pub trait SampleSink: Send {
    /// Appends samples.
    ///
    /// # Errors
    /// [`Error::Io`] with the path, for instance when the disk is full, and
    /// [`Error::Unsupported`] when the format cannot hold as many samples.
    fn write(&mut self, samples: &[Complex32]) -> Result<(), Error>;

    /// How many samples were written.
    fn samples_written(&self) -> u64;

    /// How many components (I or Q) did not fit into an integer format and were clipped.
    fn clipped_components(&self) -> u64;

    /// Completes the recording. A recording that is dropped without it may lack its last samples
    /// and its header or metadata.
    ///
    /// # Errors
    /// As [`SampleSink::write`].
    fn finish(&mut self) -> Result<(), Error>;
}

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
