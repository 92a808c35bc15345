//! What a payload's bytes mean: the grammar of the Sigfox cloud's custom payload configuration.
//!
//! Fields separated by spaces, each `name:byte:type:bits:endian`:
//!
//! - `byte`: where the field starts, from 0. Left out: the byte after the last field; of a `bool`, the last field's own byte.
//! - `bool:BIT` with the bit's number, 7 being the most significant.
//! - `char:BYTES`, a text of so many bytes.
//! - `uint:BITS`, `int:BITS` of 1 to 64 bits, `float:32` and `float:64`; then `:big-endian`, which may be left out, or `:little-endian`.
//!
//! Numbers take whole bytes: of a number with 12 bits, the 12 least significant of two bytes.

use std::str::FromStr;

use serde_json::Value;

/// Fields by name, read from a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomPayload {
    fields: Vec<Field>,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// What it is called.
    pub name: String,
    /// Its first byte.
    byte: usize,
    /// What its bytes mean.
    pub kind: FieldKind,
}

/// What a field's bytes mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// One bit; 7 is the most significant.
    Bool {
        /// Its number.
        bit: u8,
    },
    /// A text.
    Char {
        /// How long it is.
        bytes: usize,
    },
    /// A number.
    Number {
        /// How it is written.
        number: NumberKind,
        /// 1 to 64.
        bits: u32,
        /// The byte with the lowest address is the least significant.
        is_little_endian: bool,
    },
}

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberKind {
    /// Without a sign.
    Unsigned,
    /// In two's complement.
    Signed,
    /// IEEE 754.
    Float,
}

/// A configuration that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("custom payload: {field:?}: {problem}")]
pub struct BadField {
    field: String,
    problem: &'static str,
}

impl CustomPayload {
    /// The fields, in the order of the configuration.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// A field by its name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Field {
    /// Its value in a payload: null where the payload is too short.
    #[must_use]
    pub fn value(&self, payload: &[u8]) -> Value {
        let Some(bytes) = payload.get(self.byte..self.byte + self.kind.bytes()) else {
            return Value::Null;
        };
        match self.kind {
            FieldKind::Bool { bit } => (bytes[0] >> bit & 1 == 1).into(),
            FieldKind::Char { .. } => String::from_utf8_lossy(bytes).into(),
            FieldKind::Number { number, bits, is_little_endian } => {
                number.value(assembled(bytes, is_little_endian), bits)
            }
        }
    }
}

impl FieldKind {
    /// How many bytes it takes.
    fn bytes(self) -> usize {
        match self {
            Self::Bool { .. } => 1,
            Self::Char { bytes } => bytes,
            Self::Number { bits, .. } => bits.div_ceil(8) as usize,
        }
    }
}

impl NumberKind {
    fn value(self, raw: u64, bits: u32) -> Value {
        let unused = 64 - bits;
        match self {
            Self::Unsigned => (raw << unused >> unused).into(),
            Self::Signed => ((raw << unused) as i64 >> unused).into(),
            Self::Float if bits == 32 => f64::from(f32::from_bits(raw as u32)).into(),
            Self::Float => f64::from_bits(raw).into(),
        }
    }
}

fn assembled(bytes: &[u8], is_little_endian: bool) -> u64 {
    let append = |number: u64, &byte: &u8| number << 8 | u64::from(byte);
    match is_little_endian {
        true => bytes.iter().rev().fold(0, append),
        false => bytes.iter().fold(0, append),
    }
}

impl FromStr for CustomPayload {
    type Err = BadField;

    fn from_str(text: &str) -> Result<Self, BadField> {
        let mut fields: Vec<Field> = Vec::new();
        for word in text.split_ascii_whitespace() {
            let bad = |problem| BadField { field: word.into(), problem };
            let field = parse_field(word, fields.last()).map_err(bad)?;
            if fields.iter().any(|other| other.name == field.name) {
                return Err(bad("another field has this name"));
            }
            fields.push(field);
        }
        Ok(Self { fields })
    }
}

fn parse_field(word: &str, last: Option<&Field>) -> Result<Field, &'static str> {
    let mut parts = word.split(':');
    let mut next = || parts.next();
    let name = next().filter(|name| is_name(name));
    let name = name.ok_or("a field begins with a name of letters, digits, _ and -")?;
    let byte =
        next().ok_or("after the name comes a byte's number, or nothing between two colons")?;
    let kind = parse_kind(next(), next(), next())?;
    if parts.next().is_some() {
        return Err("too many colons");
    }
    Ok(Field { name: name.into(), byte: parse_byte(byte, kind, last)?, kind })
}

fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    !text.is_empty() && text.bytes().all(is_part)
}

fn parse_byte(text: &str, kind: FieldKind, last: Option<&Field>) -> Result<usize, &'static str> {
    if !text.is_empty() {
        return text.parse::<u8>().map(usize::from).map_err(|_| "a byte's number is 0 to 255");
    }
    Ok(match (last, kind) {
        (None, _) => 0,
        (Some(last), FieldKind::Bool { .. }) => last.byte + last.kind.bytes() - 1,
        (Some(last), _) => last.byte + last.kind.bytes(),
    })
}

fn parse_kind(
    kind: Option<&str>,
    size: Option<&str>,
    endian: Option<&str>,
) -> Result<FieldKind, &'static str> {
    let size: u32 =
        size.and_then(|size| size.parse().ok()).ok_or("after the type comes a number")?;
    let number = match (kind, endian) {
        (Some("bool"), None) => {
            let bit = u8::try_from(size).ok().filter(|&bit| bit < 8);
            return bit.map(|bit| FieldKind::Bool { bit }).ok_or("a bool's bit is 0 to 7");
        }
        (Some("char"), None) => {
            let bytes = usize::try_from(size).ok().filter(|bytes| (1..=255).contains(bytes));
            return bytes.map(|bytes| FieldKind::Char { bytes }).ok_or("a char has 1 to 255 bytes");
        }
        (Some("bool" | "char"), Some(_)) => return Err("bool and char have no byte order"),
        (Some("uint"), _) => NumberKind::Unsigned,
        (Some("int"), _) => NumberKind::Signed,
        (Some("float"), _) => NumberKind::Float,
        _ => return Err("the type is bool, char, uint, int or float"),
    };
    let is_little_endian = match endian {
        None | Some("big-endian") => false,
        Some("little-endian") => true,
        Some(_) => return Err("the byte order is big-endian or little-endian"),
    };
    match (number, size) {
        (NumberKind::Float, 32 | 64) => {}
        (NumberKind::Float, _) => return Err("a float has 32 or 64 bits"),
        (_, 1..=64) => {}
        _ => return Err("a number has 1 to 64 bits"),
    }
    Ok(FieldKind::Number { number, bits: size, is_little_endian })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn values(configuration: &str, payload: &str) -> Value {
        let payload = hex(payload);
        let custom: CustomPayload = configuration.parse().unwrap();
        let value = |field: &Field| (field.name.clone(), field.value(&payload));
        Value::Object(custom.fields().iter().map(value).collect())
    }

    fn hex(text: &str) -> Vec<u8> {
        let digits = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        (0..text.len()).step_by(2).map(digits).collect()
    }

    /// The examples of the Sigfox back end's page on custom payload configurations.
    #[test]
    fn reads_the_published_examples() {
        assert_eq!(
            values("int1::uint:8 int2::uint:8", "1234"),
            json!({"int1": 0x12, "int2": 0x34})
        );
        assert_eq!(
            values("b1::bool:7 b2::bool:6 i1:1:uint:16", "c01234"),
            json!({"b1": true, "b2": true, "i1": 0x1234})
        );
        assert_eq!(
            values("b1::bool:7 b2::bool:6 i1:1:uint:16", "801234"),
            json!({"b1": true, "b2": false, "i1": 0x1234})
        );
        assert_eq!(
            values("int1:1:uint:8 int2::uint:8", "01234567"),
            json!({"int1": 0x23, "int2": 0x45})
        );
        assert_eq!(
            values("str::char:6 i1::uint:16 i2::uint:32", "41424344454601234567890a"),
            json!({"str": "ABCDEF", "i1": 0x0123, "i2": 0x4567_890A_u32})
        );
    }

    #[test]
    fn reads_every_type_in_both_orders() {
        let cases = [
            ("t:0:int:16:little-endian", "18fc", json!(-1000)),
            ("t:0:int:16", "fc18", json!(-1000)),
            ("t:0:uint:16:little-endian", "18fc", json!(0xFC18)),
            ("t:0:uint:12", "f123", json!(0x123)),
            ("t:0:int:12", "0fff", json!(-1)),
            ("t:0:uint:64", "ffffffffffffffff", json!(u64::MAX)),
            ("t:0:int:64", "8000000000000000", json!(i64::MIN)),
            ("t:0:uint:1", "ff", json!(1)),
            ("t:0:float:32", "3fc00000", json!(1.5)),
            ("t:0:float:32:little-endian", "0000c03f", json!(1.5)),
            ("t:0:float:64", "3ff8000000000000", json!(1.5)),
            ("t:0:float:32", "7fc00000", Value::Null),
            ("t:0:bool:0", "01", json!(true)),
            ("t:3:uint:8", "0102", Value::Null),
            ("t:0:char:2", "ff41", json!("\u{fffd}A")),
        ];
        for (configuration, payload, expected) in cases {
            assert_eq!(values(configuration, payload)["t"], expected, "{configuration} {payload}");
        }
    }

    #[test]
    fn says_what_is_wrong_with_a_field() {
        let wrong = [
            "x",
            "x:",
            "x::",
            "x::uint",
            "x::uint:",
            "x::uint:0",
            "x::uint:65",
            "x:256:uint:8",
            "x:-1:uint:8",
            "x::float:16",
            "x::bool:8",
            "x::bool:1:big-endian",
            "x::char:0",
            "x::uint:8:middle-endian",
            "x::uint:8:big-endian:",
            "x::text:8",
            ":0:uint:8",
            "a{b::uint:8",
            "x::uint:8 x::uint:8",
        ];
        for text in wrong {
            let error = text.parse::<CustomPayload>().unwrap_err().to_string();
            assert!(error.starts_with("custom payload: \""), "{text}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_configuration_and_no_payload_panics(text in "[a-z0-9: -]{0,40}", payload: Vec<u8>) {
            if let Ok(custom) = text.parse::<CustomPayload>() {
                custom.fields().iter().for_each(|field| drop(field.value(&payload)));
            }
        }

        #[test]
        fn a_number_is_read_as_it_was_written(number: i64, before in 0_usize..4) {
            let mut payload = vec![0xAA; before];
            payload.extend(number.to_le_bytes());
            let text = format!("x:{before}:int:64:little-endian");
            let custom: CustomPayload = text.parse().unwrap();
            assert_eq!(custom.fields()[0].value(&payload), json!(number));
        }
    }
}
