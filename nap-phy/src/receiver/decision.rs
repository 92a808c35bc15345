//! What a decoder has found out.

use super::decoded_frame::DecodedFrame;
use super::joint::undecoded_frame::UndecodedFrame;
use crate::message::Decoder;
use crate::uplink::container::Container;

/// A container that was found in soft symbols, and how.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) container: Container,
    pub(super) decoder: Decoder,
    /// Whether one frame was enough.
    pub(super) crc_ok: bool,
    /// Logarithm of the odds that it is right, by what was decoded to find it; 0 if it was known before.
    pub(super) ln_odds: f64,
}

impl Reading {
    /// How another frame of a decoded frame's message is read.
    pub(super) fn of_sibling(frame: &DecodedFrame) -> Self {
        let DecodedFrame { container, decoder, .. } = frame;
        Self { container: container.clone(), decoder: *decoder, crc_ok: false, ln_odds: 0.0 }
    }
}

/// A container, and the frames that were found to hold it.
pub(super) struct Decision {
    pub(super) reading: Reading,
    /// In the order of ranks.
    pub(super) undecoded_frames: Vec<UndecodedFrame>,
}
