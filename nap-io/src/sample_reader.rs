//! Bytes to samples: the reader behind every format.

use std::io::{self, Read};
use std::path::PathBuf;

use num_complex::Complex32;

use crate::convert::decode;
use crate::error::Error;
use crate::input::Input;
use crate::source::{SampleSource, skip_by_reading};
use crate::stream_info::StreamInfo;

/// Bytes read at once: large enough that system calls do not count, small enough for the cache.
const BUFFER_BYTES: usize = 1 << 17;

/// Reads samples of one format from a file region or a pipe.
pub(crate) struct SampleReader {
    path: PathBuf,
    info: StreamInfo,
    input: Input,
    buffer: Vec<u8>,
    /// Bytes of an incomplete sample at the front of the buffer.
    leftover: usize,
    samples_read: u64,
    /// How many samples header or metadata describe, where that is more than there are.
    declared: Option<u64>,
    /// Whether the input said that more should follow.
    is_cut_short: bool,
    state: State,
}

enum State {
    Reading,
    /// Reading failed after some samples of a block: they were delivered, the error is next.
    Failing(Error),
    /// The end was reported.
    Ended,
}

impl SampleReader {
    /// Starts reading; `info.total_samples` is set from what the input holds.
    pub(crate) fn new(path: PathBuf, mut info: StreamInfo, input: Input) -> Result<Self, Error> {
        let bytes_per_sample = info.format.bytes_per_sample();
        if input.bytes_left() == Some(0) {
            return Err(Error::Empty { path });
        }
        info.total_samples = input.bytes_left().map(|bytes| bytes / bytes_per_sample as u64);
        Ok(Self {
            path,
            info,
            input,
            buffer: vec![0; BUFFER_BYTES - BUFFER_BYTES % bytes_per_sample],
            leftover: 0,
            samples_read: 0,
            declared: None,
            is_cut_short: false,
            state: State::Reading,
        })
    }

    /// Notes that so many samples are described: if there are fewer, the end is an error.
    pub(crate) fn declare(mut self, samples: u64) -> Self {
        self.declared = Some(samples);
        self
    }

    /// Fills as much of the block as one read of the input gives; 0 is the end of the input.
    fn read_once(&mut self, block: &mut [Complex32]) -> Result<usize, Error> {
        let bytes_per_sample = self.info.format.bytes_per_sample();
        let wanted = block.len().saturating_mul(bytes_per_sample).min(self.buffer.len());
        loop {
            let read = self.input.read(&mut self.buffer[self.leftover..wanted]);
            let got = match read {
                // A compressed file whose end is missing.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    self.is_cut_short = true;
                    0
                }
                read => read.map_err(Error::io(&self.path, "read"))?,
            };
            let filled = self.leftover + got;
            let count = decode(self.info.format, &self.buffer[..filled], block);
            let used = count * bytes_per_sample;
            self.buffer.copy_within(used..filled, 0);
            self.leftover = filled - used;
            self.samples_read += count as u64;
            if count > 0 || got == 0 {
                return Ok(count);
            }
        }
    }

    /// What the end of the input means: the end of the stream, a recording that is cut short, or a pipe
    /// through which nothing came.
    fn end(&mut self) -> Result<usize, Error> {
        self.state = State::Ended;
        if self.samples_read == 0 && self.leftover == 0 && self.input.is_pipe() {
            return Err(Error::Empty { path: self.path.clone() });
        }
        let declared = self.declared.filter(|&declared| declared > self.samples_read);
        if declared.is_none() && self.leftover == 0 && !self.is_cut_short {
            return Ok(0);
        }
        Err(Error::Truncated {
            path: self.path.clone(),
            samples: self.samples_read,
            declared,
            leftover_bytes: self.leftover,
        })
    }

    /// Reports what is due at the start of a read: an error held back, or the end.
    fn settle(&mut self) -> Result<bool, Error> {
        match std::mem::replace(&mut self.state, State::Reading) {
            State::Reading => Ok(true),
            State::Failing(error) => Err(error),
            State::Ended => {
                self.state = State::Ended;
                Ok(false)
            }
        }
    }
}

impl SampleSource for SampleReader {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn read(&mut self, block: &mut [Complex32]) -> Result<usize, Error> {
        if block.is_empty() || !self.settle()? {
            return Ok(0);
        }
        let mut filled = 0;
        while filled < block.len() {
            match self.read_once(&mut block[filled..]) {
                Ok(0) if filled == 0 => return self.end(),
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if filled == 0 => return Err(error),
                Err(error) => {
                    self.state = State::Failing(error);
                    break;
                }
            }
            if self.input.is_pipe() {
                break;
            }
        }
        Ok(filled)
    }

    fn skip(&mut self, samples: u64) -> Result<u64, Error> {
        if self.input.is_pipe() {
            return skip_by_reading(self, samples);
        }
        if samples == 0 || !self.settle()? {
            return Ok(0);
        }
        let bytes_per_sample = self.info.format.bytes_per_sample() as u64;
        let available = self.input.bytes_left().unwrap_or(0) / bytes_per_sample;
        let count = samples.min(available);
        self.input.seek_over(count * bytes_per_sample).map_err(Error::io(&self.path, "seek in"))?;
        self.samples_read += count;
        Ok(count)
    }
}
