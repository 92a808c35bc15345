//! A log file that does not grow for ever.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// When a file is full, and how many full ones are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// A file of so many bytes is full.
    pub bytes: u64,
    /// `FILE.1`, the newest, to `FILE.N` are kept.
    pub kept: u32,
}

/// Lines into a file; a full one is renamed to `FILE.1`, and that to `FILE.2`.
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
    pub fn open(path: &Path, rotation: Rotation, header: Option<String>) -> Result<Self> {
        let (file, bytes) = open(path)?;
        let mut rotated = Self { path: path.into(), rotation, header, file, bytes };
        rotated.head()?;
        Ok(rotated)
    }

    /// Writes a line.
    ///
    /// # Errors
    /// If the disk is full, or the folder has gone.
    pub fn line(&mut self, text: &str) -> Result<()> {
        if self.bytes > 0 && self.bytes + text.len() as u64 >= self.rotation.bytes {
            self.rotate()?;
        }
        self.write(text)
    }

    fn head(&mut self) -> Result<()> {
        match self.header.clone().filter(|_| self.bytes == 0) {
            Some(header) => self.write(&header),
            None => Ok(()),
        }
    }

    fn write(&mut self, text: &str) -> Result<()> {
        let line = format!("{text}\n");
        let written = self.file.write_all(line.as_bytes());
        written.with_context(|| format!("{}: cannot write", self.path.display()))?;
        self.bytes += line.len() as u64;
        Ok(())
    }

    fn rotate(&mut self) -> Result<()> {
        for number in (1..=self.rotation.kept).rev() {
            let older = self.numbered(number);
            let newer = if number == 1 { self.path.clone() } else { self.numbered(number - 1) };
            match fs::rename(&newer, &older) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    let text = format!("{}: cannot rename", newer.display());
                    return Err(error).context(text);
                }
                _ => {}
            }
        }
        if self.rotation.kept == 0 {
            let removed = fs::remove_file(&self.path);
            removed.with_context(|| format!("{}: cannot remove", self.path.display()))?;
        }
        (self.file, self.bytes) = open(&self.path)?;
        self.head()
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(format!(".{number}"));
        name.into()
    }
}

fn open(path: &Path) -> Result<(File, u64)> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    let file = file.with_context(|| format!("{}: cannot open", path.display()))?;
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
}
