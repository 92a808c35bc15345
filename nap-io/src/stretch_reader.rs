//! Reading one stretch of a recording.

use num_complex::Complex32;

use crate::error::Error;
use crate::source::SampleSource;
use crate::stretch::Stretch;

/// Reads the samples of a [`Stretch`], and no others.
pub struct StretchReader<S> {
    source: S,
    /// The next sample, counted in those of the recording that can be read.
    next: u64,
    /// How many samples are still to come; there may be fewer.
    left: u64,
}

impl<S: SampleSource> StretchReader<S> {
    /// Takes a recording that stands at the first sample of the stretch.
    pub fn new(source: S, stretch: &Stretch) -> Self {
        let left = stretch.length.map_or(u64::MAX, |length| stretch.samples_in(length));
        Self { source, next: stretch.first_sample, left }
    }

    /// Takes a recording that stands at its own start, and goes to a place of the stretch. A recording that
    /// ends before leaves nothing to read.
    ///
    /// # Errors
    /// Those of [`SampleSource::skip`].
    pub fn at(mut source: S, stretch: &Stretch, place: u64) -> Result<Self, Error> {
        let first = stretch.sample_at(place);
        let next = source.skip(first)?;
        let mut reader = Self::new(source, stretch);
        let passed = first.saturating_sub(stretch.first_sample);
        reader.left = if next < first { 0 } else { reader.left.saturating_sub(passed) };
        reader.next = next;
        Ok(reader)
    }

    /// The next sample, counted in those of the recording that can be read.
    pub fn next_sample(&self) -> u64 {
        self.next
    }

    /// Reads the next samples and returns how many, 0 at the end of the stretch.
    ///
    /// # Errors
    /// Those of [`SampleSource::read`].
    pub fn read(&mut self, block: &mut [Complex32]) -> Result<usize, Error> {
        let most = block.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if most == 0 {
            return Ok(0);
        }
        let count = self.source.read(&mut block[..most])?;
        self.next += count as u64;
        self.left -= count as u64;
        Ok(count)
    }

    /// The recording, to read on in it.
    pub fn into_source(self) -> S {
        self.source
    }
}
