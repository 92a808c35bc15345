//! Templates of every kind with values of any kind, and configurations of custom payloads.
//!
//! A zero byte separates the template, the configuration, a text of the message and its payload.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nap_station::relay::custom_payload::CustomPayload;
use nap_station::relay::template::variable::{Subject, Vocabulary};
use nap_station::relay::template::{Language, Template};
use serde_json::{Value, json};

fuzz_target!(|text: &str| {
    let mut parts = text.splitn(4, '\0');
    let mut part = || parts.next().unwrap_or_default();
    let (template, fields, said, payload) = (part(), part(), part(), part());
    let Ok(custom) = fields.parse::<CustomPayload>() else { return };
    let payload: String = payload.bytes().map(|byte| format!("{byte:02x}")).collect();
    let record = json!({
        "id": said, "device_id": said, "payload": payload, "kind": "bytes", "sequence_number": 7,
        "time": "2026-11-23T06:16:00.123456Z", "rssi_dbm": null, "snr_db": 12.5, "bidirectional": true,
    });
    let subject = Subject { record: &record, station: said };
    for language in
        [Language::Json, Language::Form, Language::Text, Language::Url, Language::Header]
    {
        let vocabulary = Vocabulary::Message(&custom);
        let Ok(parsed) = Template::parse(template, language, vocabulary) else { continue };
        check(language, template, &parsed.render(subject));
    }
});

/// Whatever a value holds, it stays inside of its place.
fn check(language: Language, template: &str, rendered: &str) {
    let count = |text: &str, is: fn(char) -> bool| text.chars().filter(|one| is(*one)).count();
    match language {
        // A body may be empty.
        Language::Json if rendered.trim().is_empty() => {}
        Language::Json => {
            serde_json::from_str::<Value>(rendered)
                .unwrap_or_else(|error| panic!("{error}: {rendered}"));
        }
        Language::Header => {
            assert!(count(rendered, char::is_control) <= count(template, char::is_control));
        }
        Language::Form | Language::Url => {
            let separates = |one| matches!(one, '&' | '=' | '/' | '?' | '#' | ' ' | '\r' | '\n');
            assert!(count(rendered, separates) <= count(template, separates), "{rendered}");
        }
        Language::Text => {}
    }
}
