//! What the rules have to know of a message.

use nap_phy::schema::MessageRecord;
use nap_phy::{Authentication, DeviceId, MessageCounter};

use crate::rules::utc::Utc;

/// What the rules have to know of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Who says that it was the sender.
    pub device_id: DeviceId,
    /// The message counter.
    pub counter: MessageCounter,
    /// What tells it from another message with the same counter.
    pub content: String,
    /// What the tag tells.
    pub auth: Authentication,
    /// When it was sent.
    pub at: Utc,
}

impl Heard {
    /// What a record tells, of a message sent at `at`.
    #[must_use]
    pub fn of_record(record: &MessageRecord, at: Utc) -> Self {
        let control = record.control;
        let content = format!(
            "{:?} {} {} {:?}",
            record.kind,
            record.payload,
            record.bidirectional,
            (
                control.voltage_idle_mv,
                control.voltage_tx_mv,
                control.temperature_decidegree_c,
                control.rssi_dbm_at_device
            )
        );
        Self {
            device_id: record.device_id,
            counter: record.sequence_number,
            content,
            auth: record.auth,
            at,
        }
    }
}
