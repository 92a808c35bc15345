//! Frames that others made: the official end-point library's and a real device's.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic in a test is a failed test"
)]

mod common;

use common::{Vector, all_vectors, published, uplinks, worked};
use nap_phy::{
    Authentication, Content, ControlMessage, DeviceRssi, Error, Frame, FrameError, Key,
    LengthClass, MessageCounter, Payload, Rank, Telemetry, Uplink, cbc_mac,
};
use serde_json::{Map, Value, json};

/// The message that a vector's fields describe.
fn uplink_of(vector: &Vector) -> Uplink {
    let text = |field: &str| vector.fields[field].as_str().unwrap();
    let number = |field: &str| i16::try_from(vector.fields[field].as_i64().unwrap()).unwrap();
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
    .with_bidirectional(vector.fields["bidirectional"].as_bool().unwrap())
    .unwrap()
}

/// The fields that a vector has for a message.
fn fields_of(uplink: &Uplink) -> Map<String, Value> {
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

#[test]
fn all_vectors_are_there() {
    let count = |vectors: Vec<Vector>| {
        let frames: usize = vectors.iter().map(|vector| vector.frames().count()).sum();
        (vectors.len(), frames)
    };
    assert_eq!(count(uplinks()), (340, 1020));
    assert_eq!(count(worked()), (27, 75));
    assert_eq!(count(published()), (5, 9));
}

#[test]
fn every_frame_parses_to_its_fields_and_verifies() {
    for vector in all_vectors() {
        for (rank, bitstream) in vector.frames() {
            let frame = Frame::parse(&bitstream).unwrap();
            assert_eq!(frame.rank(), rank);
            let container = frame.container();
            assert_eq!(fields_of(&container.uplink().unwrap()), vector.fields);
            assert!(!container.repeated());
            assert_eq!(
                container.authenticate(&vector.key),
                Authentication::Verified
            );
            let wrong_key = Key::from_bytes([0x5a; Key::BYTES]);
            assert_eq!(container.authenticate(&wrong_key), Authentication::Failed);
        }
    }
}

#[test]
fn every_frame_encodes_bit_for_bit() {
    for vector in all_vectors() {
        let uplink = uplink_of(&vector);
        for (rank, bitstream) in vector.frames() {
            assert_eq!(uplink.encode(rank, &vector.key)[..], bitstream);
        }
    }
}

/// Calls `check` with each frame of `vectors` with one bit wrong, for every bit; says how often.
fn for_each_wrong_bit(
    vectors: &[Vector],
    check: impl Fn(&Vector, Rank, Result<Frame, FrameError>),
) -> usize {
    let mut wrong_bits = 0;
    for vector in vectors {
        for (rank, mut bitstream) in vector.frames() {
            for bit in 0..8 * bitstream.len() {
                let mask = 0x80 >> (bit % 8);
                bitstream[bit / 8] ^= mask;
                check(vector, rank, Frame::parse(&bitstream));
                bitstream[bit / 8] ^= mask;
                wrong_bits += 1;
            }
        }
    }
    wrong_bits
}

#[test]
fn one_wrong_bit_never_verifies() {
    let wrong_bits = for_each_wrong_bit(&uplinks(), |vector, rank, frame| {
        // A CRC sees every single error; a convolved frame's error spreads and may slip through.
        assert!(frame.is_err() || rank != Rank::First);
        if let Ok(frame) = frame {
            let verdict = frame.container().authenticate(&vector.key);
            assert_eq!(verdict, Authentication::Failed);
        }
    });
    // 20 messages of each kind: 3 of 112 bits, 1 of 120, 3 of 144, 4 and 2 of 176, 4 of 208.
    assert_eq!(
        wrong_bits,
        20 * 3 * (3 * 112 + 120 + 3 * 144 + 6 * 176 + 4 * 208)
    );
}

/// Cipher blocks of the official library for device FEDCBA98 and the test key.
#[test]
fn cipher_blocks() {
    let key = "0123456789ABCDEF0123456789ABCDEF".parse().unwrap();
    for (data, block) in [
        ("012398badcfe", "8d3818010128cdf1aef6c854330454b2"),
        ("812398badcfe", "5365638ddd245564b3c3abccb935b11e"),
        ("c12398badcfe", "8d32eab847ceb69899ae1643e6bfe8dc"),
        ("012398badcfe40", "7e5fbd2c21912c38c7eefe6cb0d8153f"),
        ("812398badcfe4041", "5e52550d9492517a586bf604fc38e459"),
        ("412398badcfe404142", "32347d8c8f2123b2046ed0d8c06f1791"),
        ("012398badcfe40414243", "eeb971076a1b410accaa28ec12f3cd07"),
        ("c12398badcfe4041424344", "96d0e221e87c5c037b82d160a069a0cd"),
        (
            "812398badcfe404142434445",
            "3f028395d9c87fc315bda0d111d287ea",
        ),
        (
            "412398badcfe40414243444546",
            "5f7c08d538af22dd2a1bce87fd6ee9fc",
        ),
        (
            "012398badcfe4041424344454647",
            "4dc3671a853d609b0cc1dbd9b6a2c872",
        ),
        (
            "c12398badcfe404142434445464748",
            "13e2fc8f20c8aa708d8eddfc084382d2",
        ),
        (
            "812398badcfe40414243444546474849",
            "a508e86c089278fa63cadcdb49b11c2f",
        ),
        (
            "412398badcfe404142434445464748494a",
            "50676553c99d46f2bfe545afb357debe",
        ),
        (
            "012398badcfe404142434445464748494a4b",
            "e2091d1dccfb4d049766d4fcadca06f9",
        ),
        (
            "412398badcfe08e40cb80bfd00",
            "7fa1fc6dc56c26bd2e20da61a98b6943",
        ),
        (
            "012498badcfe09e40cb80bfd00ec",
            "0a3382055d1b7662d00e2c47f4576c05",
        ),
    ] {
        assert_eq!(
            hex::encode(cbc_mac(&key, &hex::decode(data).unwrap())),
            block
        );
    }
}

#[test]
fn errors_say_what_is_wrong() {
    let parse = |digits: &str| Frame::parse(&hex::decode(digits).unwrap()).unwrap_err();
    assert_eq!(parse("aaaaa0"), FrameError::TooShort { found: 3 });
    assert_eq!(
        parse("aaaba06b012398badcfe8d3860d3"),
        FrameError::Preamble {
            expected: 0x5_5555,
            found: 0x5_555d
        }
    );
    assert_eq!(
        parse("aaaaa06a012398badcfe8d3860d3"),
        FrameError::FrameType { found: 0x006a }
    );
    let class = LengthClass::EmptyOrBit;
    assert_eq!(
        parse("aaaaa06b012398badcfe8d3860d300"),
        FrameError::ContainerLength {
            class,
            expected: 10,
            found: 11
        }
    );
    assert_eq!(
        parse("aaaaa06b012398badcfe8d3860d2"),
        FrameError::Crc {
            expected: 0x60d3,
            found: 0x60d2
        }
    );
    assert_eq!(
        Error::from(parse("aaaaa06b012398badcfe8d3860d2")).to_string(),
        "the CRC should be 60d3, found 60d2"
    );
}
