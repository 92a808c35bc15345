//! From soft symbols to a container.

use nap_dsp::demodulator::SoftFrame;

use crate::{Container, FrameType, MAX_CONTAINER_BYTES, SYNC_BITS, convolution};

/// Symbols before the container: the reference symbol, preamble and frame type.
pub(super) const SYNC_SYMBOLS: usize = 1 + SYNC_BITS as usize;

/// The signs (±1) of the symbols that send these bytes, the reference symbol first: a 0 flips.
pub(super) fn symbol_signs(bytes: &[u8]) -> Vec<f64> {
    let bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1));
    let signs = bits.scan(1.0, |sign, bit| {
        *sign = if bit { *sign } else { -*sign };
        Some(*sign)
    });
    std::iter::once(1.0).chain(signs).collect()
}

/// How many symbols a frame of this type has, the reference symbol included.
pub(super) fn symbol_count(frame_type: FrameType) -> usize {
    SYNC_SYMBOLS + frame_type.class.container_bits()
}

/// Decides every symbol by itself; `None` where the result is no valid container.
pub(super) fn decode_single(frame: &SoftFrame, frame_type: FrameType) -> Option<Container> {
    let mut buffer = [0; MAX_CONTAINER_BYTES];
    let bytes = &mut buffer[..frame_type.class.container_bytes()];
    let transitions = frame.symbols.windows(2).skip(SYNC_SYMBOLS - 1);
    for (n, pair) in transitions.enumerate() {
        let unchanged = (pair[0].re >= 0.0) == (pair[1].re >= 0.0);
        *bytes.get_mut(n / 8)? |= u8::from(unchanged) << (7 - n % 8);
    }
    convolution::decode(frame_type.rank, bytes);
    let container = Container::check(frame_type.class, bytes).ok()?;
    (!container.repeated()).then_some(container)
}
