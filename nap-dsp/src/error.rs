//! What can be wrong with a request to this crate.

/// An error of the signal-processing crate.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The sample rate is not a number, not positive, or far too low.
    #[error("a sample rate of {sample_rate_hz} S/s cannot be used")]
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
}
