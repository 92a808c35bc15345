//! Messages while nobody knows the time of day, and what becomes of them once it is known.

use std::collections::{BTreeMap, BTreeSet};

use nap_phy::DeviceId;
use nap_phy::schema::MessageRecord;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::error::Error;
use crate::relay::outbox::Kind;
use crate::rules::clock::{ClockName, RunningTime};
use crate::rules::heard::Heard as Judged;
use crate::rules::utc::{Day, Utc};
use crate::rules::verdict::{Reason, Verdict};
use crate::station::keeper::Keeper;
use crate::station::report::Heard;
use crate::store::change::{Change, Item, class_of};
use crate::store::ledger::{Ledger, UndatedRow};

/// Messages without a time wait so long for it until relays get them, in seconds.
const WAITS_S: f64 = 300.0;
const SETTING: &str = "undated";

/// Since when nobody knows the time of day, as it is stored: a station that starts again meanwhile goes on with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Undated {
    /// Which start of the computer it is.
    pub boot_id: String,
    base_us: i64,
    since_s: f64,
    /// The first message of this time; `None` before the one who writes knows.
    first_row: Option<i64>,
}

impl Undated {
    /// Begins now, after the newest time that is known.
    #[must_use]
    pub fn begin(boot_id: String, newest: Utc, uptime_s: f64) -> Self {
        let RunningTime { base, since_s } = RunningTime::after(newest, uptime_s);
        Self { boot_id, base_us: base.0, since_s, first_row: None }
    }

    /// What was stored, if anything was.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn load(ledger: &Ledger) -> Result<Option<Self>, Error> {
        let stored = ledger.setting(SETTING)?;
        Ok(stored.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// The time that its messages have.
    #[must_use]
    pub fn running(&self) -> RunningTime {
        RunningTime { base: Utc(self.base_us), since_s: self.since_s }
    }
}

/// Whether the time of day is known.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Dating {
    /// It is.
    Dated,
    /// It is not.
    Undated(Undated),
    /// It was not, and what still comes with running time from `base` on is so much wrong.
    Redated { base: Utc, offset_us: i64, clock: ClockName },
}

/// What has changed with times.
#[derive(Default)]
struct Touched {
    days: BTreeSet<Day>,
    devices: BTreeSet<DeviceId>,
}

impl Keeper {
    /// Nobody knows the time of day from now on.
    pub fn undate(&mut self, mut undated: Undated) {
        let first_row = *undated.first_row.get_or_insert(self.next.row);
        self.rules.undate(undated.running().base);
        let text = json!(undated).to_string();
        self.pending.push(Change::Setting(SETTING, Some(text)));
        self.dating = Dating::Undated(undated);
        // Those of the time before a restart wait on. Where they cannot be read relays have them at once.
        for row in self.ledger.undated(first_row).unwrap_or_default() {
            row.item.into_iter().for_each(|item| self.keep_back(item, row.at));
        }
    }

    /// Gives relays the messages whose times they have waited for long enough.
    pub fn lift(&mut self, now: Utc) {
        if let Some((offset_us, clock)) = self.to_redate {
            self.redate(offset_us, clock);
        }
        let is_due = |(_, until): &(&i64, &Utc)| **until <= now;
        let due: Vec<i64> = self.kept_back.iter().filter(is_due).map(|(item, _)| *item).collect();
        self.give(&due);
    }

    /// The clock was ahead: devices may have sent nothing later than now.
    pub(super) fn bring_back(&mut self, now: Utc) {
        for device_id in self.rules.bring_back(now) {
            self.push_device(device_id);
        }
    }

    /// Since when the time of day is not known, if it is not.
    pub(super) fn undated_since(&self) -> Option<Utc> {
        match &self.dating {
            Dating::Undated(undated) => Some(undated.running().base),
            Dating::Dated | Dating::Redated { .. } => None,
        }
    }

    /// A message that was received with running time, and comes after its end, has its time at once.
    pub(super) fn dated(&self, heard: &mut Heard) {
        let Dating::Redated { base, offset_us, clock } = self.dating else { return };
        if heard.clock == ClockName::None.name() && heard.at >= base {
            heard.at = heard.at.plus_us(offset_us);
            heard.clock = clock.name();
            heard.record.time = Some(heard.at.text());
        }
    }

    /// Relays do not get a message without a time at once, that was heard at `at`.
    pub(super) fn keep_back(&mut self, item: i64, at: Utc) {
        if self.undated_since().is_none() {
            return;
        }
        self.kept_back.insert(item, at.plus_s(WAITS_S));
        for relay in &self.relays {
            relay.kept_back().insert(item);
        }
    }

    /// The time of day is known: puts all right that had running time, and judges again what was refused for its
    /// counter. Where that cannot be read or written now it is tried again.
    pub(super) fn redate(&mut self, offset_us: i64, clock: ClockName) {
        let Dating::Undated(undated) = self.dating.clone() else { return };
        // What is not written yet cannot be found.
        let rows = self.write().and_then(|()| self.ledger.undated(undated.first_row.unwrap_or(0)));
        let Ok(rows) = rows else {
            self.to_redate = Some((offset_us, clock));
            return;
        };
        self.to_redate = None;
        let base = undated.running().base;
        self.redate_rules(base, offset_us);
        self.dating = Dating::Redated { base, offset_us, clock };
        let mut touched = Touched::default();
        let redated: Vec<_> =
            rows.iter().filter_map(|row| self.redate_row(row, &mut touched)).collect();
        for (row, record) in redated {
            self.judge_again(row, &record, &mut touched);
        }
        touched.days.into_iter().for_each(|day| self.push_day(day));
        touched.devices.into_iter().for_each(|device_id| self.push_device(device_id));
        self.pending.push(Change::Setting(SETTING, None));
        self.gives_all = true;
    }

    /// Once times that were put right are on disk, relays get what was kept back for them.
    pub(super) fn give_dated(&mut self) {
        if std::mem::take(&mut self.gives_all) {
            let all: Vec<i64> = self.kept_back.keys().copied().collect();
            self.give(&all);
        }
    }

    /// What the rules remember by time.
    fn redate_rules(&mut self, base: Utc, offset_us: i64) {
        self.rules.redate(base, offset_us);
        for device_id in self.rules.listing_mut().redate(base, offset_us) {
            self.push_standing(device_id);
        }
        for (hour, reason) in self.rules.anomalies_mut().forget_from(base.hour()) {
            self.pending.push(Change::RefusedInHour(hour, reason, 0));
        }
    }

    /// Puts a message's time right; returns it if it is to be judged again.
    fn redate_row<'a>(
        &mut self,
        row: &'a UndatedRow,
        touched: &mut Touched,
    ) -> Option<(&'a UndatedRow, MessageRecord)> {
        let Dating::Redated { offset_us, clock, .. } = self.dating else { return None };
        let mut record: MessageRecord = serde_json::from_str(&row.record).ok()?;
        let (at, clock) = (row.at.plus_us(offset_us), clock.name());
        record.time = Some(at.text());
        let text = json!(record).to_string();
        self.pending.push(Change::Dated { row: row.row, at, clock, record: text.clone() });
        for open in self.open.values_mut().filter(|open| open.row == row.row) {
            (open.at, open.clock, open.record) = (at, clock, text.clone());
        }
        let (from, to) = (row.at.day(), at.day());
        match row.verdict? {
            Verdict::Accepted => {
                self.rules.budget_mut().give_back(from);
                self.rules.budget_mut().accept(to);
                touched.days.extend([from, to]);
                self.tell_of("update", row.row, Verdict::Accepted, &text);
                self.push_update(row.row, class_of(record.kind));
            }
            Verdict::Held => {
                self.held_no_more(from);
                *self.held.entry(to).or_default() += 1;
            }
            Verdict::Refused(Reason::Replayed | Reason::OutOfSequence) => {
                return Some((row, record));
            }
            Verdict::Refused(_) => return None,
        }
        touched.devices.insert(record.device_id);
        None
    }

    fn judge_again(&mut self, row: &UndatedRow, record: &MessageRecord, touched: &mut Touched) {
        let at = record.time.as_deref().and_then(Utc::parse).unwrap_or(row.at);
        let judged = Judged::of_record(record, at);
        let Some(judgement) = self.rules.judge_again(&judged, row.row) else { return };
        let verdict = judgement.verdict;
        let item = (verdict == Verdict::Accepted).then(|| self.next_item());
        self.pending.push(Change::Verdict { row: row.row, verdict, held_until: None, item });
        if let Some(item) = item {
            let class = class_of(record.kind);
            self.pending.push(Change::Item(Item {
                item,
                kind: Kind::Message,
                class,
                row: row.row,
            }));
        } else {
            *self.held.entry(at.day()).or_default() += 1;
        }
        for open in self.open.values_mut().filter(|open| open.row == row.row) {
            (open.verdict, open.item) = (verdict, item);
        }
        self.judged.push(verdict);
        self.tell_of("message", row.row, verdict, &json!(record).to_string());
        judgement.notices.iter().for_each(|notice| self.notice(notice, at));
        touched.days.insert(at.day());
        touched.devices.insert(record.device_id);
    }

    /// Gives relays what was kept back.
    fn give(&mut self, items: &[i64]) {
        if items.is_empty() {
            return;
        }
        for relay in &self.relays {
            relay.kept_back().retain(|item| !items.contains(item));
        }
        self.kept_back.retain(|item, _| !items.contains(item));
        self.newest.send_modify(|_| {});
    }
}

/// Items that are kept back, and until when.
pub(super) type KeptBack = BTreeMap<i64, Utc>;
