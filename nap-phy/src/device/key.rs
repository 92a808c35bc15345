//! The secret of a device.

use core::fmt;
use core::str::FromStr;

use subtle::ConstantTimeEq;
use zeroize::ZeroizeOnDrop;

use crate::error::Error;
use crate::hexadecimal;

/// A device's 128-bit authentication key (Ka, also called NAK).
///
/// It is wiped from memory when dropped, compared in constant time, never printed: there is no
/// `Display`, `Debug` is redacted and it does not serialise.
#[derive(Clone, ZeroizeOnDrop)]
pub struct Key([u8; Self::BYTES]);

impl Key {
    /// Length of a key in bytes.
    pub const BYTES: usize = 16;

    /// The public key, which development kits and test mode K use (sigfox-ep-lib).
    pub const PUBLIC: Self = Self([
        0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee,
        0xff,
    ]);

    /// A key from its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl FromStr for Key {
    type Err = Error;

    /// A key from 32 hexadecimal digits of either case.
    fn from_str(text: &str) -> Result<Self, Error> {
        let digits = text.chars().count();
        if digits != 2 * Self::BYTES {
            return Err(Error::KeyLength { digits });
        }
        let mut key = Self([0; Self::BYTES]);
        hexadecimal::decode_into(text, &mut key.0)
            .map_err(|position| Error::KeyDigit { position })?;
        Ok(key)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(redacted)")
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Key {
    /// Asks the format for whatever there is, since its own complaint about a number would show it.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = crate::serde_text::Text::expecting("a key of 32 hexadecimal digits");
        deserializer.deserialize_any(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_hexadecimal_of_either_case() {
        assert_eq!("00112233445566778899AABBccddeeff".parse(), Ok(Key::PUBLIC));
    }

    #[test]
    fn says_how_many_digits_were_given_but_never_which() {
        let parse = |text: &str| text.parse::<Key>().unwrap_err();
        assert_eq!(parse("0123"), Error::KeyLength { digits: 4 });
        assert_eq!(parse("0123456789ABCDEF0123456789ABCDEF01"), Error::KeyLength { digits: 34 });
        let bad = "0123456789ABCDEF0123456789ABCDxF";
        assert_eq!(parse(bad), Error::KeyDigit { position: 30 });
        assert_eq!(parse("0123456789ABCDEF0123456789ABCDEé"), Error::KeyDigit { position: 33 });
        assert!(!parse(bad).to_string().contains("ABCD"));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Key::PUBLIC), "Key(redacted)");
    }
}
