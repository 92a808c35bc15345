//! The variables of templates, under the names of the Sigfox cloud's callbacks.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::relay::custom_payload::{CustomPayload, Field, FieldKind};

/// What a template speaks of.
#[derive(Debug, Clone, Copy)]
pub enum Vocabulary<'a> {
    /// Messages, and the fields of their payloads.
    Message(&'a CustomPayload),
    /// Events.
    Event,
}

/// One message or event to speak of.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The record as it stands on the wire.
    pub record: &'a Value,
    /// The station's ID.
    pub station: &'a str,
}

/// A variable.
#[derive(Debug, Clone)]
pub enum Variable {
    /// One of the fixed names.
    Named(&'static Named),
    /// `customData#NAME`: a field of the payload.
    Custom(Field),
}

/// A variable with a fixed name.
#[derive(Debug)]
pub struct Named {
    name: &'static str,
    is_text: bool,
    value: fn(Subject<'_>) -> Value,
}

const fn text(name: &'static str, value: fn(Subject<'_>) -> Value) -> Named {
    Named { name, is_text: true, value }
}

const fn bare(name: &'static str, value: fn(Subject<'_>) -> Value) -> Named {
    Named { name, is_text: false, value }
}

static OF_MESSAGES: [Named; 14] = [
    text("id", |subject| subject.field("id")),
    text("device", |subject| device(subject.record).into()),
    bare("time", |subject| time(subject.record)),
    text("data", |subject| data(subject.record).into()),
    bare("seqNumber", |subject| subject.field("sequence_number")),
    text("station", |subject| subject.station.into()),
    bare("rssi", |subject| subject.field("rssi_dbm")),
    bare("snr", |subject| subject.field("snr_db")),
    bare("freq", |subject| subject.field("frequency_hz")),
    bare("lat", |subject| subject.field("position")["latitude"].take()),
    bare("lng", |subject| subject.field("position")["longitude"].take()),
    bare("ack", |subject| subject.field("bidirectional")),
    bare("late", |subject| (subject.record["late"] == true).into()),
    text("deviceTypeId", |subject| match subject.field("device_type_id") {
        Value::Null => "".into(),
        id => id,
    }),
];

static OF_EVENTS: [Named; 6] = [
    text("id", |subject| subject.field("id")),
    text("type", |subject| subject.field("type")),
    bare("time", |subject| time(subject.record)),
    text("level", |subject| subject.field("level")),
    bare("json", |subject| subject.record.clone()),
    text("station", |subject| subject.station.into()),
];

impl Vocabulary<'_> {
    /// The variable of a name.
    #[must_use]
    pub fn variable(self, name: &str) -> Option<Variable> {
        let named = match self {
            Self::Message(_) => OF_MESSAGES.iter(),
            Self::Event => OF_EVENTS.iter(),
        };
        match (self, name.strip_prefix("customData#")) {
            (Self::Message(custom), Some(field)) => {
                custom.field(field).cloned().map(Variable::Custom)
            }
            _ => named.into_iter().find(|known| known.name == name).map(Variable::Named),
        }
    }

    /// What there is, for people.
    #[must_use]
    pub fn names(self) -> String {
        let of = |known: &[Named]| {
            known.iter().map(|known| format!("{{{}}}", known.name)).collect::<Vec<_>>()
        };
        match self {
            Self::Message(custom) => {
                let fields =
                    custom.fields().iter().map(|field| format!("{{customData#{}}}", field.name));
                of(&OF_MESSAGES).into_iter().chain(fields).collect::<Vec<_>>().join(" ")
            }
            Self::Event => of(&OF_EVENTS).join(" "),
        }
    }
}

impl Variable {
    /// Whether its value is a text, which has to stand in quotes in JSON.
    #[must_use]
    pub fn is_text(&self) -> bool {
        match self {
            Self::Named(named) => named.is_text,
            Self::Custom(field) => matches!(field.kind, FieldKind::Char { .. }),
        }
    }

    /// Whether it is the same in all messages of a station.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        matches!(self, Self::Named(named) if named.name == "station")
    }

    /// Its value.
    #[must_use]
    pub fn value(&self, subject: Subject<'_>) -> Value {
        match self {
            Self::Named(named) => (named.value)(subject),
            Self::Custom(field) => field.value(&payload(subject.record)),
        }
    }
}

impl Subject<'_> {
    fn field(self, name: &str) -> Value {
        self.record.get(name).cloned().unwrap_or_default()
    }
}

/// A payload read field by field.
#[must_use]
pub fn custom_data(custom: &CustomPayload, record: &Value) -> Map<String, Value> {
    let payload = payload(record);
    custom.fields().iter().map(|field| (field.name.clone(), field.value(&payload))).collect()
}

fn device(record: &Value) -> &str {
    let id = record["device_id"].as_str().unwrap_or_default();
    match id.trim_start_matches('0') {
        "" if !id.is_empty() => "0",
        short => short,
    }
}

/// Whole seconds since 1970, or null.
fn time(record: &Value) -> Value {
    let time = record["time"].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    time.map(Timestamp::as_second).into()
}

fn data(record: &Value) -> &str {
    match record["kind"].as_str() {
        Some("bit0") => "00",
        Some("bit1") => "01",
        _ => record["payload"].as_str().unwrap_or_default(),
    }
}

fn payload(record: &Value) -> Vec<u8> {
    let digits = data(record).as_bytes().chunks_exact(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.map_while(byte).collect()
}
