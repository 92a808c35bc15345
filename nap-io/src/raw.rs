//! Raw files: samples and nothing else.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use num_complex::Complex32;

use crate::convert::encode;
use crate::error::Error;
use crate::file_name::told::FileName;
use crate::format::SampleFormat;
use crate::input::Input;
use crate::sample_reader::SampleReader;
use crate::sink::SampleSink;
use crate::source::SampleSource;
use crate::stream_info::{StreamInfo, check_center, check_sample_rate};

/// Reads raw samples; `hint` says what the name tells about the format.
pub(crate) fn source(
    path: &Path,
    input: Input,
    told: FileName,
    hint: String,
    notes: Vec<String>,
) -> Result<Box<dyn SampleSource>, Error> {
    let format = told.format.ok_or(Error::UnknownFormat { path: path.into(), hint })?;
    let sample_rate_hz = told.sample_rate_hz.ok_or_else(|| Error::Missing {
        path: path.into(),
        parameter: "sample rate",
        advice: "give it, or name the file like `g001_868.13M_250k.cu8`",
    })?;
    let mut info = StreamInfo::new(check_sample_rate(path, sample_rate_hz)?, format);
    info.center_hz = told.center_hz.map(|center_hz| check_center(path, center_hz)).transpose()?;
    info.start = told.start;
    info.notes = notes;
    Ok(Box::new(SampleReader::new(path.into(), info, input)?))
}

/// Writes raw samples to a file or anything else, and the samples of every other format.
pub struct RawWriter<W: Write = File> {
    path: PathBuf,
    file: BufWriter<W>,
    format: SampleFormat,
    bytes: Vec<u8>,
    samples_written: u64,
    clipped_components: u64,
}

impl RawWriter {
    /// Creates the file, or empties it if it exists.
    ///
    /// # Errors
    /// [`Error::Io`] if that fails.
    pub fn create(path: &Path, format: SampleFormat) -> Result<Self, Error> {
        let file = File::create(path).map_err(Error::io(path, "create"))?;
        Ok(Self::new(file, path, format))
    }

    /// The file, written out, for what is left to do in it.
    pub(crate) fn flushed_file(&mut self) -> Result<&mut File, Error> {
        self.flush()?;
        Ok(self.file.get_mut())
    }
}

impl<W: Write> RawWriter<W> {
    /// Writes to standard output, a socket or anything else that takes bytes; `name` is used in messages only.
    pub fn new(writer: W, name: &Path, format: SampleFormat) -> Self {
        Self {
            path: name.into(),
            file: BufWriter::new(writer),
            format,
            bytes: Vec::new(),
            samples_written: 0,
            clipped_components: 0,
        }
    }

    /// Writes bytes that are no samples.
    pub(crate) fn write_bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(Error::io(&self.path, "write"))
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.file.flush().map_err(Error::io(&self.path, "write"))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn format(&self) -> SampleFormat {
        self.format
    }
}

impl<W: Write + Send> SampleSink for RawWriter<W> {
    fn write(&mut self, samples: &[Complex32]) -> Result<(), Error> {
        // In pieces, so that a long slice does not need as much memory again.
        for piece in samples.chunks(1 << 14) {
            self.bytes.clear();
            self.clipped_components += encode(self.format, piece, &mut self.bytes);
            self.file.write_all(&self.bytes).map_err(Error::io(&self.path, "write"))?;
            self.samples_written += piece.len() as u64;
        }
        Ok(())
    }

    fn samples_written(&self) -> u64 {
        self.samples_written
    }

    fn clipped_components(&self) -> u64 {
        self.clipped_components
    }

    fn finish(&mut self) -> Result<(), Error> {
        self.flush()
    }
}
