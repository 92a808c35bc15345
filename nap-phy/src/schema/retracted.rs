//! A message that was reported and turned out wrong.

use serde::{Deserialize, Serialize};

use crate::message::MessageId;
use crate::schema::version::SCHEMA;

/// A message that was reported and turned out wrong: it was never sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetractedRecord {
    /// `retracted`.
    #[serde(rename = "type")]
    pub record_type: RetractedRecordType,
    /// Version of the schema, 1.
    pub schema: u16,
    /// That of the records to be forgotten.
    pub message_id: MessageId,
}

/// Type of a record on a message that turned out wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetractedRecordType {
    /// A message that was reported and turned out wrong.
    Retracted,
}

impl RetractedRecord {
    /// The record that takes a message back.
    #[must_use]
    pub fn new(message_id: MessageId) -> Self {
        Self { record_type: RetractedRecordType::Retracted, schema: SCHEMA, message_id }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text, not values: the order of the fields counts.
    #[test]
    fn a_retraction_is_the_documented_line() {
        let record = RetractedRecord::new(MessageId(7));
        let line = serde_json::to_string(&record).unwrap();
        assert_eq!(line, r#"{"type":"retracted","schema":1,"message_id":7}"#);
        assert_eq!(serde_json::from_str::<RetractedRecord>(&line).unwrap(), record);
    }
}
