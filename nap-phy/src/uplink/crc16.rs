//! The checksum at the end of a container.

use crc::{CRC_16_GSM, Crc};

/// CRC-16/GSM: polynomial 0x1021, initial 0, not reflected, final XOR 0xFFFF (sigfox-ep-lib; name
/// from the [catalogue of parametrised CRC algorithms](https://reveng.sourceforge.io/crc-catalogue/)).
const CRC: Crc<u16> = Crc::<u16>::new(&CRC_16_GSM);

/// Checksum of `bytes`: of all bytes of a container before its CRC.
#[must_use]
pub const fn crc16(bytes: &[u8]) -> u16 {
    CRC.checksum(bytes)
}

/// What to XOR to the CRC at the end of a container so that it matches: 0 when it does.
///
/// `container` is deconvolved and ends in its CRC, most significant byte first. Each wrong bit
/// changes the syndrome by a pattern that depends on the container's length and the bit's place
/// only, and the patterns of several wrong bits XOR: `syndrome(a ^ b) = syndrome(a) ^ syndrome(b)
/// ^ syndrome(0)` for equal lengths. A decoder can so weigh corrections without a checksum each.
///
/// Less than two bytes hold no CRC; their syndrome is `0xFFFF`.
#[must_use]
pub const fn crc_syndrome(container: &[u8]) -> u16 {
    match container.split_last_chunk::<2>() {
        Some((covered, crc)) => crc16(covered) ^ u16::from_be_bytes(*crc),
        None => u16::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_value() {
        assert_eq!(crc16(b"123456789"), 0xce3c);
    }

    #[test]
    fn syndrome_of_too_few_bytes_is_not_zero() {
        assert_ne!(crc_syndrome(&[]), 0);
        assert_ne!(crc_syndrome(&[0]), 0);
    }

    #[test]
    fn syndrome_is_affine() {
        let a: [u8; 18] = core::array::from_fn(|i| (i * 37 + 11) as u8);
        let b: [u8; 18] = core::array::from_fn(|i| (i * 101 + 3) as u8);
        let sum: [u8; 18] = core::array::from_fn(|i| a[i] ^ b[i]);
        assert_eq!(
            crc_syndrome(&sum),
            crc_syndrome(&a) ^ crc_syndrome(&b) ^ crc_syndrome(&[0; 18])
        );
    }
}
