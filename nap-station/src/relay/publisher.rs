//! Messages to a broker without a ledger: what waits is in memory, and gone with the process.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime;
use tokio::sync::watch;

use crate::error::Error;
use crate::relay::context::Context;
use crate::relay::options::{MqttOptions, Options};
use crate::relay::outbox::{
    Acknowledged, Counts, Delivery, Kind, Outbox, Outcome, RecordId, Report, Ticket,
};
use crate::relay::spawn::spawn;
use crate::relay::state::{Phase, RelayState};

/// So much waits for a broker at most; then the oldest goes.
const MAX_WAITING: usize = 10_000;
/// How often to look whether all has gone.
const LOOK: Duration = Duration::from_millis(20);

/// Publishes records of messages as they come.
#[derive(Debug)]
pub struct Publisher {
    station: String,
    epoch: u32,
    outbox: Arc<MemoryOutbox>,
    phase: watch::Sender<Phase>,
    _status: watch::Sender<Value>,
    state: watch::Receiver<RelayState>,
    thread: thread::JoinHandle<()>,
}

impl Publisher {
    /// Connects in the background, and again whenever that is needed.
    ///
    /// # Errors
    /// If the options cannot be used.
    pub fn start(options: MqttOptions, station: &str) -> Result<Self, Error> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.map_err(Error::io(Path::new(&options.url), "set up a runtime for"))?;
        let epoch = RandomState::new().build_hasher().finish() as u32;
        let status = json!({"state": "active", "boot_id": format!("{epoch:08x}"), "version": env!("CARGO_PKG_VERSION")});
        let ((status, statuses), (phase, phases)) =
            (watch::channel(status), watch::channel(Phase::Running));
        let outbox = Arc::new(MemoryOutbox::default());
        let context = Context::new(station, Path::new(""), statuses);
        let entered = runtime.enter();
        let handle =
            spawn("mqtt", &Options::Mqtt(options), context, Arc::clone(&outbox) as _, phases)?;
        drop(entered);
        let state = handle.listen();
        let thread = thread::spawn(move || runtime.block_on(handle.ended()));
        Ok(Self { station: station.into(), epoch, outbox, phase, _status: status, state, thread })
    }

    /// Publishes a record with the number that it has in this run. A message and its updates have the same.
    pub fn publish(&self, kind: Kind, n: u64, mut record: Value) {
        let id = RecordId { epoch: self.epoch, n };
        record["id"] = match kind {
            Kind::Event => format!("{:08x}-e{n}", self.epoch).into(),
            Kind::Message | Kind::Update => id.to_string().into(),
        };
        record["station"] = self.station.as_str().into();
        self.outbox.put(kind, id, record);
    }

    /// How it is doing.
    #[must_use]
    pub fn state(&self) -> RelayState {
        self.state.borrow().clone()
    }

    /// Ends when everything has been published, or after `timeout`; so many are left, and were lost before for want of room.
    pub fn finish(self, timeout: Duration) -> u64 {
        self.phase.send_replace(Phase::Draining);
        let end = Instant::now() + timeout;
        while self.outbox.left() > 0 && Instant::now() < end && !self.thread.is_finished() {
            thread::sleep(LOOK);
        }
        self.phase.send_replace(Phase::Stopping);
        // A thread that panicked has ended, too.
        let _ = self.thread.join();
        self.outbox.left() + self.outbox.entries().lost
    }
}

#[derive(Debug, Default)]
struct MemoryOutbox {
    entries: Mutex<Entries>,
    newest: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Entries {
    /// By ticket; and whether it is on its way.
    waiting: BTreeMap<u64, (Delivery, bool)>,
    newest: u64,
    relayed: u64,
    dead: u64,
    lost: u64,
}

impl MemoryOutbox {
    fn put(&self, kind: Kind, id: RecordId, record: Value) {
        let mut entries = self.entries();
        entries.newest += 1;
        let ticket = entries.newest;
        let delivery = Delivery { ticket: Ticket(ticket), kind, id, is_late: false, record };
        entries.waiting.insert(ticket, (delivery, false));
        if entries.waiting.len() > MAX_WAITING && entries.waiting.pop_first().is_some() {
            entries.lost += 1;
        }
        drop(entries);
        self.newest.send_replace(ticket);
    }

    fn left(&self) -> u64 {
        self.entries().waiting.len() as u64
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outbox for MemoryOutbox {
    fn take(&self, tickets: RangeInclusive<u64>, limit: usize) -> Result<Vec<Delivery>, Error> {
        let mut entries = self.entries();
        let waiting = entries.waiting.range_mut(tickets).map(|(_, entry)| entry);
        let take = |entry: &mut (Delivery, bool)| {
            entry.1 = true;
            entry.0.clone()
        };
        Ok(waiting.filter(|(_, is_taken)| !is_taken).take(limit).map(take).collect())
    }

    fn settle(&self, outcomes: Vec<(Ticket, Outcome)>) -> Result<(), Error> {
        let mut entries = self.entries();
        for (ticket, outcome) in outcomes {
            match outcome {
                Outcome::Again => {
                    if let Some((_, is_taken)) = entries.waiting.get_mut(&ticket.0) {
                        *is_taken = false;
                    }
                }
                Outcome::Delivered | Outcome::Published => {
                    entries.relayed += u64::from(entries.waiting.remove(&ticket.0).is_some());
                }
                Outcome::Dead { .. } => {
                    entries.dead += u64::from(entries.waiting.remove(&ticket.0).is_some());
                }
            }
        }
        Ok(())
    }

    fn acknowledge(
        &self,
        _epoch: u32,
        _ranges: &[RangeInclusive<u64>],
    ) -> Result<Acknowledged, Error> {
        Ok(Acknowledged::default())
    }

    fn counts(&self) -> Result<Counts, Error> {
        let entries = self.entries();
        Ok(Counts {
            waiting: entries.waiting.len() as u64,
            relayed: entries.relayed,
            dead: entries.dead,
        })
    }

    fn report(&self, _report: Report) {}

    fn newest(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_bounded_and_the_oldest_goes() {
        let outbox = MemoryOutbox::default();
        for n in 0..MAX_WAITING as u64 + 2 {
            outbox.put(Kind::Message, RecordId { epoch: 1, n }, Value::Null);
        }
        assert_eq!((outbox.left(), outbox.entries().lost), (MAX_WAITING as u64, 2));
        let taken = outbox.take(0..=u64::MAX, 2).unwrap();
        assert_eq!((taken[0].ticket, taken[1].ticket), (Ticket(3), Ticket(4)));
        outbox.settle(vec![(Ticket(3), Outcome::Delivered), (Ticket(4), Outcome::Again)]).unwrap();
        assert_eq!(outbox.take(0..=u64::MAX, 1).unwrap()[0].ticket, Ticket(4));
        assert_eq!(outbox.counts().unwrap().relayed, 1);
    }
}
