//! The bytes of a recording's data file, alone or in an archive.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
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

    /// The bytes that another program is writing.
    pub(super) fn growing(path: PathBuf, stream: Box<dyn Read + Send>) -> Self {
        Self { path, described_bytes: None, input: Input::Pipe(stream), offset: 0 }
    }

    /// A part of a compressed archive, which is unpacked up to there.
    pub(super) fn in_packed_archive(
        path: PathBuf,
        mut unpacked: Box<dyn Read + Send>,
        offset: u64,
        described: u64,
    ) -> Result<Self, Error> {
        let mut before = unpacked.by_ref().take(offset);
        io::copy(&mut before, &mut io::sink()).map_err(Error::io(&path, "read"))?;
        let input = Input::Pipe(Box::new(unpacked.take(described)));
        Ok(Self { path, described_bytes: Some(described), input, offset: 0 })
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

    /// The samples between all bytes that are none, unpacked if need be, and the first bytes of them.
    pub(super) fn samples(self, layout: &Layout) -> Result<(Vec<u8>, Input), Error> {
        let path = self.path.clone();
        let (head, input) = self.opened(layout)?;
        if head.is_empty() { Err(Error::Empty { path }) } else { Ok((head, input)) }
    }

    fn opened(self, layout: &Layout) -> Result<(Vec<u8>, Input), Error> {
        let Self { path, described_bytes, input, offset } = self;
        let (head, input) = input.head().map_err(Error::io(&path, "read"))?;
        let compression = match identify(&head) {
            Content::Compressed(compression) if layout.headers.is_empty() => Some(compression),
            // Who wrote the metadata knows that there are samples, unless the file never came.
            Content::StandIn { what, advice } => {
                return Err(Error::unsupported(&path, what, advice));
            }
            _ => None,
        };
        match (compression, input) {
            (Some(_), _) if layout.trailing_bytes > 0 => {
                let what = "a compressed data file with core:trailing_bytes";
                return Err(Error::unsupported(&path, what, "unpack it"));
            }
            (Some(compression), input) => Input::Pipe(compression.unpack(input)).head(),
            (None, Input::File { file, left, .. }) => {
                // Where the end is missing, the trailing bytes are.
                let trailing = if described_bytes.is_some() { 0 } else { layout.trailing_bytes };
                let regions = layout.regions(left.saturating_sub(trailing));
                let moved =
                    |r: Range<u64>| offset.saturating_add(r.start)..offset.saturating_add(r.end);
                Input::regions(file, regions.map(moved).collect()).and_then(Input::head)
            }
            (None, pipe) => {
                let described = described_bytes.map(|b| b.saturating_sub(layout.trailing_bytes));
                let regions = layout.regions(described.unwrap_or(u64::MAX)).collect();
                Input::Pipe(Box::new(PipeRegions { pipe, regions, position: 0 })).head()
            }
        }
        .map_err(Error::io(&path, "read"))
    }
}

/// Which bytes of a data file are no samples.
pub(super) struct Layout {
    /// Headers: how many bytes of samples come before each, and how long it is, in order.
    pub(super) headers: Vec<(u64, u64)>,
    /// At the end.
    pub(super) trailing_bytes: u64,
}

impl Layout {
    /// All bytes that are no samples, of so many bytes of samples and headers.
    pub(super) fn other_bytes(&self) -> u64 {
        self.headers
            .iter()
            .map(|&(_, length)| length)
            .fold(self.trailing_bytes, u64::saturating_add)
    }

    /// Where the samples are in a file of so many bytes, without those at its end.
    fn regions(&self, bytes: u64) -> impl Iterator<Item = Range<u64>> {
        let (mut regions, mut start, mut before) = (Vec::new(), 0_u64, 0);
        for &(samples_before, length) in &self.headers {
            let end = start.saturating_add(samples_before - before);
            regions.push(start..end);
            start = end.saturating_add(length);
            before = samples_before;
        }
        regions.push(start..u64::MAX);
        let cut = move |region: Range<u64>| region.start.min(bytes)..region.end.min(bytes);
        regions.into_iter().map(cut).filter(|region| !region.is_empty())
    }
}

/// The samples of a data file that only delivers.
struct PipeRegions {
    pipe: Input,
    regions: VecDeque<Range<u64>>,
    position: u64,
}

impl Read for PipeRegions {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(region) = self.regions.front() {
            if self.position >= region.end {
                self.regions.pop_front();
                continue;
            }
            if self.position < region.start {
                let mut header = self.pipe.by_ref().take(region.start - self.position);
                match header.read(&mut [0; 1 << 12])? {
                    0 => return Ok(0),
                    count => self.position += count as u64,
                }
                continue;
            }
            let left = usize::try_from(region.end - self.position).unwrap_or(usize::MAX);
            let most = buffer.len().min(left);
            let count = self.pipe.read(&mut buffer[..most])?;
            self.position += count as u64;
            return Ok(count);
        }
        Ok(0)
    }
}

/// The data file that belongs to a metadata file.
pub(super) fn existing_path(meta_path: &Path, metadata: &Metadata) -> Result<PathBuf, Error> {
    let path = match &metadata.dataset {
        Some(name) => meta_path.with_file_name(name),
        None => data_path(meta_path),
    };
    let missing = Error::MissingPart { path: meta_path.into(), missing: path.clone() };
    existing(&path).ok_or(missing)
}
