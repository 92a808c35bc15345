//! The one who writes: judges what is reported, and stores it before anybody else sees it.

mod dating;
mod orders;
pub mod undated;

use std::collections::BTreeMap;
use std::sync::mpsc::SyncSender;

use nap_phy::schema::{MessageRecord, MessageRecordType};
use nap_phy::{DeviceId, DeviceTable};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::error::Error;
use crate::http::published::Published;
use crate::relay::outbox::{Acknowledged, Kind, Level, Outcome, Ticket};
use crate::rules::clock::ClockName;
use crate::rules::heard::Heard as Judged;
use crate::rules::judge::{Judgement, Rules};
use crate::rules::notice::Notice;
use crate::rules::utc::{Day, Utc};
use crate::rules::verdict::{Reason, Verdict};
use crate::station::event::Event;
use crate::station::keeper::undated::{Dating, KeptBack, Undated};
use crate::station::order::{Done, Order};
use crate::station::report::{Heard, Report, ReportKind};
use crate::store::change::{Change, DATA, DeviceState, Item, StoredEvent, StoredMessage, class_of};
use crate::store::ledger::{Ledger, NextNumbers};
use crate::store::relay_end::RelayEnd;
use crate::store::retention::{self, Limits, Removed};
use crate::store::settlement::{Settlement, item_of, ticket_of};

/// Messages of which more may come that are remembered.
const MAX_OPEN: usize = 4096;
/// With so many changes waiting for a disk that cannot be written to, what comes is lost, and counted.
const MAX_PENDING: usize = 100_000;

/// What the keeper is asked for.
#[derive(Debug)]
pub enum Command {
    /// Something was heard.
    Report(Report),
    /// Something happened.
    Event(Event),
    /// A relay says what became of its deliveries.
    Settle {
        /// Which relay, by its place in the configuration.
        relay: usize,
        /// What became of them.
        outcomes: Vec<(Ticket, Outcome)>,
        /// Is told when that is on disk, or that it is not.
        reply: Option<SyncSender<Result<(), Error>>>,
    },
    /// An application acknowledges messages.
    Acknowledge {
        /// Over which relay.
        relay: usize,
        /// Of which epoch.
        epoch: u32,
        /// Which numbers.
        ranges: Vec<std::ops::RangeInclusive<u64>>,
        /// Is told when that is on disk, or that it is not.
        reply: SyncSender<Result<Acknowledged, Error>>,
    },
    /// The operator's table of devices is another one.
    Devices(DeviceTable),
    /// An operator says what to do, and waits until it is on disk.
    Order(Order, SyncSender<Done>),
    /// Nobody knows the time of day from now on.
    Undate(Undated),
    /// The time of day is known: running time is so many microseconds wrong.
    Redate {
        /// What is to be added to it.
        offset_us: i64,
        /// What the time goes by.
        clock: ClockName,
    },
    /// The clock was ahead of the time of day, and is no more.
    BringBack,
    /// Something that is to be known at the next start.
    Setting(&'static str, Option<String>),
    /// Where the station is from now on, as JSON, if it is not always at the same place and somebody knows.
    Position(Option<String>),
    /// Everything before this is to be on disk when it is answered.
    Flush(SyncSender<()>),
}

/// A message of which more may come.
#[derive(Debug, Clone)]
struct Open {
    row: i64,
    device_id: DeviceId,
    verdict: Verdict,
    at: Utc,
    clock: &'static str,
    class: &'static str,
    item: Option<i64>,
    record: String,
}

/// What is asked of a relay's end of the queue, and who waits for it.
#[derive(Debug)]
struct Asked {
    settlement: Settlement,
    reply: Reply,
}

#[derive(Debug)]
enum Reply {
    Settled(Option<SyncSender<Result<(), Error>>>),
    Acknowledged(SyncSender<Result<Acknowledged, Error>>),
    None,
}

/// Judges and stores. It has no clock: time is handed in.
#[derive(Debug)]
pub struct Keeper {
    ledger: Ledger,
    rules: Rules,
    next: NextNumbers,
    relays: Vec<RelayEnd>,
    newest: watch::Sender<u64>,
    open: BTreeMap<(usize, u64), Open>,
    /// Messages that are held, by the date that they are of.
    held: BTreeMap<Day, u64>,
    dating: Dating,
    /// Where the station is, if it is not always at the same place.
    position: Option<String>,
    /// What is still to be put right, since it could not be read or written.
    to_redate: Option<(i64, ClockName)>,
    kept_back: KeptBack,
    /// Whether all that is kept back goes out with the next commit.
    gives_all: bool,
    /// What is to be written next.
    pending: Vec<Change>,
    asked: Vec<Asked>,
    /// What operators have said, and who waits until that is on disk.
    ordered: Vec<(u64, SyncSender<Done>)>,
    /// Whether dead letters are to be tried again, or were dropped.
    has_revived: bool,
    /// What those see who listen in, once it is written; `None` if nobody can.
    told: Option<Vec<Published>>,
    /// What became of messages since it was asked for.
    judged: Vec<Verdict>,
    /// Events since they were asked for, of which people were not told in other words.
    noted: Vec<Event>,
    /// Who waits until all is written.
    flushed: Vec<SyncSender<()>>,
    is_failing: bool,
    /// Messages for which there was no room while the disk could not be written to.
    lost: u64,
}

/// How a commit went.
#[derive(Debug)]
pub enum Committed {
    /// All is on disk.
    Done,
    /// All is on disk again, after commits that failed.
    Recovered {
        /// So many messages came meanwhile for which there was no room.
        lost: u64,
    },
    /// It is not; it is tried again with the next.
    Failed(Error),
    /// It still is not.
    StillFailing,
}

impl Keeper {
    /// Goes on with a ledger.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn new(
        ledger: Ledger,
        rules: Rules,
        relays: Vec<RelayEnd>,
        newest: watch::Sender<u64>,
    ) -> Result<Self, Error> {
        let (next, held) = (ledger.next_numbers()?, ledger.held()?);
        newest.send_replace(ticket_of(next.item - 1).0);
        Ok(Self {
            ledger,
            rules,
            next,
            relays,
            newest,
            open: BTreeMap::new(),
            held,
            dating: Dating::Dated,
            position: None,
            to_redate: None,
            kept_back: KeptBack::new(),
            gives_all: false,
            pending: Vec::new(),
            asked: Vec::new(),
            ordered: Vec::new(),
            has_revived: false,
            told: None,
            judged: Vec::new(),
            noted: Vec::new(),
            flushed: Vec::new(),
            is_failing: false,
            lost: 0,
        })
    }

    /// Keeps what is written for those who listen in.
    pub fn tell(&mut self) {
        self.told = Some(Vec::new());
    }

    /// What was written since the last call, for those who listen in.
    pub fn take_told(&mut self) -> Vec<Published> {
        let is_written = self.pending.is_empty();
        self.told.as_mut().filter(|_| is_written).map(std::mem::take).unwrap_or_default()
    }

    /// What became of messages since the last call.
    pub fn take_judged(&mut self) -> Vec<Verdict> {
        std::mem::take(&mut self.judged)
    }

    /// Events since the last call, of which people were not told in other words.
    pub fn take_noted(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.noted)
    }

    /// The rules and what they remember.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// How many messages are held.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.held.values().sum()
    }

    /// Whether what was heard waits for a disk that cannot be written to.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.is_failing
    }

    /// Does what is asked for, but for writing it.
    pub fn command(&mut self, command: Command, now: Utc) {
        match command {
            Command::Report(report) => self.report(report, now),
            Command::Event(event) => self.event(&event),
            Command::Settle { relay, outcomes, reply } => self.settle(relay, outcomes, reply, now),
            Command::Acknowledge { relay, epoch, ranges, reply } => {
                let settlement = Settlement::Acknowledge { relay, epoch, ranges, at: now };
                self.asked.push(Asked { settlement, reply: Reply::Acknowledged(reply) });
            }
            Command::Devices(devices) => self.rules.listing_mut().devices = devices,
            Command::Order(order, reply) => self.order(&order, reply, now),
            Command::Undate(undated) => self.undate(undated),
            Command::Redate { offset_us, clock } => self.redate(offset_us, clock),
            Command::BringBack => self.bring_back(now),
            Command::Setting(name, value) => self.pending.push(Change::Setting(name, value)),
            Command::Position(position) => self.position = position,
            Command::Flush(reply) => self.flushed.push(reply),
        }
    }

    /// Lets messages go that were held on former days, as far as the budget of this one goes.
    pub fn release(&mut self, now: Utc) {
        if self.undated_since().is_some() {
            return;
        }
        let day = now.day();
        let allowance = self.rules.budget().allowance(day);
        let is_due = self.held.range(..day).any(|(_, count)| *count > 0);
        // What is not written yet cannot be found; what cannot be written now is found the next time.
        if allowance == 0 || !is_due || self.is_failing || self.write().is_err() {
            return;
        }
        let held = self.ledger.held_before(day.start(), allowance).unwrap_or_default();
        for (row, at) in held {
            self.release_row(row, at.day(), day);
        }
    }

    /// Removes what is too old or too much, a part of it at once.
    ///
    /// # Errors
    /// [`Error::Ledger`]; nothing has gone then.
    pub fn keep_within(&mut self, limits: Limits, now: Utc) -> Result<Removed, Error> {
        let removed = retention::keep_within(&mut self.ledger, limits, now)?;
        if removed.undelivered > 0 {
            let detail = json!({ "messages": removed.undelivered });
            self.event(&Event::new("retention_dropped", Level::Alarm, now, detail).said());
            self.held = self.ledger.held()?;
        }
        Ok(removed)
    }

    /// Writes what is to be written. Relays see of it only then.
    pub fn commit(&mut self, now: Utc) -> Committed {
        match self.write() {
            Ok(()) if std::mem::take(&mut self.is_failing) => self.recovered(now),
            Ok(()) => Committed::Done,
            Err(_) if self.is_failing => Committed::StillFailing,
            Err(error) => {
                self.is_failing = true;
                let detail = json!({ "problem": error.to_string() });
                self.event(&Event::new("disk_low", Level::Alarm, now, detail).said());
                Committed::Failed(error)
            }
        }
    }

    fn recovered(&mut self, now: Utc) -> Committed {
        let lost = std::mem::take(&mut self.lost);
        if lost > 0 {
            let detail = json!({ "lost_messages": lost });
            self.event(&Event::new("disk_low", Level::Alarm, now, detail).said());
        }
        Committed::Recovered { lost }
    }

    fn write(&mut self) -> Result<(), Error> {
        if !self.pending.is_empty() || !self.asked.is_empty() {
            let settlements: Vec<_> = self.asked.iter().map(|asked| &asked.settlement).collect();
            let acknowledged = match self.ledger.write(&self.pending, &settlements, &self.relays) {
                Ok(acknowledged) => acknowledged,
                Err(error) => {
                    self.refuse(&error.to_string());
                    return Err(error);
                }
            };
            self.pending.clear();
            self.answer(acknowledged);
            self.give_dated();
            self.tell_newest();
        }
        for (count, reply) in self.ordered.drain(..) {
            let _gone = reply.send(Ok(count));
        }
        for reply in self.flushed.drain(..) {
            // Who has asked may have gone.
            let _gone = reply.send(());
        }
        Ok(())
    }

    fn answer(&mut self, acknowledged: Vec<Option<Acknowledged>>) {
        for (asked, done) in self.asked.drain(..).zip(acknowledged) {
            asked.settlement.free(&self.relays, done.as_ref());
            match asked.reply {
                Reply::Settled(Some(reply)) => drop(reply.send(Ok(()))),
                Reply::Acknowledged(reply) => drop(reply.send(Ok(done.unwrap_or_default()))),
                Reply::Settled(None) | Reply::None => {}
            }
        }
    }

    /// Nothing was written: relays are told so, and what was heard stays here until it can be.
    fn refuse(&mut self, problem: &str) {
        let not_stored = || Error::NotStored { problem: problem.to_owned() };
        for asked in self.asked.drain(..) {
            match asked.reply {
                Reply::Settled(Some(reply)) => drop(reply.send(Err(not_stored()))),
                Reply::Acknowledged(reply) => drop(reply.send(Err(not_stored()))),
                Reply::Settled(None) | Reply::None => {}
            }
        }
        for (_, reply) in self.ordered.drain(..) {
            let _gone = reply.send(Err(format!("not stored yet: {problem}")));
        }
    }

    /// Tells relays that there is more, or something again.
    fn tell_newest(&mut self) {
        let newest = ticket_of(self.next.item - 1).0;
        let has_revived = std::mem::take(&mut self.has_revived);
        self.newest
            .send_if_modified(|known| std::mem::replace(known, newest) != newest || has_revived);
    }

    /// Whether nothing more can wait for a disk that cannot be written to.
    fn is_full(&self) -> bool {
        self.is_failing && self.pending.len() >= MAX_PENDING
    }

    fn report(&mut self, report: Report, now: Utc) {
        let Report { message, kind } = report;
        match kind {
            ReportKind::Retracted => self.retract(message),
            ReportKind::Heard(mut heard) => {
                self.dated(&mut heard);
                let is_known = !heard.is_first && self.open.contains_key(&message);
                let is_complete = heard.is_complete;
                if is_known {
                    self.update(message, &heard);
                } else {
                    self.first(message, &heard, now);
                }
                if is_complete {
                    self.open.remove(&message);
                }
            }
        }
    }

    fn first(&mut self, message: (usize, u64), heard: &Heard, now: Utc) {
        if self.is_full() {
            self.lost += 1;
            return;
        }
        self.release(heard.at);
        let row = self.next.row;
        self.next.row += 1;
        let judged = Judged::of_record(&heard.record, heard.at);
        let Judgement { verdict, flags, notices } = self.rules.judge(&judged, row);
        let class = class_of(heard.record.kind);
        let item = (verdict == Verdict::Accepted).then(|| self.next_item());
        let record = json!(self.record(heard)).to_string();
        self.tell_of("message", row, verdict, &record);
        self.pending.push(Change::Message(StoredMessage {
            row,
            device_id: judged.device_id,
            counter: judged.counter.value(),
            at: heard.at,
            stored_at: now,
            verdict,
            flags,
            clock: heard.clock,
            item,
            record: record.clone(),
            position: self.position.clone(),
        }));
        if let Some(item) = item {
            self.pending.push(Change::Item(Item { item, kind: Kind::Message, class, row }));
            self.keep_back(item, now);
        }
        self.judged.push(verdict);
        self.remember(&judged, verdict);
        for notice in &notices {
            self.notice(notice, heard.at);
        }
        let (device_id, at, clock) = (judged.device_id, heard.at, heard.clock);
        let open = Open { row, device_id, verdict, at, clock, class, item, record };
        self.keep_open(message, open);
    }

    /// What has to be the same after a restart.
    fn remember(&mut self, judged: &Judged, verdict: Verdict) {
        let (device_id, at) = (judged.device_id, judged.at);
        match verdict {
            Verdict::Accepted | Verdict::Held => {
                if verdict == Verdict::Held {
                    *self.held.entry(at.day()).or_default() += 1;
                }
                self.push_device(device_id);
                self.push_day(at.day());
            }
            Verdict::Refused(reason) => {
                let (hour, count) = (at.hour(), self.rules.anomalies().count(at.hour(), reason));
                if count > 0 {
                    self.pending.push(Change::RefusedInHour(hour, reason, count));
                }
            }
        }
    }

    fn push_standing(&mut self, device_id: DeviceId) {
        let standing = self.rules.listing().standings.get(&device_id).cloned();
        self.pending.push(Change::Standing(device_id, standing.unwrap_or_default()));
    }

    fn push_device(&mut self, device_id: DeviceId) {
        let last = self.rules.last(device_id);
        let last = last.map(|last| (last.counter.value(), last.at, last.row));
        let disengaged_until = self.rules.disengaged_until(device_id);
        self.pending.push(Change::Device(device_id, DeviceState { last, disengaged_until }));
    }

    fn push_day(&mut self, day: Day) {
        let used = self.rules.budget().used(day);
        self.pending.push(Change::Day(day, used));
    }

    fn notice(&mut self, notice: &Notice, at: Utc) {
        if let Notice::BlockedFor { device_id, .. } = notice {
            self.push_standing(*device_id);
        }
        self.event(&Event::of_notice(notice, at));
    }

    fn keep_open(&mut self, message: (usize, u64), open: Open) {
        if message.1 == 0 {
            return;
        }
        while self.open.len() >= MAX_OPEN {
            self.open.pop_first();
        }
        self.open.insert(message, open);
    }

    /// More of a message: it is the same row, and news for the relays if they have the message.
    fn update(&mut self, message: (usize, u64), heard: &Heard) {
        let (mut record, is_full) = (self.record(heard), self.is_full());
        let Some(open) = self.open.get_mut(&message) else { return };
        if heard.record.time.is_none() && open.clock != ClockName::None.name() {
            record.time = Some(open.at.text());
        }
        let record = json!(record).to_string();
        if open.verdict.reason().is_some() || open.record == record || is_full {
            return;
        }
        open.record.clone_from(&record);
        let (row, class, is_out) = (open.row, open.class, open.item.is_some());
        let verdict = open.verdict;
        self.tell_of("update", row, verdict, &record);
        self.pending.push(Change::Record { row, record });
        if is_out {
            self.push_update(row, class);
        }
    }

    fn push_update(&mut self, row: i64, class: &'static str) {
        let item = self.next_item();
        self.pending.push(Change::Item(Item { item, kind: Kind::Update, class, row }));
    }

    /// The receiver has taken a message back.
    fn retract(&mut self, message: (usize, u64)) {
        let Some(open) = self.open.remove(&message) else { return };
        if open.verdict.reason().is_some() {
            return;
        }
        let verdict = Verdict::Refused(Reason::Retracted);
        if open.verdict == Verdict::Held {
            self.held_no_more(open.at.day());
        }
        self.rules.retract(open.device_id, open.row, open.verdict, open.at.day());
        self.pending.push(Change::Verdict { row: open.row, verdict, held_until: None, item: None });
        self.push_device(open.device_id);
        self.push_day(open.at.day());
        self.tell_of("retracted", open.row, verdict, &open.record);
        let Some(item) = open.item else { return };
        let settlement = Settlement::Retract { item, at: open.at };
        self.asked.push(Asked { settlement, reply: Reply::None });
        self.push_update(open.row, open.class);
        if self.is_out(item) {
            let detail = json!({
                "device_id": open.device_id.to_string(),
                "message": self.ledger.message_id(open.row).to_string(),
            });
            self.event(&Event::new("message_retracted", Level::Warning, open.at, detail));
        }
    }

    /// Whether any relay has sent a message, or is about to.
    fn is_out(&self, item: i64) -> bool {
        self.relays.iter().any(|relay| {
            relay.taken().contains(&item)
                || !self.ledger.is_waiting(relay.end.relay, item).unwrap_or(true)
        })
    }

    fn held_no_more(&mut self, of: Day) {
        if let Some(count) = self.held.get_mut(&of) {
            *count = count.saturating_sub(1);
        }
        self.held.retain(|_, count| *count > 0);
    }

    fn release_row(&mut self, row: i64, of: Day, day: Day) {
        self.rules.budget_mut().release(day);
        self.held_no_more(of);
        let item = self.next_item();
        self.pending.push(Change::Verdict {
            row,
            verdict: Verdict::Accepted,
            held_until: Some(day.start()),
            item: Some(item),
        });
        let class = self.record_of(row).map_or(DATA, |record| class_of(record.kind));
        self.pending.push(Change::Item(Item { item, kind: Kind::Message, class, row }));
        self.push_day(day);
    }

    fn event(&mut self, event: &Event) {
        if self.is_full() {
            return;
        }
        let row = self.next.event;
        self.next.event += 1;
        let item = self.next_item();
        let (mut at, kind, mut record) = (event.at, event.event_type, event.record());
        if let Some(base) = self.undated_since() {
            at = at.max(base);
            record["time"] = Value::Null;
        }
        if let Some(told) = &mut self.told {
            told.push(Published { kind: "event", data: record.to_string() });
        }
        if !event.is_said {
            self.noted.push(event.clone());
        }
        self.pending.push(Change::Event(StoredEvent { row, at, kind, record }));
        self.pending.push(Change::Item(Item { item, kind: Kind::Event, class: kind, row }));
    }

    fn settle(
        &mut self,
        relay: usize,
        outcomes: Vec<(Ticket, Outcome)>,
        reply: Option<SyncSender<Result<(), Error>>>,
        now: Utc,
    ) {
        for (ticket, outcome) in &outcomes {
            if let Outcome::Dead { reason } = outcome {
                self.dead_letter(relay, *ticket, reason, now);
            }
        }
        let settlement = Settlement::Outcomes { relay, outcomes, at: now };
        self.asked.push(Asked { settlement, reply: Reply::Settled(reply) });
    }

    fn dead_letter(&mut self, relay: usize, ticket: Ticket, reason: &str, now: Utc) {
        let Some(relay) = self.relays.get(relay) else { return };
        let id = self.ledger.id_of_item(item_of(ticket)).unwrap_or_default();
        let detail = json!({ "relay": relay.name, "message": id, "reason": reason });
        self.event(&Event::new("dead_letter", Level::Warning, now, detail));
    }

    fn next_item(&mut self) -> i64 {
        let item = self.next.item;
        self.next.item += 1;
        item
    }

    /// A message's record as it is stored, with what its owner calls the device.
    fn record(&self, heard: &Heard) -> MessageRecord {
        let mut record = heard.record.clone();
        let name = self.rules.listing().devices.name(record.device_id);
        if let Some(name) = name {
            record.device_name = Some(name.to_owned());
        }
        record.record_type = MessageRecordType::Message;
        record
    }

    /// Shows a message to those who listen in, with its ID and what becomes of it.
    fn tell_of(&mut self, kind: &'static str, row: i64, verdict: Verdict, record: &str) {
        let Some(told) = &mut self.told else { return };
        let mut shown: serde_json::Map<_, _> = serde_json::from_str(record).unwrap_or_default();
        shown.insert("type".into(), json!(kind));
        shown.insert("id".into(), json!(self.ledger.message_id(row).to_string()));
        shown.insert("verdict".into(), json!(verdict.name()));
        shown.insert("reason".into(), json!(verdict.reason().map(Reason::name)));
        told.push(Published { kind, data: json!(shown).to_string() });
    }

    fn record_of(&self, row: i64) -> Option<MessageRecord> {
        serde_json::from_str(&self.ledger.record(row).ok()??).ok()
    }
}
