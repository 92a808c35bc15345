//! What goes when there is too much, or when it is old.
//!
//! What relays have delivered goes first. What they have not goes only when there is no more room at all, and
//! never in silence; what was refused has a tenth of the room, so that strangers push out nobody's messages.

use rusqlite::{Connection, Transaction, params};

use crate::error::Error;
use crate::rules::utc::Utc;
use crate::store::ledger::Ledger;

const DAY_S: f64 = 86_400.0;
/// Rows that are removed in one commit: others wait meanwhile.
const AT_ONCE: u32 = 2_000;
/// The oldest rows that are looked at for their age: where those are all still to be delivered, younger ones
/// wait for them.
const LOOKED_AT: u32 = 10_000;
/// What a refused row takes of the room at most, in bytes; measured rows have some 700.
const REFUSED_ROW_BYTES: u64 = 1_000;

/// How long rows are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For so many days.
    pub days: u32,
    /// As long as there are no more bytes.
    pub bytes: u64,
}

/// What has gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// Messages in all.
    pub messages: u64,
    /// Of those, messages that a relay had not delivered.
    pub undelivered: u64,
}

/// Messages that no relay of the configuration waits for, nor the budget.
const SETTLED: &str = "m.verdict <> 'held' AND NOT EXISTS (SELECT 1 FROM relays r \
    LEFT JOIN deliveries d ON d.relay = r.relay AND d.item = m.item \
    WHERE r.is_configured AND m.item IS NOT NULL AND m.item >= r.first_item \
      AND coalesce(d.state IN ('again', 'published', 'dead'), m.item > r.done_through))";

/// Removes what is too old or too much, a part of it at once; the rest the next time.
///
/// # Errors
/// [`Error::Ledger`].
pub fn keep_within(ledger: &mut Ledger, limits: Limits, now: Utc) -> Result<Removed, Error> {
    let oldest = now.plus_s(-DAY_S * f64::from(limits.days));
    let connection = ledger.connection();
    let is_full = used_bytes(connection)? > limits.bytes;
    let transaction = connection.transaction()?;
    let mut removed = Removed::default();
    removed.messages += remove_old(&transaction, oldest)?;
    let refused_rows = limits.bytes / 10 / REFUSED_ROW_BYTES;
    removed.messages += remove_refused(&transaction, refused_rows)?;
    remove_events(&transaction, oldest, limits.bytes)?;
    if is_full {
        let settled = remove(&transaction, SETTLED)?;
        removed.messages += settled;
        if settled == 0 {
            removed.undelivered = remove(&transaction, "m.verdict <> 'refused'")?;
            removed.messages += removed.undelivered;
        }
    }
    transaction.commit()?;
    Ok(removed)
}

/// The bytes that are in use of the file.
///
/// # Errors
/// [`Error::Ledger`].
pub fn used_bytes(connection: &Connection) -> Result<u64, Error> {
    let pragma = |name| -> Result<i64, Error> {
        Ok(connection.pragma_query_value(None, name, |row| row.get(0))?)
    };
    let pages = pragma("page_count")? - pragma("freelist_count")?;
    Ok(u64::try_from(pages * pragma("page_size")?).unwrap_or(0))
}

/// Removes messages by age, of those that are looked at.
fn remove_old(transaction: &Transaction<'_>, oldest: Utc) -> Result<u64, Error> {
    let sql = "SELECT coalesce(max(row), 0) FROM (SELECT row FROM messages ORDER BY row LIMIT ?)";
    let last: i64 = transaction.prepare_cached(sql)?.query_row([LOOKED_AT], |row| row.get(0))?;
    let condition = format!("m.row <= {last} AND m.stored_at < {} AND {SETTLED}", oldest.0);
    remove(transaction, &condition)
}

/// Removes the oldest messages for which a condition holds, and what relays know of them. The newest row
/// stays, since the next number counts on from it.
fn remove(transaction: &Transaction<'_>, condition: &str) -> Result<u64, Error> {
    let sql = format!(
        "SELECT m.row, m.item FROM messages m WHERE m.row < (SELECT max(row) FROM messages) \
         AND ({condition}) ORDER BY m.row LIMIT {AT_ONCE}"
    );
    let mut statement = transaction.prepare_cached(&sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let rows: Vec<(i64, Option<i64>)> = rows.collect::<Result<_, _>>()?;
    for (row, _) in &rows {
        forget_items(transaction, *row)?;
        transaction.prepare_cached("DELETE FROM messages WHERE row = ?")?.execute([row])?;
    }
    Ok(rows.len() as u64)
}

/// The queue's newest item stays, too, for the same reason.
fn forget_items(transaction: &Transaction<'_>, row: i64) -> Result<(), Error> {
    let of_row = "SELECT item FROM outgoing WHERE item < (SELECT max(item) FROM outgoing) AND \
                  (item = (SELECT item FROM messages WHERE row = ?1) OR kind = 'update' AND row = ?1)";
    for table in ["deliveries", "outgoing"] {
        let sql = format!("DELETE FROM {table} WHERE item IN ({of_row})");
        transaction.prepare_cached(&sql)?.execute(params![row])?;
    }
    Ok(())
}

fn remove_refused(transaction: &Transaction<'_>, kept: u64) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM messages WHERE verdict = 'refused'";
    let count: i64 = transaction.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    if u64::try_from(count).unwrap_or(0) <= kept {
        return Ok(0);
    }
    remove(transaction, "m.verdict = 'refused'")
}

/// Events go by age, and beyond a tenth of the room.
fn remove_events(transaction: &Transaction<'_>, oldest: Utc, bytes: u64) -> Result<(), Error> {
    let kept = i64::try_from(bytes / 10 / REFUSED_ROW_BYTES).unwrap_or(i64::MAX);
    let sql = "SELECT row FROM events WHERE row < (SELECT max(row) FROM events) \
               AND (at < ?1 OR row <= (SELECT max(row) FROM events) - ?2) ORDER BY row LIMIT ?3";
    let mut statement = transaction.prepare_cached(sql)?;
    let rows = statement.query_map(params![oldest.0, kept, AT_ONCE], |row| row.get(0))?;
    let rows: Vec<i64> = rows.collect::<Result<_, _>>()?;
    let Some((first, last)) = rows.first().zip(rows.last()) else { return Ok(()) };
    let of_rows = "SELECT item FROM outgoing WHERE kind = 'event' AND row BETWEEN ?1 AND ?2 \
                   AND item < (SELECT max(item) FROM outgoing)";
    for table in ["deliveries", "outgoing"] {
        let sql = format!("DELETE FROM {table} WHERE item IN ({of_rows})");
        transaction.prepare_cached(&sql)?.execute(params![first, last])?;
    }
    let sql =
        "DELETE FROM events WHERE row BETWEEN ? AND ? AND row < (SELECT max(row) FROM events)";
    transaction.prepare_cached(sql)?.execute(params![first, last])?;
    Ok(())
}
