//! The one who writes: what is on disk, and when relays see it. Time is handed in.
#![cfg(feature = "access-point")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

use std::sync::mpsc::sync_channel;

use nap_phy::schema::MessageRecord;
use nap_station::relay::outbox::{Beginning, Delivery, Kind, Outcome, WantedEvents, Wishes};
use nap_station::rules::clock::{ClockName, RunningTime};
use nap_station::rules::listing::Listing;
use nap_station::rules::utc::Utc;
use nap_station::rules::{Rules, RulesConfig, SequencePolicy};
use nap_station::station::keeper::undated::Undated;
use nap_station::station::keeper::{Command, Committed, Keeper};
use nap_station::station::order::{DeadLetters, Order};
use nap_station::station::report::{Heard, Report, ReportKind};
use nap_station::store::backup;
use nap_station::store::export::Export;
use nap_station::store::ledger::{Found, Ledger};
use nap_station::store::outbox::Waiting;
use nap_station::store::relay_end::RelayEnd;
use nap_station::store::retention::Limits;
use nap_station::store::views;
use nap_station::store::wire::Sender;
use serde_json::{Value, json};
use tokio::sync::watch;

const DAY_S: f64 = 86_400.0;

fn start() -> Utc {
    Utc::parse("2026-11-23T00:00:00Z").unwrap()
}

/// A station's store with one relay, whose hands the test is.
struct Desk {
    state: tempfile::TempDir,
    keeper: Keeper,
    waiting: Waiting,
    now: Utc,
}

impl Desk {
    fn new(messages_per_day: u32) -> Self {
        Self::on(tempfile::tempdir().unwrap(), messages_per_day, "one box")
    }

    fn on(state: tempfile::TempDir, messages_per_day: u32, hardware: &str) -> Self {
        let config = RulesConfig {
            require_auth: false,
            messages_per_day,
            device_messages_per_day: 140,
            max_messages_per_hour: 0,
            sequence: SequencePolicy::Enforce,
            anomaly_block_minutes: 0,
        };
        let (mut ledger, _) = Ledger::open(state.path(), hardware, start()).unwrap();
        let wishes = Wishes {
            control: true,
            updates: true,
            events: WantedEvents::Types(
                ["message_retracted", "dead_letter", "refused", "anomaly"].map(Into::into).into(),
            ),
            from: Beginning::Now,
        };
        let (mut ends, _) = ledger.register(&[("test".to_owned(), wishes)]).unwrap();
        let end = RelayEnd::new("test".into(), ends.remove(0));
        let sender = Sender { station: "0123456789abcdef".into(), position: Value::Null };
        let waiting = Waiting::open(state.path(), sender, end.clone()).unwrap();
        let rules = Rules::new(config, Listing::default(), ledger.remembered().unwrap());
        let keeper = Keeper::new(ledger, rules, vec![end], watch::Sender::new(0)).unwrap();
        Self { state, keeper, waiting, now: start() }
    }

    /// Starts again on what is on disk.
    fn restarted(self, messages_per_day: u32, hardware: &str) -> Self {
        let Self { state, keeper, waiting, .. } = self;
        drop((keeper, waiting));
        Self::on(state, messages_per_day, hardware)
    }

    fn hear(&mut self, number: u64, seconds: f64, frames: usize) {
        self.hear_as(number, seconds, frames, "verified");
    }

    fn hear_as(&mut self, number: u64, seconds: f64, frames: usize, auth: &str) {
        let at = start().plus_s(seconds);
        let frame = json!({"rank": 1, "time_s": seconds, "frequency_hz": 868e6, "rssi_dbfs": -50.0,
            "snr_db": 9.0, "drift_hz_per_s": 0.0, "crc_ok": true});
        let record: MessageRecord = serde_json::from_value(json!({
            "type": "message", "schema": 1, "message_id": number, "time": at.text(), "time_s": seconds,
            "device_id": "000000A1", "sequence_number": number % 4096, "kind": "bytes",
            "payload": format!("{number:04x}"), "bidirectional": false, "auth": auth,
            "radio_configuration": "RC1", "bit_rate": 100, "frequency_hz": 868e6, "rssi_dbfs": -50.0,
            "snr_db": 9.0, "drift_hz_per_s": 0.0, "decoder": "single", "frames": vec![frame; frames],
        }))
        .unwrap();
        let is_first = frames == 1;
        let heard = Heard { is_first, is_complete: false, record, at, clock: "recording" };
        let kind = ReportKind::Heard(Box::new(heard));
        self.now = at;
        self.keeper.command(Command::Report(Report { message: (0, number), kind }), at);
    }

    /// A message while nobody knows the time of day, so many seconds after that began.
    fn hear_undated(&mut self, number: u64, counter: u64, running_s: f64) {
        let at = self.running().at(running_s);
        let record: MessageRecord = serde_json::from_value(json!({
            "type": "message", "schema": 1, "message_id": number, "time": null, "time_s": running_s,
            "device_id": "000000A1", "sequence_number": counter % 4096, "kind": "bytes",
            "payload": format!("{number:04x}"), "bidirectional": false, "auth": "verified",
            "radio_configuration": "RC1", "bit_rate": 100, "frequency_hz": 868e6, "rssi_dbfs": -50.0,
            "snr_db": 9.0, "drift_hz_per_s": 0.0, "decoder": "single", "frames": [],
        }))
        .unwrap();
        let heard = Heard { is_first: true, is_complete: false, record, at, clock: "none" };
        let kind = ReportKind::Heard(Box::new(heard));
        self.now = at;
        self.keeper.command(Command::Report(Report { message: (0, number), kind }), at);
    }

    /// The running time of a computer that was started with the station, after a first day.
    fn running(&self) -> RunningTime {
        self.undated().running()
    }

    fn undated(&self) -> Undated {
        Undated::begin("boot".into(), start(), 0.0)
    }

    fn order(&mut self, order: Order) -> Result<u64, String> {
        let (reply, answer) = sync_channel(1);
        self.keeper.command(Command::Order(order, reply), self.now);
        self.commit();
        answer.recv().unwrap()
    }

    fn retract(&mut self, number: u64) {
        let report = Report { message: (0, number), kind: ReportKind::Retracted };
        self.keeper.command(Command::Report(report), self.now);
    }

    fn commit(&mut self) {
        assert!(matches!(self.keeper.commit(self.now), Committed::Done));
    }

    fn take(&self) -> Vec<Delivery> {
        self.waiting.take(&(0..=i64::MAX), 10_000).unwrap().deliveries
    }

    fn settle(&mut self, deliveries: &[Delivery], outcome: &Outcome) {
        let outcomes = deliveries.iter().map(|one| (one.ticket, outcome.clone())).collect();
        let (reply, answer) = sync_channel(1);
        self.keeper.command(Command::Settle { relay: 0, outcomes, reply: Some(reply) }, self.now);
        self.commit();
        answer.recv().unwrap().unwrap();
    }

    fn rows(&self) -> Vec<Value> {
        Export::open(self.state.path()).unwrap().read().unwrap()
    }
}

fn kinds(deliveries: &[Delivery]) -> Vec<Kind> {
    deliveries.iter().map(|one| one.kind).collect()
}

#[test]
fn relays_see_nothing_that_is_not_on_disk() {
    let mut desk = Desk::new(840);
    desk.hear(1, 0.0, 1);
    assert_eq!(desk.take(), []);
    desk.commit();
    let taken = desk.take();
    assert_eq!(kinds(&taken), [Kind::Message]);
    assert_eq!(desk.take(), [], "it is in the relay's hands");
    assert_eq!(desk.rows()[0]["relayed"], json!({ "test": false }));
    desk.settle(&taken, &Outcome::Again);
    let taken = desk.take();
    desk.settle(&taken, &Outcome::Delivered);
    assert_eq!(desk.rows()[0]["relayed"], json!({ "test": true }));
    let counts = desk.waiting.counts().unwrap();
    assert_eq!((counts.waiting, counts.relayed, counts.dead), (0, 1, 0));
}

#[test]
fn further_frames_are_updates_of_what_is_out_and_part_of_what_is_not() {
    let mut desk = Desk::new(840);
    desk.hear(1, 0.0, 1);
    desk.hear(1, 0.0, 2);
    desk.commit();
    let taken = desk.take();
    assert_eq!(kinds(&taken), [Kind::Message], "one message with both frames");
    assert_eq!(taken[0].record["frames"].as_array().unwrap().len(), 2);
    desk.settle(&taken, &Outcome::Delivered);
    desk.hear(1, 0.0, 3);
    desk.commit();
    let taken = desk.take();
    assert_eq!(kinds(&taken), [Kind::Update]);
    assert_eq!((taken[0].id.n, &taken[0].record["type"]), (1, &json!("update")));
    assert_eq!(desk.rows().len(), 1);
}

#[test]
fn what_was_never_sent_is_taken_back_where_it_is_out() {
    let mut desk = Desk::new(840);
    desk.hear(1, 0.0, 1);
    desk.hear(2, 60.0, 1);
    desk.commit();
    let taken = desk.take();
    desk.settle(&taken[..1], &Outcome::Delivered);
    desk.settle(&taken[1..], &Outcome::Again);
    desk.retract(1);
    desk.retract(2);
    desk.commit();
    let taken = desk.take();
    assert_eq!(kinds(&taken), [Kind::Update, Kind::Event], "the second one never goes out");
    assert_eq!((&taken[0].record["retracted"], taken[0].id.n), (&json!(true), 1));
    assert_eq!(taken[1].record["type"], "message_retracted");
    for row in desk.rows() {
        assert_eq!((&row["reason"], &row["relayed"]), (&json!("retracted"), &json!({})));
    }
    assert_eq!(desk.waiting.counts().unwrap().waiting, 0);
}

/// A day without backhaul: all wait, in order, with their own times, over a restart too.
#[test]
fn a_day_without_backhaul() {
    let mut desk = Desk::new(840);
    for number in 0..840 {
        desk.hear(number + 1, number as f64 * 100.0, 1);
        desk.commit();
    }
    let in_hands = desk.take();
    assert_eq!(in_hands.len(), 840);
    let desk = desk.restarted(840, "one box");
    let taken = desk.take();
    assert_eq!(taken, in_hands, "the same IDs and times again");
    assert!(taken.windows(2).all(|pair| pair[0].ticket < pair[1].ticket));
    let last = start().plus_s(839.0 * 100.0).text();
    assert_eq!(taken[839].record["time"], json!(last));
}

#[test]
fn a_poisoned_message_is_a_dead_letter_and_blocks_nobody() {
    let mut desk = Desk::new(840);
    (1..=3).for_each(|number| desk.hear(number, number as f64 * 60.0, 1));
    desk.commit();
    let taken = desk.take();
    let dead = Outcome::Dead { reason: "400 Bad Request".into() };
    desk.settle(&taken[..1], &dead);
    desk.settle(&taken[1..], &Outcome::Delivered);
    let counts = desk.waiting.counts().unwrap();
    assert_eq!((counts.waiting, counts.relayed, counts.dead), (0, 2, 1));
    let event = desk.take().remove(0);
    assert_eq!(event.record["type"], "dead_letter");
    assert_eq!(event.record["message"], json!(taken[0].id.to_string()));
    let relayed: Vec<Value> =
        desk.rows().iter().map(|row| row["relayed"]["test"].clone()).collect();
    assert_eq!(relayed, [json!(false), json!(true), json!(true)]);
}

#[test]
fn an_application_acknowledges_what_was_published_and_nothing_else() {
    let mut desk = Desk::new(840);
    (1..=4).for_each(|number| desk.hear(number, number as f64 * 60.0, 1));
    desk.commit();
    let taken = desk.take();
    desk.settle(&taken[..3], &Outcome::Published);
    let (epoch, now) = (taken[0].id.epoch, desk.now);
    let mut acknowledge = |epoch, range| {
        let (reply, answer) = sync_channel(1);
        desk.keeper
            .command(Command::Acknowledge { relay: 0, epoch, ranges: vec![range], reply }, now);
        assert!(matches!(desk.keeper.commit(now), Committed::Done));
        answer.recv().unwrap().unwrap()
    };
    assert_eq!(acknowledge(!epoch, 1..=9).ignored, 9, "another ledger's");
    let done = acknowledge(epoch, 2..=4);
    assert_eq!(done.delivered, [taken[1].ticket, taken[2].ticket]);
    assert_eq!(done.ignored, 1, "the fourth was not published");
    let counts = desk.waiting.counts().unwrap();
    assert_eq!((counts.waiting, counts.relayed), (2, 2));
    // What was published and not acknowledged comes again after a restart.
    let desk = desk.restarted(840, "one box");
    let again: Vec<u64> = desk.take().iter().map(|one| one.id.n).collect();
    assert_eq!(again, [1, 4]);
}

#[test]
fn held_messages_go_out_by_the_clock_too() {
    let mut desk = Desk::new(4);
    (1..=10).for_each(|number| desk.hear(number, number as f64 * 60.0, 1));
    desk.commit();
    assert_eq!((desk.take().len(), desk.keeper.held()), (4, 6));
    let mut desk = desk.restarted(4, "one box");
    desk.keeper.release(start().plus_s(DAY_S));
    desk.now = start().plus_s(DAY_S);
    desk.commit();
    let late: Vec<Delivery> = desk.take().into_iter().filter(|one| one.is_late).collect();
    assert_eq!(late.iter().map(|one| one.id.n).collect::<Vec<_>>(), [5, 6]);
    desk.keeper.release(start().plus_s(DAY_S + 60.0));
    assert_eq!(desk.keeper.held(), 4, "half of the budget a day");
}

/// The clock says 1970 at the start: messages have no time, relays wait for it, and get it as an update.
#[test]
fn without_the_time_of_day_relays_wait_and_are_told_later() {
    let mut desk = Desk::new(840);
    desk.keeper.command(Command::Undate(desk.undated()), desk.now);
    desk.hear_undated(1, 1, 10.0);
    desk.hear_undated(2, 2, 200.0);
    desk.commit();
    assert_eq!(desk.take(), [], "they wait for the time");
    desk.keeper.lift(desk.running().at(309.0));
    assert_eq!(desk.take(), []);
    desk.keeper.lift(desk.running().at(310.0));
    let first = desk.take();
    assert_eq!((first.len(), &first[0].record["time"]), (1, &Value::Null), "long enough");
    assert_eq!(first[0].record["clock"], "none");
    desk.settle(&first, &Outcome::Delivered);
    assert_eq!(desk.rows()[1]["time"], Value::Null);

    // Noon of the day, an uptime of 400 s.
    let right = start().plus_s(43_200.0);
    let offset_us = desk.running().offset_us(right, 400.0);
    desk.keeper.command(Command::Redate { offset_us, clock: ClockName::Ntp }, right);
    desk.commit();
    let taken = desk.take();
    assert_eq!(kinds(&taken), [Kind::Message, Kind::Update]);
    let times = [start().plus_s(43_000.0).text(), start().plus_s(42_810.0).text()];
    let told: Vec<&Value> = taken.iter().map(|one| &one.record["time"]).collect();
    assert_eq!(told, [&json!(times[0]), &json!(times[1])]);
    assert!(taken.iter().all(|one| one.record["clock"] == "ntp"));
    assert_eq!(taken[1].id, first[0].id, "the same message");
    let used = |day_s| desk.keeper.rules().budget().used(start().plus_s(day_s).day()).accepted;
    assert_eq!((used(0.0), used(DAY_S)), (2, 0), "they are of this day");
    // One that was still on its way has its time at once.
    desk.hear_undated(3, 3, 390.0);
    desk.commit();
    assert_eq!(desk.rows()[2]["time"], json!(start().plus_s(43_190.0).text()));
    assert_eq!(desk.rows()[2]["clock"], "ntp");
}

/// A station was off for ten days, and does not know it at first.
#[test]
fn what_was_refused_without_the_time_of_day_is_judged_again() {
    let mut desk = Desk::new(840);
    desk.hear(1, 0.0, 1);
    desk.commit();
    let mut desk = desk.restarted(840, "one box");
    let undated = desk.undated();
    desk.keeper.command(Command::Undate(undated.clone()), desk.now);
    desk.hear_undated(2, 1001, 10.0);
    desk.hear_undated(3, 1002, 20.0);
    desk.hear_undated(4, 1, 30.0);
    desk.commit();
    let reasons = |desk: &Desk| -> Vec<Value> {
        desk.rows().iter().map(|row| row["reason"].clone()).collect()
    };
    let too_far = json!("out_of_sequence");
    assert_eq!(reasons(&desk)[1..], [too_far.clone(), too_far, json!("replayed")]);

    // A restart meanwhile does not forget what is to be put right.
    desk.commit();
    let state = Ledger::open(desk.state.path(), "one box", start()).unwrap().0;
    let stored = Undated::load(&state).unwrap().unwrap();
    assert_eq!(stored.running(), undated.running());
    drop(state);
    let mut desk = desk.restarted(840, "one box");
    desk.keeper.undate(stored);
    let right = start().plus_s(10.0 * DAY_S);
    let offset_us = undated.running().offset_us(right, 60.0);
    desk.keeper.command(Command::Redate { offset_us, clock: ClockName::Ntp }, right);
    desk.commit();
    assert_eq!(reasons(&desk)[1..], [Value::Null, Value::Null, json!("replayed")]);
    let mut taken = desk.take();
    taken.retain(|one| one.kind == Kind::Message);
    let counters: Vec<&Value> = taken.iter().map(|one| &one.record["sequence_number"]).collect();
    assert_eq!(counters, [1, 1001, 1002]);
    let ledger = Ledger::open(desk.state.path(), "one box", start()).unwrap().0;
    assert_eq!(Undated::load(&ledger).unwrap(), None, "all is put right");
}

/// The clock was years ahead: that locks nobody out.
#[test]
fn a_clock_that_was_ahead_is_brought_back() {
    let mut desk = Desk::new(840);
    desk.hear(1, 4000.0 * DAY_S, 1);
    desk.keeper.command(Command::BringBack, start());
    desk.hear(15, 3600.0, 1);
    desk.commit();
    assert_eq!(desk.rows()[1]["verdict"], "accepted");
    let desk = desk.restarted(840, "one box");
    let device_id = "A1".parse().unwrap();
    assert_eq!(desk.keeper.rules().last(device_id).unwrap().at, start().plus_s(3600.0));
}

#[test]
fn an_operator_says_who_may_and_who_may_not() {
    let mut desk = Desk::new(840);
    let device_id = "A1".parse().unwrap();
    desk.hear(1, 0.0, 1);
    assert_eq!(desk.order(Order::Block { device_id, minutes: Some(5) }), Ok(1));
    desk.hear(2, 60.0, 1);
    desk.hear(3, 400.0, 1);
    desk.order(Order::Block { device_id, minutes: None }).unwrap();
    desk.commit();
    // It is on disk.
    let mut desk = desk.restarted(840, "one box");
    let standings = Ledger::open(desk.state.path(), "one box", start()).unwrap().0.standings();
    assert_eq!(standings.unwrap()[0].1.blocked, Some(None));
    desk.order(Order::Unblock { device_id }).unwrap();
    desk.order(Order::Admit { device_id }).unwrap();
    desk.order(Order::Disengage { device_id }).unwrap();
    let until = desk.keeper.rules().disengaged_until(device_id);
    assert_eq!(until, Some(desk.now.plus_s(7.0 * DAY_S)));
    let reasons: Vec<Value> = desk.rows().iter().map(|row| row["reason"].clone()).collect();
    assert_eq!(reasons, [Value::Null, json!("blocked"), Value::Null]);
    let standing = &desk.keeper.rules().listing().standings[&device_id];
    assert_eq!((standing.is_admitted, standing.blocked), (true, None));
}

#[test]
fn dead_letters_are_tried_again_or_dropped() {
    let mut desk = Desk::new(840);
    (1..=3).for_each(|number| desk.hear(number, number as f64 * 60.0, 1));
    desk.commit();
    let taken = desk.take();
    desk.settle(&taken, &Outcome::Dead { reason: "410 Gone".into() });
    let listed = views::dead_letters(desk.state.path()).unwrap();
    assert_eq!(listed.len(), 3);
    assert_eq!((&listed[0]["relay"], &listed[0]["reason"]), (&json!("test"), &json!("410 Gone")));
    let of = |relay: &str, ids: &[&Value]| DeadLetters {
        relay: Some(relay.into()),
        ids: ids.iter().map(|id| id.as_str().unwrap().to_owned()).collect(),
    };
    assert!(desk.order(Order::Again(of("other", &[]))).is_err());
    assert!(desk.order(Order::Again(of("test", &[&json!("00000000-1")]))).is_err());
    assert_eq!(desk.order(Order::Drop(of("test", &[&listed[0]["id"]]))), Ok(1));
    assert_eq!(desk.order(Order::Again(DeadLetters::default())), Ok(2));
    let counts = desk.waiting.counts().unwrap();
    assert_eq!((counts.waiting, counts.relayed, counts.dead), (2, 0, 1));
    let again: Vec<_> = desk.take().into_iter().filter(|one| one.kind == Kind::Message).collect();
    assert_eq!(again.iter().map(|one| one.id.n).collect::<Vec<_>>(), [2, 3]);
    desk.settle(&again, &Outcome::Delivered);
    assert_eq!(views::dead_letters(desk.state.path()).unwrap(), Vec::<Value>::new());
}

#[test]
fn a_backup_is_whole_or_refused() {
    let mut desk = Desk::new(840);
    (1..=30).for_each(|number| desk.hear(number, number as f64 * 60.0, 1));
    desk.commit();
    let folder = tempfile::tempdir().unwrap();
    let (file, config) = (folder.path().join("backup.tar"), folder.path().join("nap.toml"));
    std::fs::write(&config, "# ours\n").unwrap();
    backup::backup(desk.state.path(), &config, &file, start()).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    let state = folder.path().join("state");
    for cut in [0, 100, 700, bytes.len() / 2, bytes.len() - 1200] {
        std::fs::write(&file, &bytes[..cut]).unwrap();
        backup::restore(&file, &state).unwrap_err();
        assert!(!state.exists(), "nothing is touched, {cut} bytes of {}", bytes.len());
    }
    let mut changed = bytes.clone();
    let middle = bytes.len() / 2;
    changed[middle] ^= 1;
    std::fs::write(&file, &changed).unwrap();
    assert!(backup::restore(&file, &state).unwrap_err().to_string().contains("damaged"));
    std::fs::write(&file, &bytes).unwrap();
    assert_eq!(backup::configuration(&file).unwrap(), "# ours\n");
    // What a ledger that is gone has left is not taken for changes of the one that comes.
    std::fs::create_dir(&state).unwrap();
    for left in ["ledger.db-wal", "ledger.db-shm"] {
        std::fs::copy(desk.state.path().join(left), state.join(left)).unwrap();
    }
    backup::restore(&file, &state).unwrap();
    let rows = Export::open(&state).unwrap().read().unwrap();
    assert_eq!(rows, desk.rows());
    let again = backup::restore(&file, &state).unwrap_err();
    assert!(again.to_string().contains("is there already"), "{again}");
    // What comes next is of another epoch, on the same hardware too.
    let (ledger, found) = Ledger::open(&state, "one box", start()).unwrap();
    assert_eq!(found, Found::OtherHardware);
    assert_eq!(ledger.message_id(31).n, 1);
}

#[test]
fn other_hardware_begins_another_epoch() {
    let mut desk = Desk::new(840);
    desk.hear(1, 0.0, 1);
    desk.commit();
    let mut desk = desk.restarted(840, "another box");
    desk.hear(2, 60.0, 1);
    desk.commit();
    let ids: Vec<_> = desk.take().iter().map(|one| one.id).collect();
    assert_eq!((ids[0].n, ids[1].n), (1, 1));
    assert_ne!(ids[0].epoch, ids[1].epoch);
}

#[test]
fn what_is_delivered_goes_first_and_what_is_not_with_an_alarm() {
    let mut desk = Desk::new(840);
    (1..=20).for_each(|number| desk.hear(number, number as f64 * 60.0, 1));
    desk.commit();
    let taken = desk.take();
    desk.settle(&taken[..10], &Outcome::Delivered);
    let old = Limits { days: 1, bytes: 1_000_000_000 };
    let later = start().plus_s(3.0 * DAY_S);
    let removed = desk.keeper.keep_within(old, later).unwrap();
    assert_eq!((removed.messages, removed.undelivered), (10, 0), "nothing that is not delivered");
    assert_eq!(desk.rows().len(), 10);
    let tiny = Limits { days: 1, bytes: 1 };
    let removed = desk.keeper.keep_within(tiny, later).unwrap();
    assert_eq!(removed.undelivered, 9, "the newest row stays");
    desk.hear(21, 3600.0, 1);
    desk.commit();
    let numbers: Vec<Value> =
        desk.rows().iter().map(|row| row["sequence_number"].clone()).collect();
    assert_eq!(numbers, [json!(20), json!(21)]);
}

/// Forged messages of a device, thousands in an hour: the true one is heard as before, the forged ones take
/// their tenth of the room and no more, and it is told once an hour.
#[test]
fn a_forged_flood_fills_no_disk_and_locks_nobody_out() {
    const ROOM_BYTES: u64 = 2_000_000;
    let mut desk = Desk::new(840);
    let limits = Limits { days: 90, bytes: ROOM_BYTES };
    let mut told = Vec::new();
    for second in 0..3600_u64 {
        desk.hear_as(1 + second * 7 % 4000, second as f64, 1, "failed");
        if second % 120 == 0 {
            desk.hear(100 + second / 120, second as f64, 1);
        }
        if second % 300 == 299 {
            desk.commit();
            while desk.keeper.keep_within(limits, desk.now).unwrap().messages > 0 {}
            let taken = desk.take();
            told.extend(taken.iter().filter(|one| one.kind == Kind::Event).cloned());
            desk.settle(&taken, &Outcome::Delivered);
        }
    }
    let (refused, accepted): (Vec<Value>, Vec<Value>) =
        desk.rows().into_iter().partition(|row| row["verdict"] == "refused");
    assert_eq!(accepted.len(), 30, "the true messages, all of them");
    assert!(refused.len() as u64 <= ROOM_BYTES / 10 / 700, "{} refused rows", refused.len());
    let types: Vec<&Value> = told.iter().map(|event| &event.record["type"]).collect();
    assert_eq!(types, ["refused", "anomaly"], "told once");
}

/// Strangers by the thousand, each with an identity of its own, push out no message that is to be kept, and
/// those that were not delivered least of all.
#[test]
fn strangers_push_out_nobody() {
    let mut desk = Desk::new(840);
    (1..=50).for_each(|number| desk.hear(number, number as f64 * 60.0, 1));
    desk.commit();
    let taken = desk.take();
    desk.settle(&taken[..25], &Outcome::Delivered);
    for second in 0..2000_u64 {
        desk.hear_as(1 + second % 4000, 3000.0 + second as f64, 1, "failed");
    }
    desk.commit();
    let limits = Limits { days: 90, bytes: 3_000_000 };
    let mut removed = 0;
    loop {
        let some = desk.keeper.keep_within(limits, desk.now).unwrap();
        assert_eq!(some.undelivered, 0);
        removed += some.messages;
        if some.messages == 0 {
            break;
        }
    }
    let rows = desk.rows();
    assert_eq!(rows.iter().filter(|row| row["verdict"] == "accepted").count(), 50);
    assert_eq!(removed as usize, 2050 - rows.len());
    assert!(removed > 1500, "{removed} of 2000 strangers' rows are gone");
}

/// The clock jumps a week ahead and back: IDs go on by one, relays get all in the order in which they were
/// heard, each with the time that it had, and nobody is locked out.
#[test]
fn a_clock_that_jumps_keeps_order_and_ids() {
    let mut desk = Desk::new(840);
    let seconds = [0.0, 60.0, 7.0 * DAY_S, 7.0 * DAY_S + 60.0, 120.0, 180.0];
    for (index, seconds) in seconds.iter().enumerate() {
        desk.hear(1 + index as u64, *seconds, 1);
        desk.commit();
    }
    let taken = desk.take();
    let numbers: Vec<u64> = taken.iter().map(|one| one.id.n).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
    let times: Vec<Value> = taken.iter().map(|one| one.record["time"].clone()).collect();
    assert_eq!(times, seconds.map(|seconds| json!(start().plus_s(seconds).text())));
}

/// Relays get where the station was, though it has gone on since.
#[test]
fn a_message_has_the_position_of_its_reception() {
    let mut desk = Desk::new(100);
    let munich = r#"{"latitude":48.137,"longitude":11.575}"#;
    for (number, position) in [(1, None), (2, Some(munich)), (3, None)] {
        let position = position.map(str::to_owned);
        desk.keeper.command(Command::Position(position), start());
        desk.hear(number, number as f64 * 600.0, 1);
    }
    desk.commit();
    let expected = [Value::Null, json!({"latitude": 48.137, "longitude": 11.575}), Value::Null];
    let found: Vec<Value> = desk.take().iter().map(|one| one.record["position"].clone()).collect();
    assert_eq!(found, expected);
}
