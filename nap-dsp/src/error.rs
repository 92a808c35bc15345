//! What can go wrong when something is set up.

use std::ops::RangeInclusive;

/// The rates that can be used, in samples per second: any receiver of bursts samples faster than the lower, and far more than
/// the upper comes from a damaged file.
const SAMPLE_RATES_HZ: RangeInclusive<f64> = 2_000.0..=1.0e9;

/// The error of this crate. Once set up, processing does not fail.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The sample rate is not a number, far too low, or far too high.
    #[error("a sample rate of {sample_rate_hz} S/s cannot be used: it has to be 2 kS/s to 1 GS/s")]
    SampleRate {
        /// The rate that was asked for, in samples per second.
        sample_rate_hz: f64,
    },
    /// The channel reaches outside the band that was sampled.
    #[error(
        "the channel of ±{half_width_hz} Hz at {offset_hz:+} Hz from the centre lies outside the \
         sampled band of ±{} Hz",
        sample_rate_hz / 2.0
    )]
    ChannelOutside {
        /// Channel centre, in hertz from the centre of the recording.
        offset_hz: f64,
        /// Half of the channel's width in hertz.
        half_width_hz: f64,
        /// The sample rate in samples per second.
        sample_rate_hz: f64,
    },
    /// A parameter is not finite or lies outside the range in which it makes sense.
    #[error("{parameter} is {value}, but must lie between {min} and {max}")]
    OutOfRange {
        /// Name of the parameter, with its unit.
        parameter: &'static str,
        /// The value that was given.
        value: f64,
        /// Smallest value that is accepted.
        min: f64,
        /// Largest value that is accepted.
        max: f64,
    },
    /// A signal was added to a simulation that has already gone past the signal's start.
    #[error(
        "the signal starts at {start_s} s, but the simulation has reached {reached_s} s: \
         add signals before the block in which they start is rendered"
    )]
    StartsInThePast {
        /// When the signal starts, in seconds from the first sample.
        start_s: f64,
        /// Up to where samples exist already, in seconds from the first sample.
        reached_s: f64,
    },
}

impl Error {
    /// Checks that samples at this rate can be received.
    pub(crate) fn check_sample_rate(sample_rate_hz: f64) -> Result<(), Self> {
        if SAMPLE_RATES_HZ.contains(&sample_rate_hz) {
            return Ok(());
        }
        Err(Self::SampleRate { sample_rate_hz })
    }

    /// Checks that `min <= value <= max`; a NaN is never in range.
    pub(crate) fn check_range(
        parameter: &'static str,
        value: f64,
        min: f64,
        max: f64,
    ) -> Result<(), Self> {
        if (min..=max).contains(&value) {
            return Ok(());
        }
        Err(Self::OutOfRange { parameter, value, min, max })
    }
}
