//! The ledger's rows, for people and programs.

use std::path::Path;

use rusqlite::{Connection, params};
use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::store::change::{CONTROL, class_of};
use crate::store::epoch::Epochs;
use crate::store::ledger::reader;
use crate::store::wire::flags;

/// Rows that are read at once.
const PAGE: i64 = 1000;

/// Reads the ledger beside a station that runs.
#[derive(Debug)]
pub struct Export {
    connection: Connection,
    epochs: Epochs,
    relays: Vec<Relay>,
    /// The last row that was told.
    last: i64,
}

#[derive(Debug)]
struct Relay {
    number: i64,
    name: String,
    first_item: i64,
    /// Whether it gets keep-alive messages and confirmations too.
    control: bool,
}

impl Export {
    /// Opens the ledger of a state folder.
    ///
    /// # Errors
    /// [`Error::Ledger`] if there is none.
    pub fn open(state: &Path) -> Result<Self, Error> {
        let connection = reader(state)?;
        let epochs = Epochs::load(&connection)?;
        let relays = relays(&connection)?;
        Ok(Self { connection, epochs, relays, last: 0 })
    }

    /// The next rows in the order of their numbers, one JSON object each; none at the end.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn read(&mut self) -> Result<Vec<Value>, Error> {
        let sql = "SELECT row, record, verdict, reason, flags, clock, item FROM messages \
                   WHERE row > ? ORDER BY row LIMIT ?";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![self.last, PAGE])?;
        let mut objects = Vec::new();
        let mut last = self.last;
        while let Some(row) = rows.next()? {
            last = row.get(0)?;
            objects.push(self.object(last, row)?);
        }
        self.last = last;
        Ok(objects)
    }

    fn object(&self, number: i64, row: &rusqlite::Row<'_>) -> Result<Value, Error> {
        let (record, verdict): (String, String) = (row.get(1)?, row.get(2)?);
        let (reason, flag_text): (Option<String>, String) = (row.get(3)?, row.get(4)?);
        let clock: String = row.get(5)?;
        let mut object: Map<String, Value> = serde_json::from_str(&record).unwrap_or_default();
        object.insert("id".into(), json!(self.epochs.message_id(number).to_string()));
        object.insert("verdict".into(), json!(verdict));
        object.insert("reason".into(), json!(reason));
        object.insert("flags".into(), flags(&flag_text));
        object.insert("clock".into(), json!(clock));
        let kind = object.get("kind").cloned().unwrap_or_default();
        let is_control = serde_json::from_value(kind).is_ok_and(|kind| class_of(kind) == CONTROL);
        let relayed = match verdict.as_str() {
            "refused" => json!({}),
            _ => self.relayed(row.get(6)?, is_control)?,
        };
        object.insert("relayed".into(), relayed);
        Ok(Value::Object(object))
    }

    /// Which relays have delivered it, of those that it is for.
    fn relayed(&self, item: Option<i64>, is_control: bool) -> Result<Value, Error> {
        let mut relayed = Map::new();
        for relay in self.relays.iter().filter(|relay| relay.control || !is_control) {
            let Some(item) = item.filter(|item| *item >= relay.first_item) else {
                // What is held goes out to all one day.
                if item.is_none() {
                    relayed.insert(relay.name.clone(), json!(false));
                }
                continue;
            };
            relayed.insert(relay.name.clone(), json!(self.is_delivered(relay, item)?));
        }
        Ok(Value::Object(relayed))
    }

    fn is_delivered(&self, relay: &Relay, item: i64) -> Result<bool, Error> {
        let sql = "SELECT coalesce(d.state = 'delivered', ?2 <= r.done_through) FROM relays r \
                   LEFT JOIN deliveries d ON d.relay = r.relay AND d.item = ?2 WHERE r.relay = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row(params![relay.number, item], |row| row.get(0))?)
    }
}

fn relays(connection: &Connection) -> Result<Vec<Relay>, Error> {
    let sql =
        "SELECT relay, name, first_item, control FROM relays WHERE is_configured ORDER BY relay";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        Ok(Relay {
            number: row.get(0)?,
            name: row.get(1)?,
            first_item: row.get(2)?,
            control: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
