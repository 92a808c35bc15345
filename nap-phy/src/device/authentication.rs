//! The authentication code of a container.

use aes::Aes128;
use aes::Block;
use aes::cipher::{BlockCipherEncrypt, KeyInit};

use crate::device::key::Key;

/// Longest authentication tag of a container in bytes; the shortest has two.
pub const MAX_TAG_BYTES: usize = 5;

/// Length of a cipher block in bytes.
const BLOCK_BYTES: usize = 16;

/// What is known of a message's sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Authentication {
    /// The device's key made the tag.
    Verified,
    /// The device's key did not make the tag: the message is forged, or the key is another one's, or the
    /// device encrypts its payload, where the tag may cover what is not sent.
    Failed,
    /// The device's key is not known.
    Unchecked,
}

/// The last cipher block of AES-128-CBC, initial value zero, over `data` repeated cyclically to
/// whole blocks (sigfox-ep-lib). Its first 2 to 5 bytes are the tag of a container.
///
/// `data` is what the tag covers: the container's first six bytes and its payload, 6 to 18 bytes.
/// This is a plain truncated CBC-MAC, not CMAC: neither sub-keys nor a length block.
#[must_use]
pub fn cbc_mac(key: &Key, data: &[u8]) -> [u8; BLOCK_BYTES] {
    let cipher = Aes128::new(key.as_bytes().into());
    let mut repeated = data.iter().cycle();
    let mut block = Block::default();
    for _ in 0..data.len().div_ceil(BLOCK_BYTES) {
        for (chained, byte) in block.iter_mut().zip(&mut repeated) {
            *chained ^= byte;
        }
        cipher.encrypt_block(&mut block);
    }
    block.into()
}
