//! The vectors in `fixtures/vectors`.

use nap_phy::{
    Content, ControlMessage, DeviceRssi, Key, MessageCounter, Payload, Rank, Telemetry, Uplink,
};
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

    /// The message that the fields describe.
    pub fn uplink(&self) -> Uplink {
        let text = |field: &str| self.fields[field].as_str().unwrap();
        let number = |field: &str| i16::try_from(self.fields[field].as_i64().unwrap()).unwrap();
        let telemetry = || Telemetry {
            voltage_idle_mv: number("voltage_idle_mv").try_into().unwrap(),
            voltage_tx_mv: number("voltage_tx_mv").try_into().unwrap(),
            temperature_decidegree_c: number("temperature_decidegree_c"),
        };
        let content = match text("kind") {
            "empty" => Content::Empty,
            "bit0" => Content::Bit(false),
            "bit1" => Content::Bit(true),
            "bytes" => Content::Bytes(text("payload").parse::<Payload>().unwrap()),
            "keep_alive" => Content::Control(ControlMessage::KeepAlive(telemetry())),
            "dl_confirmation" => Content::Control(ControlMessage::DownlinkConfirmation {
                telemetry: telemetry(),
                rssi: DeviceRssi::from_dbm(number("rssi_dbm")).unwrap(),
            }),
            other => panic!("{other} is no kind"),
        };
        let sequence_number = number("sequence_number").try_into().unwrap();
        Uplink::new(
            text("device_id").parse().unwrap(),
            MessageCounter::new(sequence_number).unwrap(),
            content,
        )
        .with_bidirectional(self.fields["bidirectional"].as_bool().unwrap())
        .unwrap()
    }
}

/// The fields that a vector has for a message.
pub fn fields_of(uplink: &Uplink) -> Map<String, Value> {
    let mut fields = json!({
        "kind": uplink.content().kind().name(),
        "device_id": uplink.device_id().to_string(),
        "sequence_number": uplink.sequence_number().value(),
        "bidirectional": uplink.bidirectional(),
        "payload": "",
    });
    match uplink.content() {
        Content::Bytes(payload) => fields["payload"] = json!(payload.to_string()),
        Content::Control(control) => {
            let telemetry = control.telemetry();
            fields["voltage_idle_mv"] = json!(telemetry.voltage_idle_mv);
            fields["voltage_tx_mv"] = json!(telemetry.voltage_tx_mv);
            fields["temperature_decidegree_c"] = json!(telemetry.temperature_decidegree_c);
            if let ControlMessage::DownlinkConfirmation { rssi, .. } = control {
                fields["rssi_dbm"] = json!(rssi.dbm());
            }
        }
        Content::Empty | Content::Bit(_) => {}
    }
    fields.as_object().unwrap().clone()
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
