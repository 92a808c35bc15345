//! What the 13 bits after the preamble say: the rank of a frame and the class of its length.

use crate::uplink::length_class::LengthClass;
use crate::uplink::rank::Rank;
use crate::uplink::sync_word::{FRAME_TYPE_BITS, PREAMBLE};

/// One of the 18 frame types.
///
/// Any two of them differ in at least 5 of their 13 bits, but the preamble has period 2: seen an
/// even number of symbols early or late, one type can look like another but for a bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FrameType {
    /// Class of the frame's container.
    pub class: LengthClass,
    /// Which frame of a message.
    pub rank: Rank,
}

impl FrameType {
    /// All frame types, by class and then by rank.
    pub const ALL: [Self; 18] = {
        let mut all = [Self { class: LengthClass::EmptyOrBit, rank: Rank::First }; 18];
        let mut index = 0;
        while index < all.len() {
            all[index] = Self {
                class: LengthClass::ALL[index / Rank::ALL.len()],
                rank: Rank::ALL[index % Rank::ALL.len()],
            };
            index += 1;
        }
        all
    };

    /// The 13 bits of the type, right-aligned (sigfox-ep-lib).
    #[must_use]
    pub const fn bits(self) -> u16 {
        let [first, second, third] = match self.class {
            LengthClass::EmptyOrBit => [0x006b, 0x06e0, 0x0034],
            LengthClass::OneByte => [0x008d, 0x00d2, 0x0302],
            LengthClass::TwoToFourBytes => [0x035f, 0x0598, 0x05a3],
            LengthClass::FiveToEightBytes => [0x0611, 0x06bf, 0x072c],
            LengthClass::NineToTwelveBytes => [0x094c, 0x0971, 0x0997],
            LengthClass::Control => [0x0f67, 0x0fc9, 0x11be],
        };
        match self.rank {
            Rank::First => first,
            Rank::Second => second,
            Rank::Third => third,
        }
    }

    /// The type of these 13 bits, if there is one.
    #[must_use]
    pub fn from_bits(bits: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|frame_type| frame_type.bits() == bits)
    }

    /// The first 32 bits of a frame: preamble, then frame type.
    #[must_use]
    pub const fn sync_word(self) -> u32 {
        PREAMBLE << FRAME_TYPE_BITS | self.bits() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sync_words_of_the_official_library() {
        let words: [u32; 18] = [
            0xaaaa_a06b,
            0xaaaa_a6e0,
            0xaaaa_a034,
            0xaaaa_a08d,
            0xaaaa_a0d2,
            0xaaaa_a302,
            0xaaaa_a35f,
            0xaaaa_a598,
            0xaaaa_a5a3,
            0xaaaa_a611,
            0xaaaa_a6bf,
            0xaaaa_a72c,
            0xaaaa_a94c,
            0xaaaa_a971,
            0xaaaa_a997,
            0xaaaa_af67,
            0xaaaa_afc9,
            0xaaaa_b1be,
        ];
        assert_eq!(FrameType::ALL.map(FrameType::sync_word), words);
    }

    #[test]
    fn types_differ_in_five_bits_or_more() {
        for a in FrameType::ALL {
            assert_eq!(FrameType::from_bits(a.bits()), Some(a));
            for b in FrameType::ALL.into_iter().filter(|&b| b != a) {
                assert!((a.bits() ^ b.bits()).count_ones() >= 5);
            }
        }
        assert_eq!(FrameType::from_bits(0x006a), None);
    }
}
