//! Reading a recording: metadata and data together.

use std::io::Read;
use std::path::Path;

use super::archive;
use super::capture_breaks;
use super::data_file::{DataFile, Layout, existing_path};
use super::metadata::{Capture, Metadata, read_text};
use crate::error::Error;
use crate::file_name::file_name;
use crate::float_width::narrower;
use crate::format::SampleFormat;
use crate::open_options::{OpenOptions, doubt_rate};
use crate::sample_reader::SampleReader;
use crate::source::SampleSource;
use crate::stream_info::StreamInfo;

/// Opens the recording that a metadata file describes.
pub(crate) fn open(
    meta_path: &Path,
    options: &OpenOptions,
) -> Result<Box<dyn SampleSource>, Error> {
    let metadata = described(meta_path, options)?;
    let data = DataFile::beside(meta_path, &metadata)?;
    read(meta_path, &metadata, data, options)
}

/// The metadata of a recording that has samples.
fn described(meta_path: &Path, options: &OpenOptions) -> Result<Metadata, Error> {
    let metadata = Metadata::parse_given(&read_text(meta_path)?, meta_path, options)?;
    if metadata.metadata_only {
        return Err(Error::unsupported(
            meta_path,
            "metadata without samples (core:metadata_only)",
            "get the data file and set core:metadata_only to false",
        ));
    }
    Ok(metadata)
}

/// Opens the recording of which another program is writing the data file; `stream` gives what is written to
/// that, now and later.
pub(crate) fn open_growing(
    meta_path: &Path,
    options: &OpenOptions,
    stream: impl FnOnce(&Path) -> Result<Box<dyn Read + Send>, Error>,
) -> Result<Box<dyn SampleSource>, Error> {
    let metadata = described(meta_path, options)?;
    let path = existing_path(meta_path, &metadata)?;
    let stream = stream(&path)?;
    read(meta_path, &metadata, DataFile::growing(path, stream), options)
}

/// Opens a recording in an archive: the one of this name, or the only one.
pub(crate) fn open_archive(
    path: &Path,
    name: Option<&Path>,
    options: &OpenOptions,
) -> Result<Box<dyn SampleSource>, Error> {
    let (meta_path, metadata, data) = archive::find(path, name, options)?;
    read(&meta_path, &metadata, data, options)
}

fn read(
    meta_path: &Path,
    metadata: &Metadata,
    data: DataFile,
    options: &OpenOptions,
) -> Result<Box<dyn SampleSource>, Error> {
    let (data_path, described_bytes) = (data.path.clone(), data.described_bytes);
    let mut info = stream_info(meta_path, metadata, options)?;
    let layout = layout(metadata, info.format);
    let (head, input) = data.samples(&layout)?;
    // Where headers lie between the samples depends on the format: it has to be right.
    let is_sure = options.format.is_some() || layout.headers.len() > 1;
    if let Some(narrow) = narrower(info.format, &head).filter(|_| !is_sure) {
        info.warnings.push(format!(
            "as {}, which core:datatype says, the samples make no sense; reading {narrow} (some programs \
             write the one for the other; a sample format that is given wins)",
            info.format
        ));
        info.format = narrow;
    }
    let bytes_per_sample = info.format.bytes_per_sample() as u64;
    let samples = input.bytes_left().map_or(u64::MAX, |bytes| bytes / bytes_per_sample);

    // Captures of samples that do not exist are ignored, as the specification wants it.
    let (captures, missing) = metadata
        .captures
        .split_at(metadata.captures.partition_point(|c| c.sample_start <= samples));
    let described =
        described_bytes.map(|bytes| bytes.saturating_sub(layout.other_bytes()) / bytes_per_sample);
    let declared = missing.last().map(|capture| capture.sample_start.saturating_add(1));
    let declared = declared.max(described);
    let info = with_captures(meta_path, info, captures, options)?;
    let reader = SampleReader::new(data_path, info, input)?;
    Ok(Box::new(match declared {
        Some(declared) => reader.declare(declared),
        None => reader,
    }))
}

/// Where the data file has bytes that are no samples.
fn layout(metadata: &Metadata, format: SampleFormat) -> Layout {
    let bytes_per_sample = format.bytes_per_sample() as u64;
    let with_header = metadata.captures.iter().filter(|capture| capture.header_bytes > 0);
    let header = |capture: &Capture| {
        let before = capture.sample_start.saturating_mul(bytes_per_sample);
        (before, capture.header_bytes)
    };
    Layout { headers: with_header.map(header).collect(), trailing_bytes: metadata.trailing_bytes }
}

/// What the metadata says of all captures, and the user.
fn stream_info(
    meta_path: &Path,
    metadata: &Metadata,
    options: &OpenOptions,
) -> Result<StreamInfo, Error> {
    let sample_rate_hz =
        metadata.sample_rate_hz.or(options.sample_rate_hz).ok_or_else(|| Error::Missing {
            path: meta_path.into(),
            parameter: "sample rate",
            advice: "give it, or put core:sample_rate into the global object",
        })?;
    let mut info = StreamInfo::new(sample_rate_hz, metadata.format);
    info.offset = metadata.offset;
    info.description = metadata.description.clone();
    info.annotations = metadata.annotations.clone();
    info.warnings = metadata.warnings.clone();
    doubt_rate(&file_name(meta_path), &mut info, options);
    // Centre and start follow from the captures.
    OpenOptions { center_hz: None, start: None, ..*options }.apply(meta_path, info)
}

/// Adds what the captures say of time and frequency, in the words of the user where he says something.
pub(crate) fn with_captures(
    meta_path: &Path,
    mut info: StreamInfo,
    captures: &[Capture],
    options: &OpenOptions,
) -> Result<StreamInfo, Error> {
    let found = capture_breaks::of(captures, info.sample_rate_hz);
    info.center_hz = found.center_hz;
    info.start = found.start;
    info.breaks = found.breaks;
    info.warnings.extend(found.warnings);
    if let Some(center_hz) = options.center_hz {
        if info.breaks.iter().any(|at| at.center_hz.is_some()) {
            info.warnings.push(format!("all of it is read at {center_hz} Hz, as given"));
        }
        info.breaks.iter_mut().for_each(|at| at.center_hz = None);
    }
    if let (Some(given), Some(said)) = (options.start, found.start) {
        let shift = given.duration_since(said);
        for time in info.breaks.iter_mut().filter_map(|at| at.time.as_mut()) {
            *time = time.checked_add(shift).unwrap_or(*time);
        }
    }
    info.breaks.retain(|at| at.lost_samples > 0 || at.center_hz.is_some() || at.time.is_some());
    OpenOptions { format: None, sample_rate_hz: None, ..*options }.apply(meta_path, info)
}
