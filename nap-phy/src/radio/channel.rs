//! The channel that devices of a radio configuration share.

/// Width of the channel in which the devices of a radio configuration send, Hz.
pub const MACRO_CHANNEL_WIDTH_HZ: u32 = 192_000;
