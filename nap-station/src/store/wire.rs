//! Records as relays send them.

use serde_json::{Map, Value, json};

use crate::config::position::PositionConfig;
use crate::relay::outbox::{Kind, RecordId};
use crate::rules::gps::Position;

/// What is the same in all records of a station.
#[derive(Debug, Clone, PartialEq)]
pub struct Sender {
    /// The station's ID.
    pub station: String,
    /// Where it always is: `latitude` and `longitude` in degrees; null where nobody knows.
    pub position: Value,
}

/// A row of a message, as far as its record on the wire goes.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageRow {
    /// The record of the message.
    pub record: String,
    /// What would have been reasons to refuse it, separated by spaces.
    pub flags: String,
    /// The clock that its time is of.
    pub clock: String,
    /// Until when it was held, RFC 3339, if it was.
    pub held_until: Option<String>,
    /// Whether it was taken back.
    pub is_retracted: bool,
    /// Where the station was, as JSON, if it is not always at the same place.
    pub position: Option<String>,
}

impl Sender {
    /// A message's record as it is sent; `None` if the row has no record.
    #[must_use]
    pub fn message(&self, kind: Kind, id: &RecordId, row: &MessageRow) -> Option<Value> {
        let mut record = object(&row.record)?;
        let record_type = if kind == Kind::Update { "update" } else { "message" };
        record.insert("type".into(), json!(record_type));
        record.insert("id".into(), json!(id.to_string()));
        record.insert("station".into(), json!(self.station));
        record.insert("flags".into(), flags(&row.flags));
        record.insert("clock".into(), json!(row.clock));
        let was_at = row.position.as_deref().and_then(|text| serde_json::from_str(text).ok());
        record.insert("position".into(), was_at.unwrap_or_else(|| self.position.clone()));
        if let Some(held_until) = &row.held_until {
            record.insert("held_until".into(), json!(held_until));
        }
        if row.is_retracted {
            record.insert("retracted".into(), json!(true));
        }
        Some(Value::Object(record))
    }

    /// An event's record as it is sent; `None` if the row has no record.
    #[must_use]
    pub fn event(&self, id: &RecordId, record: &str) -> Option<Value> {
        let mut record = object(record)?;
        record.insert("id".into(), json!(event_id(id)));
        record.insert("station".into(), json!(self.station));
        Some(Value::Object(record))
    }
}

/// Where a station always is, as records have it.
#[must_use]
pub fn position(config: &PositionConfig) -> Value {
    match *config {
        PositionConfig::None | PositionConfig::Gpsd { .. } => Value::Null,
        PositionConfig::Fixed { latitude, longitude } => Position { latitude, longitude }.json(),
    }
}

/// The ID of an event in its record: no message has the same.
#[must_use]
pub fn event_id(id: &RecordId) -> String {
    format!("{:08x}-e{}", id.epoch, id.n)
}

/// Flags as a list.
#[must_use]
pub fn flags(text: &str) -> Value {
    text.split_whitespace().collect()
}

fn object(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text).ok()
}
