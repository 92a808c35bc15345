//! Choosing the reader for a recording.

use std::io::{self, Read};
use std::path::Path;

use crate::compression::{Compression, unpacked_name};
use crate::content::{Content, identify};
use crate::error::Error;
use crate::file_name::told::FileName;
use crate::file_name::{extension, file_name, name_hint};
use crate::input::Input;
use crate::mirror::Mirror;
use crate::open_options::OpenOptions;
use crate::raw;
use crate::sdriq;
use crate::side_file;
use crate::sigmf::names::find_meta;
use crate::sigmf::recording as sigmf_recording;
use crate::source::SampleSource;
use crate::wav::recording as wav_recording;

/// What the extension of a name promises, where that is more than raw samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Container {
    Wav,
    Sigmf,
    SigmfArchive,
    Sdriq,
}

impl Container {
    fn of_name(name: &str) -> Option<Self> {
        Some(match extension(name)?.to_ascii_lowercase().as_str() {
            "wav" | "rf64" | "bw64" | "bwf" => Self::Wav,
            "sigmf-meta" | "sigmf-data" => Self::Sigmf,
            "sigmf" => Self::SigmfArchive,
            "sdriq" => Self::Sdriq,
            _ => return None,
        })
    }
}

/// Opens a recording.
///
/// | `path` | is read as |
/// | --- | --- |
/// | `x.sigmf-meta`, `x.sigmf-data`, or `x` and `x.sigmf` where these two exist | SigMF |
/// | `x.sigmf` | a SigMF archive of one recording, read where it lies in the archive |
/// | a file that begins as WAV, RF64 or BW64 does | WAV with two channels, I and Q |
/// | `x.sdriq` | a recording of SDRangel |
/// | `-` | standard input: WAV if it begins like that, else raw samples |
/// | anything else | a raw file; see [`FileName`] for what its name tells, a prefix like `cs16:` included. Beside PortaPack's `x.C16` and `x.C8`, `x.TXT` tells the rest |
///
/// What was compressed with gzip, bzip2, xz or Zstandard is unpacked while it is read; it is known by
/// its first bytes, and the name before `.gz` counts. Named pipes work like standard input. A prefix
/// such as `cs16:250k:` before the path is as good as options.
///
/// # Errors
/// Any [`Error`] but the ones for writing; a recording without a single byte of samples is
/// [`Error::Empty`], and files that are something else by their first bytes are
/// [`Error::Unsupported`].
pub fn open(path: &Path, options: &OpenOptions) -> Result<Box<dyn SampleSource>, Error> {
    Ok(mirrored(open_as_stored(path, options)?, options))
}

fn open_as_stored(path: &Path, options: &OpenOptions) -> Result<Box<dyn SampleSource>, Error> {
    if path.as_os_str() == "-" {
        return stream(Box::new(io::stdin()), path, options);
    }
    let (prefix, path) = match path.to_str().and_then(FileName::split_prefix) {
        Some((prefix, rest)) => (prefix, Path::new(rest)),
        None => (FileName::default(), path),
    };
    let options = options.or(prefix);
    if let Some(meta_path) = find_meta(path)? {
        return sigmf_recording::open(&meta_path, &options);
    }
    let name = file_name(path);
    match Container::of_name(&name) {
        Some(Container::SigmfArchive) => sigmf_recording::open_archive(path, &options),
        Some(Container::Sdriq) => sdriq::open(path, &options),
        _ => open_input(path, &name, Input::open(path)?, &options),
    }
}

/// Reads a raw file from a stream that gives what is written to it, now and later.
pub(crate) fn open_growing(
    path: &Path,
    stream: Box<dyn Read + Send>,
    options: &OpenOptions,
) -> Result<Box<dyn SampleSource>, Error> {
    let name = file_name(path);
    let kind = match Container::of_name(&name) {
        Some(Container::Wav) => Some("a WAV file"),
        Some(Container::Sigmf | Container::SigmfArchive) => Some("a SigMF recording"),
        Some(Container::Sdriq) | None => None,
    };
    if let Some(kind) = kind {
        let advice = "have raw samples written";
        return Err(Error::unsupported(path, format!("following {kind}"), advice));
    }
    let told = options.as_told().or(FileName::parse(&name));
    raw::source(path, Input::Pipe(stream), told, name_hint(extension(&name)), Vec::new())
}

/// Reads samples from a pipe, a socket or anything else that delivers bytes, after its first ones
/// have come. `name` is used in messages only; the format and the sample rate of raw samples must be in
/// the options.
///
/// # Errors
/// [`Error::UnknownFormat`] or [`Error::Missing`] for an option that is missing,
/// [`Error::OutOfRange`] for one that cannot be right, and [`Error::Empty`] if nothing comes.
pub fn open_stream(
    stream: Box<dyn Read + Send>,
    name: &Path,
    options: &OpenOptions,
) -> Result<Box<dyn SampleSource>, Error> {
    Ok(mirrored(self::stream(stream, name, options)?, options))
}

fn stream(
    stream: Box<dyn Read + Send>,
    name: &Path,
    options: &OpenOptions,
) -> Result<Box<dyn SampleSource>, Error> {
    open_input(name, "", Input::Pipe(stream), options)
}

/// Reads whatever the first bytes say that it is; `name` is what the file's name tells.
fn open_input(
    path: &Path,
    name: &str,
    input: Input,
    options: &OpenOptions,
) -> Result<Box<dyn SampleSource>, Error> {
    let (head, input) = look_into(path, input)?;
    let (content, name, input) = match identify(&head) {
        Content::Compressed(compression) => {
            let (head, input) = unpack(path, compression, input)?;
            (identify(&head), unpacked_name(name), input)
        }
        content => (content, name, input),
    };
    let is_named_wav = Container::of_name(name) == Some(Container::Wav);
    match content {
        Content::Wav => wav_recording::open(path, name, input, options),
        Content::StandIn { what, advice } | Content::Other { what, advice } => {
            Err(Error::unsupported(path, what, advice))
        }
        Content::Compressed(_) => {
            Err(Error::unsupported(path, "what is compressed twice", "unpack it"))
        }
        // Samples without their header can still be read by who knows their format.
        Content::Unknown if is_named_wav && options.format.is_none() => {
            wav_recording::open(path, name, input, options)
        }
        Content::Unknown => {
            let (told, notes) = told(path, name, options);
            raw::source(path, input, told, name_hint(extension(name)), notes)
        }
    }
}

/// What is known of a raw file, and what of that was not told by the user: options come first, then a file
/// beside it, then the name. What comes through a pipe has no name.
fn told(path: &Path, name: &str, options: &OpenOptions) -> (FileName, Vec<String>) {
    let mut told = options.as_told();
    let mut notes = Vec::new();
    if let Some((side_path, beside)) =
        Some(path).filter(|_| !name.is_empty()).and_then(side_file::find)
    {
        notes.extend(beside.without(told).taken_from(&file_name(&side_path)));
        told = told.or(beside);
    }
    let by_name = FileName::parse(name);
    notes.extend(by_name.without(told).taken_from("the name"));
    (told.or(by_name), notes)
}

/// Looks at the first bytes, of which there must be one.
fn look_into(path: &Path, input: Input) -> Result<(Vec<u8>, Input), Error> {
    let (head, input) = input.head().map_err(Error::io(path, "read"))?;
    if head.is_empty() {
        return Err(Error::Empty { path: path.into() });
    }
    Ok((head, input))
}

/// Unpacks a compressed input on the way.
fn unpack(path: &Path, compression: Compression, input: Input) -> Result<(Vec<u8>, Input), Error> {
    look_into(path, Input::Pipe(compression.unpack(input)))
}

/// The source as the user says its samples are.
fn mirrored(source: Box<dyn SampleSource>, options: &OpenOptions) -> Box<dyn SampleSource> {
    if options.swap_iq { Box::new(Mirror(source)) } else { source }
}
