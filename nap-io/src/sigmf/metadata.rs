//! The metadata file, checked field by field.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::annotation::{Annotation, OWN_FIELDS};
use super::fields::{
    COMMENT, FREQ_LOWER_EDGE, FREQ_UPPER_EDGE, LABEL, Object, SAMPLE_COUNT, SAMPLE_START,
    first_index,
};
use crate::error::Error;
use crate::format::SampleFormat;
use crate::stream_info::{check_center, check_sample_rate};

/// Metadata beyond this size is not metadata: a million annotations need less.
const MAX_TEXT_BYTES: u64 = 1 << 28;

/// What a metadata file says, with all values in range.
#[derive(Debug, Clone, PartialEq)]
pub struct Metadata {
    /// `core:datatype`.
    pub format: SampleFormat,
    /// `core:sample_rate`; SigMF does not demand it.
    pub sample_rate_hz: Option<f64>,
    /// `core:description`.
    pub description: Option<String>,
    /// `core:dataset`: the name of the data file, where it is not that of the metadata file. A
    /// name without a folder.
    pub dataset: Option<String>,
    /// `core:trailing_bytes`: how many bytes at the end of the data file are no samples.
    pub trailing_bytes: u64,
    /// `core:metadata_only`: there is no data file.
    pub metadata_only: bool,
    /// The captures, in the order of their start.
    pub captures: Vec<Capture>,
    /// The annotations.
    pub annotations: Vec<Annotation>,
    /// What is odd but does no harm, a sentence each.
    pub warnings: Vec<String>,
}

/// From here on the radio was set like this.
#[derive(Debug, Clone, PartialEq)]
pub struct Capture {
    /// The first sample, counted from the first in the data file.
    pub sample_start: u64,
    /// The centre frequency, in Hz.
    pub center_hz: Option<f64>,
    /// The time of the first sample.
    pub time: Option<Timestamp>,
    /// How many bytes before the first sample are no samples.
    pub header_bytes: u64,
}

impl Metadata {
    /// Reads a metadata file.
    ///
    /// # Errors
    /// As [`Metadata::parse`], and [`Error::Io`] if it cannot be read.
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::parse(&read_text(path)?, path)
    }

    /// Understands the text of a metadata file; `path` is used in messages only.
    ///
    /// # Errors
    /// [`Error::Malformed`] for what is no SigMF metadata, [`Error::OutOfRange`] for an impossible
    /// rate or frequency, [`Error::Unsupported`] for real samples or several channels.
    pub fn parse(text: &[u8], path: &Path) -> Result<Self, Error> {
        let document = root_object(path, text)?;
        let first_index = first_index(&document);
        let root = Object { path, place: String::new(), fields: &document };
        let global = root.object("global")?;
        let mut warnings = Vec::new();
        if global.text("core:version")?.is_none() {
            warnings.push("the metadata has no core:version".into());
        }
        warnings.extend(required_extensions(&global)?);
        check_channels(&global)?;
        global.index("core:offset")?;
        Ok(Self {
            format: format(&global)?,
            sample_rate_hz: global
                .number("core:sample_rate")?
                .map(|rate_hz| check_sample_rate(path, rate_hz))
                .transpose()?,
            description: global.text("core:description")?.map(Into::into),
            dataset: dataset(&global)?,
            trailing_bytes: global.index("core:trailing_bytes")?.unwrap_or(0),
            metadata_only: global.flag("core:metadata_only")?.unwrap_or(false),
            captures: captures(&root, first_index)?,
            annotations: annotations(&root, first_index, &mut warnings)?,
            warnings,
        })
    }
}

/// Reads the text of a metadata file.
pub(super) fn read_text(path: &Path) -> Result<Vec<u8>, Error> {
    read_limited(path, File::open(path).map_err(Error::io(path, "read"))?)
}

/// Reads to the end, unless that is further than metadata goes.
pub(super) fn read_limited(path: &Path, file: impl Read) -> Result<Vec<u8>, Error> {
    let mut text = Vec::new();
    file.take(MAX_TEXT_BYTES + 1).read_to_end(&mut text).map_err(Error::io(path, "read"))?;
    if text.len() as u64 > MAX_TEXT_BYTES {
        let what = format!("metadata of more than {MAX_TEXT_BYTES} bytes");
        return Err(Error::unsupported(path, what, "check that this is the .sigmf-meta file"));
    }
    Ok(text)
}

/// The document as an object.
pub(super) fn root_object(path: &Path, text: &[u8]) -> Result<Map<String, Value>, Error> {
    // A byte order mark, as some editors put it, is no JSON.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    match serde_json::from_slice(text) {
        Ok(Value::Object(root)) => Ok(root),
        Ok(_) => Err(Error::malformed(path, "the document", "must be a JSON object")),
        Err(error) => Err(Error::malformed(path, "the document", format!("is no JSON: {error}"))),
    }
}

/// Extensions that the writer thought one has to know. None changes how samples are stored, so
/// they are no reason to refuse a recording.
fn required_extensions(global: &Object<'_>) -> Result<Vec<String>, Error> {
    // An object instead of the list is the form before SigMF 1.0, and says nothing more.
    if global.fields.get("core:extensions").is_some_and(Value::is_object) {
        return Ok(Vec::new());
    }
    let mut warnings = Vec::new();
    for extension in global.objects("core:extensions")?.unwrap_or_default() {
        if let (Some(name), Some(false)) = (extension.text("name")?, extension.flag("optional")?) {
            warnings.push(format!("the extension {name} is marked as required, but is not known"));
        }
    }
    Ok(warnings)
}

fn check_channels(global: &Object<'_>) -> Result<(), Error> {
    match global.index("core:num_channels")? {
        None | Some(1) => Ok(()),
        Some(0) => Err(global.malformed("core:num_channels", "is 0; at least 1 is needed")),
        Some(count) => Err(Error::unsupported(
            global.path,
            format!("a recording with {count} channels (core:num_channels)"),
            "split it into one recording a channel",
        )),
    }
}

fn format(global: &Object<'_>) -> Result<SampleFormat, Error> {
    let name = global
        .text("core:datatype")?
        .ok_or_else(|| global.malformed("core:datatype", "is missing"))?;
    if let Some(format) = SampleFormat::from_sigmf_datatype(name) {
        return Ok(format);
    }
    if name.starts_with('r') {
        let what = format!("the data type {name:?}, real samples,");
        return Err(Error::unsupported(global.path, what, "record complex samples (IQ)"));
    }
    let problem = format!("{name:?} is no complex data type such as ci8, ci16_le or cf32_le");
    Err(global.malformed("core:datatype", &problem))
}

/// The data file's name; one with a folder could point anywhere on the reader's disk.
fn dataset(global: &Object<'_>) -> Result<Option<String>, Error> {
    let Some(name) = global.text("core:dataset")? else {
        return Ok(None);
    };
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\\', '\0']) {
        return Err(global.malformed("core:dataset", "must be a file name without a folder"));
    }
    Ok(Some(name.into()))
}

fn captures(root: &Object<'_>, first_index: u64) -> Result<Vec<Capture>, Error> {
    let list = root.objects("captures")?.ok_or_else(|| root.malformed("captures", "is missing"))?;
    let captures =
        list.iter().map(|fields| capture(fields, first_index)).collect::<Result<Vec<_>, _>>()?;
    if !captures.is_sorted_by_key(|capture| capture.sample_start) {
        return Err(root.malformed("captures", "must be in the order of core:sample_start"));
    }
    Ok(captures)
}

fn capture(fields: &Object<'_>, first_index: u64) -> Result<Capture, Error> {
    let sample_start =
        fields.index(SAMPLE_START)?.ok_or_else(|| fields.malformed(SAMPLE_START, "is missing"))?;
    Ok(Capture {
        sample_start: sample_start.saturating_sub(first_index),
        center_hz: fields
            .number("core:frequency")?
            .map(|center_hz| check_center(fields.path, center_hz))
            .transpose()?,
        time: fields.time("core:datetime")?,
        header_bytes: fields.index("core:header_bytes")?.unwrap_or(0),
    })
}

fn annotations(
    root: &Object<'_>,
    first_index: u64,
    warnings: &mut Vec<String>,
) -> Result<Vec<Annotation>, Error> {
    let list = root.objects("annotations")?.unwrap_or_default();
    let mut annotations = Vec::with_capacity(list.len());
    for fields in &list {
        let start = fields
            .index(SAMPLE_START)?
            .ok_or_else(|| fields.malformed(SAMPLE_START, "is missing"))?;
        if start < first_index {
            let place = &fields.place;
            warnings
                .push(format!("{place} starts at {start}, before the first sample {first_index}"));
        }
        annotations.push(annotation(fields, start.saturating_sub(first_index))?);
    }
    Ok(annotations)
}

fn annotation(fields: &Object<'_>, sample_start: u64) -> Result<Annotation, Error> {
    let is_extra = |name: &String| !OWN_FIELDS.contains(&name.as_str());
    Ok(Annotation {
        sample_start,
        sample_count: fields.index(SAMPLE_COUNT)?,
        freq_lower_edge_hz: fields.number(FREQ_LOWER_EDGE)?,
        freq_upper_edge_hz: fields.number(FREQ_UPPER_EDGE)?,
        label: fields.text(LABEL)?.map(Into::into),
        comment: fields.text(COMMENT)?.map(Into::into),
        extra: fields
            .fields
            .iter()
            .filter(|(name, _)| is_extra(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    })
}
