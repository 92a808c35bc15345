//! The metadata file, checked field by field.

use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::annotation::{Annotation, OWN_FIELDS};
use super::fields::{
    COMMENT, FREQ_LOWER_EDGE, FREQ_UPPER_EDGE, LABEL, Object, SAMPLE_COUNT, SAMPLE_START,
    first_index, left_out, optional,
};
use crate::content::{Content, identify};
use crate::error::Error;
use crate::format::SampleFormat;
use crate::input::Input;
use crate::open_options::OpenOptions;
use crate::stream_info::{check_center, check_sample_rate};

/// Metadata beyond this size is not metadata: a million annotations need less.
const MAX_TEXT_BYTES: u64 = 1 << 28;
/// A program that writes one field wrongly does so a thousand times.
const MAX_WARNINGS: usize = 20;

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
    /// `core:offset`: how many samples of a longer recording come before the first in the data file.
    pub offset: Option<u64>,
    /// `core:trailing_bytes`: how many bytes at the end of the data file are no samples.
    pub trailing_bytes: u64,
    /// `core:metadata_only`: there is no data file.
    pub metadata_only: bool,
    /// The captures, in the order of their start.
    pub captures: Vec<Capture>,
    /// The annotations.
    pub annotations: Vec<Annotation>,
    /// What is odd but keeps nobody from reading the samples, a sentence each.
    pub warnings: Vec<String>,
}

/// From here on the radio was set like this.
#[derive(Debug, Clone, PartialEq)]
pub struct Capture {
    /// The first sample, counted from the first in the data file.
    pub sample_start: u64,
    /// The same in the receiver's own count, which goes on where samples are lost:
    /// `core:global_index`.
    pub global_index: Option<u64>,
    /// The centre frequency, in Hz.
    pub center_hz: Option<f64>,
    /// The time of the first sample.
    pub time: Option<Timestamp>,
    /// Whether the time has whole seconds only.
    pub is_whole_seconds: bool,
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

    /// Understands the text of a metadata file; `path` is used in messages only. What is wrong with a
    /// field that is not needed to read samples is a warning.
    ///
    /// # Errors
    /// [`Error::Malformed`] for what is no SigMF metadata, [`Error::OutOfRange`] for an impossible
    /// rate, [`Error::Unsupported`] for real samples or several channels.
    pub fn parse(text: &[u8], path: &Path) -> Result<Self, Error> {
        Self::parse_given(text, path, &OpenOptions::default())
    }

    /// The same where somebody knows better how the samples are stored.
    pub(super) fn parse_given(
        text: &[u8],
        path: &Path,
        given: &OpenOptions,
    ) -> Result<Self, Error> {
        let document = root_object(path, text)?;
        let first_index = first_index(&document);
        let root = Object { path, place: String::new(), fields: &document };
        let global = root.object("global")?;
        let mut warnings = Vec::new();
        let told = &mut warnings;
        if optional(global.text("core:version"), told).is_none() {
            told.push("the metadata has no core:version".into());
        }
        required_extensions(&global, told);
        check_channels(&global, told)?;
        let mut metadata = Self {
            format: format(&global, given.format, told)?,
            sample_rate_hz: sample_rate_hz(&global, given.sample_rate_hz, told)?,
            description: optional(global.text("core:description"), told).map(Into::into),
            dataset: dataset(&global)?,
            offset: optional(global.index("core:offset"), told),
            trailing_bytes: global.index("core:trailing_bytes")?.unwrap_or(0),
            metadata_only: optional(global.flag("core:metadata_only"), told).unwrap_or(false),
            captures: captures(&root, first_index, told)?,
            annotations: annotations(&root, first_index, told),
            warnings: Vec::new(),
        };
        let more = warnings.len().saturating_sub(MAX_WARNINGS);
        warnings.truncate(MAX_WARNINGS);
        if more > 0 {
            warnings.push(format!("{more} more fields of the metadata are wrong"));
        }
        metadata.warnings = warnings;
        Ok(metadata)
    }
}

/// Reads the text of a metadata file, compressed or not.
pub(super) fn read_text(path: &Path) -> Result<Vec<u8>, Error> {
    let (head, mut input) = Input::open(path)?.head().map_err(Error::io(path, "read"))?;
    if let Content::Compressed(compression) = identify(&head) {
        input = Input::Pipe(compression.unpack(input));
    }
    read_limited(path, input)
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
    let text = utf8(text);
    let read = serde_json::from_slice(&text).or_else(|error| {
        without_nan(&text).map_or(Err(error), |text| serde_json::from_slice(&text))
    });
    match read {
        Ok(Value::Object(root)) => Ok(root),
        Ok(_) => Err(Error::malformed(path, "the document", "must be a JSON object")),
        Err(error) => Err(Error::malformed(path, "the document", format!("is no JSON: {error}"))),
    }
}

/// The text with `null` for what Python writes of numbers that are none, outside of strings; `None` if there is nothing
/// of the kind.
fn without_nan(text: &[u8]) -> Option<Vec<u8>> {
    const NO_NUMBERS: [&[u8]; 3] = [b"NaN", b"-Infinity", b"Infinity"];
    let mut cleaned = Vec::with_capacity(text.len());
    let (mut rest, mut is_in_string, mut is_found) = (text, false, false);
    while let Some((&byte, after)) = rest.split_first() {
        let no_number = NO_NUMBERS.iter().find(|word| !is_in_string && rest.starts_with(word));
        if let Some(word) = no_number {
            cleaned.extend_from_slice(b"null");
            rest = &rest[word.len()..];
            is_found = true;
            continue;
        }
        // What follows a backslash ends no string.
        let count = if is_in_string && byte == b'\\' { 2.min(rest.len()) } else { 1 };
        is_in_string ^= byte == b'"';
        cleaned.extend_from_slice(&rest[..count]);
        rest = if count == 2 { &rest[2..] } else { after };
    }
    is_found.then_some(cleaned)
}

/// The text in UTF-8 without a byte order mark, which is no JSON. Some editors write one, and shells of Windows
/// write UTF-16.
fn utf8(text: &[u8]) -> Cow<'_, [u8]> {
    let decoded = |bytes: &[u8], number: fn([u8; 2]) -> u16| {
        let units: Vec<u16> =
            bytes.chunks_exact(2).map(|pair| number([pair[0], pair[1]])).collect();
        Cow::Owned(String::from_utf16_lossy(&units).into_bytes())
    };
    match text {
        [0xef, 0xbb, 0xbf, rest @ ..] => rest.into(),
        [0xff, 0xfe, rest @ ..] => decoded(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => decoded(rest, u16::from_be_bytes),
        _ => text.into(),
    }
}

/// Extensions that the writer thought one has to know. None changes how samples are stored, so
/// they are no reason to refuse a recording.
fn required_extensions(global: &Object<'_>, warnings: &mut Vec<String>) {
    // An object instead of the list is the form before SigMF 1.0, and says nothing more.
    if global.fields.get("core:extensions").is_some_and(Value::is_object) {
        return;
    }
    for extension in global.objects("core:extensions", warnings).unwrap_or_default() {
        let name = optional(extension.text("name"), warnings);
        let is_optional = optional(extension.flag("optional"), warnings);
        if let (Some(name), Some(false)) = (name, is_optional) {
            warnings.push(format!("the extension {name} is marked as required, but is not known"));
        }
    }
}

fn check_channels(global: &Object<'_>, warnings: &mut Vec<String>) -> Result<(), Error> {
    match optional(global.index("core:num_channels"), warnings) {
        None | Some(1) => Ok(()),
        Some(0) => {
            warnings.push("core:num_channels is 0; reading one".into());
            Ok(())
        }
        Some(count) => Err(Error::unsupported(
            global.path,
            format!("a recording with {count} channels (core:num_channels)"),
            "split it into one recording a channel",
        )),
    }
}

/// How samples are stored; whoever gives the format needs none in the file, or none that is right.
fn format(
    global: &Object<'_>,
    given: Option<SampleFormat>,
    warnings: &mut Vec<String>,
) -> Result<SampleFormat, Error> {
    match (format_in_file(global, warnings), given) {
        (Err(error), Some(given)) => {
            warnings.push(left_out(&error));
            Ok(given)
        }
        (format, _) => format,
    }
}

fn format_in_file(global: &Object<'_>, warnings: &mut Vec<String>) -> Result<SampleFormat, Error> {
    let name = global
        .text("core:datatype")?
        .ok_or_else(|| global.malformed("core:datatype", "is missing"))?;
    if let Some(format) = SampleFormat::from_sigmf_datatype(name) {
        return Ok(format);
    }
    if let Ok(format) = name.trim().parse::<SampleFormat>() {
        let datatype = format.sigmf_datatype().unwrap_or_default();
        warnings
            .push(format!("core:datatype {name:?} is no data type of SigMF; reading {datatype}"));
        return Ok(format);
    }
    if name.starts_with('r') {
        let what = format!("core:datatype {name:?}, real samples,");
        return Err(Error::unsupported(global.path, what, "record complex samples (IQ)"));
    }
    let problem = format!("{name:?} is no complex data type such as ci8, ci16_le or cf32_le");
    Err(global.malformed("core:datatype", &problem))
}

fn sample_rate_hz(
    global: &Object<'_>,
    given_hz: Option<f64>,
    warnings: &mut Vec<String>,
) -> Result<Option<f64>, Error> {
    let rate_hz = global.number("core:sample_rate");
    let rate_hz = rate_hz
        .and_then(|rate_hz| rate_hz.map(|hz| check_sample_rate(global.path, hz)).transpose());
    match given_hz {
        Some(_) => Ok(optional(global.in_place("core:sample_rate", rate_hz), warnings)),
        None => rate_hz,
    }
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

fn captures(
    root: &Object<'_>,
    first_index: u64,
    warnings: &mut Vec<String>,
) -> Result<Vec<Capture>, Error> {
    let Some(list) = root.objects("captures", warnings) else {
        warnings.push("the metadata has no captures: centre and time are not known".into());
        return Ok(Vec::new());
    };
    let mut captures = Vec::with_capacity(list.len());
    for fields in &list {
        captures.extend(capture(fields, first_index, warnings)?);
    }
    if !captures.is_sorted_by_key(|capture| capture.sample_start) {
        warnings.push(
            "captures are not in the order of core:sample_start; they are put in order".into(),
        );
        captures.sort_by_key(|capture| capture.sample_start);
    }
    Ok(captures)
}

fn capture(
    fields: &Object<'_>,
    first_index: u64,
    warnings: &mut Vec<String>,
) -> Result<Option<Capture>, Error> {
    let header_bytes = fields.index("core:header_bytes")?.unwrap_or(0);
    let is_first = fields.place == "captures[0]";
    let sample_start = match optional(fields.index(SAMPLE_START), warnings) {
        Some(sample_start) => sample_start,
        None if is_first => {
            warnings.push(format!("captures[0] has no {SAMPLE_START}; it begins with the data"));
            first_index
        }
        None => {
            warnings.push(format!("{} has no {SAMPLE_START}; it is left out", fields.place));
            return Ok(None);
        }
    };
    let center_hz = fields.number("core:frequency");
    let center_hz = center_hz
        .and_then(|center_hz| center_hz.map(|hz| check_center(fields.path, hz)).transpose());
    let time = optional(fields.time("core:datetime"), warnings);
    if time.is_some_and(|time| time.is_zone_assumed) {
        warnings.push(format!("{}.core:datetime has no Z; taken as UTC", fields.place));
    }
    Ok(Some(Capture {
        sample_start: sample_start.saturating_sub(first_index),
        global_index: optional(fields.index("core:global_index"), warnings),
        center_hz: optional(fields.in_place("core:frequency", center_hz), warnings),
        time: time.map(|time| time.time),
        is_whole_seconds: time.is_some_and(|time| time.is_whole_seconds),
        header_bytes,
    }))
}

/// The annotations whose place is known, each as far as it can be understood.
fn annotations(root: &Object<'_>, first_index: u64, warnings: &mut Vec<String>) -> Vec<Annotation> {
    let list = root.objects("annotations", warnings).unwrap_or_default();
    let mut annotations = Vec::with_capacity(list.len());
    for fields in &list {
        let place = &fields.place;
        let Some(start) = optional(fields.index(SAMPLE_START), warnings) else {
            warnings.push(format!("{place} has no {SAMPLE_START}; it is left out"));
            continue;
        };
        if start < first_index {
            warnings
                .push(format!("{place} starts at {start}, before the first sample {first_index}"));
        }
        annotations.push(annotation(fields, start.saturating_sub(first_index), warnings));
    }
    annotations
}

fn annotation(fields: &Object<'_>, sample_start: u64, warnings: &mut Vec<String>) -> Annotation {
    let is_extra = |name: &String| !OWN_FIELDS.contains(&name.as_str());
    Annotation {
        sample_start,
        sample_count: optional(fields.index(SAMPLE_COUNT), warnings),
        freq_lower_edge_hz: optional(fields.number(FREQ_LOWER_EDGE), warnings),
        freq_upper_edge_hz: optional(fields.number(FREQ_UPPER_EDGE), warnings),
        label: optional(fields.text(LABEL), warnings).map(Into::into),
        comment: optional(fields.text(COMMENT), warnings).map(Into::into),
        extra: fields
            .fields
            .iter()
            .filter(|(name, _)| is_extra(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    }
}
