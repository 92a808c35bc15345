//! Reading a recording: metadata and data together.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::capture_breaks;
use super::metadata::{Capture, Metadata, read_text};
use super::names::{data_path, existing};
use crate::content::{Content, identify};
use crate::error::Error;
use crate::float_width::narrower;
use crate::input::Input;
use crate::open_options::OpenOptions;
use crate::sample_reader::SampleReader;
use crate::source::SampleSource;
use crate::stream_info::StreamInfo;

/// Opens the recording that a metadata file describes.
pub(crate) fn open(
    meta_path: &Path,
    options: &OpenOptions,
) -> Result<Box<dyn SampleSource>, Error> {
    let metadata = Metadata::parse_given(&read_text(meta_path)?, meta_path, options)?;
    if metadata.metadata_only {
        return Err(Error::unsupported(
            meta_path,
            "metadata without samples (core:metadata_only)",
            "get the data file and set core:metadata_only to false",
        ));
    }
    let header_bytes = header_bytes(meta_path, &metadata.captures)?;
    let data_path = existing_data_path(meta_path, &metadata)?;
    let (head, input) = open_data(&data_path, &metadata, header_bytes)?;
    let mut info = stream_info(meta_path, &metadata, options)?;
    if let Some(narrow) = narrower(info.format, &head).filter(|_| options.format.is_none()) {
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
    let promised = missing.last().map(|capture| capture.sample_start.saturating_add(1));
    let info = with_captures(meta_path, info, captures, options)?;
    let reader = SampleReader::new(data_path, info, input)?;
    Ok(Box::new(match promised {
        Some(promised) => reader.promise(promised),
        None => reader,
    }))
}

/// The bytes before the samples. Between captures there must be none: samples of different
/// captures are read as one stream.
fn header_bytes(meta_path: &Path, captures: &[Capture]) -> Result<u64, Error> {
    let Some((first, others)) = captures.split_first() else {
        return Ok(0);
    };
    if let Some(index) = others.iter().position(|capture| capture.header_bytes != 0) {
        return Err(Error::unsupported(
            meta_path,
            format!(
                "captures[{}].core:header_bytes of {} inside the recording",
                index + 1,
                others[index].header_bytes
            ),
            "convert it to a data file of samples only",
        ));
    }
    Ok(first.header_bytes)
}

fn existing_data_path(meta_path: &Path, metadata: &Metadata) -> Result<PathBuf, Error> {
    let path = match &metadata.dataset {
        Some(name) => meta_path.with_file_name(name),
        None => data_path(meta_path),
    };
    let missing = Error::MissingPart { path: meta_path.into(), missing: path.clone() };
    existing(&path).ok_or(missing)
}

/// The samples in the data file, unpacked if need be, and the first bytes of them.
fn open_data(
    path: &Path,
    metadata: &Metadata,
    header_bytes: u64,
) -> Result<(Vec<u8>, Input), Error> {
    let empty = || Error::Empty { path: path.into() };
    let (head, input) = Input::open(path)?.head().map_err(Error::io(path, "read"))?;
    let compression = match identify(&head) {
        Content::Compressed(compression) if header_bytes == 0 => Some(compression),
        // Who wrote the metadata knows that there are samples, unless the file never came.
        Content::Other { what, advice }
            if what.contains("pointer") || what.contains("web page") =>
        {
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
            let bytes = left.saturating_sub(header_bytes.saturating_add(metadata.trailing_bytes));
            if bytes == 0 {
                return Err(empty());
            }
            Input::region(file, header_bytes, bytes).and_then(Input::head)
        }
        (None, mut pipe) => io::copy(&mut pipe.by_ref().take(header_bytes), &mut io::sink())
            .and_then(|_| pipe.head()),
    }
    .map_err(Error::io(path, "read"))?;
    if head.is_empty() { Err(empty()) } else { Ok((head, input)) }
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
    // Centre and start follow from the captures.
    OpenOptions { center_hz: None, start: None, ..*options }.apply(meta_path, info)
}

/// Adds what the captures say of time and frequency, in the words of the user where he says something.
fn with_captures(
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
    if options.center_hz.is_some() {
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
