//! Hexadecimal text to bytes, with the place of what is wrong in it.

use hex::FromHexError;

/// Fills `bytes` from `text`, which must hold exactly two digits for each of them.
///
/// # Errors
///
/// The position, counted in bytes from 0, of the first character that is not a digit. The
/// character itself is withheld: the text may be a key.
pub(crate) fn decode_into(text: &str, bytes: &mut [u8]) -> Result<(), usize> {
    hex::decode_to_slice(text, bytes).map_err(|error| match error {
        FromHexError::InvalidHexCharacter { index, .. } => index,
        FromHexError::OddLength | FromHexError::InvalidStringLength => text.len(),
    })
}
