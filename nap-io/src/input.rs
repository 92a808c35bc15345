//! The bytes under a recording: a file that can seek, or a pipe that cannot.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use crate::content::HEAD_BYTES;
use crate::error::Error;

/// Where bytes come from.
pub(crate) enum Input {
    /// A regular file, how many bytes are left of the region that is being read, and the regions after it.
    File { file: File, left: u64, later: VecDeque<Range<u64>> },
    /// Anything that only delivers: standard input, a named pipe, a socket, a file that is unpacked.
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
            Ok(Self::File { file, left: metadata.len(), later: VecDeque::new() })
        } else {
            Ok(Self::Pipe(Box::new(file)))
        }
    }

    /// Limits a file to one region of it.
    pub(crate) fn region(file: File, offset: u64, bytes: u64) -> io::Result<Self> {
        let region = offset..offset.saturating_add(bytes);
        Self::regions(file, std::iter::once(region).collect())
    }

    /// Limits a file to regions of it, which are read one after the other.
    pub(crate) fn regions(mut file: File, mut regions: VecDeque<Range<u64>>) -> io::Result<Self> {
        let first = regions.pop_front().unwrap_or(0..0);
        file.seek(SeekFrom::Start(first.start))?;
        Ok(Self::File { file, left: length(&first), later: regions })
    }

    /// Looks at the first bytes, which will be read nevertheless: [`HEAD_BYTES`] or all there are.
    pub(crate) fn head(self) -> io::Result<(Vec<u8>, Self)> {
        match self {
            Self::File { mut file, left, later } => {
                let start = file.stream_position()?;
                let mut head = Vec::new();
                file.by_ref().take(left.min(HEAD_BYTES as u64)).read_to_end(&mut head)?;
                file.seek(SeekFrom::Start(start))?;
                Ok((head, Self::File { file, left, later }))
            }
            Self::Pipe(pipe) => {
                let (head, begun) = Begun::new(pipe)?;
                Ok((head, Self::Pipe(Box::new(begun))))
            }
        }
    }

    /// How many bytes are left; `None` for a pipe.
    pub(crate) fn bytes_left(&self) -> Option<u64> {
        match self {
            Self::File { left, later, .. } => Some(*left + later.iter().map(length).sum::<u64>()),
            Self::Pipe(_) => None,
        }
    }

    /// Whether the bytes come when they come.
    pub(crate) fn is_pipe(&self) -> bool {
        matches!(self, Self::Pipe(_))
    }

    /// Seeks over bytes of a file, at most to its end; a pipe cannot and skips nothing.
    pub(crate) fn seek_over(&mut self, bytes: u64) -> io::Result<u64> {
        let Self::File { file, left, later } = self else {
            return Ok(0);
        };
        let mut to_go = bytes;
        while to_go > *left && next_region(file, left, later, &mut to_go)? {}
        let step = to_go.min(*left);
        // `SeekFrom::Current` is signed; no file is larger than what it can express.
        file.seek(SeekFrom::Current(i64::try_from(step).map_err(io::Error::other)?))?;
        *left -= step;
        Ok(bytes - to_go + step)
    }
}

impl Read for Input {
    /// Reads at most as many bytes as the buffer takes, however often it is interrupted; 0 is the end.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File { file, left, later } => {
                while *left == 0 && next_region(file, left, later, &mut 0)? {}
                let count = clamp_to(buffer.len(), *left);
                let got = uninterrupted(file, &mut buffer[..count])?;
                *left -= got as u64;
                Ok(got)
            }
            Self::Pipe(pipe) => uninterrupted(pipe, buffer),
        }
    }
}

/// Goes to the start of the next region, over what is left of this one, which counts off `to_go`; returns whether
/// there is one.
fn next_region(
    file: &mut File,
    left: &mut u64,
    later: &mut VecDeque<Range<u64>>,
    to_go: &mut u64,
) -> io::Result<bool> {
    let Some(next) = later.pop_front() else { return Ok(false) };
    file.seek(SeekFrom::Start(next.start))?;
    *to_go = to_go.saturating_sub(*left);
    *left = length(&next);
    Ok(true)
}

fn length(region: &Range<u64>) -> u64 {
    region.end.saturating_sub(region.start)
}

fn uninterrupted(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

fn clamp_to(length: usize, limit: u64) -> usize {
    usize::try_from(limit).map_or(length, |limit| length.min(limit))
}

/// A pipe of which the first bytes have been looked at.
struct Begun {
    head: Cursor<Vec<u8>>,
    /// What came after them, if reading failed.
    failure: Option<io::Error>,
    rest: Box<dyn Read + Send>,
}

impl Begun {
    /// Fails only if there is not a single byte before the failure.
    fn new(mut pipe: Box<dyn Read + Send>) -> io::Result<(Vec<u8>, Self)> {
        let mut head = vec![0; HEAD_BYTES];
        let (mut filled, mut failure) = (0, None);
        while filled < head.len() {
            match uninterrupted(&mut pipe, &mut head[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if filled == 0 => return Err(error),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        head.truncate(filled);
        Ok((head.clone(), Self { head: Cursor::new(head), failure, rest: pipe }))
    }
}

impl Read for Begun {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.head.read(buffer)? {
            0 => self.failure.take().map_or_else(|| self.rest.read(buffer), Err),
            count => Ok(count),
        }
    }
}
