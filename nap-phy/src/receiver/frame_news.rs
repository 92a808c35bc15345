//! What becomes known of frames.

use super::decoded_frame::DecodedFrame;

/// What becomes known of a frame.
#[derive(Debug, Clone)]
pub(super) enum FrameNews {
    /// It was decoded.
    Decoded(DecodedFrame),
    /// It had been, wrongly: its burst is that of another message, or its message has fallen.
    Withdrawn(DecodedFrame),
}
