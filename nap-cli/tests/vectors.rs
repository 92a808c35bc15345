//! `nap frame` and `nap encode` against bitstreams that others made.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

mod common;

use std::fs;

use common::{devices_csv, exit_code, fixture, json_lines, nap, stderr, stdout};
use serde_json::{Value, json};

/// Uplinks of a file of vectors.
fn uplinks(name: &str) -> Vec<Value> {
    let mut messages = json_lines(&fs::read(fixture("vectors").join(name)).unwrap());
    messages.retain(|message| message["direction"] != "downlink");
    messages
}

/// The frames of a message with their ranks.
fn frames(message: &Value) -> impl Iterator<Item = (u64, &str)> {
    let frames = message["frames"].as_array().unwrap();
    (1..).zip(frames).filter_map(|(rank, frame)| Some((rank, frame.as_str()?)))
}

/// A field of a vector as a record of `nap frame` has it, with what vectors leave out.
fn expected(message: &Value, field: &str) -> Value {
    match field {
        "bidirectional" => message.get(field).cloned().unwrap_or(json!(false)),
        "payload" => message.get(field).cloned().unwrap_or(json!("")),
        "rssi_dbm_at_device" => message["rssi_dbm"].clone(),
        _ => message[field].clone(),
    }
}

const FIELDS: [&str; 9] = [
    "device_id",
    "sequence_number",
    "kind",
    "payload",
    "bidirectional",
    "voltage_idle_mv",
    "voltage_tx_mv",
    "temperature_decidegree_c",
    "rssi_dbm_at_device",
];

/// Takes all frames of the messages apart and returns how many there were.
fn check_frames(messages: &[Value]) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let devices = folder.path().join("devices.csv");
    fs::write(&devices, devices_csv(messages)).unwrap();
    let frames: Vec<_> = messages
        .iter()
        .flat_map(|m| frames(m).map(move |(rank, frame)| (m, rank, frame)))
        .collect();
    let count = frames.len();
    let lines: Vec<&str> = frames.iter().map(|(.., frame)| *frame).collect();
    let output = nap()
        .args(["frame", "-", "--devices"])
        .arg(&devices)
        .write_stdin(lines.join("\n"))
        .output()
        .unwrap();
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    let records = json_lines(&output.stdout);
    assert_eq!(records.len(), count);
    for (record, (message, rank, _)) in records.iter().zip(frames) {
        assert_eq!(record["type"], "frame");
        assert_eq!((&record["auth"], &record["crc_ok"]), (&json!("verified"), &json!(true)));
        assert_eq!(record["rank"], rank);
        for field in FIELDS {
            assert_eq!(record[field], expected(message, field), "{field}");
        }
    }
    count
}

#[test]
fn frames_that_others_made() {
    assert_eq!(check_frames(&uplinks("uplink.jsonl")), 1020);
    assert_eq!(check_frames(&uplinks("published.jsonl")), 9);
    // The device of these has two keys.
    let worked = uplinks("worked.jsonl");
    let of_key = worked.chunk_by(|a, b| a["key"] == b["key"]);
    assert_eq!(of_key.map(check_frames).sum::<usize>(), 75);
}

#[test]
fn encoding_gives_the_official_bitstreams() {
    for name in ["uplink.jsonl", "worked.jsonl", "published.jsonl"] {
        let messages = uplinks(name);
        let lines: Vec<String> = messages.iter().map(Value::to_string).collect();
        let output = nap().args(["encode", "-"]).write_stdin(lines.join("\n")).output().unwrap();
        assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
        let records = json_lines(&output.stdout);
        assert_eq!(records.len(), messages.len());
        for (record, message) in records.iter().zip(&messages) {
            for (rank, frame) in frames(message) {
                assert_eq!(record["frames"][rank as usize - 1], frame);
            }
            assert_eq!(record["device_id"], message["device_id"]);
            assert_eq!(record.get("key"), None);
        }
    }
}

/// The flags that describe a message of the vectors.
fn flags(message: &Value) -> Vec<String> {
    let text = |field: &str| match &message[field] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut flags = vec![
        format!("--device-id={}", text("device_id")),
        format!("--sequence-number={}", text("sequence_number")),
        match message["kind"].as_str().unwrap() {
            "bytes" => format!("--payload={}", text("payload")),
            "bit0" => "--bit=0".to_owned(),
            "bit1" => "--bit=1".to_owned(),
            kind => format!("--{}", kind.replace('_', "-")),
        },
    ];
    for (field, flag) in [
        ("voltage_idle_mv", "voltage-idle-mv"),
        ("voltage_tx_mv", "voltage-tx-mv"),
        ("temperature_decidegree_c", "temperature-decidegree-c"),
        ("rssi_dbm", "rssi-dbm-at-device"),
    ] {
        if !message[field].is_null() {
            flags.push(format!("--{flag}={}", text(field)));
        }
    }
    if message["bidirectional"] == true {
        flags.push("--bidirectional".to_owned());
    }
    flags
}

#[test]
fn flags_describe_every_kind_of_message() {
    for message in uplinks("worked.jsonl") {
        let key = message["key"].as_str().unwrap();
        let output =
            nap().arg("encode").args(flags(&message)).env("NAP_KEY", key).output().unwrap();
        assert_eq!(exit_code(&output), 0, "{message}: {}", stderr(&output));
        // Of a downlink confirmation the vectors have the first frame only.
        let found: Vec<&str> = stdout(&output).lines().collect();
        assert_eq!(found.len(), 3);
        for (rank, frame) in frames(&message) {
            assert_eq!(found[rank as usize - 1], frame);
        }
    }
}

#[test]
fn the_key_may_come_from_anywhere() {
    let message = &uplinks("uplink.jsonl")[150];
    let key = message["key"].as_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let devices = folder.path().join("devices.csv");
    fs::write(&devices, devices_csv([message])).unwrap();
    let (_, second) = frames(message).nth(1).unwrap();
    let encode = || {
        let mut command = nap();
        command.arg("encode").args(flags(message)).args(["--rank", "2"]);
        command
    };
    // The first of these wins, so the later ones may be wrong.
    let wrong = "00".repeat(16);
    for output in [
        encode().args(["--key", key, "--devices"]).arg(&devices).env("NAP_KEY", &wrong).output(),
        encode().arg("--devices").arg(&devices).env("NAP_KEY", &wrong).output(),
        encode().env("NAP_KEY", key).output(),
    ] {
        assert_eq!(stdout(&output.unwrap()).trim_end(), second);
    }
    let output = encode().output().unwrap();
    assert_eq!(exit_code(&output), 2);
    assert!(stderr(&output).contains("is not known"), "{}", stderr(&output));
}

#[test]
fn wrong_fields_end_with_2_and_keep_the_key_secret() {
    let encode = |more: &[&str]| {
        let fields = ["encode", "--device-id", "1", "--sequence-number", "2"];
        nap().args(fields).args(more).output().unwrap()
    };
    let secret = "c0ffee00c0ffee00c0ffee00c0ffee";
    let cases: [(&[&str], &str); 9] = [
        (&["--empty", "--key", secret], "a key has 32 hexadecimal digits"),
        (&["--empty", "--key", &format!("{secret}zz")], "character 30 of the key"),
        (&["--key", "00112233445566778899aabbccddeeff"], "give --payload"),
        (&["--payload", "0011", "--bit", "1"], "cannot be used with"),
        (&["--bit", "2"], "2 is not in 0..=1"),
        (&["--empty", "--rank", "4"], "a frame's rank is 1, 2 or 3, not 4"),
        (&["--empty", "--voltage-tx-mv", "3"], "--keep-alive|--dl-confirmation"),
        (&["--keep-alive", "--rssi-dbm-at-device=-1", "--voltage-tx-mv=1"], "--dl-confirmation"),
        (&["--keep-alive", "--key", "00112233445566778899aabbccddeeff"], "--voltage-idle-mv <MV>"),
    ];
    for (more, expected) in cases {
        let output = encode(more);
        assert_eq!(exit_code(&output), 2, "{more:?}");
        assert!(stderr(&output).contains(expected), "{more:?}: {}", stderr(&output));
        assert!(!stderr(&output).contains("c0ffee"), "{}", stderr(&output));
        assert_eq!(stdout(&output), "");
    }
}

#[test]
fn bad_lines_are_reported_in_their_place() {
    let good = "aaaaa35f01a0db334d00abad1deadc32758a";
    let wrong_crc = "aaaaa35f01a0db334d00abad1deadc32758b";
    let input = format!("{good}\n\nxyz\naaaa\n{wrong_crc}\n{good}");
    let output = nap().args(["frame", "-"]).write_stdin(input).output().unwrap();
    assert_eq!(exit_code(&output), 1);
    let records = json_lines(&output.stdout);
    let seen: Vec<_> = records.iter().map(|r| (&r["type"], &r["line"], &r["crc_ok"])).collect();
    let (frame, error, null) = (&json!("frame"), &json!("error"), &Value::Null);
    assert_eq!(
        seen,
        [
            (frame, null, &json!(true)),
            (error, &json!(3), null),
            (error, &json!(4), null),
            (frame, null, &json!(false)),
            (frame, null, &json!(true)),
        ]
    );
    assert!(records[1]["error"].as_str().unwrap().starts_with("not hexadecimal: "));
    assert!(records[2]["error"].as_str().unwrap().contains("this one has 2"));

    let input = "{}\n[1]\n{\"kind\":\"empty\",\"device_id\":\"1\",\"sequence_number\":1}";
    let output = nap().args(["encode", "-"]).write_stdin(input).output().unwrap();
    assert_eq!(exit_code(&output), 1);
    let records = json_lines(&output.stdout);
    assert!(records.iter().all(|record| record["type"] == "error"));
    assert_eq!(records.len(), 3);
}

#[test]
fn frames_for_the_eye_and_for_tables() {
    let frames =
        ["aaaaa35f01a0db334d00abad1deadc32758a", "aaaaa35f01a0db334d00abad1deadc32758b", "aaaa"];
    let output = nap().arg("frame").args(frames).args(["--format", "log"]).output().unwrap();
    insta::assert_snapshot!("frame_log", stdout(&output));
    assert!(stderr(&output).starts_with("error: argument 3: "));
    let output = nap().arg("frame").args(frames).args(["--format", "csv"]).output().unwrap();
    insta::assert_snapshot!("frame_csv", stdout(&output));
}

/// As devices' logs, other decoders and hex dumps write them.
#[test]
fn frames_in_every_way_of_writing_them() {
    let whole = "aaaaa35f01a0db334d00abad1deadc32758a";
    for arguments in [
        &["0xAAAAA35F01A0DB334D00ABAD1DEADC32758A"][..],
        &["aa aa a3 5f 01 a0 db 33 4d 00 ab ad 1d ea dc 32 75 8a"],
        &["AAAA:A35F:01A0:DB33:4D00:ABAD:1DEA:DC32:758A"],
        &[
            "0xaa,0xaa,0xa3,0x5f,0x01,0xa0,0xdb,0x33,0x4d,0x00,0xab,0xad,0x1d,0xea,0xdc,0x32,0x75,0x8a",
        ],
        &["35f01a0db334d00abad1deadc32758a"],
        &["035f 01a0db334d00abad1deadc32758a"],
        &["a35f01a0db334d00abad1deadc32758a"],
        &["aaaaaaaaa35f01a0db334d00abad1deadc32758a"],
        &[
            "aa", "aa", "a3", "5f", "01", "a0", "db", "33", "4d", "00", "ab", "ad", "1d", "ea",
            "dc", "32", "75", "8a",
        ],
    ] {
        let output = nap().arg("frame").args(arguments).output().unwrap();
        assert_eq!(exit_code(&output), 0, "{arguments:?}: {}", stdout(&output));
        let expected = nap().args(["frame", whole]).output().unwrap();
        assert_eq!(output.stdout, expected.stdout, "{arguments:?}");
    }
    let lines =
        "0x35f01a0db334d00abad1deadc32758a\n35 f0 1a 0d b3 34 d0 0a ba d1 de ad c3 27 58 a\n";
    let output = nap().args(["frame", "-"]).write_stdin(lines).output().unwrap();
    assert_eq!(json_lines(&output.stdout).len(), 2);
    assert_eq!(exit_code(&output), 0);
    for wrong in ["", "0x", "é", "a", "aaaaa", "0", "35f", "xyz"] {
        let output = nap().args(["frame", wrong]).output().unwrap();
        assert_eq!(exit_code(&output), 1, "{wrong:?}");
        let records = json_lines(&output.stdout);
        assert_eq!((&records[0]["type"], &records[0]["argument"]), (&json!("error"), &json!(1)));
    }
}

#[test]
fn colours_are_for_terminals() {
    let frame = || {
        let mut command = nap();
        command.args(["frame", "aaaaa35f01a0db334d00abad1deadc32758a", "--format", "log"]);
        command
    };
    let in_pipe = frame().output().unwrap();
    assert!(!stdout(&in_pipe).contains('\x1b'));
    let forced = frame().env("CLICOLOR_FORCE", "1").output().unwrap();
    assert!(stdout(&forced).contains("\x1b[1m004D33DB\x1b[0m"), "{:?}", stdout(&forced));
    let refused = frame().env("CLICOLOR_FORCE", "0").env("NO_COLOR", "1").output().unwrap();
    assert_eq!(refused.stdout, in_pipe.stdout);
}
