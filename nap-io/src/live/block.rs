//! Samples on their way from the source to the receiver.

use std::time::Instant;

use num_complex::Complex32;

/// A block of samples with its place in the stream.
#[derive(Debug, Clone)]
pub struct Block {
    /// The samples, one at least.
    pub samples: Vec<Complex32>,
    /// The index of the first one; what was lost is counted too.
    pub first_sample: u64,
    /// How many samples are missing right before the first one.
    pub lost_before: u64,
    /// When the first sample was taken from the air, but for a constant delay of the hardware:
    /// smoothed over several blocks.
    pub taken: Instant,
    /// When the last sample arrived.
    pub arrived: Instant,
}

impl Block {
    /// The index after the last sample.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.first_sample + self.samples.len() as u64
    }
}
