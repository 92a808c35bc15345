//! Where a variable stands, and how its value is written there so that it arrives as it is.

use std::fmt::Write;

use serde_json::Value;

/// Where a variable stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Inside a JSON string.
    JsonString,
    /// In JSON where a value stands.
    JsonValue,
    /// In a form (`application/x-www-form-urlencoded`).
    Form,
    /// In text that is taken as it is.
    Text,
    /// In the path, query or fragment of an address.
    Url,
    /// In the value of an HTTP header.
    Header,
}

impl Place {
    /// Writes a value so that whoever reads this place gets just that value.
    pub fn write(self, value: &Value, to: &mut String) {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match self {
            Self::JsonString => write_json_string(&text, to),
            Self::JsonValue => to.push_str(&value.to_string()),
            Self::Form | Self::Url => write_percent_encoded(&text, to),
            Self::Text => to.push_str(&text),
            Self::Header => to.extend(text.chars().filter(|character| !character.is_control())),
        }
    }
}

fn write_json_string(text: &str, to: &mut String) {
    let quoted = Value::from(text).to_string();
    to.push_str(&quoted[1..quoted.len() - 1]);
}

/// All but the unreserved characters of RFC 3986 as `%XX`, which forms take too.
fn write_percent_encoded(text: &str, to: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                to.push(byte.into())
            }
            // Writing into a text does not fail.
            _ => drop(write!(to, "%{byte:02X}")),
        }
    }
}

/// Follows JSON text from character to character: inside of a string or not.
#[derive(Debug, Default)]
pub struct JsonCursor {
    is_in_string: bool,
    is_escaped: bool,
}

impl JsonCursor {
    /// Goes over a character.
    pub fn pass(&mut self, character: char) {
        match character {
            _ if self.is_escaped => self.is_escaped = false,
            '\\' if self.is_in_string => self.is_escaped = true,
            '"' => self.is_in_string = !self.is_in_string,
            _ => {}
        }
    }

    /// The place here.
    #[must_use]
    pub fn place(&self) -> Place {
        if self.is_in_string { Place::JsonString } else { Place::JsonValue }
    }
}
