//! What each relay still has to deliver.
//!
//! Everything for the relays stands in one queue, and each relay has a cursor in it: what lies at or before
//! the cursor is settled, but for the exceptions that are listed; what lies behind it is not, but for those.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use rusqlite::types::Value;
use rusqlite::{Connection, Transaction, params};

use crate::error::Error;
use crate::relay::outbox::{Beginning, Counts, Kind, WantedEvents, Wishes};
use crate::rules::utc::Utc;
use crate::store::change::Exception;
use crate::store::kind_name::kind_of_name;

/// So far a cursor is moved at once: a settlement is to cost little.
const LONGEST_MOVE: i64 = 10_000;

/// A relay and what it wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueEnd {
    /// Its number in the ledger.
    pub relay: i64,
    /// What it wants.
    pub wishes: Wishes,
}

/// Something that waits for a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queued {
    /// Its place in the queue.
    pub item: i64,
    /// What it is.
    pub kind: Kind,
    /// The row of the message or event.
    pub row: i64,
}

/// Items that are not to be taken.
#[derive(Debug, Clone, Copy)]
pub struct Hands<'a> {
    /// The relay has them already.
    pub taken: &'a BTreeSet<i64>,
    /// They are not offered yet.
    pub kept_back: &'a BTreeSet<i64>,
}

/// A relay of which the configuration does not know any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Its name.
    pub name: String,
    /// How many messages it has not delivered.
    pub waiting: u64,
}

/// Whether a relay wants an item, with what [`wanted`] binds.
const WANTED: &str = "((o.kind = 'message' AND (o.class = 'data' OR :control)) \
    OR (o.kind = 'update' AND :updates AND (o.class = 'data' OR :control)) \
    OR (o.kind = 'event' AND (:all_events OR o.class IN (SELECT value FROM json_each(:events)))))";

/// Enters the relays of the configuration, and returns their ends of the queue in the order of `relays` and
/// those that it has left.
///
/// # Errors
/// [`Error::Ledger`].
pub fn register(
    connection: &mut Connection,
    relays: &[(String, Wishes)],
    next_item: i64,
) -> Result<(Vec<QueueEnd>, Vec<Left>), Error> {
    let transaction = connection.transaction()?;
    let mut left = Vec::new();
    for (name, relay) in configured(&transaction)? {
        if !relays.iter().any(|(wanted, _)| *wanted == name) {
            let waiting = waiting_of_any(&transaction, relay)?;
            left.push(Left { name, waiting });
        }
    }
    transaction.execute("UPDATE relays SET is_configured = 0", [])?;
    let mut ends = Vec::new();
    for (name, wishes) in relays {
        let relay = enter(&transaction, name, wishes, next_item)?;
        ends.push(QueueEnd { relay, wishes: wishes.clone() });
    }
    transaction.commit()?;
    Ok((ends, left))
}

fn configured(connection: &Connection) -> Result<Vec<(String, i64)>, Error> {
    let sql = "SELECT name, relay FROM relays WHERE is_configured ORDER BY relay";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn enter(
    transaction: &Transaction<'_>,
    name: &str,
    wishes: &Wishes,
    next_item: i64,
) -> Result<i64, Error> {
    let first = if wishes.from == Beginning::Start { 1 } else { next_item };
    transaction.execute(
        "INSERT INTO relays (name, first_item, done_through, is_configured, control) VALUES (?, ?, ?, 1, ?) \
         ON CONFLICT (name) DO UPDATE SET is_configured = 1, control = excluded.control",
        params![name, first, first - 1, wishes.control],
    )?;
    let sql = "SELECT relay FROM relays WHERE name = ?";
    Ok(transaction.query_row(sql, [name], |row| row.get(0))?)
}

/// At most `limit` items of a range that wait for a relay, the oldest first, but for those that are taken
/// already, and those that need not be sent any more, which are to be settled as delivered: updates of a
/// message that is not out yet, and updates that a later one overtakes.
///
/// # Errors
/// [`Error::Ledger`].
pub fn take(
    connection: &Connection,
    end: &QueueEnd,
    items: &RangeInclusive<i64>,
    limit: usize,
    hands: Hands<'_>,
) -> Result<(Vec<Queued>, Vec<i64>), Error> {
    let sql = format!(
        "SELECT o.item, o.kind, o.row, \
                o.kind = 'update' AND EXISTS (SELECT 1 FROM outgoing l \
                    WHERE l.row = o.row AND l.kind = 'update' AND l.item > o.item), \
                m.item, m.verdict = 'refused' \
         FROM outgoing o JOIN relays r ON r.relay = :relay \
         LEFT JOIN deliveries d ON d.relay = :relay AND d.item = o.item \
         LEFT JOIN messages m ON o.kind <> 'event' AND m.row = o.row \
         WHERE o.item BETWEEN :first AND :last \
           AND (o.item > r.done_through AND d.state IS NULL OR d.state IN ('again', 'published')) \
           AND {WANTED} ORDER BY o.item"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    bind(&mut statement, end)?;
    bind_value(&mut statement, ":first", Value::Integer(*items.start()))?;
    bind_value(&mut statement, ":last", Value::Integer(*items.end()))?;
    let mut rows = statement.raw_query();
    let (mut queued, mut idle) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let item: i64 = row.get(0)?;
        if hands.taken.contains(&item) || hands.kept_back.contains(&item) {
            continue;
        }
        let kind: String = row.get(1)?;
        let Some(kind) = kind_of_name(&kind) else { continue };
        let found = Queued { item, kind, row: row.get(2)? };
        let message_item: Option<i64> = row.get(4)?;
        let is_retracted: Option<bool> = row.get(5)?;
        let is_needed = match kind {
            Kind::Message => is_retracted == Some(false),
            Kind::Update => {
                !row.get::<_, bool>(3)? && is_out(connection, end, message_item, hands.taken)?
            }
            Kind::Event => true,
        };
        if !is_needed {
            idle.push(item);
            continue;
        }
        queued.push(found);
        if queued.len() >= limit {
            break;
        }
    }
    Ok((queued, idle))
}

/// Whether the relay has sent the message, or is about to: an update is news then.
fn is_out(
    connection: &Connection,
    end: &QueueEnd,
    message_item: Option<i64>,
    taken: &BTreeSet<i64>,
) -> Result<bool, Error> {
    let Some(item) = message_item else { return Ok(false) };
    if taken.contains(&item) {
        return Ok(true);
    }
    let sql = "SELECT coalesce(d.state IN ('delivered', 'published'), ?2 <= r.done_through AND ?2 >= r.first_item) \
               FROM relays r LEFT JOIN deliveries d ON d.relay = r.relay AND d.item = ?2 WHERE r.relay = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row(params![end.relay, item], |row| row.get(0))?)
}

/// Lists what has become of an item.
///
/// # Errors
/// [`Error::Ledger`].
pub fn except(
    transaction: &Transaction<'_>,
    relay: i64,
    item: i64,
    exception: &Exception,
    at: Utc,
) -> Result<(), Error> {
    let (state, detail) = exception.parts();
    let sql =
        "INSERT OR REPLACE INTO deliveries (relay, item, state, at, detail) VALUES (?, ?, ?, ?, ?)";
    transaction.prepare_cached(sql)?.execute(params![relay, item, state, at.0, detail])?;
    Ok(())
}

/// An item has arrived. One that is finished already stays as it is; returns whether it is news.
///
/// # Errors
/// [`Error::Ledger`].
pub fn deliver(
    transaction: &Transaction<'_>,
    relay: i64,
    item: i64,
    at: Utc,
) -> Result<bool, Error> {
    let is_waiting = is_waiting(transaction, relay, item)?;
    if is_waiting {
        except(transaction, relay, item, &Exception::Delivered, at)?;
    }
    Ok(is_waiting)
}

/// Whether an item is still to be delivered, or to be acknowledged.
///
/// # Errors
/// [`Error::Ledger`].
pub fn is_waiting(connection: &Connection, relay: i64, item: i64) -> Result<bool, Error> {
    let sql = "SELECT coalesce(d.state IN ('again', 'published'), ?2 > r.done_through) \
               FROM relays r LEFT JOIN deliveries d ON d.relay = r.relay AND d.item = ?2 WHERE r.relay = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row(params![relay, item], |row| row.get(0))?)
}

/// The dead letters of a relay, the oldest first.
///
/// # Errors
/// [`Error::Ledger`].
pub fn dead(connection: &Connection, relay: i64) -> Result<Vec<i64>, Error> {
    let sql = "SELECT item FROM deliveries WHERE relay = ? AND state = 'dead' ORDER BY item";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([relay], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Moves a relay's cursor as far as all is settled; what has arrived need not be listed any more there.
///
/// # Errors
/// [`Error::Ledger`].
pub fn advance(transaction: &Transaction<'_>, end: &QueueEnd) -> Result<(), Error> {
    let from: i64 = transaction
        .prepare_cached("SELECT done_through FROM relays WHERE relay = ?")?
        .query_row([end.relay], |row| row.get(0))?;
    let through = match first_unsettled(transaction, end, from)? {
        Some(item) => item - 1,
        None => last_in_reach(transaction, from)?,
    };
    if through <= from {
        return Ok(());
    }
    let sql = "UPDATE relays SET done_through = ? WHERE relay = ?";
    transaction.prepare_cached(sql)?.execute(params![through, end.relay])?;
    let sql = "DELETE FROM deliveries WHERE relay = ? AND item <= ? AND state = 'delivered'";
    transaction.prepare_cached(sql)?.execute(params![end.relay, through])?;
    Ok(())
}

fn first_unsettled(
    connection: &Connection,
    end: &QueueEnd,
    from: i64,
) -> Result<Option<i64>, Error> {
    let sql = format!(
        "SELECT o.item FROM outgoing o LEFT JOIN deliveries d ON d.relay = :relay AND d.item = o.item \
         WHERE o.item BETWEEN :first AND :last AND d.state IS NULL AND {WANTED} ORDER BY o.item LIMIT 1"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    bind(&mut statement, end)?;
    bind_value(&mut statement, ":first", Value::Integer(from + 1))?;
    bind_value(&mut statement, ":last", Value::Integer(from + LONGEST_MOVE))?;
    let mut rows = statement.raw_query();
    Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
}

fn last_in_reach(connection: &Connection, from: i64) -> Result<i64, Error> {
    let sql = "SELECT coalesce(max(item), ?1) FROM outgoing WHERE item BETWEEN ?1 AND ?2";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row(params![from, from + LONGEST_MOVE], |row| row.get(0))?)
}

/// How many messages of a relay wait, were delivered, and are dead.
///
/// # Errors
/// [`Error::Ledger`].
pub fn counts(connection: &Connection, end: &QueueEnd) -> Result<Counts, Error> {
    let sql = format!(
        "SELECT count(*), \
            coalesce(sum(coalesce(d.state IN ('again', 'published'), o.item > r.done_through)), 0), \
            coalesce(sum(coalesce(d.state IN ('dead', 'dropped'), 0)), 0) \
         FROM outgoing o JOIN relays r ON r.relay = :relay \
         LEFT JOIN deliveries d ON d.relay = :relay AND d.item = o.item \
         JOIN messages m ON m.row = o.row \
         WHERE o.item >= r.first_item AND o.kind = 'message' AND m.verdict <> 'refused' AND {WANTED}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    bind(&mut statement, end)?;
    let mut rows = statement.raw_query();
    let Some(row) = rows.next()? else { return Ok(Counts::default()) };
    let (all, waiting, dead): (u64, u64, u64) = (count(row, 0)?, count(row, 1)?, count(row, 2)?);
    Ok(Counts { waiting, relayed: all.saturating_sub(waiting + dead), dead })
}

/// How much of anything a relay still has to deliver.
///
/// # Errors
/// [`Error::Ledger`].
pub fn left(connection: &Connection, end: &QueueEnd) -> Result<u64, Error> {
    still_to_deliver(connection, end, WANTED)
}

/// How many messages a relay still has to deliver.
///
/// # Errors
/// [`Error::Ledger`].
pub fn waiting(connection: &Connection, end: &QueueEnd) -> Result<u64, Error> {
    still_to_deliver(connection, end, &format!("o.kind = 'message' AND {WANTED}"))
}

fn still_to_deliver(
    connection: &Connection,
    end: &QueueEnd,
    condition: &str,
) -> Result<u64, Error> {
    let behind = format!(
        "SELECT count(*) FROM relays r JOIN outgoing o ON o.item > r.done_through \
         LEFT JOIN deliveries d ON d.relay = r.relay AND d.item = o.item \
         WHERE r.relay = :relay AND (d.state IS NULL OR d.state IN ('again', 'published')) \
           AND {condition}"
    );
    let before = format!(
        "SELECT count(*) FROM relays r JOIN deliveries d ON d.relay = r.relay \
         JOIN outgoing o ON o.item = d.item \
         WHERE r.relay = :relay AND d.item <= r.done_through \
           AND d.state IN ('again', 'published') AND {condition}"
    );
    let mut sum = 0;
    for sql in [behind, before] {
        let mut statement = connection.prepare_cached(&sql)?;
        bind(&mut statement, end)?;
        let mut rows = statement.raw_query();
        sum += rows.next()?.map(|row| count(row, 0)).transpose()?.unwrap_or(0);
    }
    Ok(sum)
}

/// How many messages a relay has not delivered, whatever it wants.
fn waiting_of_any(connection: &Connection, relay: i64) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM outgoing o JOIN relays r ON r.relay = ?1 \
               LEFT JOIN deliveries d ON d.relay = ?1 AND d.item = o.item \
               WHERE o.kind = 'message' \
               AND coalesce(d.state IN ('again', 'published'), o.item > r.done_through)";
    Ok(connection.query_row(sql, [relay], |row| count(row, 0))?)
}

fn count(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get(column).map(|count: i64| count.try_into().unwrap_or(0))
}

fn bind(statement: &mut rusqlite::Statement<'_>, end: &QueueEnd) -> Result<(), Error> {
    let wishes = &end.wishes;
    let (all_events, events) = match &wishes.events {
        WantedEvents::All => (true, "[]".to_owned()),
        WantedEvents::Types(types) => (false, serde_json::json!(types).to_string()),
    };
    bind_value(statement, ":relay", Value::Integer(end.relay))?;
    bind_value(statement, ":control", Value::Integer(wishes.control.into()))?;
    bind_value(statement, ":updates", Value::Integer(wishes.updates.into()))?;
    bind_value(statement, ":all_events", Value::Integer(all_events.into()))?;
    bind_value(statement, ":events", Value::Text(events))
}

fn bind_value(
    statement: &mut rusqlite::Statement<'_>,
    name: &str,
    value: Value,
) -> Result<(), Error> {
    if let Some(index) = statement.parameter_index(name)? {
        statement.raw_bind_parameter(index, value)?;
    }
    Ok(())
}
