//! What an application sends.

use core::fmt;
use core::ops::Deref;
use core::str::FromStr;

use arrayvec::ArrayVec;

use crate::error::Error;
use crate::hexadecimal;

/// Longest payload of an uplink in bytes.
pub const MAX_PAYLOAD_BYTES: usize = 12;

/// The payload of an application's message: 1 to 12 bytes.
///
/// Printed and parsed as hexadecimal, printed in lower case.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Payload(ArrayVec<u8, MAX_PAYLOAD_BYTES>);

impl Payload {
    /// A payload of these bytes.
    ///
    /// # Errors
    ///
    /// [`Error::PayloadLength`] for none or more than twelve.
    pub fn new(bytes: &[u8]) -> Result<Self, Error> {
        let wrong_length = Error::PayloadLength { found: bytes.len() };
        match ArrayVec::try_from(bytes) {
            Ok(bytes) if !bytes.is_empty() => Ok(Self(bytes)),
            _ => Err(wrong_length),
        }
    }
}

impl Deref for Payload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Payload {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl TryFrom<&[u8]> for Payload {
    type Error = Error;

    fn try_from(bytes: &[u8]) -> Result<Self, Error> {
        Self::new(bytes)
    }
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({self})")
    }
}

impl FromStr for Payload {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let digits = text.len();
        if !digits.is_multiple_of(2) {
            return Err(Error::PayloadOddDigits { digits });
        }
        let mut bytes = [0; MAX_PAYLOAD_BYTES];
        let bytes =
            bytes.get_mut(..digits / 2).ok_or(Error::PayloadLength { found: digits / 2 })?;
        hexadecimal::decode_into(text, bytes)
            .map_err(|position| Error::PayloadDigit { position })?;
        Self::new(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints_hexadecimal() {
        let payload: Payload = "ABad1dea".parse().unwrap();
        assert_eq!(*payload, [0xab, 0xad, 0x1d, 0xea]);
        assert_eq!(payload.to_string(), "abad1dea");
    }

    #[test]
    fn says_what_is_wrong() {
        let parse = |text: &str| text.parse::<Payload>().unwrap_err();
        assert_eq!(parse(""), Error::PayloadLength { found: 0 });
        assert_eq!(parse("000102030405060708090a0b0c"), Error::PayloadLength { found: 13 });
        assert_eq!(parse("123"), Error::PayloadOddDigits { digits: 3 });
        assert_eq!(parse("12 4"), Error::PayloadDigit { position: 2 });
        assert_eq!(Payload::new(&[0; 13]), Err(Error::PayloadLength { found: 13 }));
    }
}
