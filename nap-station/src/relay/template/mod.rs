//! Texts with variables in braces.
//!
//! `{name}` is a variable where a variable of this name is known. Other braces stand for themselves, as in JSON, but
//! something that looks like a variable and is none, `{word}`, is an error: it would never arrive as what was meant.
//! A value is put in once and never looked at again for variables.

pub mod place;
pub mod variable;

use serde_json::Value;

use crate::relay::template::place::{JsonCursor, Place};
use crate::relay::template::variable::{Subject, Variable, Vocabulary};

/// What a template's text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// JSON.
    Json,
    /// A form (`application/x-www-form-urlencoded`).
    Form,
    /// Any text.
    Text,
    /// An address.
    Url,
    /// The value of an HTTP header.
    Header,
}

/// A text with variables, checked.
#[derive(Debug, Clone)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    Literal(String),
    Variable(Variable, Place),
}

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadTemplate {
    /// There is no such variable.
    #[error("{{{name}}} is no variable here; there are {known}")]
    Unknown {
        /// What stands in the braces.
        name: String,
        /// What there is.
        known: String,
    },
    /// A text has to stand in quotes.
    #[error("{{{name}}} is a text: in JSON it has to stand in quotes, \"{{{name}}}\"")]
    Unquoted {
        /// The variable.
        name: String,
    },
    /// With values put in it is not JSON.
    #[error("with values put in it is not JSON: {problem}")]
    NotJson {
        /// What the JSON reader says.
        problem: String,
    },
    /// A variable may not say where a message goes.
    #[error(
        "{{{name}}} stands in the scheme, host or port: variables may stand in path and query only"
    )]
    InAuthority {
        /// The variable.
        name: String,
    },
}

impl Template {
    /// Reads and checks a template.
    ///
    /// # Errors
    /// If a variable is unknown or stands where it must not.
    pub fn parse(
        text: &str,
        language: Language,
        vocabulary: Vocabulary<'_>,
    ) -> Result<Self, BadTemplate> {
        let mut parts = Vec::new();
        let (mut literal, mut cursor, mut rest) = (String::new(), JsonCursor::default(), text);
        while let Some(character) = rest.chars().next() {
            if let Some(name) = word_in_braces(rest) {
                let passed = &text[..text.len() - rest.len()];
                let part = variable_part(name, language, &cursor, passed, vocabulary)?;
                parts.extend([Part::Literal(std::mem::take(&mut literal)), part]);
                rest = &rest[name.len() + 2..];
            } else {
                cursor.pass(character);
                literal.push(character);
                rest = &rest[character.len_utf8()..];
            }
        }
        parts.push(Part::Literal(literal));
        let template = Self { parts };
        if language == Language::Json {
            template.check_json()?;
        }
        Ok(template)
    }

    /// The text for one message or event.
    #[must_use]
    pub fn render(&self, subject: Subject<'_>) -> String {
        self.filled(|variable| variable.value(subject))
    }

    /// The text with something in the place of each variable, to see whether it is one at all.
    #[must_use]
    pub fn sample(&self) -> String {
        self.filled(|variable| if variable.is_text() { "x".into() } else { 1.into() })
    }

    /// Whether it is the same for all messages of a station.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        self.parts.iter().all(|part| match part {
            Part::Literal(_) => true,
            Part::Variable(variable, _) => variable.is_constant(),
        })
    }

    fn filled(&self, value: impl Fn(&Variable) -> Value) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Variable(variable, place) => place.write(&value(variable), &mut text),
            }
        }
        text
    }

    /// Whatever the values are it has to be JSON: two numbers one after the other would be one, but null and a
    /// number are none.
    fn check_json(&self) -> Result<(), BadTemplate> {
        let text =
            self.filled(|variable| if variable.is_text() { "x".into() } else { Value::Null });
        match serde_json::from_str::<Value>(&text) {
            Err(error) if !text.trim().is_empty() => {
                Err(BadTemplate::NotJson { problem: error.to_string() })
            }
            _ => Ok(()),
        }
    }
}

fn variable_part(
    name: &str,
    language: Language,
    cursor: &JsonCursor,
    passed: &str,
    vocabulary: Vocabulary<'_>,
) -> Result<Part, BadTemplate> {
    let unknown = || BadTemplate::Unknown { name: name.into(), known: vocabulary.names() };
    let variable = vocabulary.variable(name).ok_or_else(unknown)?;
    let place = match language {
        Language::Json => cursor.place(),
        Language::Form => Place::Form,
        Language::Text => Place::Text,
        Language::Url => Place::Url,
        Language::Header => Place::Header,
    };
    match place {
        Place::JsonValue if variable.is_text() => Err(BadTemplate::Unquoted { name: name.into() }),
        Place::Url if !has_authority(passed) => Err(BadTemplate::InAuthority { name: name.into() }),
        _ => Ok(Part::Variable(variable, place)),
    }
}

/// What stands between a brace here and the next, if it looks like a variable.
fn word_in_braces(text: &str) -> Option<&str> {
    let (word, _) = text.strip_prefix('{')?.split_once('}')?;
    let (name, field) = word.split_once('#').unwrap_or((word, "x"));
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let is_field =
        !field.contains(|character: char| character.is_whitespace() || "{\"".contains(character));
    (is_name(name) && is_field).then_some(word)
}

/// Whether an address is past its scheme, host and port.
fn has_authority(url: &str) -> bool {
    url.split_once("://").is_some_and(|(_, rest)| rest.contains(['/', '?', '#']))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::relay::custom_payload::CustomPayload;

    const NASTY: &str = "a\"b\\c&d=e%0a\r\nf{id}g{device} h+ü\u{1F4E1}\u{7}/?#;<'";

    fn custom() -> CustomPayload {
        "temperature:0:int:16:little-endian tag:2:char:2".parse().unwrap()
    }

    fn record() -> Value {
        json!({
            "id": "0000a1b2-17", "device_id": "004D33DB", "time": "2026-11-23T06:16:00.923456Z", "sequence_number": 416,
            "kind": "bytes", "payload": "18fc4142", "bidirectional": true, "rssi_dbm": -118.2, "snr_db": 12.3,
            "frequency_hz": 868_131_234.5, "position": {"latitude": 48.1, "longitude": 11.5},
        })
    }

    fn render(text: &str, language: Language, record: &Value, station: &str) -> String {
        let custom = custom();
        let template = Template::parse(text, language, Vocabulary::Message(&custom)).unwrap();
        template.render(Subject { record, station })
    }

    fn refused(text: &str, language: Language) -> BadTemplate {
        Template::parse(text, language, Vocabulary::Message(&custom())).unwrap_err()
    }

    #[test]
    fn every_variable_has_its_value() {
        let cases = [
            ("{id}", "0000a1b2-17"),
            ("{device}", "4D33DB"),
            ("{time}", "1795414560"),
            ("{data}", "18fc4142"),
            ("{seqNumber}", "416"),
            ("{station}", "0011223344556677"),
            ("{rssi}", "-118.2"),
            ("{snr}", "12.3"),
            ("{freq}", "868131234.5"),
            ("{lat}", "48.1"),
            ("{lng}", "11.5"),
            ("{ack}", "true"),
            ("{late}", "false"),
            ("{deviceTypeId}", ""),
            ("{customData#temperature}", "-1000"),
            ("{customData#tag}", "AB"),
        ];
        for (text, expected) in cases {
            assert_eq!(
                render(text, Language::Text, &record(), "0011223344556677"),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_not_known_is_null_or_empty() {
        let nothing =
            json!({"device_id": "00000000", "kind": "empty", "payload": "", "time": null});
        let text = r#"{"r":{rssi},"t":{time},"lat":{lat},"d":"{data}","dev":"{device}","c":{customData#temperature}}"#;
        let rendered = render(text, Language::Json, &nothing, "");
        assert_eq!(rendered, r#"{"r":null,"t":null,"lat":null,"d":"","dev":"0","c":null}"#);
    }

    #[test]
    fn bits_and_bytes_are_data_as_in_the_cloud() {
        for (kind, payload, expected) in
            [("bit0", "", "00"), ("bit1", "", "01"), ("bytes", "ab", "ab"), ("empty", "", "")]
        {
            let record = json!({"kind": kind, "payload": payload});
            assert_eq!(render("{data}", Language::Text, &record, ""), expected, "{kind}");
        }
    }

    #[test]
    fn other_braces_stand_for_themselves() {
        let cases = [
            (r#"{"a":{"b":"{id}"},"c":{}}"#, r#"{"a":{"b":"0000a1b2-17"},"c":{}}"#),
            (r#"{ "x" : [{}] }"#, r#"{ "x" : [{}] }"#),
            (r#""\"{id}\\""#, r#""\"0000a1b2-17\\""#),
        ];
        for (text, expected) in cases {
            assert_eq!(render(text, Language::Json, &record(), ""), expected);
        }
        assert_eq!(render("{}{ id }{1}{id", Language::Text, &record(), ""), "{}{ id }{1}{id");
    }

    /// Found by fuzzing: with a digit for each, two numbers were one.
    #[test]
    fn values_that_touch_each_other_are_no_json() {
        for body in ["{\"t\":{snr}{rssi}}", "[1{rssi}]", "[-{time}]", "[{time}5]"] {
            assert!(matches!(refused(body, Language::Json), BadTemplate::NotJson { .. }), "{body}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        assert!(
            matches!(refused("{devise}", Language::Text), BadTemplate::Unknown { name, .. } if name == "devise")
        );
        assert!(matches!(refused("{customData#x}", Language::Text), BadTemplate::Unknown { .. }));
        assert!(matches!(refused("{level}", Language::Text), BadTemplate::Unknown { .. }));
        assert!(matches!(
            refused(r#"{"d":{device}}"#, Language::Json),
            BadTemplate::Unquoted { .. }
        ));
        assert!(matches!(
            refused(r#"{"d":{customData#tag}}"#, Language::Json),
            BadTemplate::Unquoted { .. }
        ));
        assert!(matches!(
            refused(r#"{"d":"{device}""#, Language::Json),
            BadTemplate::NotJson { .. }
        ));
        for url in [
            "{station}://host/",
            "https://{station}/",
            "https://host:{seqNumber}/",
            "https://a{id}",
        ] {
            assert!(
                matches!(refused(url, Language::Url), BadTemplate::InAuthority { .. }),
                "{url}"
            );
        }
        let error = refused("{devise}", Language::Text).to_string();
        assert!(error.contains("{device} {time}") && error.contains("{customData#tag}"), "{error}");
    }

    /// What stands in each kind of place, read back by whom it is for.
    fn read_back(value: &str) {
        let json = render(r#"{"s":"<{station}>"}"#, Language::Json, &record(), value);
        let read: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read["s"], format!("<{value}>"));
        let form = render("a={station}&b=1", Language::Form, &record(), value);
        let read = reqwest::Url::parse(&format!("http://x/?{form}")).unwrap();
        let pairs: Vec<_> = read.query_pairs().into_owned().collect();
        assert_eq!(pairs, [("a".to_owned(), value.to_owned()), ("b".into(), "1".into())]);
        let url = render(
            "https://host/p/{station}/q?x={station}#{station}",
            Language::Url,
            &record(),
            value,
        );
        let read = reqwest::Url::parse(&url).unwrap();
        assert_eq!((read.host_str(), read.port()), (Some("host"), None));
        assert_eq!(read.query_pairs().next().unwrap().1, value);
        assert_eq!(render("{station}", Language::Text, &record(), value), value);
        let header = render("{station}", Language::Header, &record(), value);
        let without_control: String = value.chars().filter(|c| !c.is_control()).collect();
        assert_eq!(header, without_control);
        assert!(reqwest::header::HeaderValue::from_str(&header).is_ok());
    }

    #[test]
    fn nasty_texts_arrive_as_they_are() {
        read_back(NASTY);
    }

    /// Each variable in each place: values of outside can be any text, so every text variable is given one.
    #[test]
    fn every_text_variable_holds_nasty_texts() {
        let texts = [
            ("id", "id"),
            ("device", "device_id"),
            ("data", "payload"),
            ("deviceTypeId", "device_type_id"),
        ];
        for (name, field) in texts {
            let mut record = record();
            record[field] = NASTY.into();
            let json = render(&format!("[\"{{{name}}}\"]"), Language::Json, &record, "");
            assert_eq!(serde_json::from_str::<Value>(&json).unwrap()[0], NASTY, "{name}");
            let url = render(&format!("https://h/?x={{{name}}}"), Language::Url, &record, "");
            let read = reqwest::Url::parse(&url).unwrap();
            assert_eq!(read.query_pairs().next().unwrap().1, NASTY, "{name}");
        }
        for name in ["seqNumber", "rssi", "snr", "freq", "ack"] {
            let field = [
                ("seqNumber", "sequence_number"),
                ("rssi", "rssi_dbm"),
                ("snr", "snr_db"),
                ("freq", "frequency_hz"),
            ];
            let field = field
                .iter()
                .find(|(known, _)| *known == name)
                .map_or("bidirectional", |(_, field)| field);
            let mut record = record();
            record[field] = NASTY.into();
            let json = render(&format!("[{{{name}}}]"), Language::Json, &record, "");
            assert_eq!(serde_json::from_str::<Value>(&json).unwrap()[0], NASTY, "{name}");
        }
    }

    #[test]
    fn events_have_variables_of_their_own() {
        let event = json!({"id": "00000001-3", "type": "dead_letter", "level": "warning", "time": "2026-11-23T06:16:00Z", "why": NASTY});
        let text =
            r#"{"type":"{type}","time":{time},"level":"{level}","detail":{json},"raw":"{json}"}"#;
        let template = Template::parse(text, Language::Json, Vocabulary::Event).unwrap();
        let rendered = template.render(Subject { record: &event, station: "s" });
        let read: Value = serde_json::from_str(&rendered).unwrap();
        assert_eq!((&read["detail"], &read["type"]), (&event, &json!("dead_letter")));
        assert_eq!(serde_json::from_str::<Value>(read["raw"].as_str().unwrap()).unwrap(), event);
        assert!(Template::parse("{device}", Language::Text, Vocabulary::Event).is_err());
    }

    proptest! {
        #[test]
        fn any_text_arrives_as_it_is(value in any::<String>()) {
            read_back(&value);
        }

        #[test]
        fn no_template_panics(text in "[{}a-z#\"\\\\: ü]{0,30}") {
            for language in [Language::Json, Language::Form, Language::Text, Language::Url, Language::Header] {
                let custom = custom();
                let _ = Template::parse(&text, language, Vocabulary::Message(&custom)).map(|template| {
                    template.render(Subject { record: &record(), station: "" })
                });
            }
        }
    }
}
