//! The convolution that makes the three frames of a message differ.
//!
//! Every bit of the container, from the length indicator to the end of the CRC, passes a rate-1
//! feed-forward filter whose taps depend on the frame's rank: `y[n] = x[n]`, `x[n] ⊕ x[n−1] ⊕
//! x[n−2]` and `x[n] ⊕ x[n−2]` for frames 1, 2 and 3, octal 1, 7 and 5 (sigfox-ep-lib; the text of
//! the renard specification has the last two swapped). The filter starts from zeros and has no
//! tail. Together the three frames are one rate-1/3 code of four states.
//!
//! The inverse is recursive, so one wrong bit of a frame 2 or 3 corrupts what follows.

use crate::uplink::rank::Rank;

/// The three bits that a filter sees: `x[n]` in bit 0, `x[n−1]` in bit 1, `x[n−2]` in bit 2.
#[derive(Debug, Clone, Copy, Default)]
struct Register(u8);

impl Register {
    fn shift_in(&mut self, bit: bool) {
        self.0 = (self.0 << 1 | u8::from(bit)) & 0b111;
    }

    fn parity(self, taps: u8) -> bool {
        (self.0 & taps).count_ones() % 2 == 1
    }
}

/// Convolves a container bit by bit.
#[derive(Debug, Clone)]
pub struct Encoder {
    taps: u8,
    register: Register,
}

impl Encoder {
    /// An encoder for a frame of this rank, in its start state.
    #[must_use]
    pub fn new(rank: Rank) -> Self {
        Self { taps: rank.generator(), register: Register::default() }
    }

    /// The bit sent for the next bit of the container.
    pub fn push(&mut self, bit: bool) -> bool {
        self.register.shift_in(bit);
        self.register.parity(self.taps)
    }
}

/// Undoes the convolution bit by bit.
#[derive(Debug, Clone)]
pub struct Decoder {
    taps: u8,
    register: Register,
}

impl Decoder {
    /// A decoder for a frame of this rank, in its start state.
    #[must_use]
    pub fn new(rank: Rank) -> Self {
        Self { taps: rank.generator(), register: Register::default() }
    }

    /// The bit of the container for the next bit received.
    pub fn push(&mut self, bit: bool) -> bool {
        // All taps include x[n]: what the older bits do not explain is x[n] itself.
        self.register.shift_in(false);
        let decoded = bit ^ self.register.parity(self.taps);
        self.register.0 |= u8::from(decoded);
        decoded
    }
}

/// Convolves a container in place, for a frame of this rank.
pub fn encode(rank: Rank, container: &mut [u8]) {
    let mut encoder = Encoder::new(rank);
    for_each_bit(container, |bit| encoder.push(bit));
}

/// Undoes the convolution of a received container in place.
pub fn decode(rank: Rank, container: &mut [u8]) {
    let mut decoder = Decoder::new(rank);
    for_each_bit(container, |bit| decoder.push(bit));
}

/// Replaces each bit, most significant first.
fn for_each_bit(bytes: &mut [u8], mut replace: impl FnMut(bool) -> bool) {
    for byte in bytes {
        *byte = (0..8)
            .rev()
            .fold(0, |replaced, shift| replaced << 1 | u8::from(replace(*byte >> shift & 1 == 1)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header of the vectors: 0123 goes out as 01FA on frame 2 and as 016B on frame 3.
    #[test]
    fn header_of_the_official_library() {
        for (rank, sent) in
            [(Rank::First, [0x01, 0x23]), (Rank::Second, [0x01, 0xfa]), (Rank::Third, [0x01, 0x6b])]
        {
            let mut header = [0x01, 0x23];
            encode(rank, &mut header);
            assert_eq!(header, sent);
            decode(rank, &mut header);
            assert_eq!(header, [0x01, 0x23]);
        }
    }
}
