//! Choosing the reader for a recording.

use std::io::{self, Read};
use std::path::Path;

use crate::compression::{Compression, other_suffix, unpacked_name};
use crate::content::{Content, UNPACK, identify};
use crate::error::Error;
use crate::file_name::told::FileName;
use crate::file_name::{extension, file_name, name_hint};
use crate::gnu_radio;
use crate::input::Input;
use crate::mirror::Mirror;
use crate::open_options::OpenOptions;
use crate::raw;
use crate::sdriq;
use crate::side_file;
use crate::sigmf::archive::split_path;
use crate::sigmf::bare_data::open_given;
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
/// | `x.sigmf`, or any tar archive with SigMF recordings, compressed or not | the one recording in it, read where it lies in the archive |
/// | `x.sigmf/name.sigmf-meta` | the recording of this name in the archive |
/// | a file that begins as WAV, RF64 or BW64 does | WAV with two channels, I and Q |
/// | `x.sdriq` | a recording of SDRangel |
/// | a file that begins as GNU Radio's file meta sink does | its samples, without the headers between them |
/// | `-` | standard input, compressed or not: WAV if it begins like that, else raw samples |
/// | anything else | a raw file; see [`FileName`] for what its name tells, a prefix like `cs16:` included. Beside PortaPack's `x.C16` and `x.C8`, `x.TXT` tells the rest; beside any file `x`, `x.hdr` of GNU Radio |
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
    let (path, options) = without_prefix(path, options);
    if path.as_os_str() == "-" {
        return stream(Box::new(io::stdin()), path, &options);
    }
    if let Some((archive, name)) = split_path(path) {
        return sigmf_recording::open_archive(archive, Some(name), &options);
    }
    let described = find_meta(path).and_then(|meta_path| {
        meta_path.map(|meta_path| sigmf_recording::open(&meta_path, &options)).transpose()
    });
    match described {
        Ok(Some(source)) => return Ok(source),
        Ok(None) => {}
        Err(error) => return open_given(path, &options, error),
    }
    let name = file_name(path);
    match Container::of_name(unpacked_name(&name)) {
        Some(Container::SigmfArchive) => sigmf_recording::open_archive(path, None, &options),
        _ => open_input(path, &name, Input::open(path)?, &options),
    }
}

/// Whether there is a file of a recording, beside which another one may be missing.
pub(crate) fn exists(path: &Path) -> bool {
    let (path, _) = without_prefix(path, &OpenOptions::default());
    path.exists() || matches!(find_meta(path), Ok(Some(meta_path)) if meta_path.exists())
}

/// Whether a path is that of standard input: `-`, with a prefix or without.
pub(crate) fn is_standard_input(path: &Path) -> bool {
    without_prefix(path, &OpenOptions::default()).0.as_os_str() == "-"
}

/// Takes what a prefix of the path tells for options.
fn without_prefix<'a>(path: &'a Path, options: &OpenOptions) -> (&'a Path, OpenOptions) {
    match path.to_str().and_then(FileName::split_prefix) {
        Some((prefix, rest)) => (Path::new(rest), options.or(prefix)),
        None => (path, *options),
    }
}

/// Reads a recording that another program is writing; `stream` gives what is written to a file, now and later.
/// Where a header tells how long the recording is, that does not count.
pub(crate) fn open_growing(
    path: &Path,
    options: &OpenOptions,
    stream: impl FnOnce(&Path) -> Result<Box<dyn Read + Send>, Error>,
) -> Result<Box<dyn SampleSource>, Error> {
    let (path, options) = without_prefix(path, options);
    if let Some(meta_path) = find_meta(path)? {
        let source = sigmf_recording::open_growing(&meta_path, &options, |path| {
            let (_, input) = growing_input(path, stream(path)?)?;
            Ok(Box::new(input))
        })?;
        return Ok(mirrored(source, &options));
    }
    let name = file_name(path);
    let (head, input) = growing_input(path, stream(path)?)?;
    let source = match identify(&head) {
        Content::Wav => wav_recording::open_growing(path, &name, Box::new(input), &options),
        _ => open_input(path, &name, input, &options),
    }?;
    Ok(mirrored(source, &options))
}

/// The first bytes of a file that another program is writing. What is compressed or an archive cannot be read
/// before it is complete.
fn growing_input(path: &Path, stream: Box<dyn Read + Send>) -> Result<(Vec<u8>, Input), Error> {
    let (head, input) = look_into(path, Input::Pipe(stream))?;
    if matches!(identify(&head), Content::Compressed(_) | Content::Tar) {
        let what = "following what is compressed or an archive";
        return Err(Error::unsupported(path, what, "have it written as it is"));
    }
    Ok((head, input))
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
    let is_file = !input.is_pipe();
    let (head, input) = look_into(path, input)?;
    let (content, name, input) = match identify(&head) {
        Content::Compressed(compression) => {
            let (head, input) = unpack(path, compression, input)?;
            (identify(&head), unpacked_name(name), input)
        }
        content => (content, name, input),
    };
    let container = Container::of_name(name);
    match content {
        _ if container == Some(Container::Sdriq) => sdriq::open(path, input, options),
        Content::Tar if is_file => sigmf_recording::open_archive(path, None, options),
        Content::Tar => Err(Error::unsupported(path, "a tar archive", UNPACK)),
        Content::Wav => wav_recording::open(path, name, input, options),
        Content::GnuRadio => gnu_radio::open(path, input, options),
        Content::StandIn { what, advice } | Content::Other { what, advice } => {
            Err(Error::unsupported(path, what, advice))
        }
        Content::Compressed(_) => {
            Err(Error::unsupported(path, "what is compressed twice", "unpack it"))
        }
        // Samples without their header can still be read by who knows their format.
        Content::Unknown if container == Some(Container::Wav) && options.format.is_none() => {
            wav_recording::open(path, name, input, options)
        }
        Content::Unknown => {
            if let Some(suffix) = other_suffix(name).filter(|_| options.format.is_none()) {
                let what = format!("what is compressed as its name says (.{suffix})");
                return Err(Error::unsupported(path, what, UNPACK));
            }
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
