//! The vectors in `fixtures/vectors`.

use nap_phy::{Key, Rank};
use serde_json::{Map, Value, json};

/// A message and its frames, as others made them.
pub struct Vector {
    /// The fields of the message, without key, frames and what only the file says.
    pub fields: Map<String, Value>,
    pub key: Key,
    frames: Vec<Option<String>>,
}

impl Vector {
    fn parse(line: &str) -> Option<Self> {
        let Value::Object(mut fields) = serde_json::from_str(line).unwrap() else {
            panic!("{line} is not an object");
        };
        if fields
            .remove("direction")
            .is_some_and(|direction| direction == "downlink")
        {
            return None;
        }
        fields.remove("source");
        fields.entry("bidirectional").or_insert(json!(false));
        fields.entry("payload").or_insert(json!(""));
        let key = fields
            .remove("key")
            .unwrap()
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        let frames = serde_json::from_value(fields.remove("frames").unwrap()).unwrap();
        Some(Self {
            fields,
            key,
            frames,
        })
    }

    /// The frames that are given, with their ranks.
    pub fn frames(&self) -> impl Iterator<Item = (Rank, Vec<u8>)> {
        Rank::ALL
            .into_iter()
            .zip(&self.frames)
            .filter_map(|(rank, digits)| Some((rank, hex::decode(digits.as_ref()?).unwrap())))
    }
}

/// Messages that the official end-point library made.
pub fn uplinks() -> Vec<Vector> {
    read(include_str!("../../../fixtures/vectors/uplink.jsonl"))
}

/// Messages of every kind and length from one device, key and counter.
pub fn worked() -> Vec<Vector> {
    read(include_str!("../../../fixtures/vectors/worked.jsonl"))
}

/// Uplinks of a real device that were published.
pub fn published() -> Vec<Vector> {
    read(include_str!("../../../fixtures/vectors/published.jsonl"))
}

/// All of them.
pub fn all_vectors() -> Vec<Vector> {
    [uplinks(), worked(), published()]
        .into_iter()
        .flatten()
        .collect()
}

fn read(lines: &str) -> Vec<Vector> {
    lines.lines().filter_map(Vector::parse).collect()
}
