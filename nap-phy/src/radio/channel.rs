//! The channel that devices of a radio configuration share.

/// Width of the channel in which the devices of a radio configuration send, Hz.
pub const MACRO_CHANNEL_WIDTH_HZ: u32 = 192_000;

/// The lowest sample rate, in samples per second, that covers a channel.
#[cfg(feature = "receiver")]
pub const LEAST_SAMPLE_RATE_HZ: f64 = 200_000.0;
