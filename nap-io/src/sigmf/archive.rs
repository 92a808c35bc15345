//! Archives: recordings in a tar file, read where they lie, or unpacked on the way where it is compressed.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use tar::{Archive, Entries, Entry, EntryType};

use super::data_file::DataFile;
use super::metadata::{Metadata, read_limited};
use super::names::{DATA, META, meta_path};
use crate::compression::{Compression, unpacked_name};
use crate::content::{Content, UNPACK, identify};
use crate::error::Error;
use crate::file_name::{extension, file_name};
use crate::input::Input;
use crate::open_options::OpenOptions;

/// Names that archives have after these points, beside `.sigmf` and `.tar`: tar and compression in one word.
const PACKED: [&str; 4] = ["tgz", "tbz2", "txz", "tzst"];
/// So many recordings of an archive are named in a message.
const MAX_NAMES: usize = 3;

/// The archive and the recording in it that a path such as `archive.sigmf/name.sigmf-meta` means; `None` if it
/// means none.
pub(crate) fn split_path(path: &Path) -> Option<(&Path, &Path)> {
    if path.exists() {
        return None;
    }
    let is_one = |path: &&Path| path.is_file() && has_name_of_one(path);
    let archive = path.ancestors().skip(1).find(is_one)?;
    Some((archive, path.strip_prefix(archive).ok()?))
}

/// The recordings of an archive, each as a path for [`open`](crate::open); nothing for what is no archive of
/// several.
pub fn recordings_in(path: &Path) -> Vec<PathBuf> {
    if !has_name_of_one(path) || !path.is_file() {
        return Vec::new();
    }
    match scan(path, Wanted::Nothing) {
        Ok(contents) if contents.metas().count() > 1 => {
            contents.metas().map(|member| path.join(&member.name)).collect()
        }
        // What is wrong with it is told when it is opened.
        _ => Vec::new(),
    }
}

fn has_name_of_one(path: &Path) -> bool {
    extension(unpacked_name(&file_name(path))).is_some_and(|extension| {
        let mut names = ["sigmf", "tar"].iter().chain(&PACKED);
        names.any(|name| extension.eq_ignore_ascii_case(name))
    })
}

/// A recording of an archive: the name of its metadata for messages, what it says, and its samples. Without a
/// name it is the only one.
pub(super) fn find(
    path: &Path,
    name: Option<&Path>,
    options: &OpenOptions,
) -> Result<(PathBuf, Metadata, DataFile), Error> {
    let wanted = name.map_or(Wanted::First, |name| Wanted::Meta(meta_path(name)));
    let contents = scan(path, wanted)?;
    if name.is_none() && contents.metas().count() > 1 {
        return Err(several(path, &contents));
    }
    let Some((meta_name, text)) = &contents.meta else {
        return Err(no_recording(path, name));
    };
    let meta_path = path.join(meta_name);
    let metadata = Metadata::parse_given(text, &meta_path, options)?;
    let data_name = match &metadata.dataset {
        Some(name) => meta_name.with_file_name(name),
        None => meta_name.with_extension(DATA),
    };
    let Some(data) = contents.members.iter().find(|member| member.name == data_name) else {
        return Err(Error::MissingPart { path: meta_path, missing: path.join(data_name) });
    };
    let data_path = path.join(&data.name);
    let data = match contents.compression {
        None => {
            let file = File::open(path).map_err(Error::io(path, "open"))?;
            DataFile::in_archive(data_path, file, data.offset, data.bytes)?
        }
        Some(compression) => {
            let unpacked = compression.unpack(Input::open(path)?);
            DataFile::in_packed_archive(data_path, unpacked, data.offset, data.bytes)?
        }
    };
    Ok((meta_path, metadata, data))
}

fn several(path: &Path, contents: &Contents) -> Error {
    let names = contents.metas().map(|member| path.join(&member.name).display().to_string());
    let names: Vec<String> = names.take(MAX_NAMES).collect();
    Error::unsupported(
        path,
        format!(
            "an archive of {} SigMF recordings as one ({}{})",
            contents.metas().count(),
            names.join(", "),
            if contents.metas().count() > MAX_NAMES { ", ..." } else { "" }
        ),
        "give one of them by that name",
    )
}

fn no_recording(path: &Path, name: Option<&Path>) -> Error {
    match name {
        Some(name) => {
            let missing = path.join(meta_path(name));
            Error::MissingPart { path: path.into(), missing }
        }
        None => Error::unsupported(path, "an archive that holds no .sigmf-meta file", UNPACK),
    }
}

/// Which metadata is read on the way.
enum Wanted {
    Nothing,
    First,
    Meta(PathBuf),
}

/// What an archive holds.
struct Contents {
    compression: Option<Compression>,
    members: Vec<Member>,
    /// The name of the metadata that was wanted, and its text.
    meta: Option<(PathBuf, Vec<u8>)>,
}

impl Contents {
    fn metas(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| is_meta(&member.name))
    }
}

/// A file in an archive.
struct Member {
    name: PathBuf,
    /// Where it starts, in bytes from the start of the archive.
    offset: u64,
    /// As the archive says; the end may be missing.
    bytes: u64,
}

/// Tar on a Mac puts a file `._NAME` of its own beside each.
fn is_meta(name: &Path) -> bool {
    name.extension().is_some_and(|found| found == META) && !file_name(name).starts_with("._")
}

/// Goes through an archive once. Where it is compressed, all of it is unpacked on the way, and nothing is kept but
/// the metadata that is wanted.
fn scan(path: &Path, wanted: Wanted) -> Result<Contents, Error> {
    let input = Input::open(path)?;
    // The metadata may come after the samples, and a pipe can be read once only.
    if input.is_pipe() {
        let advice = "copy it into a file, or unpack it";
        return Err(Error::unsupported(path, "an archive through a pipe", advice));
    }
    let (head, input) = input.head().map_err(Error::io(path, "read"))?;
    let compression = match identify(&head) {
        Content::Compressed(compression) => Some(compression),
        _ => None,
    };
    let mut contents = Contents { compression, members: Vec::new(), meta: None };
    match compression {
        None => {
            let file = File::open(path).map_err(Error::io(path, "open"))?;
            let mut archive = Archive::new(BufReader::new(file));
            let entries = archive.entries_with_seek().map_err(|_| wrong(path))?;
            contents.read(path, entries, &wanted)?;
        }
        Some(compression) => {
            let has_ended = Cell::new(false);
            let unpacked = Watched { inner: compression.unpack(input), has_ended: &has_ended };
            let mut archive = Archive::new(unpacked);
            let entries = archive.entries().map_err(|_| wrong(path))?;
            let read = contents.read(path, entries, &wanted);
            // Of an archive that is cut short, what is there can be read.
            if !(has_ended.get() && contents.meta.is_some()) {
                read?;
            }
        }
    }
    Ok(contents)
}

/// Remembers whether the end has come, since errors of tar do not tell.
struct Watched<'a, R> {
    inner: R,
    has_ended: &'a Cell<bool>,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.inner.read(buffer);
        let is_end = match &result {
            Ok(count) => *count == 0 && !buffer.is_empty(),
            Err(error) => error.kind() == io::ErrorKind::UnexpectedEof,
        };
        self.has_ended.set(is_end);
        result
    }
}

impl Contents {
    fn read<R: Read>(
        &mut self,
        path: &Path,
        entries: Entries<'_, R>,
        wanted: &Wanted,
    ) -> Result<(), Error> {
        for entry in entries {
            let entry = entry.map_err(|_| wrong(path))?;
            let name = entry.path().map_err(|_| wrong(path))?.into_owned();
            check_kind(path, &entry, &name)?;
            let member = Member { offset: entry.raw_file_position(), bytes: entry.size(), name };
            let is_wanted = is_meta(&member.name)
                && match wanted {
                    Wanted::Nothing => false,
                    Wanted::First => self.meta.is_none(),
                    Wanted::Meta(name) => member.name == *name,
                };
            if is_wanted {
                let text = read_limited(&path.join(&member.name), entry)?;
                self.meta = Some((member.name.clone(), text));
            }
            self.members.push(member);
        }
        Ok(())
    }
}

/// What exactly is wrong is told with bytes of the file, which are not for a terminal.
fn wrong(path: &Path) -> Error {
    Error::malformed(path, "the archive", "cannot be read as tar")
}

/// The bytes of a sparse file do not lie in the archive as they are.
fn check_kind<R: Read>(path: &Path, entry: &Entry<'_, R>, name: &Path) -> Result<(), Error> {
    if entry.header().entry_type() == EntryType::GNUSparse {
        let what = format!("the sparse file {} in a SigMF archive", name.display());
        let advice = "unpack it (tar xf) and give the .sigmf-meta file";
        return Err(Error::unsupported(path, what, advice));
    }
    Ok(())
}
