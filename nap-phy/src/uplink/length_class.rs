//! The classes of containers by their length.

use core::fmt;

use crate::uplink::sync_word::SYNC_BITS;

/// Bytes of header, device id and CRC, which every container has.
const CONTAINER_FIXED_BYTES: usize = 2 + 4 + 2;

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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn frame_lengths() {
        let frame_bits = LengthClass::ALL.map(LengthClass::frame_bits);
        assert_eq!(frame_bits, [112, 120, 144, 176, 208, 176]);
    }
}
