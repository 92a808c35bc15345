//! The connection that writes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nap_phy::DeviceId;
use rusqlite::{Connection, OpenFlags, Transaction, params};

use crate::error::Error;
use crate::rules::Remembered;
use crate::rules::listing::Standing;
use crate::rules::utc::Utc;
use crate::rules::verdict::{Reason, Verdict};
use crate::store::change::{Change, Delivery, DeviceState, StoredEvent, StoredMessage};
use crate::store::epoch::Epochs;
use crate::store::folder::ledger_path;
use crate::store::message_id::LedgerId;
use crate::store::remembered;
use crate::store::schema;

/// The ledger, for the one who writes.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    connection: Connection,
    epochs: Epochs,
}

/// The numbers that come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextNumbers {
    /// Of a message.
    pub row: i64,
    /// Of an event.
    pub event: i64,
    /// Of an item for the relays.
    pub item: i64,
}

/// How a ledger was found at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// There was none.
    New,
    /// It goes on.
    Same,
    /// It is of other hardware: another epoch has begun.
    OtherHardware,
}

impl Ledger {
    /// Opens the ledger in a state folder for writing, makes it where there is none, and brings an older one
    /// up to date. Where the hardware is not the one of the last start, a new epoch begins.
    ///
    /// # Errors
    /// [`Error::Ledger`] for what SQLite does not do, [`Error::NewerLedger`] for one of a later version.
    pub fn open(state: &Path, hardware: &str, now: Utc) -> Result<(Self, Found), Error> {
        let path = ledger_path(state);
        let mut connection = Connection::open(&path)?;
        schema::prepare(&mut connection)?;
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(&path, private).map_err(Error::io(&path, "set the mode of"))?;
        let epochs = Epochs::load(&connection)?;
        let mut ledger = Self { path, connection, epochs };
        let found = match ledger.epochs.current() {
            None => Found::New,
            Some(current) if current.hardware == hardware => return Ok((ledger, Found::Same)),
            Some(_) => Found::OtherHardware,
        };
        let next = ledger.next_numbers()?;
        let transaction = ledger.connection.transaction()?;
        ledger.epochs.begin(&transaction, (next.row, next.event), hardware, now)?;
        transaction.commit()?;
        Ok((ledger, found))
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The numbers that come next.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn next_numbers(&self) -> Result<NextNumbers, Error> {
        let next = |table: &str, column: &str| -> Result<i64, Error> {
            let sql = format!("SELECT coalesce(max({column}), 0) + 1 FROM {table}");
            Ok(self.connection.query_row(&sql, [], |row| row.get(0))?)
        };
        Ok(NextNumbers {
            row: next("messages", "row")?,
            event: next("events", "row")?,
            item: next("outgoing", "item")?,
        })
    }

    /// The ID of the message in a row.
    #[must_use]
    pub fn message_id(&self, row: i64) -> LedgerId {
        self.epochs.message_id(row)
    }

    /// What the rules have to know of the time before.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn remembered(&self) -> Result<Remembered, Error> {
        remembered::load(&self.connection)
    }

    /// What was said of devices.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn standings(&self) -> Result<Vec<(DeviceId, Standing)>, Error> {
        remembered::standings(&self.connection)
    }

    /// The messages that were held on former days, the oldest first: their rows and times.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn held_before(&self, day_start: Utc, limit: u32) -> Result<Vec<i64>, Error> {
        let sql = "SELECT row FROM messages WHERE verdict = 'held' AND at < ? ORDER BY row LIMIT ?";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(params![day_start.0, limit], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Writes all changes, or none of them: when this returns, they stay after a loss of power.
    ///
    /// # Errors
    /// [`Error::Ledger`]: nothing is written.
    pub fn write(&mut self, changes: &[Change]) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        for change in changes {
            write(&transaction, change)?;
        }
        Ok(transaction.commit()?)
    }

    /// The connection, for the parts of the store that write.
    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

/// A connection that only reads, beside the one that writes.
pub(super) fn reader(state: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(ledger_path(state), flags)?;
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -1000;")?;
    schema::check_version(&connection)?;
    Ok(connection)
}

fn write(transaction: &Transaction<'_>, change: &Change) -> Result<(), Error> {
    match change {
        Change::Message(message) => insert_message(transaction, message),
        Change::Record { row, record } => {
            let sql = "UPDATE messages SET record = ? WHERE row = ?";
            run(transaction, sql, params![record, row])
        }
        Change::Verdict { row, verdict, held_until, item } => {
            let sql = "UPDATE messages SET verdict = ?, reason = ?, held_until = coalesce(?, held_until), \
                       item = coalesce(?, item) WHERE row = ?";
            let reason = verdict.reason().map(Reason::name);
            let held_until = held_until.map(|until| until.0);
            run(transaction, sql, params![verdict.name(), reason, held_until, item, row])
        }
        Change::Device(device_id, state) => write_device(transaction, *device_id, state),
        Change::Standing(device_id, standing) => write_standing(transaction, *device_id, standing),
        Change::Day(day, count) => {
            let sql = "INSERT OR REPLACE INTO days (day, accepted, released) VALUES (?, ?, ?)";
            run(transaction, sql, params![day.0, count.accepted, count.released])
        }
        Change::RefusedInHour(hour, reason, count) => {
            let sql = "INSERT OR REPLACE INTO refused_hours (hour, reason, count) VALUES (?, ?, ?)";
            run(transaction, sql, params![hour, reason.name(), count])
        }
        Change::Event(event) => insert_event(transaction, event),
        Change::Item { item, kind, row } => {
            let sql = "INSERT INTO outgoing (item, kind, row) VALUES (?, ?, ?)";
            run(transaction, sql, params![item, kind.name(), row])
        }
        Change::DoneThrough { relay, item } => done_through(transaction, *relay, *item),
        Change::Delivery { relay, item, delivery, at } => {
            write_delivery(transaction, (*relay, *item), delivery, *at)
        }
    }
}

fn run(
    transaction: &Transaction<'_>,
    sql: &str,
    values: impl rusqlite::Params,
) -> Result<(), Error> {
    transaction.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

fn insert_message(transaction: &Transaction<'_>, message: &StoredMessage) -> Result<(), Error> {
    let sql = "INSERT INTO messages (row, device, counter, at, stored_at, verdict, reason, flags, clock, \
               item, record) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let flags: Vec<&str> = message.flags.iter().map(|flag| flag.name()).collect();
    let values = params![
        message.row,
        message.device_id.0,
        message.counter,
        message.at.0,
        message.stored_at.0,
        message.verdict.name(),
        message.verdict.reason().map(Reason::name),
        flags.join(" "),
        message.clock,
        message.item,
        message.record,
    ];
    run(transaction, sql, values)
}

fn write_device(
    transaction: &Transaction<'_>,
    device_id: DeviceId,
    state: &DeviceState,
) -> Result<(), Error> {
    let sql = "INSERT INTO devices (device, counter, at, row, disengaged_until) VALUES (?, ?, ?, ?, ?) \
               ON CONFLICT (device) DO UPDATE SET counter = excluded.counter, at = excluded.at, \
               row = excluded.row, disengaged_until = excluded.disengaged_until";
    let (counter, at, row) = match state.last {
        Some((counter, at, row)) => (Some(counter), Some(at.0), Some(row)),
        None => (None, None, None),
    };
    let until = state.disengaged_until.map(|until| until.0);
    run(transaction, sql, params![device_id.0, counter, at, row, until])
}

fn write_standing(
    transaction: &Transaction<'_>,
    device_id: DeviceId,
    standing: &Standing,
) -> Result<(), Error> {
    let sql = "INSERT INTO devices (device, is_admitted, is_blocked, blocked_until) VALUES (?, ?, ?, ?) \
               ON CONFLICT (device) DO UPDATE SET is_admitted = excluded.is_admitted, \
               is_blocked = excluded.is_blocked, blocked_until = excluded.blocked_until";
    let until = standing.blocked.flatten().map(|until| until.0);
    let values = params![device_id.0, standing.is_admitted, standing.blocked.is_some(), until];
    run(transaction, sql, values)
}

fn insert_event(transaction: &Transaction<'_>, event: &StoredEvent) -> Result<(), Error> {
    let sql = "INSERT INTO events (row, at, type, item, record) VALUES (?, ?, ?, ?, ?)";
    let record = event.record.to_string();
    run(transaction, sql, params![event.row, event.at.0, event.kind, event.item, record])
}

/// Moves a relay's cursor; what had arrived before its turn need not be listed any more.
fn done_through(transaction: &Transaction<'_>, relay: i64, item: i64) -> Result<(), Error> {
    run(transaction, "UPDATE relays SET done_through = ? WHERE relay = ?", params![item, relay])?;
    let sql = "DELETE FROM deliveries WHERE relay = ? AND item <= ? AND state = 'delivered'";
    run(transaction, sql, params![relay, item])
}

fn write_delivery(
    transaction: &Transaction<'_>,
    (relay, item): (i64, i64),
    delivery: &Delivery,
    at: Utc,
) -> Result<(), Error> {
    let (state, detail) = match delivery {
        Delivery::Settled => {
            let sql = "DELETE FROM deliveries WHERE relay = ? AND item = ?";
            return run(transaction, sql, params![relay, item]);
        }
        Delivery::Delivered => ("delivered", None),
        Delivery::Dead(why) => ("dead", Some(why)),
        Delivery::Again => ("again", None),
        Delivery::Dropped => ("dropped", None),
    };
    let sql =
        "INSERT OR REPLACE INTO deliveries (relay, item, state, at, detail) VALUES (?, ?, ?, ?, ?)";
    run(transaction, sql, params![relay, item, state, at.0, detail])
}

/// The verdict in a row of the table.
pub(super) fn verdict_of(name: &str, reason: Option<&str>) -> Verdict {
    // Only this program writes the table.
    Verdict::of_names(name, reason).unwrap_or(Verdict::Refused(Reason::Retracted))
}
