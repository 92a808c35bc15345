//! The bytes of a recording's data file, alone or in an archive.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::metadata::Metadata;
use super::names::data_path;
use crate::error::Error;
use crate::input::Input;

/// The bytes of a data file.
pub(super) struct DataFile {
    /// For messages.
    pub(super) path: PathBuf,
    file: File,
    /// Where they start in the file.
    offset: u64,
    /// How many there are.
    bytes: u64,
    /// How many there should be.
    described: u64,
}

impl DataFile {
    /// The file that belongs to a metadata file.
    pub(super) fn beside(meta_path: &Path, metadata: &Metadata) -> Result<Self, Error> {
        let path = existing_path(meta_path, metadata)?;
        let file = File::open(&path).map_err(Error::io(&path, "open"))?;
        let file_info = file.metadata().map_err(Error::io(&path, "open"))?;
        if file_info.is_dir() {
            return Err(Error::io(&path, "open")(io::ErrorKind::IsADirectory.into()));
        }
        let bytes = file_info.len();
        Ok(Self { path, file, offset: 0, bytes, described: bytes })
    }

    /// A part of an archive, of which the end may be missing.
    pub(super) fn in_archive(
        path: PathBuf,
        file: File,
        offset: u64,
        described: u64,
    ) -> Result<Self, Error> {
        let archive_bytes = file.metadata().map_err(Error::io(&path, "open"))?.len();
        let bytes = described.min(archive_bytes.saturating_sub(offset));
        Ok(Self { path, file, offset, bytes, described })
    }

    /// The samples between header and trailing bytes, how many whole ones there are, and how many more bytes
    /// are described.
    pub(super) fn samples(
        self,
        metadata: &Metadata,
        header_bytes: u64,
    ) -> Result<(Input, Samples), Error> {
        let other_bytes = header_bytes.saturating_add(metadata.trailing_bytes);
        let bytes_per_sample = metadata.format.bytes_per_sample() as u64;
        let is_whole = self.bytes == self.described;
        // Where the end is missing, the trailing bytes are.
        let bytes = match is_whole {
            true => self.bytes.saturating_sub(other_bytes),
            false => self.bytes.saturating_sub(header_bytes),
        };
        if bytes == 0 {
            return Err(Error::Empty { path: self.path });
        }
        let described = self.described.saturating_sub(other_bytes) / bytes_per_sample;
        let count = Samples {
            there: bytes / bytes_per_sample,
            described: (!is_whole).then_some(described),
        };
        let offset = self.offset.saturating_add(header_bytes);
        let input = Input::region(self.file, offset, bytes);
        Ok((input.map_err(Error::io(&self.path, "read"))?, count))
    }
}

/// How many samples there are.
pub(super) struct Samples {
    /// Whole samples in the file.
    pub(super) there: u64,
    /// Those that should be there, if that differs.
    pub(super) described: Option<u64>,
}

fn existing_path(meta_path: &Path, metadata: &Metadata) -> Result<PathBuf, Error> {
    let path = match &metadata.dataset {
        Some(name) => meta_path.with_file_name(name),
        None => data_path(meta_path),
    };
    match path.try_exists() {
        Ok(true) => Ok(path),
        Ok(false) => Err(Error::MissingPart { path: meta_path.into(), missing: path }),
        Err(error) => Err(Error::io(&path, "open")(error)),
    }
}
