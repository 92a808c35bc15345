//! The known bits at the start of a frame: the preamble, then the frame type.

/// Bits of the preamble.
pub const PREAMBLE_BITS: u32 = 19;

/// Known bits at the start of a frame: preamble and frame type.
pub const SYNC_BITS: u32 = 32;

/// Bits of the frame type.
pub(crate) const FRAME_TYPE_BITS: u32 = SYNC_BITS - PREAMBLE_BITS;

/// The preamble, 1010…101, right-aligned.
pub const PREAMBLE: u32 = 0x5_5555;

/// Splits a frame's first 32 bits into preamble and frame type.
pub(crate) const fn split_sync_word(sync_word: u32) -> (u32, u16) {
    let frame_type = sync_word & ((1 << FRAME_TYPE_BITS) - 1);
    (sync_word >> FRAME_TYPE_BITS, frame_type as u16)
}
