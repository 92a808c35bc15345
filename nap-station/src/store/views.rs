//! What operators want to see of the ledger: who is kept out, and what could not be delivered.

use std::path::Path;

use nap_phy::DeviceId;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::error::Error;
use crate::relay::outbox::Kind;
use crate::rules::utc::Utc;
use crate::store::epoch::Epochs;
use crate::store::kind_name::kind_of_name;
use crate::store::ledger::reader;
use crate::store::wire::event_id;

/// Devices that were heard and refused, by device and reason, those first that were heard last; one JSON object
/// each. Works beside a station that runs.
///
/// # Errors
/// [`Error::Ledger`].
pub fn refused(state: &Path) -> Result<Vec<Value>, Error> {
    let connection = reader(state)?;
    // Beside one maximum, SQLite takes other columns from the row that has it.
    let sql = "SELECT m.device, m.reason, count(*), max(m.row), coalesce(d.is_admitted, 0), coalesce(d.is_blocked, 0), \
               m.at FROM messages m LEFT JOIN devices d ON d.device = m.device \
               WHERE m.verdict = 'refused' GROUP BY m.device, m.reason ORDER BY max(m.row) DESC";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        let (device_id, reason): (u32, String) = (row.get(0)?, row.get(1)?);
        let (count, at): (i64, i64) = (row.get(2)?, row.get(6)?);
        let (is_admitted, is_blocked): (bool, bool) = (row.get(4)?, row.get(5)?);
        Ok(json!({
            "device_id": DeviceId(device_id).to_string(),
            "reason": reason,
            "messages": count,
            "last": Utc(at).text(),
            "admitted": is_admitted,
            "blocked": is_blocked,
        }))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The dead letters of all relays, the oldest first; one JSON object each. Works beside a station that runs.
///
/// # Errors
/// [`Error::Ledger`].
pub fn dead_letters(state: &Path) -> Result<Vec<Value>, Error> {
    let connection = reader(state)?;
    let epochs = Epochs::load(&connection)?;
    letters(&connection, &epochs)
}

fn letters(connection: &Connection, epochs: &Epochs) -> Result<Vec<Value>, Error> {
    let sql = "SELECT r.name, o.kind, o.row, d.at, d.detail FROM deliveries d \
               JOIN relays r ON r.relay = d.relay JOIN outgoing o ON o.item = d.item \
               WHERE d.state = 'dead' ORDER BY d.item, d.relay";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        let (relay, kind, number): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (at, reason): (i64, Option<String>) = (row.get(3)?, row.get(4)?);
        let id = match kind_of_name(&kind) {
            Some(Kind::Event) => event_id(&epochs.event_id(number)),
            _ => epochs.message_id(number).to_string(),
        };
        Ok(json!({ "relay": relay, "kind": kind, "id": id, "time": Utc(at).text(), "reason": reason }))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
