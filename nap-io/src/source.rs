//! Where samples come from.

use num_complex::Complex32;

use crate::error::Error;
use crate::stream_info::StreamInfo;

/// A stream of samples, read block by block.
pub trait SampleSource: Send {
    /// What is known about the stream.
    fn info(&self) -> &StreamInfo;

    /// Reads the next samples and returns how many, 0 at the end of the stream.
    ///
    /// A file fills the whole block unless it ends; a pipe returns what has arrived, at least one
    /// sample. Float formats may hold values that are not finite, which are passed on.
    ///
    /// # Errors
    /// [`Error::Io`] if reading fails, and [`Error::Truncated`] once, at the end, if the recording
    /// is cut short. Both come only after all samples before them were returned.
    fn read(&mut self, block: &mut [Complex32]) -> Result<usize, Error>;

    /// Leaves out the next samples and returns how many there were, less than asked for only at
    /// the end. Files seek, pipes read and drop.
    ///
    /// # Errors
    /// As [`SampleSource::read`].
    fn skip(&mut self, samples: u64) -> Result<u64, Error> {
        skip_by_reading(self, samples)
    }
}

impl<S: SampleSource + ?Sized> SampleSource for Box<S> {
    fn info(&self) -> &StreamInfo {
        (**self).info()
    }

    fn read(&mut self, block: &mut [Complex32]) -> Result<usize, Error> {
        (**self).read(block)
    }

    fn skip(&mut self, samples: u64) -> Result<u64, Error> {
        (**self).skip(samples)
    }
}

/// Skips by reading and dropping, for sources that cannot seek.
pub(crate) fn skip_by_reading<S: SampleSource + ?Sized>(
    source: &mut S,
    samples: u64,
) -> Result<u64, Error> {
    let mut scratch = [Complex32::ZERO; 4096];
    let mut left = samples;
    while left > 0 {
        let count = scratch.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let got = source.read(&mut scratch[..count])?;
        if got == 0 {
            break;
        }
        left -= got as u64;
    }
    Ok(samples - left)
}
