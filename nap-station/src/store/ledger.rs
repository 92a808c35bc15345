//! The connection that writes.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nap_phy::DeviceId;
use rusqlite::{Connection, OpenFlags, Transaction, params};

use crate::error::Error;
use crate::relay::outbox::{Acknowledged, Kind, RecordId, Wishes};
use crate::rules::judge::Remembered;
use crate::rules::listing::Standing;
use crate::rules::utc::{Day, Utc};
use crate::rules::verdict::{Reason, Verdict};
use crate::store::change::{Change, DeviceState, StoredEvent, StoredMessage};
use crate::store::epoch::Epochs;
use crate::store::folder::{self, ledger_path};
use crate::store::kind_name::{kind_name, kind_of_name};
use crate::store::queue::{self, Left, QueueEnd};
use crate::store::relay_end::RelayEnd;
use crate::store::remembered;
use crate::store::schema;
use crate::store::settlement::Settlement;
use crate::store::wire::event_id;

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

/// A message whose time of day was not known when it was stored.
#[derive(Debug, Clone, PartialEq)]
pub struct UndatedRow {
    /// Its row.
    pub row: i64,
    /// When it was sent, in running time.
    pub at: Utc,
    /// What became of it.
    pub verdict: Option<Verdict>,
    /// Its place in the queue, if it has one.
    pub item: Option<i64>,
    /// Its record.
    pub record: String,
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
    pub fn message_id(&self, row: i64) -> RecordId {
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
    pub fn held_before(&self, day_start: Utc, limit: u32) -> Result<Vec<(i64, Utc)>, Error> {
        let sql = "SELECT row, at FROM messages WHERE verdict = 'held' AND at < ? ORDER BY at, row LIMIT ?";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement
            .query_map(params![day_start.0, limit], |row| Ok((row.get(0)?, Utc(row.get(1)?))))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The connection, for the parts of the store that write.
    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// How many messages of each date are held.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn held(&self) -> Result<BTreeMap<Day, u64>, Error> {
        let mut statement =
            self.connection.prepare("SELECT at FROM messages WHERE verdict = 'held'")?;
        let mut rows = statement.query([])?;
        let mut held = BTreeMap::new();
        while let Some(row) = rows.next()? {
            *held.entry(Utc(row.get(0)?).day()).or_default() += 1;
        }
        Ok(held)
    }

    /// The record of the message in a row, if it is there.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn record(&self, row: i64) -> Result<Option<String>, Error> {
        let mut statement =
            self.connection.prepare_cached("SELECT record FROM messages WHERE row = ?")?;
        let mut rows = statement.query([row])?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
    }

    /// Messages from a row on whose time of day was not known when they were stored, in the order of their rows.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn undated(&self, first_row: i64) -> Result<Vec<UndatedRow>, Error> {
        let sql = "SELECT row, at, verdict, reason, item, record FROM messages \
                   WHERE row >= ? AND clock = 'none' ORDER BY row";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([first_row], |row| {
            let (verdict, reason): (String, Option<String>) = (row.get(2)?, row.get(3)?);
            Ok(UndatedRow {
                row: row.get(0)?,
                at: Utc(row.get(1)?),
                verdict: Verdict::of_names(&verdict, reason.as_deref()),
                item: row.get(4)?,
                record: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The time of the newest message, by its row; `None` if there is none.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn newest_at(&self) -> Result<Option<Utc>, Error> {
        let sql = "SELECT max(at) FROM (SELECT at FROM messages ORDER BY row DESC LIMIT 1000)";
        Ok(self
            .connection
            .query_row(sql, [], |row| row.get(0))
            .map(|at: Option<i64>| at.map(Utc))?)
    }

    /// What was stored under a name for the next start.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn setting(&self, name: &str) -> Result<Option<String>, Error> {
        let mut statement = self.connection.prepare("SELECT value FROM settings WHERE name = ?")?;
        let mut rows = statement.query([name])?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
    }

    /// The ID of what is in the queue, if it is there.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn id_of_item(&self, item: i64) -> Result<Option<String>, Error> {
        let sql = "SELECT kind, row FROM outgoing WHERE item = ?";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([item])?;
        let Some(found) = rows.next()? else { return Ok(None) };
        let (kind, row): (String, i64) = (found.get(0)?, found.get(1)?);
        let is_event = kind_of_name(&kind) == Some(Kind::Event);
        Ok(Some(if is_event {
            event_id(&self.epochs.event_id(row))
        } else {
            self.epochs.message_id(row).to_string()
        }))
    }

    /// The dead letters of a relay, the oldest first.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn dead(&self, relay: i64) -> Result<Vec<i64>, Error> {
        queue::dead(&self.connection, relay)
    }

    /// Whether an item is still to be delivered by a relay.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn is_waiting(&self, relay: i64, item: i64) -> Result<bool, Error> {
        queue::is_waiting(&self.connection, relay, item)
    }

    /// Enters the relays of the configuration: their ends of the queue in this order, and what those leave
    /// that are in it no more.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn register(
        &mut self,
        relays: &[(String, Wishes)],
    ) -> Result<(Vec<QueueEnd>, Vec<Left>), Error> {
        let next = self.next_numbers()?;
        queue::register(&mut self.connection, relays, next.item)
    }

    /// Writes all changes and then settlements, or nothing: when this returns, they stay after a loss of
    /// power. Returns what the acknowledgements among the settlements did, one for each settlement.
    ///
    /// # Errors
    /// [`Error::Ledger`]: nothing is written.
    pub fn write(
        &mut self,
        changes: &[Change],
        settlements: &[&Settlement],
        relays: &[RelayEnd],
    ) -> Result<Vec<Option<Acknowledged>>, Error> {
        let transaction = self.connection.transaction()?;
        for change in changes {
            write(&transaction, change)?;
        }
        let settled = settlements.iter().map(|one| one.write(&transaction, relays, &self.epochs));
        let settled = settled.collect::<Result<_, _>>()?;
        transaction.commit()?;
        Ok(settled)
    }
}

/// A connection that only reads, beside the one that writes.
pub(super) fn reader(state: &Path) -> Result<Connection, Error> {
    let path = folder::expect_ledger(state)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
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
        Change::Dated { row, at, clock, record } => {
            let sql = "UPDATE messages SET at = ?, clock = ?, record = ? WHERE row = ?";
            run(transaction, sql, params![at.0, clock, record, row])
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
        Change::Item(item) => {
            let sql = "INSERT INTO outgoing (item, kind, class, row) VALUES (?, ?, ?, ?)";
            run(transaction, sql, params![item.item, kind_name(item.kind), item.class, item.row])
        }
        Change::Setting(name, value) => write_setting(transaction, name, value.as_deref()),
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
               item, record, position) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
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
        message.position,
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

fn write_setting(
    transaction: &Transaction<'_>,
    name: &str,
    value: Option<&str>,
) -> Result<(), Error> {
    match value {
        Some(value) => {
            let sql = "INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)";
            run(transaction, sql, params![name, value])
        }
        None => run(transaction, "DELETE FROM settings WHERE name = ?", [name]),
    }
}

fn insert_event(transaction: &Transaction<'_>, event: &StoredEvent) -> Result<(), Error> {
    let sql = "INSERT INTO events (row, at, type, record) VALUES (?, ?, ?, ?)";
    let record = event.record.to_string();
    run(transaction, sql, params![event.row, event.at.0, event.kind, record])
}
