//! What the rules have to know of the time before a start.

use nap_phy::schema::MessageRecord;
use nap_phy::{DeviceId, MessageCounter};
use rusqlite::{Connection, params};

use crate::error::Error;
use crate::rules::budget::{DAYS, DayCount};
use crate::rules::heard::Heard;
use crate::rules::history::{HOUR_S, MIN_KEPT, Stored};
use crate::rules::judge::Remembered;
use crate::rules::listing::Standing;
use crate::rules::utc::{Day, Utc};
use crate::rules::verdict::Reason;

/// Messages of a device that are read: more than it may send in an hour.
const OF_DEVICE: u32 = 240;
/// Hours of refusals that are read.
const HOURS: i64 = 7 * 24;

pub(super) fn load(connection: &Connection) -> Result<Remembered, Error> {
    let mut messages = Vec::new();
    let mut disengaged = Vec::new();
    for device in devices(connection)? {
        messages.extend(history(connection, &device)?.into_iter().map(|one| (device.id, one)));
        disengaged.extend(device.disengaged_until.map(|until| (device.id, until)));
    }
    Ok(Remembered { messages, disengaged, days: days(connection)?, refused: refused(connection)? })
}

/// What was said of devices.
pub(super) fn standings(connection: &Connection) -> Result<Vec<(DeviceId, Standing)>, Error> {
    let sql = "SELECT device, is_admitted, is_blocked, blocked_until FROM devices \
               WHERE is_admitted OR is_blocked";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        let until: Option<i64> = row.get(3)?;
        let is_blocked: bool = row.get(2)?;
        let blocked = is_blocked.then_some(until.map(Utc));
        Ok((DeviceId(row.get(0)?), Standing { is_admitted: row.get(1)?, blocked }))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

struct KnownDevice {
    id: DeviceId,
    last: Option<Stored>,
    disengaged_until: Option<Utc>,
}

fn devices(connection: &Connection) -> Result<Vec<KnownDevice>, Error> {
    let sql = "SELECT device, counter, at, row, disengaged_until FROM devices";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        let until: Option<i64> = row.get(4)?;
        Ok(KnownDevice {
            id: DeviceId(row.get(0)?),
            last: last(row.get(1)?, row.get(2)?, row.get(3)?),
            disengaged_until: until.map(Utc),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn last(counter: Option<u16>, at: Option<i64>, row: Option<i64>) -> Option<Stored> {
    let counter = MessageCounter::new(counter?).ok()?;
    Some(Stored { row: row?, counter, at: Utc(at?), content: String::new() })
}

/// The device's messages that were accepted or held, the oldest first, the last one in any case.
fn history(connection: &Connection, device: &KnownDevice) -> Result<Vec<Stored>, Error> {
    let sql = "SELECT row, at, record FROM messages WHERE device = ? AND verdict <> 'refused' \
               ORDER BY row DESC LIMIT ?";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![device.id.0, OF_DEVICE])?;
    let mut messages = Vec::new();
    while let Some(row) = rows.next()? {
        let at = Utc(row.get(1)?);
        let newest = messages.first().map_or(at, |newest: &Stored| newest.at);
        if messages.len() >= MIN_KEPT && newest.seconds_since(at) > HOUR_S {
            break;
        }
        messages.extend(stored(row.get(0)?, at, row.get_ref(2)?.as_str().ok()));
    }
    messages.reverse();
    let has_last =
        device.last.as_ref().is_none_or(|last| messages.iter().any(|one| one.row == last.row));
    if let (false, Some(last)) = (has_last, &device.last) {
        // Its row has gone, since rows are not kept for ever.
        messages.push(last.clone());
    }
    Ok(messages)
}

fn stored(row: i64, at: Utc, record: Option<&str>) -> Option<Stored> {
    let record: MessageRecord = serde_json::from_str(record?).ok()?;
    let heard = Heard::of_record(&record, at);
    Some(Stored { row, counter: heard.counter, at, content: heard.content })
}

fn days(connection: &Connection) -> Result<Vec<(Day, DayCount)>, Error> {
    let sql = "SELECT day, accepted, released FROM days ORDER BY day DESC LIMIT ?";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([DAYS as i64], |row| {
        Ok((Day(row.get(0)?), DayCount { accepted: row.get(1)?, released: row.get(2)? }))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn refused(connection: &Connection) -> Result<Vec<(i64, Reason, u32)>, Error> {
    let sql = "SELECT hour, reason, count FROM refused_hours \
               WHERE hour >= (SELECT max(hour) FROM refused_hours) - ?";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([HOURS])?;
    let mut refused = Vec::new();
    while let Some(row) = rows.next()? {
        let reason: String = row.get(1)?;
        if let Some(reason) = Reason::of_name(&reason) {
            refused.push((row.get(0)?, reason, row.get(2)?));
        }
    }
    Ok(refused)
}
