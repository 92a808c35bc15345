//! The symbols of a frame, as far as its type and its bytes tell.

use nap_dsp::detector::Preamble;

use super::trellis::phase;
use crate::uplink::frame_type::FrameType;
use crate::uplink::sync_word::{PREAMBLE_BITS, SYNC_BITS};

/// Symbols before the container: the reference symbol, preamble and frame type.
pub(crate) const SYNC_SYMBOLS: usize = 1 + SYNC_BITS as usize;

/// The signs (±1) of the symbols that send these bytes, the reference symbol first: a 0 reverses the phase.
#[must_use]
pub fn symbol_signs(bytes: &[u8]) -> Vec<f64> {
    let bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1));
    let signs = bits.scan(1.0, |sign, bit| {
        *sign = if bit { *sign } else { -*sign };
        Some(*sign)
    });
    std::iter::once(1.0).chain(signs).collect()
}

/// The symbols that begin a frame of this type, reference, preamble and frame type, as signs (±1).
pub(crate) fn sync_signs(frame_type: FrameType) -> Vec<f64> {
    symbol_signs(&frame_type.sync_word().to_be_bytes())
}

/// The signs (±1) of a frame's symbols from the reference on whose container has these phases in frame 1.
pub(crate) fn frame_signs(frame_type: FrameType, phases: &[bool]) -> Vec<f64> {
    let mut signs = sync_signs(frame_type);
    let last = signs.last().copied().unwrap_or(1.0);
    let is_turned = |n: usize| phase(frame_type.rank, phases, n);
    signs.extend((0..phases.len()).map(|n| if is_turned(n) { -last } else { last }));
    signs
}

/// How many symbols a frame of this type has, the reference symbol included.
#[must_use]
pub fn symbol_count(frame_type: FrameType) -> usize {
    SYNC_SYMBOLS + frame_type.class.container_bits()
}

/// How frames begin, and how long the shortest goes on.
#[must_use]
pub fn preamble() -> Preamble {
    let symbols = 1 + PREAMBLE_BITS as usize;
    let shortest = FrameType::ALL.into_iter().map(symbol_count).min().unwrap_or(SYNC_SYMBOLS);
    Preamble { symbols, following: shortest - symbols }
}

/// The symbols that begin a frame, reference, preamble and frame type, as signs (±1): a sync word for
/// each of [`FrameType::ALL`].
#[must_use]
pub fn sync_words() -> Vec<Vec<f64>> {
    FrameType::ALL.into_iter().map(sync_signs).collect()
}
