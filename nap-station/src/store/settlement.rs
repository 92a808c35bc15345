//! What relays say of their deliveries.

use std::ops::RangeInclusive;

use rusqlite::{Transaction, params};

use crate::error::Error;
use crate::relay::outbox::{Acknowledged, Outcome, Ticket};
use crate::rules::utc::Utc;
use crate::store::change::Exception;
use crate::store::epoch::Epochs;
use crate::store::queue::{self, QueueEnd};
use crate::store::relay_end::RelayEnd;

/// What is to be settled.
#[derive(Debug, Clone, PartialEq)]
pub enum Settlement {
    /// A relay says what became of its deliveries.
    Outcomes {
        /// Which relay, by its place among them.
        relay: usize,
        /// What became of them.
        outcomes: Vec<(Ticket, Outcome)>,
        /// When.
        at: Utc,
    },
    /// An application acknowledges messages.
    Acknowledge {
        /// Over which relay.
        relay: usize,
        /// Of which epoch.
        epoch: u32,
        /// Which numbers.
        ranges: Vec<RangeInclusive<u64>>,
        /// When.
        at: Utc,
    },
    /// An operator says what becomes of dead letters.
    DeadLetters {
        /// Of which relay, by its place among them.
        relay: usize,
        /// Which.
        items: Vec<i64>,
        /// What becomes of them.
        becomes: Exception,
        /// When.
        at: Utc,
    },
    /// A message was taken back: relays that do not have it yet do not get it.
    Retract {
        /// Its place in the queue.
        item: i64,
        /// When.
        at: Utc,
    },
}

impl Settlement {
    /// Writes it, and returns what an acknowledgement did.
    pub(super) fn write(
        &self,
        transaction: &Transaction<'_>,
        relays: &[RelayEnd],
        epochs: &Epochs,
    ) -> Result<Option<Acknowledged>, Error> {
        match self {
            Self::Outcomes { relay, outcomes, at } => {
                if let Some(relay) = relays.get(*relay) {
                    settle(transaction, &relay.end, outcomes, *at)?;
                }
                Ok(None)
            }
            Self::Acknowledge { relay, epoch, ranges, at } => match relays.get(*relay) {
                Some(relay) => {
                    let wanted = Wanted { epoch: *epoch, ranges, at: *at };
                    acknowledge(transaction, &relay.end, epochs, &wanted).map(Some)
                }
                None => Ok(Some(Acknowledged::default())),
            },
            Self::DeadLetters { relay, items, becomes, at } => {
                if let Some(relay) = relays.get(*relay) {
                    settle_dead(transaction, &relay.end, items, becomes, *at)?;
                }
                Ok(None)
            }
            Self::Retract { item, at } => {
                for relay in relays {
                    retract(transaction, relay, *item, *at)?;
                }
                Ok(None)
            }
        }
    }

    /// The items that a relay has in its hands no more, once this is written.
    pub fn free(&self, relays: &[RelayEnd], acknowledged: Option<&Acknowledged>) {
        match self {
            Self::Outcomes { relay, outcomes, .. } => {
                let Some(relay) = relays.get(*relay) else { return };
                let mut taken = relay.taken();
                for (ticket, outcome) in outcomes {
                    if *outcome != Outcome::Published {
                        taken.remove(&item_of(*ticket));
                    }
                }
            }
            Self::Acknowledge { relay, .. } => {
                let (Some(relay), Some(done)) = (relays.get(*relay), acknowledged) else { return };
                let mut taken = relay.taken();
                taken.retain(|item| !done.delivered.contains(&ticket_of(*item)));
            }
            Self::DeadLetters { .. } | Self::Retract { .. } => {}
        }
    }
}

/// The item that a ticket stands for.
#[must_use]
pub fn item_of(ticket: Ticket) -> i64 {
    i64::try_from(ticket.0).unwrap_or(i64::MAX)
}

/// The ticket of an item.
#[must_use]
pub fn ticket_of(item: i64) -> Ticket {
    Ticket(u64::try_from(item).unwrap_or(0))
}

fn settle(
    transaction: &Transaction<'_>,
    end: &QueueEnd,
    outcomes: &[(Ticket, Outcome)],
    at: Utc,
) -> Result<(), Error> {
    for (ticket, outcome) in outcomes {
        let item = item_of(*ticket);
        if !queue::is_waiting(transaction, end.relay, item)? {
            continue;
        }
        let exception = match outcome {
            Outcome::Delivered => Exception::Delivered,
            Outcome::Published => Exception::Published,
            Outcome::Dead { reason } => Exception::Dead(reason.clone()),
            // It waits as before.
            Outcome::Again => continue,
        };
        queue::except(transaction, end.relay, item, &exception, at)?;
    }
    queue::advance(transaction, end)
}

/// Only what is dead still; a dead letter before the cursor has an entry that says so, and gets another one.
fn settle_dead(
    transaction: &Transaction<'_>,
    end: &QueueEnd,
    items: &[i64],
    becomes: &Exception,
    at: Utc,
) -> Result<(), Error> {
    let dead = queue::dead(transaction, end.relay)?;
    for item in items.iter().filter(|item| dead.contains(item)) {
        queue::except(transaction, end.relay, *item, becomes, at)?;
    }
    Ok(())
}

fn retract(
    transaction: &Transaction<'_>,
    relay: &RelayEnd,
    item: i64,
    at: Utc,
) -> Result<(), Error> {
    let is_idle = !relay.taken().contains(&item);
    if is_idle && queue::is_waiting(transaction, relay.end.relay, item)? {
        queue::except(transaction, relay.end.relay, item, &Exception::Void, at)?;
    }
    Ok(())
}

/// What an application acknowledges.
struct Wanted<'a> {
    epoch: u32,
    ranges: &'a [RangeInclusive<u64>],
    at: Utc,
}

fn acknowledge(
    transaction: &Transaction<'_>,
    end: &QueueEnd,
    epochs: &Epochs,
    wanted: &Wanted<'_>,
) -> Result<Acknowledged, Error> {
    let mut done = Acknowledged::default();
    for range in wanted.ranges {
        let asked = range.end().saturating_sub(*range.start()).saturating_add(1);
        let asked = if range.is_empty() { 0 } else { asked };
        let Some((first, last)) = epochs.rows(wanted.epoch, range) else {
            done.ignored = done.ignored.saturating_add(asked);
            continue;
        };
        let (items, rows) = published(transaction, end.relay, first, last)?;
        for item in items {
            queue::except(transaction, end.relay, item, &Exception::Delivered, wanted.at)?;
            done.delivered.push(ticket_of(item));
        }
        done.ignored = done.ignored.saturating_add(asked.saturating_sub(rows));
    }
    queue::advance(transaction, end)?;
    Ok(done)
}

/// The items of messages in a range of rows that were published and not acknowledged, and of how many rows
/// they are.
fn published(
    transaction: &Transaction<'_>,
    relay: i64,
    first: i64,
    last: i64,
) -> Result<(Vec<i64>, u64), Error> {
    let sql = "SELECT d.item, o.row FROM deliveries d JOIN outgoing o ON o.item = d.item \
               WHERE d.relay = ? AND d.state = 'published' AND o.kind <> 'event' \
               AND o.row BETWEEN ? AND ? ORDER BY d.item";
    let mut statement = transaction.prepare_cached(sql)?;
    let found =
        statement.query_map(params![relay, first, last], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let found: Vec<(i64, i64)> = found.collect::<Result<_, _>>()?;
    let mut rows: Vec<i64> = found.iter().map(|(_, row)| *row).collect();
    rows.sort_unstable();
    rows.dedup();
    Ok((found.into_iter().map(|(item, _)| item).collect(), rows.len() as u64))
}
