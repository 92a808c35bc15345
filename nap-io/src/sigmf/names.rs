//! The two files of a recording share a base name.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::compression::{packed_names, unpacked_name};
use crate::error::Error;

pub(super) const META: &str = "sigmf-meta";
pub(super) const DATA: &str = "sigmf-data";

/// The metadata file that a path means, `None` if it means no SigMF recording.
///
/// Fails for a collection and for a data file without metadata.
pub(crate) fn find_meta(path: &Path) -> Result<Option<PathBuf>, Error> {
    let unpacked = unpacked_path(path);
    // Some file systems make all letters large.
    let extension = unpacked.extension().and_then(|extension| extension.to_str());
    match extension.map(str::to_ascii_lowercase).as_deref() {
        Some(META) => Ok(Some(path.into())),
        Some(DATA) => {
            let meta = meta_path(&unpacked);
            let missing = Error::MissingPart { path: path.into(), missing: meta.clone() };
            existing(&meta).map(Some).ok_or(missing)
        }
        Some("sigmf-collection") => Err(Error::unsupported(
            path,
            "a SigMF collection",
            "give the .sigmf-meta files of its recordings one by one",
        )),
        _ if path.exists() => Ok(None),
        _ => Ok(existing(&meta_path(path))),
    }
}

/// The file as it is, or compressed.
pub(super) fn existing(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let packed = packed_names(name).map(|packed| path.with_file_name(packed));
    std::iter::once(path.to_path_buf()).chain(packed).find(|path| path.exists())
}

/// The path that a file had before it was compressed.
fn unpacked_path(path: &Path) -> PathBuf {
    match path.file_name().and_then(|name| name.to_str()) {
        Some(name) => path.with_file_name(unpacked_name(name)),
        None => path.into(),
    }
}

/// The metadata file beside any file of a recording, or for its base name.
pub(crate) fn meta_path(path: &Path) -> PathBuf {
    with_suffix(path, META)
}

/// The data file beside any file of a recording, or for its base name.
pub(crate) fn data_path(path: &Path) -> PathBuf {
    with_suffix(path, DATA)
}

/// Replaces the SigMF extension only: other points belong to the base name (`g001_868.13M`).
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let path = &unpacked_path(path);
    let is_suffix = |e: &&str| [META, DATA, "sigmf"].iter().any(|s| e.eq_ignore_ascii_case(s));
    if let Some(extension) = path.extension().and_then(|e| e.to_str()).filter(is_suffix) {
        let is_large = !extension.contains(|letter: char| letter.is_ascii_lowercase());
        let suffix = if is_large { suffix.to_ascii_uppercase() } else { suffix.to_owned() };
        return path.with_extension(suffix);
    }
    let mut name = OsString::from(path);
    name.push(".");
    name.push(suffix);
    name.into()
}
