//! An outbox in memory.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nap_station::Error;
use nap_station::relay::outbox::{
    Acknowledged, Counts, Delivery, Kind, Outbox, Outcome, RecordId, Report, Ticket,
};
use serde_json::{Value, json};
use tokio::sync::watch;

pub const STATION: &str = "0011223344556677";
pub const EPOCH: u32 = 0xa1b2;

#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    Waiting,
    Taken,
    Published,
    Delivered,
    Dead(String),
}

pub struct MemoryOutbox {
    entries: Mutex<BTreeMap<u64, (Delivery, Place)>>,
    pub reports: Mutex<Vec<Report>>,
    newest: watch::Sender<u64>,
}

impl MemoryOutbox {
    pub fn new() -> Arc<Self> {
        let newest = watch::Sender::new(0);
        Arc::new(Self { entries: Mutex::default(), reports: Mutex::default(), newest })
    }

    /// Stores so many messages more.
    pub fn store(&self, count: u64) {
        for _ in 0..count {
            let n = *self.newest.borrow() + 1;
            self.put(n, Kind::Message, message(n));
        }
    }

    pub fn put(&self, n: u64, kind: Kind, record: Value) {
        let id = RecordId { epoch: EPOCH, n };
        let delivery = Delivery { ticket: Ticket(n), kind, id, is_late: false, record };
        self.entries().insert(n, (delivery, Place::Waiting));
        self.newest.send_replace(n);
    }

    pub fn place(&self, n: u64) -> Place {
        self.entries()[&n].1.clone()
    }

    pub fn count(&self, is: impl Fn(&Place) -> bool) -> usize {
        self.entries().values().filter(|(_, place)| is(place)).count()
    }

    pub fn delivered(&self) -> usize {
        self.count(|place| *place == Place::Delivered)
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<u64, (Delivery, Place)>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A message as a ledger would store it.
pub fn message(n: u64) -> Value {
    json!({
        "type": "message", "schema": 1, "id": RecordId { epoch: EPOCH, n }.to_string(), "station": STATION,
        "device_id": "004D33DB", "sequence_number": n % 4096, "kind": "bytes", "payload": "18fc",
        "time": "2026-11-23T06:16:00.123456Z", "bidirectional": false, "rssi_dbm": -118.2, "snr_db": 12.3,
        "frequency_hz": 868_131_234.5, "flags": [], "clock": "ntp", "position": null,
    })
}

impl Outbox for MemoryOutbox {
    fn take(&self, tickets: RangeInclusive<u64>, limit: usize) -> Result<Vec<Delivery>, Error> {
        let mut entries = self.entries();
        let waiting = entries.range_mut(tickets).map(|(_, entry)| entry);
        let taken = waiting.filter(|(_, place)| *place == Place::Waiting).take(limit);
        Ok(taken
            .map(|(delivery, place)| {
                *place = Place::Taken;
                delivery.clone()
            })
            .collect())
    }

    fn settle(&self, outcomes: Vec<(Ticket, Outcome)>) -> Result<(), Error> {
        let mut is_waiting = false;
        for (ticket, outcome) in outcomes {
            let mut entries = self.entries();
            let Some((_, place)) = entries.get_mut(&ticket.0) else { continue };
            *place = match outcome {
                Outcome::Delivered => Place::Delivered,
                Outcome::Published => Place::Published,
                Outcome::Again => Place::Waiting,
                Outcome::Dead { reason } => Place::Dead(reason),
            };
            is_waiting |= *place == Place::Waiting;
        }
        if is_waiting {
            self.newest.send_modify(|_| {});
        }
        Ok(())
    }

    fn acknowledge(
        &self,
        epoch: u32,
        ranges: &[RangeInclusive<u64>],
    ) -> Result<Acknowledged, Error> {
        let mut acknowledged = Acknowledged::default();
        let mut entries = self.entries();
        for n in ranges.iter().cloned().flatten() {
            match entries.get_mut(&n) {
                Some((_, place)) if epoch == EPOCH && *place == Place::Published => {
                    *place = Place::Delivered;
                    acknowledged.delivered.push(Ticket(n));
                }
                _ => acknowledged.ignored += 1,
            }
        }
        Ok(acknowledged)
    }

    fn counts(&self) -> Result<Counts, Error> {
        let count = |is: &dyn Fn(&Place) -> bool| self.count(is) as u64;
        Ok(Counts {
            waiting: count(&|place| {
                matches!(place, Place::Waiting | Place::Taken | Place::Published)
            }),
            relayed: count(&|place| *place == Place::Delivered),
            dead: count(&|place| matches!(place, Place::Dead(_))),
        })
    }

    fn report(&self, report: Report) {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner).push(report);
    }

    fn newest(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }
}
