//! Where live samples come from.

use std::sync::Arc;
use std::time::Duration;

use num_complex::Complex32;

use crate::error::Error;
use crate::stream_info::StreamInfo;

/// Samples that may be missing before those of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Loss {
    /// None is missing.
    #[default]
    None,
    /// So many are missing.
    Samples(u64),
    /// Some are missing, but the source does not know how many.
    Unknown,
}

/// What a read brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Samples, and what was lost before them.
    Samples(Loss),
    /// Nothing came within the time given.
    Nothing,
    /// The source has come to its end.
    End,
}

/// A source of samples that go on without waiting for the reader.
pub trait LiveSource: Send {
    /// What is known about the stream: the rate and the centre frequency as the source says it has
    /// set them, not as they were asked for.
    fn info(&self) -> &StreamInfo;

    /// Reads what has arrived into `samples`, which is emptied before, at most `count` samples; waits
    /// for it, but not longer than `timeout`.
    ///
    /// # Errors
    /// The stream is broken: the source has to be opened again.
    fn read(
        &mut self,
        samples: &mut Vec<Complex32>,
        count: usize,
        timeout: Duration,
    ) -> Result<Reading, Error>;
}

impl<S: LiveSource + ?Sized> LiveSource for Box<S> {
    fn info(&self) -> &StreamInfo {
        (**self).info()
    }

    fn read(
        &mut self,
        samples: &mut Vec<Complex32>,
        count: usize,
        timeout: Duration,
    ) -> Result<Reading, Error> {
        (**self).read(samples, count, timeout)
    }
}

/// Opens a source, again and again if need be. What is handed in is how long a source that is there may
/// take for its first answer: longer from trial to trial.
pub type Opener = Arc<dyn Fn(Duration) -> Result<Box<dyn LiveSource>, Error> + Send + Sync>;
