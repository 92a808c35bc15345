//! The bytes of a recording's data file, alone or in an archive.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::metadata::Metadata;
use super::names::{data_path, existing};
use crate::content::{Content, identify};
use crate::error::Error;
use crate::input::Input;

/// The bytes of a data file.
pub(super) struct DataFile {
    /// For messages.
    pub(super) path: PathBuf,
    /// How many bytes there should be, if some are missing.
    pub(super) described_bytes: Option<u64>,
    input: Input,
    /// Where they start in the file.
    offset: u64,
}

impl DataFile {
    /// The file that belongs to a metadata file.
    pub(super) fn beside(meta_path: &Path, metadata: &Metadata) -> Result<Self, Error> {
        let path = existing_path(meta_path, metadata)?;
        let input = Input::open(&path)?;
        Ok(Self { path, described_bytes: None, input, offset: 0 })
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
        let input = Input::region(file, offset, bytes).map_err(Error::io(&path, "seek in"))?;
        let described_bytes = (bytes < described).then_some(described);
        Ok(Self { path, described_bytes, input, offset })
    }

    /// The samples between header and trailing bytes, unpacked if need be, and the first bytes of them.
    pub(super) fn samples(
        self,
        metadata: &Metadata,
        header_bytes: u64,
    ) -> Result<(Vec<u8>, Input), Error> {
        let path = &self.path;
        let empty = || Error::Empty { path: path.into() };
        let (offset, input) = (self.offset, self.input);
        // Where the end is missing, the trailing bytes are.
        let trailing_bytes =
            if self.described_bytes.is_some() { 0 } else { metadata.trailing_bytes };
        let (head, input) = input.head().map_err(Error::io(path, "read"))?;
        let compression = match identify(&head) {
            Content::Compressed(compression) if header_bytes == 0 => Some(compression),
            // Who wrote the metadata knows that there are samples, unless the file never came.
            Content::StandIn { what, advice } => {
                return Err(Error::unsupported(path, what, advice));
            }
            _ => None,
        };
        let (head, input) = match (compression, input) {
            (Some(_), _) if metadata.trailing_bytes > 0 => {
                let what = "a compressed data file with core:trailing_bytes";
                return Err(Error::unsupported(path, what, "unpack it"));
            }
            (Some(compression), input) => Input::Pipe(compression.unpack(input)).head(),
            (None, Input::File { file, left }) => {
                let bytes = left.saturating_sub(header_bytes.saturating_add(trailing_bytes));
                if bytes == 0 {
                    return Err(empty());
                }
                Input::region(file, offset.saturating_add(header_bytes), bytes)
                    .and_then(Input::head)
            }
            (None, mut pipe) => io::copy(&mut pipe.by_ref().take(header_bytes), &mut io::sink())
                .and_then(|_| pipe.head()),
        }
        .map_err(Error::io(path, "read"))?;
        if head.is_empty() { Err(empty()) } else { Ok((head, input)) }
    }
}

fn existing_path(meta_path: &Path, metadata: &Metadata) -> Result<PathBuf, Error> {
    let path = match &metadata.dataset {
        Some(name) => meta_path.with_file_name(name),
        None => data_path(meta_path),
    };
    let missing = Error::MissingPart { path: meta_path.into(), missing: path.clone() };
    existing(&path).ok_or(missing)
}
