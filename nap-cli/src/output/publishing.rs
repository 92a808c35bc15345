//! Events of reception to an MQTT broker.

use std::time::Duration;

use nap_io::counted;
use nap_station::relay::outbox::Kind;
use nap_station::relay::publisher::Publisher;
use serde_json::{Value, json};

/// Who ends waits so long for the broker.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Publishes events, and says when that does not work.
pub struct Publishing {
    publisher: Publisher,
    events: u64,
    told: Option<String>,
}

impl Publishing {
    /// Publishes by a publisher that has been started.
    pub fn new(publisher: Publisher) -> Self {
        Self { publisher, events: 0, told: None }
    }

    /// Publishes an event under the name that it has for those who listen in over HTTP.
    pub fn publish(&mut self, name: &str, mut record: Value) {
        self.tell();
        let n = record["message_id"].as_u64().unwrap_or_default();
        match name {
            "message" => self.publisher.publish(Kind::Message, n, complete(record)),
            "update" => self.publisher.publish(Kind::Update, n, complete(record)),
            "retracted" => {
                record["retracted"] = true.into();
                self.publisher.publish(Kind::Update, n, record);
            }
            _ => self.event(name, record),
        }
    }

    fn event(&mut self, name: &str, mut record: Value) {
        let is_fault = name == "fault";
        record["type"] = if is_fault { "radio_fault" } else { "radio_recovered" }.into();
        record["level"] = if is_fault { "warning" } else { "info" }.into();
        record["time"] = jiff::Timestamp::now().to_string().into();
        self.events += 1;
        self.publisher.publish(Kind::Event, self.events, record);
    }

    /// Ends; whether everything was published.
    pub fn finish(mut self) -> bool {
        self.tell();
        let error = self.publisher.state().last_error;
        let left = self.publisher.finish(TIMEOUT);
        if left > 0 {
            let reason = error.map(|error| format!(": {error}")).unwrap_or_default();
            tracing::error!("{} not published{reason}", counted(left, "message"));
        }
        left == 0
    }

    /// Says what went wrong, once for each kind of it.
    fn tell(&mut self) {
        let error = self.publisher.state().last_error;
        if let Some(error) = error.filter(|error| self.told.as_ref() != Some(error)) {
            tracing::warn!("MQTT: {error}; trying again until it works");
            self.told = Some(error);
        }
    }
}

/// What a station's messages have beside the record.
fn complete(mut record: Value) -> Value {
    record["flags"] = json!([]);
    record["position"] = Value::Null;
    record
}
