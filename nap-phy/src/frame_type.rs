//! What the 13 bits after the preamble say: the rank of a frame and the class of its length.

use core::fmt;

use crate::{BitRate, Error};

/// Bits of the preamble.
pub const PREAMBLE_BITS: u32 = 19;

/// Known bits at the start of a frame: preamble and frame type.
pub const SYNC_BITS: u32 = 32;

/// Bits of the frame type.
const FRAME_TYPE_BITS: u32 = SYNC_BITS - PREAMBLE_BITS;

/// The preamble, 1010…101, right-aligned.
pub const PREAMBLE: u32 = 0x5_5555;

/// Bytes of header, device id and CRC, which every container has.
const CONTAINER_FIXED_BYTES: usize = 2 + 4 + 2;

/// Which of the three frames of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(into = "u8", try_from = "u8")
)]
pub enum Rank {
    /// The first frame, whose container is sent as it is.
    First,
    /// The second frame, convolved with octal 7.
    Second,
    /// The third frame, convolved with octal 5.
    Third,
}

impl Rank {
    /// The three ranks in the order of sending.
    pub const ALL: [Self; 3] = [Self::First, Self::Second, Self::Third];

    /// The place in [`Rank::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.number() as usize - 1
    }

    /// The rank counted from 1.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::First => 1,
            Self::Second => 2,
            Self::Third => 3,
        }
    }

    /// Generator of the frame's convolution, octal 1, 7 or 5: bit *k* taps `x[n−k]`.
    #[must_use]
    pub const fn generator(self) -> u8 {
        match self {
            Self::First => 0o1,
            Self::Second => 0o7,
            Self::Third => 0o5,
        }
    }
}

impl From<Rank> for u8 {
    fn from(rank: Rank) -> Self {
        rank.number()
    }
}

impl TryFrom<u8> for Rank {
    type Error = Error;

    fn try_from(found: u8) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|rank| rank.number() == found).ok_or(Error::Rank { found })
    }
}

impl fmt::Display for Rank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

/// Class of a container, which gives its length; its length indicator gives the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum LengthClass {
    /// No payload, or one bit that the length indicator carries.
    EmptyOrBit,
    /// A payload of one byte.
    OneByte,
    /// A payload of 2 to 4 bytes.
    TwoToFourBytes,
    /// A payload of 5 to 8 bytes.
    FiveToEightBytes,
    /// A payload of 9 to 12 bytes.
    NineToTwelveBytes,
    /// A control message of 7 or 8 bytes.
    Control,
}

impl LengthClass {
    /// All classes.
    pub const ALL: [Self; 6] = [
        Self::EmptyOrBit,
        Self::OneByte,
        Self::TwoToFourBytes,
        Self::FiveToEightBytes,
        Self::NineToTwelveBytes,
        Self::Control,
    ];

    /// Bytes of a container: all of a frame after preamble and frame type.
    #[must_use]
    pub const fn container_bytes(self) -> usize {
        match self {
            Self::EmptyOrBit => 10,
            Self::OneByte => 11,
            Self::TwoToFourBytes => 14,
            Self::FiveToEightBytes | Self::Control => 18,
            Self::NineToTwelveBytes => 22,
        }
    }

    /// Bits of a container.
    #[must_use]
    pub const fn container_bits(self) -> usize {
        8 * self.container_bytes()
    }

    /// Bits of a whole frame: preamble, frame type and container.
    #[must_use]
    pub const fn frame_bits(self) -> usize {
        SYNC_BITS as usize + self.container_bits()
    }

    /// Duration of a frame in seconds, without the ramps at its ends.
    #[must_use]
    pub fn airtime_s(self, bit_rate: BitRate) -> f64 {
        self.frame_bits() as f64 * bit_rate.symbol_s()
    }

    /// Shortest and longest payload in bytes.
    pub(crate) const fn payload_range(self) -> (usize, usize) {
        match self {
            Self::EmptyOrBit => (0, 0),
            Self::OneByte => (1, 1),
            Self::TwoToFourBytes => (2, 4),
            Self::FiveToEightBytes => (5, 8),
            Self::NineToTwelveBytes => (9, 12),
            Self::Control => (7, 8),
        }
    }

    /// Bytes of the payload for a length indicator, `None` where no device uses that indicator in
    /// this class.
    ///
    /// The indicator counts the bytes by which the payload is shorter than the class allows. In
    /// the shortest class it is 0 for an empty message, 2 for the bit 0 and 3 for the bit 1.
    #[must_use]
    pub fn payload_bytes(self, length_indicator: u8) -> Option<usize> {
        let (shortest, longest) = self.payload_range();
        match self {
            Self::EmptyOrBit => matches!(length_indicator, 0 | 2 | 3).then_some(0),
            _ => longest.checked_sub(length_indicator.into()).filter(|&bytes| bytes >= shortest),
        }
    }

    /// Bytes of the authentication tag beside a payload of `payload_bytes`: they fill the container.
    pub(crate) const fn tag_bytes(self, payload_bytes: usize) -> usize {
        self.container_bytes() - CONTAINER_FIXED_BYTES - payload_bytes
    }
}

impl fmt::Display for LengthClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmptyOrBit => "empty-or-bit",
            Self::OneByte => "1-byte",
            Self::TwoToFourBytes => "2-to-4-byte",
            Self::FiveToEightBytes => "5-to-8-byte",
            Self::NineToTwelveBytes => "9-to-12-byte",
            Self::Control => "control",
        })
    }
}

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

/// Splits a frame's first 32 bits into preamble and frame type.
pub(crate) const fn split_sync_word(sync_word: u32) -> (u32, u16) {
    let frame_type = sync_word & ((1 << FRAME_TYPE_BITS) - 1);
    (sync_word >> FRAME_TYPE_BITS, frame_type as u16)
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

    /// The size table: payload bytes, tag bytes and airtime for each class and length indicator.
    #[test]
    fn sizes() {
        let sizes = |class: LengthClass| {
            [0, 1, 2, 3].map(|indicator| {
                class.payload_bytes(indicator).map(|payload| (payload, class.tag_bytes(payload)))
            })
        };
        let shortest = [Some((0, 2)), None, Some((0, 2)), Some((0, 2))];
        assert_eq!(sizes(LengthClass::EmptyOrBit), shortest);
        assert_eq!(sizes(LengthClass::OneByte), [Some((1, 2)), None, None, None]);
        assert_eq!(
            sizes(LengthClass::TwoToFourBytes),
            [Some((4, 2)), Some((3, 3)), Some((2, 4)), None]
        );
        assert_eq!(
            sizes(LengthClass::FiveToEightBytes),
            [Some((8, 2)), Some((7, 3)), Some((6, 4)), Some((5, 5))]
        );
        assert_eq!(
            sizes(LengthClass::NineToTwelveBytes),
            [Some((12, 2)), Some((11, 3)), Some((10, 4)), Some((9, 5))]
        );
        assert_eq!(sizes(LengthClass::Control), [Some((8, 2)), Some((7, 3)), None, None]);
        assert_eq!(LengthClass::EmptyOrBit.payload_bytes(4), None);
    }

    #[test]
    fn ranks_count_from_one() {
        for (number, rank) in (1..).zip(Rank::ALL) {
            assert_eq!(Rank::try_from(number), Ok(rank));
        }
        assert_eq!(Rank::try_from(0), Err(Error::Rank { found: 0 }));
        assert_eq!(Rank::try_from(4), Err(Error::Rank { found: 4 }));
    }

    #[test]
    fn airtimes() {
        let frame_bits = LengthClass::ALL.map(LengthClass::frame_bits);
        assert_eq!(frame_bits, [112, 120, 144, 176, 208, 176]);
        let longest = LengthClass::NineToTwelveBytes;
        assert!((longest.airtime_s(BitRate::Bps100) - 2.08).abs() < 1e-12);
        assert!((longest.airtime_s(BitRate::Bps600) - 0.346_666_7).abs() < 1e-6);
    }
}
