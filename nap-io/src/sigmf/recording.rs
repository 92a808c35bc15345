//! Reading a recording: metadata and data together.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::archive;
use super::data_file::DataFile;
use super::metadata::{Capture, Metadata};
use crate::error::Error;
use crate::open_options::OpenOptions;
use crate::sample_reader::SampleReader;
use crate::source::SampleSource;
use crate::stream_info::StreamInfo;

/// Clocks of recorders jitter by less than this; more is samples lost or a pause.
const GAP_TOLERANCE_S: f64 = 0.01;

/// Opens the recording that a metadata file describes.
pub(crate) fn open(
    meta_path: &Path,
    options: &OpenOptions,
) -> Result<Box<dyn SampleSource>, Error> {
    let metadata = Metadata::read(meta_path)?;
    if metadata.metadata_only {
        return Err(Error::unsupported(
            meta_path,
            "metadata without samples (core:metadata_only)",
            "get the data file and set core:metadata_only to false",
        ));
    }
    let data = DataFile::beside(meta_path, &metadata)?;
    read(meta_path, &metadata, data, options)
}

/// Opens the recording in an archive.
pub(crate) fn open_archive(
    path: &Path,
    options: &OpenOptions,
) -> Result<Box<dyn SampleSource>, Error> {
    let (meta_path, metadata, data) = archive::find(path)?;
    read(&meta_path, &metadata, data, options)
}

fn read(
    meta_path: &Path,
    metadata: &Metadata,
    data: DataFile,
    options: &OpenOptions,
) -> Result<Box<dyn SampleSource>, Error> {
    let data_path = data.path.clone();
    let header_bytes = header_bytes(meta_path, &metadata.captures)?;
    let (input, samples) = data.samples(metadata, header_bytes)?;

    // Captures of samples that do not exist are ignored, as the specification wants it.
    let (captures, missing) = metadata
        .captures
        .split_at(metadata.captures.partition_point(|c| c.sample_start <= samples.there));
    let promised = missing.last().map(|capture| capture.sample_start.saturating_add(1));
    let promised = promised.max(samples.described);
    let info = stream_info(meta_path, metadata, captures, options)?;
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

fn stream_info(
    meta_path: &Path,
    metadata: &Metadata,
    captures: &[Capture],
    options: &OpenOptions,
) -> Result<StreamInfo, Error> {
    let sample_rate_hz =
        metadata.sample_rate_hz.or(options.sample_rate_hz).ok_or_else(|| Error::Missing {
            path: meta_path.into(),
            parameter: "sample rate",
            advice: "give it, or put core:sample_rate into the global object",
        })?;
    let mut info = StreamInfo::new(sample_rate_hz, metadata.format);
    info.center_hz = single_center(meta_path, captures)?;
    info.description = metadata.description.clone();
    info.annotations = metadata.annotations.clone();
    info.warnings = metadata.warnings.clone();
    info.start = start(captures, sample_rate_hz);
    info.warnings.extend(find_gap(&info, captures));
    options.apply(meta_path, info)
}

/// The centre frequency, which must be the same all along.
fn single_center(meta_path: &Path, captures: &[Capture]) -> Result<Option<f64>, Error> {
    let mut centers = captures.iter().enumerate().filter_map(|(i, c)| Some((i, c, c.center_hz?)));
    let Some((_, _, first_hz)) = centers.next() else {
        return Ok(None);
    };
    match centers.find(|&(.., other_hz)| other_hz != first_hz) {
        None => Ok(Some(first_hz)),
        Some((capture, Capture { sample_start, .. }, other_hz)) => Err(Error::Retuned {
            path: meta_path.into(),
            capture,
            sample: *sample_start,
            first_hz,
            other_hz,
        }),
    }
}

/// The time of the first sample, from the first capture that has a time.
fn start(captures: &[Capture], sample_rate_hz: f64) -> Option<Timestamp> {
    let (sample, time) = captures.iter().find_map(|c| Some((c.sample_start, c.time?)))?;
    let lead = SignedDuration::try_from_secs_f64(sample as f64 / sample_rate_hz).ok()?;
    time.checked_sub(lead).ok()
}

/// Says where the clock of the recorder and the count of the samples part.
fn find_gap(info: &StreamInfo, captures: &[Capture]) -> Option<String> {
    captures.iter().enumerate().find_map(|(index, capture)| {
        let counted = info.time_at(capture.sample_start)?;
        let gap_s = capture.time?.duration_since(counted).as_secs_f64();
        (gap_s.abs() > GAP_TOLERANCE_S).then(|| {
            format!(
                "captures[{index}] at sample {} is {gap_s:+.3} s off the count of samples; times after it count samples",
                capture.sample_start
            )
        })
    })
}
