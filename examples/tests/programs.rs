//! The example programs, held against what others made.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a panic is a failed test")]
#![allow(dead_code, reason = "the programs' own `main` is not called")]

#[path = "../decode_file.rs"]
mod decode_file;
#[path = "../encode_frames.rs"]
mod encode_frames;

use std::path::Path;

use nap_phy::Content;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures");

#[test]
fn decodes_the_messages_of_a_recording() {
    let recording = Path::new(FIXTURES).join("recordings/rc1_two_uplinks.sigmf-meta");
    let truth = std::fs::read_to_string(recording.with_extension("truth.json")).unwrap();
    let truth: serde_json::Value = serde_json::from_str(&truth).unwrap();
    let mut expected: Vec<[String; 2]> = truth["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| {
            ["device_id", "payload"].map(|field| message[field].as_str().unwrap().into())
        })
        .collect();
    let mut found: Vec<[String; 2]> = decode_file::decode(&recording)
        .unwrap()
        .iter()
        .map(|message| {
            assert_eq!(message.frames.len(), 3);
            let Content::Bytes(payload) = message.uplink.content() else { panic!("{message:?}") };
            [message.uplink.device_id().to_string(), payload.to_string()]
        })
        .collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn encodes_the_frames_of_the_end_point_library() {
    let worked = std::fs::read_to_string(Path::new(FIXTURES).join("vectors/worked.jsonl")).unwrap();
    let expected = worked
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .find(|message| message["payload"] == "40414243")
        .unwrap();
    assert_eq!(serde_json::json!(encode_frames::frames().unwrap()), expected["frames"]);
}
