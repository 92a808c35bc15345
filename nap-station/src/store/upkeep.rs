//! Looking after the ledger: is it sound, and can it be smaller.

use std::path::Path;

use nap_io::counted;
use rusqlite::Connection;

use crate::error::Error;
use crate::rules::utc::Utc;
use crate::store::ledger::{Ledger, reader};
use crate::store::lock::FolderLock;

/// What is wrong with a ledger; nothing if it is sound. Works beside a station that runs.
///
/// # Errors
/// [`Error::Ledger`] if it cannot be read at all.
pub fn check(state: &Path) -> Result<Vec<String>, Error> {
    problems(&reader(state)?)
}

pub(super) fn problems(connection: &Connection) -> Result<Vec<String>, Error> {
    let mut statement = connection.prepare("PRAGMA integrity_check")?;
    let lines = statement.query_map([], |row| row.get(0))?;
    let mut problems: Vec<String> = lines.collect::<Result<_, _>>()?;
    problems.retain(|line| line != "ok");
    let sql = "SELECT count(*) FROM messages m LEFT JOIN outgoing o ON o.item = m.item \
               WHERE m.item IS NOT NULL AND o.item IS NULL";
    let lost: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    if lost > 0 {
        problems.push(format!("the queue of the relays lacks {}", counted(lost, "message")));
    }
    Ok(problems)
}

/// Gives the room back that removed rows have left. No station may run meanwhile.
///
/// # Errors
/// [`Error::InUse`] if one does, [`Error::Ledger`].
pub fn compact(state: &Path, hardware: &str, now: Utc) -> Result<(), Error> {
    let _lock = FolderLock::take(state)?;
    let (mut ledger, _) = Ledger::open(state, hardware, now)?;
    Ok(ledger.connection().execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")?)
}
