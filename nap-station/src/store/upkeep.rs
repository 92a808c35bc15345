//! Looking after the ledger: is it sound, and can it be smaller.

use std::fs;
use std::path::Path;

use nap_io::counted;
use rusqlite::Connection;

use crate::error::Error;
use crate::store::folder::expect_ledger;
use crate::store::ledger::reader;
use crate::store::lock::FolderLock;
use crate::store::schema;

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

/// The bytes of a ledger before and after it was made smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compacted {
    /// Before.
    pub before: u64,
    /// After.
    pub after: u64,
}

/// Gives the room back that removed rows have left. No station may run meanwhile.
///
/// # Errors
/// [`Error::InUse`] if one does, [`Error::Ledger`]; [`Error::BadFile`] if there is no ledger.
pub fn compact(state: &Path) -> Result<Compacted, Error> {
    let path = expect_ledger(state)?;
    let _lock = FolderLock::take(state)?;
    let bytes =
        || fs::metadata(&path).map(|metadata| metadata.len()).map_err(Error::io(&path, "look at"));
    let connection = Connection::open(&path)?;
    schema::check_version(&connection)?;
    let before = bytes()?;
    connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")?;
    Ok(Compacted { before, after: bytes()? })
}
