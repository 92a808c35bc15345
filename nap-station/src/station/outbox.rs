//! The ledger, as a relay's outbox.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use tokio::sync::watch;

use crate::error::Error;
use crate::relay::outbox::{Acknowledged, Counts, Delivery, Outbox, Outcome, Report, Ticket};
use crate::station::clock::{StationClock, utc_by};
use crate::station::event::Event;
use crate::station::keeper::Command;
use crate::store::outbox::Waiting;
use crate::store::settlement::ticket_of;

/// What one relay takes from the ledger, and tells it.
#[derive(Debug)]
pub struct LedgerOutbox {
    relay: usize,
    waiting: Waiting,
    commands: SyncSender<Command>,
    newest: watch::Receiver<u64>,
    clock: Option<Arc<StationClock>>,
}

impl LedgerOutbox {
    /// The outbox of the relay at this place in the configuration.
    #[must_use]
    pub fn new(
        relay: usize,
        waiting: Waiting,
        commands: SyncSender<Command>,
        newest: watch::Receiver<u64>,
        clock: Option<Arc<StationClock>>,
    ) -> Self {
        Self { relay, waiting, commands, newest, clock }
    }

    /// How much of anything is still to be delivered.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn left(&self) -> Result<u64, Error> {
        self.waiting.left()
    }

    /// How many messages are still to be delivered.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn waiting(&self) -> Result<u64, Error> {
        self.waiting.waiting()
    }

    fn send(&self, command: Command) -> Result<(), Error> {
        self.commands.send(command).map_err(|_| stopped())
    }
}

impl Outbox for LedgerOutbox {
    fn take(&self, tickets: RangeInclusive<u64>, limit: usize) -> Result<Vec<Delivery>, Error> {
        let bound = |ticket: u64| i64::try_from(ticket).unwrap_or(i64::MAX);
        let items = bound(*tickets.start())..=bound(*tickets.end());
        let took = self.waiting.take(&items, limit)?;
        if !took.idle.is_empty() {
            let idle = took.idle.into_iter().map(|item| (ticket_of(item), Outcome::Delivered));
            self.send(Command::Settle {
                relay: self.relay,
                outcomes: idle.collect(),
                reply: None,
            })?;
        }
        Ok(took.deliveries)
    }

    fn settle(&self, outcomes: Vec<(Ticket, Outcome)>) -> Result<(), Error> {
        if outcomes.is_empty() {
            return Ok(());
        }
        let (reply, answer) = sync_channel(1);
        self.send(Command::Settle { relay: self.relay, outcomes, reply: Some(reply) })?;
        wait(&answer)
    }

    fn acknowledge(
        &self,
        epoch: u32,
        ranges: &[RangeInclusive<u64>],
    ) -> Result<Acknowledged, Error> {
        let (reply, answer) = sync_channel(1);
        let (relay, ranges) = (self.relay, ranges.to_vec());
        self.send(Command::Acknowledge { relay, epoch, ranges, reply })?;
        wait(&answer)
    }

    fn counts(&self) -> Result<Counts, Error> {
        self.waiting.counts()
    }

    fn report(&self, report: Report) {
        let Report { event_type, level, detail } = report;
        // A station that stops has no use for it.
        let at = utc_by(self.clock.as_deref());
        drop(self.send(Command::Event(Event::new(event_type, level, at, detail))));
    }

    fn newest(&self) -> watch::Receiver<u64> {
        self.newest.clone()
    }
}

fn wait<T>(answer: &Receiver<Result<T, Error>>) -> Result<T, Error> {
    answer.recv().unwrap_or_else(|_| Err(stopped()))
}

fn stopped() -> Error {
    Error::NotStored { problem: "the station has stopped".into() }
}
