//! Live samples whose I and Q are the wrong way round.

use std::time::Duration;

use num_complex::Complex32;

use crate::error::Error;
use crate::live::source::{LiveSource, Reading};
use crate::mirror::swap_iq;
use crate::stream_info::StreamInfo;

/// A source whose I and Q are swapped on the way.
pub(crate) struct Mirror<S>(pub(crate) S);

impl<S: LiveSource> LiveSource for Mirror<S> {
    fn info(&self) -> &StreamInfo {
        self.0.info()
    }

    fn read(
        &mut self,
        samples: &mut Vec<Complex32>,
        count: usize,
        timeout: Duration,
    ) -> Result<Reading, Error> {
        let reading = self.0.read(samples, count, timeout)?;
        swap_iq(samples);
        Ok(reading)
    }
}
