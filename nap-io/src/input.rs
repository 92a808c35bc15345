//! The bytes under a recording: a file that can seek, or a pipe that cannot.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::error::Error;

/// Where bytes come from.
pub(crate) enum Input {
    /// A regular file, and how many bytes of it are left for reading.
    File { file: File, left: u64 },
    /// Anything that only delivers: standard input, a named pipe, a socket.
    Pipe(Box<dyn Read + Send>),
}

impl Input {
    /// Opens what the path names; named pipes and devices become pipes.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::io(path, "open"))?;
        let metadata = file.metadata().map_err(Error::io(path, "open"))?;
        if metadata.is_dir() {
            return Err(Error::io(path, "open")(io::ErrorKind::IsADirectory.into()));
        }
        if metadata.is_file() {
            Ok(Self::File { file, left: metadata.len() })
        } else {
            Ok(Self::Pipe(Box::new(file)))
        }
    }

    /// Limits a file to one region of it.
    pub(crate) fn region(mut file: File, offset: u64, bytes: u64) -> io::Result<Self> {
        file.seek(SeekFrom::Start(offset))?;
        Ok(Self::File { file, left: bytes })
    }

    /// How many bytes are left; `None` for a pipe.
    pub(crate) fn bytes_left(&self) -> Option<u64> {
        match self {
            Self::File { left, .. } => Some(*left),
            Self::Pipe(_) => None,
        }
    }

    /// Whether the bytes come when they come.
    pub(crate) fn is_pipe(&self) -> bool {
        matches!(self, Self::Pipe(_))
    }

    /// Reads at most as many bytes as the buffer takes; 0 is the end.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.read_once(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    fn read_once(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File { file, left } => {
                let count = clamp_to(buffer.len(), *left);
                let got = file.read(&mut buffer[..count])?;
                *left -= got as u64;
                Ok(got)
            }
            Self::Pipe(pipe) => pipe.read(buffer),
        }
    }

    /// Seeks over bytes of a file, at most to its end; a pipe cannot and skips nothing.
    pub(crate) fn seek_over(&mut self, bytes: u64) -> io::Result<u64> {
        let Self::File { file, left } = self else {
            return Ok(0);
        };
        let bytes = bytes.min(*left);
        // `SeekFrom::Current` is signed; no file is larger than what it can express.
        let offset = i64::try_from(bytes).map_err(io::Error::other)?;
        file.seek(SeekFrom::Current(offset))?;
        *left -= bytes;
        Ok(bytes)
    }
}

fn clamp_to(length: usize, limit: u64) -> usize {
    usize::try_from(limit).map_or(length, |limit| length.min(limit))
}
