//! Identities of devices out of text.

use core::str::FromStr;

use crate::device::id::DeviceId;
use crate::error::Error;

impl FromStr for DeviceId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        // Checked first: the standard library's parser would take a sign.
        if let Some(position) = text.bytes().position(|byte| !byte.is_ascii_hexdigit()) {
            return Err(Error::DeviceIdDigit { position });
        }
        let digits = text.len();
        if !(1..=8).contains(&digits) {
            return Err(Error::DeviceIdLength { digits });
        }
        u32::from_str_radix(text, 16).map(Self).map_err(|_| Error::DeviceIdLength { digits })
    }
}

#[cfg(feature = "serde")]
crate::serde_text::serialize_as_text!(DeviceId);
#[cfg(feature = "serde")]
crate::serde_text::deserialize_from_text!(DeviceId, "a device id of 1 to 8 hexadecimal digits");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_eight_upper_case_digits() {
        assert_eq!(DeviceId(0x4d_33db).to_string(), "004D33DB");
    }

    #[test]
    fn reads_one_to_eight_digits_of_either_case() {
        assert_eq!("4d33DB".parse(), Ok(DeviceId(0x4d_33db)));
        assert_eq!("0".parse(), Ok(DeviceId(0)));
        assert_eq!("FFFFFFFF".parse(), Ok(DeviceId(u32::MAX)));
    }

    #[test]
    fn says_what_is_wrong() {
        let parse = |text: &str| text.parse::<DeviceId>().unwrap_err();
        assert_eq!(parse(""), Error::DeviceIdLength { digits: 0 });
        assert_eq!(parse("123456789"), Error::DeviceIdLength { digits: 9 });
        assert_eq!(parse("+1"), Error::DeviceIdDigit { position: 0 });
        assert_eq!(parse("12x4"), Error::DeviceIdDigit { position: 2 });
    }
}
