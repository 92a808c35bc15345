//! Radios whose crystal is off.

use num_complex::Complex32;

use crate::error::Error;
use crate::source::SampleSource;
use crate::stream_info::StreamInfo;

/// A recording that was made with a radio whose crystal is off: rate, centre and what is marked are told as
/// they truly are.
pub struct CrystalCorrected<S> {
    source: S,
    info: StreamInfo,
}

impl<S: SampleSource> CrystalCorrected<S> {
    /// Corrects what a recording tells, given by how many millionths the radio's crystal was too fast.
    pub fn new(source: S, ppm: f64) -> Self {
        let mut info = source.info().clone();
        info.correct(ppm);
        Self { source, info }
    }
}

impl<S: SampleSource> SampleSource for CrystalCorrected<S> {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn read(&mut self, block: &mut [Complex32]) -> Result<usize, Error> {
        self.source.read(block)
    }

    fn skip(&mut self, samples: u64) -> Result<u64, Error> {
        self.source.skip(samples)
    }
}
