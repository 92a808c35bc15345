//! What a decoder has found out.

use super::joint::fragment::Fragment;
use crate::message::Decoder;
use crate::uplink::container::Container;

/// A container that was found in soft symbols, and how.
pub(super) struct Reading {
    pub(super) container: Container,
    pub(super) decoder: Decoder,
    /// Whether one frame was enough.
    pub(super) crc_ok: bool,
}

/// A container, and the frames that were found to hold it.
pub(super) struct Decision {
    pub(super) reading: Reading,
    /// In the order of ranks.
    pub(super) fragments: Vec<Fragment>,
}
