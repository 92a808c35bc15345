//! The JSON of records, as documented.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]
#![cfg(all(feature = "serde", feature = "std"))]

mod common;

use common::all_vectors;
use nap_phy::schema::{FrameRecord, MessageRecord, MessageRecordType, UplinkRecord};
use nap_phy::{
    Authentication, BitRate, Content, ControlMessage, Decoder, DeviceId, DeviceRssi, DeviceTable,
    Error, FrameError, FrameReport, Key, Level, Message, MessageCounter, MessageId,
    RadioConfiguration, Rank, Signal, Telemetry, Uplink,
};
use serde_json::{Value, json};

fn uplink(content: Content) -> Uplink {
    Uplink::new(DeviceId(0x4d_33db), MessageCounter::new(416).unwrap(), content)
}

/// A message of one frame, its figures finer than the record's.
fn message(content: Content, level: Level) -> Message {
    let signal = Signal {
        time_s: 1.234_567_4,
        frequency_hz: 868_131_234.52,
        level,
        snr_db: 12.34,
        drift_hz_per_s: 0.38,
    };
    Message {
        id: MessageId(7),
        uplink: uplink(content),
        authentication: Authentication::Verified,
        radio_configuration: Some(RadioConfiguration::Rc1),
        channel_center_hz: None,
        bit_rate: BitRate::Bps100,
        decoder: Decoder::Single,
        signal,
        frames: vec![FrameReport { rank: Rank::First, signal, crc_ok: true }],
    }
}

fn record(message: &Message) -> MessageRecord {
    let time = Some("2026-11-23T06:16:00.123456Z".to_owned());
    MessageRecord::new(MessageRecordType::Message, message, time, &DeviceTable::new())
}

/// Text, not values: the order of the fields counts.
#[test]
fn a_message_is_the_documented_line() {
    let payload = Content::Bytes("abad1dea".parse().unwrap());
    let line = serde_json::to_string(&record(&message(payload, Level::Dbm(-118.21)))).unwrap();
    assert_eq!(
        line,
        concat!(
            r#"{"type":"message","schema":1,"message_id":7,"time":"2026-11-23T06:16:00.123456Z","#,
            r#""time_s":1.234567,"device_id":"004D33DB","sequence_number":416,"#,
            r#""kind":"bytes","payload":"abad1dea","bidirectional":false,"auth":"verified","#,
            r#""radio_configuration":"RC1","bit_rate":100,"frequency_hz":868131234.5,"#,
            r#""rssi_dbm":-118.2,"snr_db":12.3,"drift_hz_per_s":0.4,"decoder":"single","#,
            r#""frames":[{"rank":1,"time_s":1.234567,"frequency_hz":868131234.5,"#,
            r#""rssi_dbm":-118.2,"snr_db":12.3,"drift_hz_per_s":0.4,"crc_ok":true}]}"#,
        )
    );
}

#[test]
fn levels_without_calibration_and_unknown_values() {
    let mut message = message(Content::Bit(true), Level::Dbfs(-38.21));
    message.radio_configuration = None;
    message.authentication = Authentication::Unchecked;
    message.decoder = Decoder::APriori;
    message.signal.drift_hz_per_s = -0.01;
    let record = MessageRecord::new(MessageRecordType::Update, &message, None, &DeviceTable::new());
    let value = serde_json::to_value(&record).unwrap();
    assert_eq!(value["type"], "update");
    assert_eq!(value["time"], Value::Null);
    assert_eq!(value["kind"], "bit1");
    assert_eq!(value["payload"], "");
    assert_eq!(value["radio_configuration"], Value::Null);
    assert_eq!(value["auth"], "unchecked");
    assert_eq!(value["decoder"], "a_priori");
    assert_eq!(value["rssi_dbfs"], -38.2);
    assert_eq!(value.get("rssi_dbm"), None);
    assert_eq!(value["frames"][0]["rssi_dbfs"], -38.2);
    assert_eq!(value["drift_hz_per_s"].to_string(), "0.0");
    assert_eq!(value.get("voltage_idle_mv"), None);
}

#[test]
fn control_messages_add_their_fields() {
    let telemetry =
        Telemetry { voltage_idle_mv: 3300, voltage_tx_mv: 3000, temperature_decidegree_c: -105 };
    let rssi = DeviceRssi::from_dbm(-120).unwrap();
    let confirmation = ControlMessage::DownlinkConfirmation { telemetry, rssi };
    let record = record(&message(Content::Control(confirmation), Level::Dbm(-100.0)));
    let value = serde_json::to_value(&record).unwrap();
    assert_eq!(value["kind"], "dl_confirmation");
    assert_eq!(value["payload"], "");
    assert_eq!(value["voltage_idle_mv"], 3300);
    assert_eq!(value["voltage_tx_mv"], 3000);
    assert_eq!(value["temperature_decidegree_c"], -105);
    assert_eq!(value["rssi_dbm_at_device"], -120);
    assert_eq!(value["rssi_dbm"], -100.0);
}

#[test]
fn messages_read_back() {
    let keep_alive = ControlMessage::KeepAlive(Telemetry {
        voltage_idle_mv: 1,
        voltage_tx_mv: 2,
        temperature_decidegree_c: 3,
    });
    for content in
        [Content::Empty, Content::Bytes("00".parse().unwrap()), Content::Control(keep_alive)]
    {
        for level in [Level::Dbm(-118.2), Level::Dbfs(-38.2)] {
            let record = record(&message(content.clone(), level));
            let line = serde_json::to_string(&record).unwrap();
            assert_eq!(serde_json::from_str::<MessageRecord>(&line).unwrap(), record);
        }
    }
}

/// A line of the vectors, as the file has it, is a record to encode.
#[test]
fn uplink_records_of_the_official_library_encode() {
    let lines = include_str!("../../fixtures/vectors/uplink.jsonl").lines();
    for (line, vector) in lines.zip(common::uplinks()) {
        let record: UplinkRecord = serde_json::from_str(line).unwrap();
        let uplink = record.uplink().unwrap();
        let key = record.key.unwrap();
        for (rank, bitstream) in vector.frames() {
            assert_eq!(uplink.encode(rank, &key)[..], bitstream);
        }
    }
}

#[test]
fn frame_records_of_all_vectors() {
    for vector in all_vectors() {
        for (rank, bitstream) in vector.frames() {
            let record =
                FrameRecord::parse(&bitstream, Some(&vector.key), &DeviceTable::new()).unwrap();
            assert_eq!((record.rank, record.crc_ok), (rank, true));
            assert_eq!(record.auth, Authentication::Verified);
            let value = serde_json::to_value(&record).unwrap();
            for (field, expected) in &vector.fields {
                let field = if field == "rssi_dbm" { "rssi_dbm_at_device" } else { field };
                assert_eq!(&value[field], expected, "{field}");
            }
            assert_eq!(serde_json::from_value::<FrameRecord>(value).unwrap(), record);
        }
    }
}

#[test]
fn a_frame_is_the_documented_line() {
    let bitstream = hex::decode("aaaaa5980118806638c0d490d4650527d22d").unwrap();
    let record = FrameRecord::parse(&bitstream, None, &DeviceTable::new()).unwrap();
    assert_eq!(
        serde_json::to_string(&record).unwrap(),
        concat!(
            r#"{"type":"frame","schema":1,"frame_type":"0598","rank":2,"#,
            r#""length_class":"two_to_four_bytes","length_indicator":0,"bidirectional":false,"#,
            r#""repeated":false,"sequence_number":416,"device_id":"004D33DB","kind":"bytes","#,
            r#""payload":"abad1dea","auth_tag":"dc32","auth":"unchecked","crc":"758a","#,
            r#""crc_ok":true}"#,
        )
    );
}

#[test]
fn a_frame_with_a_wrong_crc_is_shown_while_it_makes_sense() {
    let mut bitstream = hex::decode("aaaaa35f01a0db334d00abad1deadc32758a").unwrap();
    bitstream[17] ^= 1;
    let record = FrameRecord::parse(&bitstream, None, &DeviceTable::new()).unwrap();
    assert!(!record.crc_ok);
    assert_eq!(record.payload, "abad1dea");

    bitstream[4] |= 0xc0;
    let error = FrameRecord::parse(&bitstream, None, &DeviceTable::new()).unwrap_err();
    assert!(matches!(error, FrameError::Crc { found: 0x758b, .. }), "{error}");
}

#[test]
fn uplink_records_must_fit_their_kind() {
    let uplink = |fields: Value| {
        let mut record = json!({ "device_id": "1", "sequence_number": 2 });
        record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        serde_json::from_value::<UplinkRecord>(record).unwrap().uplink()
    };
    assert!(uplink(json!({ "kind": "bit0" })).is_ok());
    let error = uplink(json!({ "kind": "bytes" })).unwrap_err();
    assert_eq!(error, Error::PayloadLength { found: 0 });
    let error = uplink(json!({ "kind": "empty", "payload": "00" })).unwrap_err();
    assert!(matches!(error, Error::UnexpectedField { field: "payload", .. }), "{error}");
    let error = uplink(json!({ "kind": "bytes", "payload": "00", "voltage_tx_mv": 1 }));
    assert!(matches!(error, Err(Error::UnexpectedField { field: "voltage_tx_mv", .. })));
    let keep_alive = json!({
        "kind": "keep_alive", "voltage_idle_mv": 1, "voltage_tx_mv": 2,
        "temperature_decidegree_c": 3, "bidirectional": true,
    });
    assert_eq!(uplink(keep_alive), Err(Error::BidirectionalControl));
    let error = uplink(json!({ "kind": "keep_alive", "voltage_idle_mv": 1 })).unwrap_err();
    assert_eq!(error.to_string(), "an uplink of kind keep_alive needs the field `voltage_tx_mv`");
}

#[test]
fn wrong_fields_are_named_but_keys_are_not_shown() {
    let read = |record: Value| serde_json::from_value::<UplinkRecord>(record).unwrap_err();
    let error = read(json!({ "kind": "empty", "device_id": "1", "sequence_number": 4096 }));
    assert_eq!(error.to_string(), "a sequence number is 0 to 4095, this one is 4096");
    let error = read(json!({
        "kind": "empty", "device_id": "1", "sequence_number": 1, "key": "c0ffee",
    }));
    let text = error.to_string();
    assert_eq!(text, "a key has 32 hexadecimal digits (16 bytes), this one has 6");
    let record: UplinkRecord = serde_json::from_value(json!({
        "kind": "empty", "device_id": "1", "sequence_number": 1,
        "key": "00112233445566778899aabbccddeeff",
    }))
    .unwrap();
    assert_eq!(record.key, Some(Key::PUBLIC));
    assert!(format!("{record:?}").contains("Key(redacted)"));
}

/// Digits without quotes are a number to JSON, and they may be a key.
#[test]
fn a_key_without_quotes_is_not_shown() {
    for digits in ["12345678901234567", "12345678901234567890123456789012", "-7000001"] {
        let error = serde_json::from_str::<Key>(digits).unwrap_err().to_string();
        assert!(!error.contains(&digits[1..6]), "{error}");
        assert!(error.contains("in quotes"), "{error}");
    }
}
