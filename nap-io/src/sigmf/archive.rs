//! Archives: a recording's two files in one tar file, read where they lie.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use tar::{Archive, Entry, EntryType};

use super::data_file::DataFile;
use super::metadata::{Metadata, read_limited};
use super::names::{DATA, META};
use crate::error::Error;
use crate::open_options::OpenOptions;

/// The one recording of an archive: the name of its metadata for messages, what it says, and its samples.
pub(super) fn find(
    path: &Path,
    options: &OpenOptions,
) -> Result<(PathBuf, Metadata, DataFile), Error> {
    let mut file = File::open(path).map_err(Error::io(path, "open"))?;
    let members = members(path, &file)?;
    let mut metas = members.iter().filter(|member| member.has_extension(META));
    let meta = metas.next().ok_or_else(|| {
        Error::malformed(path, "the archive", "holds no .sigmf-meta file and its data")
    })?;
    let more = metas.count();
    if more > 0 {
        let what = format!("a SigMF archive of {} recordings", more + 1);
        let advice = "unpack it (tar xf) and give the .sigmf-meta files";
        return Err(Error::unsupported(path, what, advice));
    }
    let meta_path = path.join(&meta.name);
    let text = meta.seek(&mut file).map(|()| file.by_ref().take(meta.bytes));
    let text = read_limited(&meta_path, text.map_err(Error::io(path, "seek in"))?)?;
    let metadata = Metadata::parse_given(&text, &meta_path, options)?;
    let data_name = match &metadata.dataset {
        Some(name) => meta.name.with_file_name(name),
        None => meta.name.with_extension(DATA),
    };
    let Some(data) = members.iter().find(|member| member.name == data_name) else {
        return Err(Error::MissingPart { path: meta_path, missing: path.join(data_name) });
    };
    let data_path = path.join(&data.name);
    let data = DataFile::in_archive(data_path, file, data.offset, data.bytes)?;
    Ok((meta_path, metadata, data))
}

/// A file in an archive.
struct Member {
    name: PathBuf,
    /// Where it starts, in bytes from the start of the archive.
    offset: u64,
    /// As the archive says; the end may be missing.
    bytes: u64,
}

impl Member {
    fn has_extension(&self, extension: &str) -> bool {
        self.name.extension().is_some_and(|found| found == extension)
    }

    fn seek(&self, file: &mut File) -> io::Result<()> {
        file.seek(SeekFrom::Start(self.offset)).map(|_| ())
    }
}

fn members(path: &Path, file: &File) -> Result<Vec<Member>, Error> {
    let wrong = |error: io::Error| {
        Error::malformed(path, "the archive", format!("cannot be read as tar ({error})"))
    };
    let mut archive = Archive::new(BufReader::new(file));
    let entries = archive.entries_with_seek().map_err(wrong)?;
    let mut members = Vec::new();
    for entry in entries {
        let entry = entry.map_err(wrong)?;
        let name = entry.path().map_err(wrong)?.into_owned();
        check_kind(path, &entry, &name)?;
        members.push(Member { name, offset: entry.raw_file_position(), bytes: entry.size() });
    }
    Ok(members)
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
