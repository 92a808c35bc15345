//! Where samples go.

use num_complex::Complex32;

use crate::error::Error;

/// A recording being written.
pub trait SampleSink: Send {
    /// Appends samples.
    ///
    /// # Errors
    /// [`Error::Io`] with the path, for instance when the disk is full, and
    /// [`Error::Unsupported`] when the format cannot hold as many samples.
    fn write(&mut self, samples: &[Complex32]) -> Result<(), Error>;

    /// How many samples were written.
    fn samples_written(&self) -> u64;

    /// How many components (I or Q) did not fit into an integer format and were clipped.
    fn clipped_components(&self) -> u64;

    /// Completes the recording. A recording that is dropped without it may lack its last samples
    /// and its header or metadata.
    ///
    /// # Errors
    /// As [`SampleSink::write`].
    fn finish(&mut self) -> Result<(), Error>;
}
