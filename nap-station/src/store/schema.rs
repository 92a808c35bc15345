//! The tables, and how an older ledger gets them.

use rusqlite::Connection;

use crate::error::Error;

/// What brings a ledger from each version to the next; the version of a ledger is how many of these it has
/// been through. Never changed once released: what is to change is a further step.
const STEPS: [&str; 3] = [
    "
CREATE TABLE epochs (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    first_row INTEGER NOT NULL,
    first_event INTEGER NOT NULL,
    began_at INTEGER NOT NULL,
    hardware TEXT NOT NULL
) STRICT;
CREATE TABLE messages (
    row INTEGER PRIMARY KEY,
    device INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    at INTEGER NOT NULL,
    stored_at INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT,
    flags TEXT NOT NULL,
    held_until INTEGER,
    clock TEXT NOT NULL,
    item INTEGER,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX messages_of_device ON messages (device, row);
CREATE INDEX messages_held ON messages (at, row) WHERE verdict = 'held';
CREATE INDEX messages_refused ON messages (row) WHERE verdict = 'refused';
CREATE TABLE devices (
    device INTEGER PRIMARY KEY,
    counter INTEGER,
    at INTEGER,
    row INTEGER,
    disengaged_until INTEGER,
    is_admitted INTEGER NOT NULL DEFAULT 0,
    is_blocked INTEGER NOT NULL DEFAULT 0,
    blocked_until INTEGER
) STRICT;
CREATE TABLE days (
    day INTEGER PRIMARY KEY,
    accepted INTEGER NOT NULL,
    released INTEGER NOT NULL
) STRICT;
CREATE TABLE refused_hours (
    hour INTEGER NOT NULL,
    reason TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (hour, reason)
) STRICT, WITHOUT ROWID;
CREATE TABLE events (
    row INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE TABLE outgoing (
    item INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    class TEXT NOT NULL,
    row INTEGER NOT NULL
) STRICT;
CREATE INDEX outgoing_updates ON outgoing (row, item) WHERE kind = 'update';
CREATE TABLE relays (
    relay INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    first_item INTEGER NOT NULL,
    done_through INTEGER NOT NULL,
    is_configured INTEGER NOT NULL
) STRICT;
CREATE TABLE deliveries (
    relay INTEGER NOT NULL,
    item INTEGER NOT NULL,
    state TEXT NOT NULL,
    at INTEGER NOT NULL,
    detail TEXT,
    PRIMARY KEY (relay, item)
) STRICT, WITHOUT ROWID;
CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
",
    "
ALTER TABLE relays ADD COLUMN control INTEGER NOT NULL DEFAULT 1;
CREATE INDEX deliveries_dead ON deliveries (relay, item) WHERE state = 'dead';
",
    "
ALTER TABLE messages ADD COLUMN position TEXT;
",
];

/// How a connection is set that writes: what is committed stays after a loss of power.
const WRITER: &str = "
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA mmap_size = 0;
PRAGMA foreign_keys = ON;
PRAGMA cache_size = -2000;
PRAGMA journal_size_limit = 4194304;
";

/// Sets up the connection that writes, and brings the ledger up to date.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), Error> {
    connection.execute_batch(WRITER)?;
    let version = version(connection)?;
    check(version)?;
    for (number, step) in STEPS.iter().enumerate().skip(version) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", number as i64 + 1)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Refuses a ledger that a later version of the program has written.
pub(super) fn check_version(connection: &Connection) -> Result<(), Error> {
    check(version(connection)?)
}

fn version(connection: &Connection) -> Result<usize, Error> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(usize::try_from(version).unwrap_or(0))
}

/// The version that this program writes.
pub(super) fn known() -> usize {
    STEPS.len()
}

/// Refuses a version that this program does not know.
pub(super) fn check(version: usize) -> Result<(), Error> {
    let known = known();
    if version > known {
        return Err(Error::NewerLedger { version, known });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ledger as the first version has left it, with one of everything that later ones change.
    fn first() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(STEPS[0]).unwrap();
        let rows = "INSERT INTO messages VALUES (1, 2, 3, 4, 5, 'accepted', NULL, '', NULL, 'ntp', 1, '{}');
                    INSERT INTO relays VALUES (1, 'web', 1, 0, 1);
                    INSERT INTO deliveries VALUES (1, 1, 'dead', 6, 'why');
                    PRAGMA user_version = 1;";
        connection.execute_batch(rows).unwrap();
        connection
    }

    #[test]
    fn an_older_ledger_keeps_what_it_has() {
        let mut connection = first();
        prepare(&mut connection).unwrap();
        assert_eq!(version(&connection).unwrap(), known());
        let one =
            |sql: &str| -> String { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
        assert_eq!(one("SELECT row || clock || (position IS NULL) FROM messages"), "1ntp1");
        assert_eq!(one("SELECT name || control FROM relays"), "web1");
        assert_eq!(one("SELECT detail FROM deliveries WHERE state = 'dead'"), "why");
        // What is up to date stays as it is.
        prepare(&mut connection).unwrap();
        assert_eq!(version(&connection).unwrap(), known());
    }

    #[test]
    fn a_ledger_of_a_later_version_is_left_alone() {
        let mut connection = first();
        connection.pragma_update(None, "user_version", known() as i64 + 1).unwrap();
        let error = prepare(&mut connection).unwrap_err();
        assert!(matches!(error, Error::NewerLedger { .. }), "{error}");
        let columns = "SELECT count(*) FROM pragma_table_info('relays')";
        let count: i64 = connection.query_row(columns, [], |row| row.get(0)).unwrap();
        assert_eq!(count, 5);
    }
}
