//! Devices announce themselves to Home Assistant (its MQTT discovery of devices).

use serde_json::{Map, Value, json};

use crate::relay::custom_payload::CustomPayload;
use crate::relay::mqtt::packet::Publish;
use crate::relay::mqtt::topics::Topics;

/// What a sensor shows of every message: field, name, unit, class.
const RADIO_FIGURES: [(&str, &str, Option<&str>, Option<&str>); 4] = [
    ("snr_db", "SNR", Some("dB"), None),
    ("rssi_dbm", "Signal strength", Some("dBm"), Some("signal_strength")),
    ("sequence_number", "Sequence number", None, None),
    ("time", "Last message", None, Some("timestamp")),
];

/// The announcement of the device that sent a message.
#[must_use]
pub fn announcement(topics: &Topics, record: &Value, custom: &CustomPayload) -> Option<Publish> {
    let device = record["device_id"].as_str()?;
    let name =
        record["device_name"].as_str().map_or_else(|| format!("Sigfox {device}"), Into::into);
    let mut components = Map::new();
    for (field, title, unit, class) in RADIO_FIGURES {
        let mut sensor = sensor(device, field, title, &format!("value_json.{field}"));
        sensor.extend(unit.map(|unit| ("unit_of_measurement".into(), unit.into())));
        sensor.extend(class.map(|class| ("device_class".into(), class.into())));
        components.insert(field.into(), sensor.into());
    }
    for field in custom.fields() {
        // A key in brackets, since names may have hyphens in them.
        let value = format!("value_json.custom['{}']", field.name);
        let key = format!("custom_{}", field.name);
        components.insert(key.clone(), sensor(device, &key, &field.name, &value).into());
    }
    let content = json!({
        "device": {"identifiers": [format!("nap_{device}")], "name": name, "manufacturer": "Sigfox", "serial_number": device},
        "origin": {"name": "nap", "sw_version": env!("CARGO_PKG_VERSION")},
        "components": components,
        "state_topic": topics.of("message"),
        "availability_topic": topics.of("status"),
        "availability_template": "{{ 'online' if value_json.online else 'offline' }}",
    });
    Some(Publish {
        topic: format!("homeassistant/device/nap_{device}/config"),
        payload: content.to_string().into_bytes(),
        is_retained: true,
    })
}

/// All devices' messages come on one topic: those of another one leave the state as it is.
fn sensor(device: &str, key: &str, name: &str, value: &str) -> Map<String, Value> {
    let template =
        format!("{{{{ {value} if value_json.device_id == '{device}' else this.state }}}}");
    let sensor = [
        ("platform", "sensor".to_owned()),
        ("name", name.into()),
        ("unique_id", format!("nap_{device}_{key}")),
        ("value_template", template),
    ];
    sensor.into_iter().map(|(key, value)| (key.into(), value.into())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_announces_its_radio_figures_and_its_payload() {
        let custom = "temperature:0:int:16".parse().unwrap();
        let record = json!({"device_id": "004D33DB", "device_name": "Cellar"});
        let publish = announcement(&Topics::new("0011223344556677"), &record, &custom).unwrap();
        assert_eq!(publish.topic, "homeassistant/device/nap_004D33DB/config");
        assert!(publish.is_retained);
        let content: Value = serde_json::from_slice(&publish.payload).unwrap();
        assert_eq!(content["device"]["name"], "Cellar");
        assert_eq!(content["state_topic"], "nap/v1/0011223344556677/message");
        assert_eq!(content["components"]["snr_db"]["unit_of_measurement"], "dB");
        assert_eq!(
            content["components"]["custom_temperature"]["value_template"],
            "{{ value_json.custom['temperature'] if value_json.device_id == '004D33DB' else this.state }}"
        );
    }
}
