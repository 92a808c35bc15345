//! Where a relay takes messages and events from, and whom it tells what became of them.
//!
//! The ledger implements [`Outbox`] once for each relay. Everything a relay knows is in [`Delivery`]:
//! it never sees a database. What is delivered is settled durably before the relay goes on.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;

use crate::error::Error;

/// The ID of a message or event: the ledger's epoch and a number that counts up from 1 in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId {
    /// The epoch of the ledger, eight hexadecimal digits in text.
    pub epoch: u32,
    /// The number within the epoch.
    pub n: u64,
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}-{}", self.epoch, self.n)
    }
}

/// A text is not an epoch, a hyphen and a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an ID is an epoch of 8 hexadecimal digits, a hyphen and a number from 1, such as 0000a1b2-17"
)]
pub struct NoRecordId;

impl FromStr for RecordId {
    type Err = NoRecordId;

    fn from_str(text: &str) -> Result<Self, NoRecordId> {
        let (epoch, n) = text.split_once('-').ok_or(NoRecordId)?;
        Ok(Self { epoch: parse_epoch(epoch).ok_or(NoRecordId)?, n: parse_n(n).ok_or(NoRecordId)? })
    }
}

/// Reads the eight hexadecimal digits of an epoch.
#[must_use]
pub fn parse_epoch(text: &str) -> Option<u32> {
    let is_hex = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| u32::from_str_radix(text, 16).ok()).flatten()
}

fn parse_n(text: &str) -> Option<u64> {
    let is_number = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// What a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A message, told of for the first time.
    Message,
    /// The same message with more frames or a corrected time, or taken back.
    Update,
    /// Something that happened at the station.
    Event,
}

/// Names one delivery to one relay. Later ones have higher numbers; one of the same relay never comes twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Something to be delivered by one relay.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Names it towards the outbox.
    pub ticket: Ticket,
    /// What it is.
    pub kind: Kind,
    /// The ID of the message or event. A message and its updates have the same.
    pub id: RecordId,
    /// It was held back on purpose (budget), so it is late whatever the relay does.
    pub is_late: bool,
    /// The whole JSON object as it stands on the wire: the message's record with `id`, `station`, `flags`,
    /// `clock` and `position`, or the event's. `late` is set by the relay.
    pub record: Value,
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The other side has it.
    Delivered,
    /// The other side's broker has it, its application still has to acknowledge it. It counts as waiting and
    /// is offered again only after [`Outcome::Again`] or a restart. That it was published is kept over a restart.
    Published,
    /// It is to be offered again.
    Again,
    /// The other side will never take it: onto the list of dead letters, with the event `dead_letter`.
    Dead {
        /// Why, for people.
        reason: String,
    },
}

/// What an application's acknowledgement did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Acknowledged {
    /// These were published and are delivered now.
    pub delivered: Vec<Ticket>,
    /// So many numbers are of another epoch, unknown, or were not published on this relay.
    pub ignored: u64,
}

/// How much a relay has of what. Accepted = waiting + relayed + dead.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Messages (without updates and events) that are still to be delivered.
    pub waiting: u64,
    /// Messages that were delivered.
    pub relayed: u64,
    /// Messages on the list of dead letters.
    pub dead: u64,
}

/// All types of events.
pub const EVENT_TYPES: [&str; 20] = [
    "refused",
    "break_in_message_sequence",
    "message_retracted",
    "device_changed",
    "state_changed",
    "fence_entered",
    "fence_left",
    "radio_configuration_changed",
    "backhaul_changed",
    "radio_fault",
    "radio_recovered",
    "clock_changed",
    "disk_low",
    "retention_dropped",
    "budget_exhausted",
    "dead_letter",
    "certificate_expires",
    "hardware_changed",
    "identity_used_elsewhere",
    "anomaly",
];

/// How serious an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Good to know.
    Info,
    /// Somebody should look at it.
    Warning,
    /// Somebody has to do something.
    Alarm,
}

/// An event that a relay tells of.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The type, such as `certificate_expires`.
    pub event_type: &'static str,
    /// How serious it is.
    pub level: Level,
    /// The other fields of the event; a JSON object.
    pub detail: Value,
}

/// What a relay wants to have in its outbox. What it does not want never gets a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wishes {
    /// Keep-alive messages and confirmations of downlinks too.
    pub control: bool,
    /// Updates too.
    pub updates: bool,
    /// Events of these types.
    pub events: WantedEvents,
    /// Where a relay begins whose name is new.
    pub from: Beginning,
}

/// Which events a relay wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WantedEvents {
    /// All types.
    All,
    /// Those of these types.
    Types(Vec<String>),
}

impl WantedEvents {
    /// Whether events of a type are wanted.
    #[must_use]
    pub fn include(&self, event_type: &str) -> bool {
        match self {
            Self::All => true,
            Self::Types(types) => types.iter().any(|wanted| wanted == event_type),
        }
    }
}

/// Where a relay begins whose name is new.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Beginning {
    /// With what is accepted from now on.
    #[default]
    Now,
    /// With the oldest message that the ledger still has.
    Start,
}

/// What one relay takes from and settles with.
///
/// Calls may wait for a disk: relays make them on a thread where that does no harm. All changes are
/// durable when a call returns; several may share a commit.
pub trait Outbox: Send + Sync + 'static {
    /// At most `limit` deliveries with tickets in `tickets` that wait, lowest ticket first. They are taken: they are not
    /// offered again before they are settled with [`Outcome::Again`], or after a restart. Messages whose time is not
    /// known yet are not offered until it is, or they have waited long enough.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn take(&self, tickets: RangeInclusive<u64>, limit: usize) -> Result<Vec<Delivery>, Error>;

    /// Says what became of deliveries. Tickets that are unknown or finished already are passed over.
    ///
    /// # Errors
    /// If it cannot be stored; then nothing of it counts, and the same call may be made again.
    fn settle(&self, outcomes: Vec<(Ticket, Outcome)>) -> Result<(), Error>;

    /// The application on the other side says that it has stored these numbers of an epoch. Only what was
    /// [`Published`](Outcome::Published) on this relay becomes delivered.
    ///
    /// # Errors
    /// If it cannot be stored.
    fn acknowledge(
        &self,
        epoch: u32,
        ranges: &[RangeInclusive<u64>],
    ) -> Result<Acknowledged, Error>;

    /// How much waits, was relayed, and is dead.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn counts(&self) -> Result<Counts, Error>;

    /// Makes an event of something that the relay noticed.
    fn report(&self, report: Report);

    /// The highest ticket that was given so far, and news whenever there is a higher one or a waiting one has come back
    /// (of a dead letter that is tried again, of a held message): the receiver is then marked as changed.
    fn newest(&self) -> watch::Receiver<u64>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_an_epoch_and_a_number() {
        let id = RecordId { epoch: 0xa1b2, n: 17 };
        assert_eq!(id.to_string(), "0000a1b2-17");
        assert_eq!("0000a1b2-17".parse(), Ok(id));
        for wrong in [
            "",
            "0000a1b2",
            "0000a1b2-",
            "0000a1b2-0",
            "0000a1b2-017",
            "a1b2-17",
            "0000a1b2-+1",
            "+000a1b2-1",
        ] {
            assert_eq!(wrong.parse::<RecordId>(), Err(NoRecordId), "{wrong}");
        }
        assert!(format!("0000a1b2-{}0", u64::MAX).parse::<RecordId>().is_err());
    }
}
