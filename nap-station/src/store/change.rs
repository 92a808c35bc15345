//! What is to be written, decided beforehand.

use serde_json::Value;

use crate::rules::budget::DayCount;
use crate::rules::listing::Standing;
use crate::rules::utc::{Day, Utc};
use crate::rules::verdict::{Reason, Verdict};
use nap_phy::DeviceId;

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
    /// Its place in the queue of the relays.
    pub item: i64,
    /// Its record, but for the ID.
    pub record: Value,
}

/// What is queued for the relays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
    /// A message, for the first time.
    Message,
    /// More of a message.
    Update,
    /// An event.
    Event,
}

impl ItemKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Update => "update",
            Self::Event => "event",
        }
    }

    pub(super) fn of_name(name: &str) -> Option<Self> {
        [Self::Message, Self::Update, Self::Event].into_iter().find(|kind| kind.name() == name)
    }
}

/// What has become of an item at a relay, where its cursor alone does not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// It has arrived, before others that are older.
    Delivered,
    /// It will not arrive; why.
    Dead(String),
    /// It was dead, and is to be tried again.
    Again,
    /// It was dead, and nobody wants it any more.
    Dropped,
    /// As the cursor says.
    Settled,
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
    Item {
        /// Its place in the queue.
        item: i64,
        /// What it is.
        kind: ItemKind,
        /// Where it is.
        row: i64,
    },
    /// All items of a relay up to here are settled.
    DoneThrough {
        /// Which relay.
        relay: i64,
        /// Up to where.
        item: i64,
    },
    /// What has become of one item.
    Delivery {
        /// At which relay.
        relay: i64,
        /// Which item.
        item: i64,
        /// What has.
        delivery: Delivery,
        /// When.
        at: Utc,
    },
}
