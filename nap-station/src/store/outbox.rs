//! The ledger as relays see it.

use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, params};

use crate::error::Error;
use crate::relay::outbox::{Counts, Delivery, Kind};
use crate::rules::utc::Utc;
use crate::store::epoch::Epochs;
use crate::store::ledger::reader;
use crate::store::queue::{self, Hands, Queued};
use crate::store::relay_end::RelayEnd;
use crate::store::settlement::{item_of, ticket_of};
use crate::store::wire::{MessageRow, Sender};

/// What a relay reads of the ledger: what waits for it, as it is sent.
#[derive(Debug)]
pub struct Waiting {
    connection: Mutex<Connection>,
    epochs: Epochs,
    sender: Sender,
    end: RelayEnd,
}

/// What a relay has taken.
#[derive(Debug, Default)]
pub struct Took {
    /// What is to be delivered.
    pub deliveries: Vec<Delivery>,
    /// Items that need not be sent any more: they are to be settled as delivered.
    pub idle: Vec<i64>,
}

impl Waiting {
    /// Reads beside the one who writes.
    ///
    /// # Errors
    /// [`Error::Ledger`] if the ledger cannot be opened.
    pub fn open(state: &Path, sender: Sender, end: RelayEnd) -> Result<Self, Error> {
        let connection = reader(state)?;
        let epochs = Epochs::load(&connection)?;
        Ok(Self { connection: Mutex::new(connection), epochs, sender, end })
    }

    /// Takes at most `limit` deliveries, the oldest first.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn take(&self, items: &RangeInclusive<i64>, limit: usize) -> Result<Took, Error> {
        let connection = self.connection();
        let mut taken = self.end.taken();
        let kept_back = self.end.kept_back().clone();
        let hands = Hands { taken: &taken, kept_back: &kept_back };
        let (queued, idle) = queue::take(&connection, &self.end.end, items, limit, hands)?;
        let mut took = Took { deliveries: Vec::with_capacity(queued.len()), idle };
        for one in queued {
            match self.delivery(&connection, &one)? {
                Some(delivery) => took.deliveries.push(delivery),
                None => took.idle.push(one.item),
            }
        }
        let items = took.deliveries.iter().map(|one| item_of(one.ticket));
        taken.extend(items.chain(took.idle.iter().copied()));
        Ok(took)
    }

    /// How much waits, was delivered, and is dead.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn counts(&self) -> Result<Counts, Error> {
        queue::counts(&self.connection(), &self.end.end)
    }

    /// How many messages are still to be delivered.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn waiting(&self) -> Result<u64, Error> {
        queue::waiting(&self.connection(), &self.end.end)
    }

    /// How much of anything is still to be delivered.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn left(&self) -> Result<u64, Error> {
        queue::left(&self.connection(), &self.end.end)
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is sent; `None` if its row has gone.
    fn delivery(
        &self,
        connection: &Connection,
        queued: &Queued,
    ) -> Result<Option<Delivery>, Error> {
        let (id, is_late, record) = if queued.kind == Kind::Event {
            let id = self.epochs.event_id(queued.row);
            let record = event_row(connection, queued.row)?;
            (id, false, record.and_then(|record| self.sender.event(&id, &record)))
        } else {
            let id = self.epochs.message_id(queued.row);
            let row = message_row(connection, queued.row)?;
            let is_late = row.as_ref().is_some_and(|row| row.held_until.is_some());
            let record = row.and_then(|row| self.sender.message(queued.kind, &id, &row));
            (id, is_late, record)
        };
        let (ticket, kind) = (ticket_of(queued.item), queued.kind);
        Ok(record.map(|record| Delivery { ticket, kind, id, is_late, record }))
    }
}

fn event_row(connection: &Connection, row: i64) -> Result<Option<String>, Error> {
    let mut statement = connection.prepare_cached("SELECT record FROM events WHERE row = ?")?;
    let mut rows = statement.query([row])?;
    Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
}

fn message_row(connection: &Connection, row: i64) -> Result<Option<MessageRow>, Error> {
    let sql = "SELECT record, flags, clock, held_until, verdict = 'refused', position FROM messages \
               WHERE row = ?";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![row])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let held_until: Option<i64> = row.get(3)?;
    Ok(Some(MessageRow {
        record: row.get(0)?,
        flags: row.get(1)?,
        clock: row.get(2)?,
        held_until: held_until.map(|until| Utc(until).text()),
        is_retracted: row.get(4)?,
        position: row.get(5)?,
    }))
}
