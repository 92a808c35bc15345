//! A file of lines that does not grow for ever.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// When a file is full, and how many full ones are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// A file of so many bytes is full.
    pub bytes: u64,
    /// `FILE.1`, the newest, to `FILE.N` are kept.
    pub kept: u32,
}

/// Lines into a file; a full one is renamed to `FILE.1`, and that to `FILE.2`.
#[derive(Debug)]
pub struct RotatedFile {
    path: PathBuf,
    rotation: Rotation,
    header: Option<String>,
    file: File,
    bytes: u64,
}

impl RotatedFile {
    /// Appends to the file if it exists.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(path: &Path, rotation: Rotation, header: Option<String>) -> Result<Self, Error> {
        let (file, bytes) = open(path)?;
        let mut rotated = Self { path: path.into(), rotation, header, file, bytes };
        rotated.head()?;
        Ok(rotated)
    }

    /// Writes a line.
    ///
    /// # Errors
    /// If the disk is full, or the folder has gone.
    pub fn line(&mut self, text: &str) -> Result<(), Error> {
        self.lines(&format!("{text}\n"))
    }

    /// Writes whole lines at once. What a full disk takes of them is taken back.
    ///
    /// # Errors
    /// If the disk is full, or the folder has gone.
    pub fn lines(&mut self, text: &str) -> Result<(), Error> {
        if self.bytes > 0 && self.bytes + text.len() as u64 > self.rotation.bytes {
            self.rotate()?;
        }
        self.write(text)
    }

    /// Waits until what was written is on the disk.
    ///
    /// # Errors
    /// If the disk does not take it.
    pub fn sync(&self) -> Result<(), Error> {
        self.file.sync_data().map_err(Error::io(&self.path, "write to the disk"))
    }

    /// Whether the path still leads to this file: others may rename it, too.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        let (there, here) = (fs::metadata(&self.path), self.file.metadata());
        there.ok().map(identity).is_some_and(|there| here.ok().map(identity) == Some(there))
    }

    fn head(&mut self) -> Result<(), Error> {
        match self.header.clone().filter(|_| self.bytes == 0) {
            Some(header) => self.write(&format!("{header}\n")),
            None => Ok(()),
        }
    }

    fn write(&mut self, text: &str) -> Result<(), Error> {
        if let Err(error) = self.file.write_all(text.as_bytes()) {
            // Where not even that works, the next start cuts the torn line off.
            let _ = self.file.set_len(self.bytes);
            return Err(Error::io(&self.path, "write")(error));
        }
        self.bytes += text.len() as u64;
        Ok(())
    }

    fn rotate(&mut self) -> Result<(), Error> {
        for number in (1..=self.first_free()).rev() {
            let newer = if number == 1 { self.path.clone() } else { self.numbered(number - 1) };
            match fs::rename(&newer, self.numbered(number)) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(Error::io(&newer, "rename")(error));
                }
                _ => {}
            }
        }
        if self.rotation.kept == 0 {
            fs::remove_file(&self.path).map_err(Error::io(&self.path, "remove"))?;
        }
        sync_folder_of(&self.path)?;
        (self.file, self.bytes) = open(&self.path)?;
        self.head()
    }

    /// The lowest number without a file, or the highest that may be kept.
    fn first_free(&self) -> u32 {
        let is_free = |number: &u32| !self.numbered(*number).exists();
        (1..self.rotation.kept).find(is_free).unwrap_or(self.rotation.kept)
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(format!(".{number}"));
        name.into()
    }
}

/// Cuts off what stands after the last line's end: a line that was being written when the power went.
///
/// # Errors
/// If the file cannot be read or shortened.
pub fn cut_torn_line(path: &Path) -> Result<(), Error> {
    const PIECE: u64 = 4096;
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        file => file.map_err(Error::io(path, "open"))?,
    };
    let length = file.metadata().map_err(Error::io(path, "look at"))?.len();
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(PIECE);
        let mut piece = Vec::new();
        file.seek(SeekFrom::Start(start)).map_err(Error::io(path, "read"))?;
        (&file).take(end - start).read_to_end(&mut piece).map_err(Error::io(path, "read"))?;
        if let Some(at) = piece.iter().rposition(|&byte| byte == b'\n') {
            end = start + at as u64 + 1;
            break;
        }
        end = start;
    }
    if end < length {
        file.set_len(end).map_err(Error::io(path, "shorten"))?;
        file.sync_all().map_err(Error::io(path, "write to the disk"))?;
    }
    Ok(())
}

/// A new or renamed file is there after a power cut only if its folder was written too.
///
/// # Errors
/// If the disk does not take it.
pub fn sync_folder_of(path: &Path) -> Result<(), Error> {
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(Error::io(folder, "write to the disk"))
}

fn open(path: &Path) -> Result<(File, u64), Error> {
    let is_new = !path.exists();
    let file = OpenOptions::new().create(true).append(true).open(path);
    let file = file.map_err(Error::io(path, "open"))?;
    if is_new {
        sync_folder_of(path)?;
    }
    let bytes = file.metadata().map_or(0, |metadata| metadata.len());
    Ok((file, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_files_are_renamed_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.csv");
        let rotation = Rotation { bytes: 20, kept: 2 };
        let mut file = RotatedFile::open(&path, rotation, Some("head".into())).unwrap();
        for number in 0..10 {
            file.line(&format!("line {number}")).unwrap();
        }
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read("log.csv"), "head\nline 8\nline 9\n");
        assert_eq!(read("log.csv.1"), "head\nline 6\nline 7\n");
        assert_eq!(read("log.csv.2"), "head\nline 4\nline 5\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
        // The next run goes on where this one has stopped.
        let mut file = RotatedFile::open(&path, Rotation { bytes: 40, kept: 2 }, None).unwrap();
        file.line("more").unwrap();
        assert_eq!(read("log.csv"), "head\nline 8\nline 9\nmore\n");
    }

    #[test]
    fn an_archive_keeps_all_its_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut file =
            RotatedFile::open(&path, Rotation { bytes: 3, kept: u32::MAX }, None).unwrap();
        for number in 0..5 {
            file.line(&number.to_string()).unwrap();
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5);
        assert_eq!(fs::read_to_string(folder.path().join("log.4")).unwrap(), "0\n");
        assert!(file.is_in_place());
        fs::rename(&path, folder.path().join("taken")).unwrap();
        assert!(!file.is_in_place());
    }

    #[test]
    fn a_torn_line_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        cut_torn_line(&path).unwrap();
        assert!(!path.exists());
        let long = "x".repeat(10_000);
        for (text, whole) in [
            ("a\nb\n", "a\nb\n"),
            ("a\nb", "a\n"),
            ("a", ""),
            ("", ""),
            (&format!("a\n{long}"), "a\n"),
            (&long, ""),
        ] {
            fs::write(&path, text).unwrap();
            cut_torn_line(&path).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), whole);
        }
    }
}
