//! Events of a station.

use serde_json::{Value, json};

use crate::relay::outbox::Level;
use crate::rules::notice::Notice;
use crate::rules::utc::Utc;

/// Something that happened at the station.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// One of [`EVENT_TYPES`](crate::relay::outbox::EVENT_TYPES).
    pub event_type: &'static str,
    /// How serious it is.
    pub level: Level,
    /// When.
    pub at: Utc,
    /// What else there is to tell; a JSON object.
    pub detail: Value,
    /// Whether people were told of it in other words.
    pub is_said: bool,
}

impl Event {
    /// An event at a time.
    #[must_use]
    pub fn new(event_type: &'static str, level: Level, at: Utc, detail: Value) -> Self {
        Self { event_type, level, at, detail, is_said: false }
    }

    /// The same, of which people were told in other words.
    #[must_use]
    pub fn said(self) -> Self {
        Self { is_said: true, ..self }
    }

    /// What the rules noticed.
    #[must_use]
    pub fn of_notice(notice: &Notice, at: Utc) -> Self {
        let of = |event_type, level, detail| Self::new(event_type, level, at, detail);
        match notice {
            Notice::Refused { device_id, reason, is_last_of_hour } => {
                let detail = json!({
                    "device_id": device_id.to_string(),
                    "reason": reason.name(),
                    "more_untold": is_last_of_hour,
                });
                of("refused", Level::Info, detail)
            }
            Notice::BreakInSequence { device_id, gap } => {
                let detail = json!({ "device_id": device_id.to_string(), "gap": gap });
                of("break_in_message_sequence", Level::Warning, detail)
            }
            Notice::BudgetExhausted { messages_per_day } => {
                let detail = json!({ "messages_per_day": messages_per_day });
                of("budget_exhausted", Level::Warning, detail)
            }
            Notice::Anomaly { reason, count, usual } => {
                let detail = json!({ "reason": reason.name(), "count": count, "usual": usual });
                of("anomaly", Level::Alarm, detail)
            }
            Notice::BlockedFor { device_id, minutes } => {
                let detail =
                    json!({ "device_id": device_id.to_string(), "blocked_minutes": minutes });
                of("anomaly", Level::Alarm, detail)
            }
        }
    }

    /// Its record, but for its ID.
    #[must_use]
    pub fn record(&self) -> Value {
        let mut record = self.detail.clone();
        if let Some(fields) = record.as_object_mut() {
            fields.insert("type".into(), json!(self.event_type));
            fields.insert("level".into(), json!(self.level));
            fields.insert("time".into(), json!(self.at.text()));
        }
        record
    }
}
