//! Epochs: a ledger's rows on one piece of hardware.

use std::ops::RangeInclusive;

use rusqlite::{Connection, params};

use crate::error::Error;
use crate::relay::outbox::{RecordId, parse_epoch};
use crate::rules::utc::Utc;
use crate::store::identity::random_hex;

/// A stretch of rows whose numbers count from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Epoch {
    pub(super) name: String,
    pub(super) first_row: i64,
    pub(super) first_event: i64,
    pub(super) hardware: String,
}

/// All epochs of a ledger, the first one first.
#[derive(Debug, Clone, Default)]
pub(super) struct Epochs(Vec<Epoch>);

impl Epochs {
    pub(super) fn load(connection: &Connection) -> Result<Self, Error> {
        let sql = "SELECT name, first_row, first_event, hardware FROM epochs ORDER BY number";
        let mut statement = connection.prepare(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(Epoch {
                name: row.get(0)?,
                first_row: row.get(1)?,
                first_event: row.get(2)?,
                hardware: row.get(3)?,
            })
        })?;
        Ok(Self(rows.collect::<Result<_, _>>()?))
    }

    /// The newest one.
    pub(super) fn current(&self) -> Option<&Epoch> {
        self.0.last()
    }

    /// Begins a new one with the next row and event.
    pub(super) fn begin(
        &mut self,
        connection: &Connection,
        rows: (i64, i64),
        hardware: &str,
        now: Utc,
    ) -> Result<(), Error> {
        let epoch = Epoch {
            name: random_hex::<4>()?,
            first_row: rows.0,
            first_event: rows.1,
            hardware: hardware.into(),
        };
        connection.execute(
            "INSERT INTO epochs (name, first_row, first_event, began_at, hardware) VALUES (?, ?, ?, ?, ?)",
            params![epoch.name, epoch.first_row, epoch.first_event, now.0, epoch.hardware],
        )?;
        self.0.push(epoch);
        Ok(())
    }

    /// The ID of the message in a row.
    pub(super) fn message_id(&self, row: i64) -> RecordId {
        self.id(row, |epoch| epoch.first_row)
    }

    /// The ID of the event in a row: its numbers count for themselves.
    pub(super) fn event_id(&self, row: i64) -> RecordId {
        self.id(row, |epoch| epoch.first_event)
    }

    /// The rows of a range of messages' numbers; `None` for another ledger's epoch.
    pub(super) fn rows(&self, epoch: u32, numbers: &RangeInclusive<u64>) -> Option<(i64, i64)> {
        let index = self.0.iter().position(|one| parse_epoch(&one.name) == Some(epoch))?;
        let row = |n: u64| {
            let offset = i64::try_from(n).unwrap_or(i64::MAX).saturating_sub(1);
            self.0[index].first_row.saturating_add(offset)
        };
        let end = self.0.get(index + 1).map_or(i64::MAX, |next| next.first_row - 1);
        Some((row((*numbers.start()).max(1)), row(*numbers.end()).min(end)))
    }

    fn id(&self, row: i64, first: impl Fn(&Epoch) -> i64) -> RecordId {
        let of = self.0.iter().rev().find(|epoch| first(epoch) <= row);
        let (name, first) = of.map_or(("", 1), |epoch| (epoch.name.as_str(), first(epoch)));
        let n = u64::try_from(row - first + 1).unwrap_or(0);
        RecordId { epoch: parse_epoch(name).unwrap_or(0), n }
    }
}
