//! What a broker sends, in pieces as they come, in both versions of MQTT.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nap_station::relay::mqtt::packet::{Answer, read};
use nap_station::relay::options::MqttVersion;

fuzz_target!(|bytes: &[u8]| {
    for version in [MqttVersion::V3, MqttVersion::V5] {
        let whole = answers(bytes, bytes.len().max(1), version);
        // However the network cuts it.
        let piece = usize::from(bytes.first().copied().unwrap_or(0) % 7) + 1;
        assert_eq!(answers(bytes, piece, version), whole);
    }
});

/// The packets up to the first that is none, and whether there was one.
fn answers(bytes: &[u8], piece: usize, version: MqttVersion) -> (Vec<Answer>, bool) {
    let (mut buffer, mut answers) = (Vec::new(), Vec::new());
    for some in bytes.chunks(piece) {
        buffer.extend_from_slice(some);
        loop {
            let before = buffer.len();
            match read(&mut buffer, version) {
                Ok(Some(answer)) => answers.push(answer),
                Ok(None) => break,
                Err(_) => return (answers, true),
            }
            assert!(buffer.len() < before, "a packet takes its bytes");
        }
    }
    (answers, false)
}
