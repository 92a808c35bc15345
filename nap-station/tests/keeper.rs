//! The one who writes: what is on disk, and when relays see it. Time is handed in.
#![cfg(feature = "access-point")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

use std::sync::mpsc::sync_channel;

use nap_phy::schema::MessageRecord;
use nap_station::relay::outbox::{Beginning, Delivery, Kind, Outcome, WantedEvents, Wishes};
use nap_station::rules::listing::Listing;
use nap_station::rules::utc::Utc;
use nap_station::rules::{Rules, RulesConfig, SequencePolicy};
use nap_station::station::keeper::{Command, Committed, Keeper};
use nap_station::station::report::{Heard, Report, ReportKind};
use nap_station::store::export::Export;
use nap_station::store::ledger::Ledger;
use nap_station::store::outbox::Waiting;
use nap_station::store::relay_end::RelayEnd;
use nap_station::store::retention::Limits;
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
