//! What is to be written, decided beforehand.

use nap_phy::{DeviceId, Kind as UplinkKind};
use serde_json::Value;

use crate::relay::outbox::Kind;
use crate::rules::budget::DayCount;
use crate::rules::listing::Standing;
use crate::rules::utc::{Day, Utc};
use crate::rules::verdict::{Reason, Verdict};

/// A message as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredMessage {
    /// Its place in the ledger.
    pub row: i64,
    /// Who sent it.
    pub device_id: DeviceId,
    /// Its counter.
    pub counter: u16,
    /// When it was sent, as the rules took it.
    pub at: Utc,
    /// When it was stored.
    pub stored_at: Utc,
    /// What becomes of it.
    pub verdict: Verdict,
    /// What would have been reasons to refuse it.
    pub flags: Vec<Reason>,
    /// The clock that its time is of.
    pub clock: &'static str,
    /// Its place in the queue of the relays, if it goes there.
    pub item: Option<i64>,
    /// Its record.
    pub record: String,
    /// Where the station was, as JSON, if it is not always at the same place.
    pub position: Option<String>,
}

/// What is known of a device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeviceState {
    /// Its last counter, when, and in which row.
    pub last: Option<(u16, Utc, i64)>,
    /// Until when any counter is accepted.
    pub disengaged_until: Option<Utc>,
}

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// Its place in the ledger.
    pub row: i64,
    /// When it happened.
    pub at: Utc,
    /// Its type.
    pub kind: &'static str,
    /// Its record, but for the ID.
    pub record: Value,
}

/// Something that is queued for the relays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its place in the queue: a relay's ticket.
    pub item: i64,
    /// What it is.
    pub kind: Kind,
    /// Of a message and its updates [`DATA`] or [`CONTROL`]; of an event its type.
    pub class: &'static str,
    /// The row of the message or event.
    pub row: i64,
}

/// The class of an application's messages.
pub const DATA: &str = "data";
/// The class of keep-alive messages and confirmations.
pub const CONTROL: &str = "control";

/// The class of messages of a kind.
#[must_use]
pub fn class_of(kind: UplinkKind) -> &'static str {
    match kind {
        UplinkKind::KeepAlive | UplinkKind::DlConfirmation => CONTROL,
        _ => DATA,
    }
}

/// What has become of an item at a relay that its cursor does not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exception {
    /// It has arrived, before others that are older.
    Delivered,
    /// A broker has it; its application has not acknowledged it.
    Published,
    /// It will not arrive; why.
    Dead(String),
    /// It was dead, and is to be tried again.
    Again,
    /// It was dead, and nobody wants it any more.
    Dropped,
    /// Its message was taken back before it went out.
    Void,
}

impl Exception {
    /// Its name in the table, and what else there is to keep.
    pub(super) fn parts(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Delivered => ("delivered", None),
            Self::Published => ("published", None),
            Self::Dead(why) => ("dead", Some(why)),
            Self::Again => ("again", None),
            Self::Dropped => ("dropped", None),
            Self::Void => ("void", None),
        }
    }
}

/// One thing to write.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A message that was not there.
    Message(StoredMessage),
    /// A message's record, with more frames.
    Record {
        /// Which.
        row: i64,
        /// The new one.
        record: String,
    },
    /// A message's time is another one.
    Dated {
        /// Which.
        row: i64,
        /// When it was sent.
        at: Utc,
        /// The clock that this time is of.
        clock: &'static str,
        /// Its record with that time.
        record: String,
    },
    /// A message's verdict is another one.
    Verdict {
        /// Which.
        row: i64,
        /// The new one.
        verdict: Verdict,
        /// Until when it was held, if it was.
        held_until: Option<Utc>,
        /// Its place in the queue, if it has one now.
        item: Option<i64>,
    },
    /// What is known of a device.
    Device(DeviceId, DeviceState),
    /// What was said of a device.
    Standing(DeviceId, Standing),
    /// What was used of a day's budget.
    Day(Day, DayCount),
    /// What was refused in an hour.
    RefusedInHour(i64, Reason, u32),
    /// An event.
    Event(StoredEvent),
    /// Something for the relays.
    Item(Item),
    /// Something that is to be known at the next start; nothing takes it away.
    Setting(&'static str, Option<String>),
}
