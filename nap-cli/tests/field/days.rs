//! Days of traffic, with all that is wrong on the air, and a day without a way out.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use nap_far_ends::proxy::Way;
use serde_json::{Value, json};

use crate::common::site::{Feed, Running, Site, record, verdicts, wait_for, wait_within};
use crate::far::{Topics, Web, by_id, file, way_to};

const DAY_S: f64 = 86_400.0;
const MODULI: [u32; 6] = [4096, 128, 256, 512, 1024, 2048];

/// How many days, and how much there is in one.
struct Plan {
    days: usize,
    devices: usize,
    /// Of all devices; a few more are sent than that.
    budget: usize,
    sent: usize,
}

/// `NAP_DAYS` says how many days of 840 messages; three small ones otherwise.
fn plan() -> Plan {
    let days = std::env::var("NAP_DAYS").ok().and_then(|text| text.parse().ok());
    match days {
        Some(days) => Plan { days, devices: 60, budget: 840, sent: 900 },
        None => Plan { days: 3, devices: 6, budget: 84, sent: 90 },
    }
}

/// All that is on the air: records in the order of their times, and what has to become of them.
#[derive(Default)]
struct Air {
    records: Vec<(f64, Value)>,
    expected: BTreeMap<String, usize>,
}

impl Air {
    fn add(
        &mut self,
        verdict: &str,
        device: u32,
        counter: u32,
        at_s: f64,
        change: impl FnOnce(&mut Value),
    ) {
        let mut one = record(device, counter, at_s, self.records.len() + 1);
        one["sequence_number"] = json!(counter);
        change(&mut one);
        self.records.push((at_s, one));
        *self.expected.entry(verdict.to_owned()).or_default() += 1;
    }

    /// What a device sends, and what others make of it.
    fn message(&mut self, plan: &Plan, number: usize) {
        let pause_s = DAY_S / plan.sent as f64;
        let at_s = number as f64 * pause_s;
        let (index, device) = (number % plan.devices, 0x1000 + (number % plan.devices) as u32);
        let modulo = MODULI[index % MODULI.len()];
        // All counters wrap within the first day.
        let counter =
            |ahead: usize| (modulo - 4 + (number / plan.devices) as u32 + ahead as u32) % modulo;
        self.add("valid", device, counter(0), at_s, |_| {});
        let (own, strange) = (self.records.len() - 1, 0xBAD_0000 + number as u32);
        let soon_s = at_s + 0.4 * pause_s;
        match number % 45 {
            7 => self.add("refused not_listed", strange, 1, soon_s, |_| {}),
            14 => self.add("refused auth_failed", device, counter(1), soon_s, |one| {
                one["auth"] = json!("failed")
            }),
            21 => {
                let payload = self.records[own].1["payload"].clone();
                self.add("refused duplicate", device, counter(0), at_s + 5.0, |one| {
                    one["payload"] = payload
                });
            }
            28 if number > plan.devices => {
                let before = (counter(0) + modulo - 1) % modulo;
                self.add("refused replayed", device, before, soon_s, |_| {});
            }
            36 if modulo == 4096 => {
                self.add("refused out_of_sequence", device, counter(1500), soon_s, |_| {})
            }
            _ => {}
        }
    }

    fn of(plan: &Plan) -> Self {
        let mut air = Self::default();
        (0..plan.days * plan.sent).for_each(|number| air.message(plan, number));
        air.records.sort_by(|one, other| one.0.total_cmp(&other.0));
        let valid = air.expected.remove("valid").unwrap();
        assert_eq!(valid, plan.days * plan.sent);
        // What is over the budget goes out on the next day, and leaves as much less for that one's own.
        air.expected.insert("accepted".into(), plan.days * plan.budget);
        air.expected.insert("held".into(), valid - plan.days * plan.budget);
        air
    }

    fn records(&self) -> Vec<Value> {
        self.records.iter().map(|(_, record)| record.clone()).collect()
    }
}

fn devices(plan: &Plan) -> String {
    let mut table = "device_id,key,message_modulo\n".to_owned();
    for index in 0..plan.devices {
        writeln!(table, "{:08X},,{}", 0x1000 + index, MODULI[index % MODULI.len()]).unwrap();
    }
    table
}

/// Days through all three relays: strangers, forgeries, replays, duplicates, counters that wrap, and more
/// than the budget. Every ID is at each relay exactly once, or refused for the right reason, and nothing is
/// left over. `make station-days` takes five days of 840 messages.
#[test]
fn every_message_of_some_days_with_mosquitto() {
    let plan = plan();
    let air = Air::of(&plan);
    let site = Site::new(&air.records(), "");
    site.put("devices.csv", &devices(&plan));
    let (web, topics) = (Web::start(), Topics::start());
    let rules = format!("[rules]\nmessages_per_day = {}\n", plan.budget);
    site.configure("records:records.jsonl", &(web.relay(&site) + &topics.relay() + &rules));
    site.finish();
    let rows = site.export();
    assert_eq!(verdicts(&rows), air.expected);
    let accepted: Vec<Value> =
        rows.into_iter().filter(|row| row["verdict"] == "accepted").collect();
    let everywhere = json!({ "archive": true, "web": true, "topics": true });
    assert!(accepted.iter().all(|row| row["relayed"] == everywhere), "the balance is zero");
    wait_for(|| topics.all("message").len() >= accepted.len());
    let known = by_id(&accepted);
    for (relay, seen) in
        [("web", web.seen()), ("topics", topics.all("message")), ("archive", file(&site))]
    {
        assert_eq!(
            (seen.len(), by_id(&seen).len()),
            (accepted.len(), accepted.len()),
            "{relay}: each once"
        );
        assert!(by_id(&seen) == known, "{relay}");
        let late = seen.iter().filter(|one| one["late"] == true).count();
        assert_eq!(
            late,
            (plan.sent - plan.budget) * plan.days * (plan.days - 1) / 2,
            "{relay}: held before"
        );
    }
    println!("{} days: {:?}, each relay has {} messages", plan.days, air.expected, accepted.len());
}

/// A day without a way out: all is delivered when there is one again, in order, with the original times and
/// marked as late, and what is heard meanwhile goes before it. `make station-days` takes a whole day; else the
/// station is started anew with the way, since relays that have failed some times wait longer.
#[test]
fn a_day_without_backhaul_with_mosquitto() {
    let is_whole = std::env::var("NAP_DAYS").is_ok();
    let count = if is_whole { 840 } else { 120 };
    // A relay that has failed for a while waits five minutes at most.
    let timeout = Duration::from_secs(if is_whole { 600 } else { 20 });
    let pause_s = DAY_S / count as f64;
    let of =
        |n: usize| record(0x1000 + (n % 60) as u32, (n / 60) as u32, n as f64 * pause_s, n + 1);
    let records: Vec<Value> = (0..count + 3).map(of).collect();
    let site = Site::new(&records, "");
    let (web, topics) = (Web::start(), Topics::start());
    let ways = [way_to(web.port(), Way::Reset), way_to(topics.broker.port, Way::Reset)];
    let [to_web, to_topics] = ways.each_ref().map(|way| way.address.port());
    Feed::make(&site, &(web.relay_over(&site, to_web) + &topics.relay_over(to_topics)));
    let mut running = Running::start(&site);
    let mut feed = Feed::opened(&site);
    records[..count].iter().for_each(|record| feed.put(record).unwrap());
    // The file is near, and has them all.
    wait_for(|| file(&site).len() == count);
    let wait_for_a_try = |tried: [usize; 2]| {
        wait_within(timeout, || (0..2).all(|index| ways[index].accepted() > tried[index]));
    };
    let tried = || ways.each_ref().map(|way| way.accepted());
    if is_whole {
        wait_for_a_try(tried());
    } else {
        assert!(running.stop().success());
    }
    // The way is slow at first, so that what is heard meanwhile is there before all that waited is through.
    let before = tried();
    ways.iter().for_each(|way| way.become_(Way::Slow(300)));
    if !is_whole {
        running = Running::start(&site);
        feed = Feed::opened(&site);
    }
    wait_for_a_try(before);
    // One relay may have come back minutes before the other.
    let through = [web.seen_count(), topics.count("message")];
    records[count..].iter().for_each(|record| feed.put(record).unwrap());
    let all = count + 3;
    wait_for(|| file(&site).len() == all);
    ways.iter().for_each(|way| way.become_(Way::Good));
    wait_within(timeout, || web.seen_count() == all && topics.count("message") == all);
    drop(feed);
    assert!(running.wait().success(), "{}", site.log());
    let payloads = |records: &[Value]| -> Vec<Value> {
        records.iter().map(|record| record["payload"].clone()).collect()
    };
    let relays = [("web", web.seen()), ("topics", topics.all("message"))];
    for ((relay, seen), through) in relays.into_iter().zip(through) {
        let (late, live): (Vec<Value>, Vec<Value>) =
            seen.iter().cloned().partition(|one| one["late"] == true);
        assert_eq!(payloads(&late), payloads(&records[..count]), "{relay}: all, in order");
        assert_eq!(payloads(&live), payloads(&records[count..]), "{relay}");
        let first_live = seen.iter().position(|one| one["late"] == false).unwrap();
        let waited_for = first_live.saturating_sub(through);
        assert!(waited_for < 20, "{relay}: live messages wait for {waited_for} late ones");
    }
    let times = |records: &[Value]| -> Vec<Value> {
        records.iter().map(|one| one["time"].clone()).collect()
    };
    let late =
        topics.all("message").into_iter().filter(|one| one["late"] == true).collect::<Vec<_>>();
    assert_eq!(times(&late), times(&records[..count]), "their own times");
}
