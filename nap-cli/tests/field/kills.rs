//! Killed at any moment.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::common::site::{Feed, Running, Site, traffic, wait_for};
use crate::far::{Topics, Unsteady, Web, by_id, file};

/// How often stations are killed: `NAP_KILLS` says.
fn kills() -> usize {
    std::env::var("NAP_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(10)
}

/// What becomes known of a station from kill to kill.
struct Watch {
    site: Site,
    far: Unsteady,
    records: Vec<Value>,
    /// The rows as they were found after the last kill: payload and verdict by ID.
    rows: BTreeMap<String, (String, String)>,
    before_the_end: usize,
    while_reading: usize,
}

impl Watch {
    /// Lets a station live for a while, kills it, and looks.
    fn life(&mut self, random: &mut impl Rng) {
        let mut running = Running::start(&self.site);
        let end = Instant::now() + Duration::from_millis(random.random_range(5..260));
        let mut feed = None;
        while feed.is_none() && Instant::now() < end {
            feed = Feed::open(&self.site);
            thread::sleep(Duration::from_millis(1));
        }
        let has_more = feed.as_mut().is_none_or(|feed| {
            self.while_reading += 1;
            self.feed(feed, end, random)
        });
        assert!(!running.has_ended(), "{}", self.site.log());
        self.before_the_end += usize::from(has_more);
        running.kill();
        self.look();
    }

    /// Hands over records until the end of this life, from a little before where the last one has ended;
    /// returns whether there are more.
    fn feed(&self, feed: &mut Feed, end: Instant, random: &mut impl Rng) -> bool {
        let stored = self.stored();
        let from = stored.saturating_sub(random.random_range(0..4));
        if stored > 0 {
            _ = feed.put(&self.replay(random.random_range(0..stored)));
        }
        for record in &self.records[from..] {
            if Instant::now() > end || feed.put(record).is_err() {
                return true;
            }
            thread::sleep(Duration::from_millis(random.random_range(0..14)));
        }
        false
    }

    /// An hour after the newest message one comes again that was stored.
    fn replay(&self, index: usize) -> Value {
        let mut replay = self.records[index].clone();
        let newest = &self.records[(self.stored() + 40).min(self.records.len() - 1)];
        replay["time"] = newest["time"].clone();
        replay
    }

    /// How many of the records are accepted.
    fn stored(&self) -> usize {
        self.rows.values().filter(|(_, verdict)| verdict == "accepted").count()
    }

    /// What was on disk is there still, and all that was sent is on disk.
    fn look(&mut self) {
        if !self.site.has("state/ledger.db") {
            return;
        }
        let seen = self.far.seen();
        let rows: BTreeMap<String, (String, String)> = self.rows_now();
        for (id, row) in &self.rows {
            assert_eq!(rows.get(id), Some(row), "{id} is not what it was");
        }
        for one in seen.iter().chain([&file(&self.site)]) {
            for (id, payload) in by_id(one) {
                let expected = (payload, "accepted".to_owned());
                assert_eq!(rows.get(&id), Some(&expected), "{id} was sent and is not stored");
            }
        }
        self.rows = rows;
    }

    fn rows_now(&self) -> BTreeMap<String, (String, String)> {
        let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
        // A kill may have come before there was anything in the file.
        let rows = self.site.run(&["ledger", "export"]);
        let rows = crate::common::json_lines(&rows.stdout);
        rows.iter()
            .map(|row| (text(row, "id"), (text(row, "payload"), text(row, "verdict"))))
            .collect()
    }
}

/// Killed at any moment, while the other ends of its relays come and go, a station loses nothing that it
/// has accepted, gives nothing a second ID, and takes no message twice; every relay gets every ID.
/// `make station-kills` kills it 200 times.
#[test]
fn killed_at_any_moment_with_mosquitto() {
    let kills = kills();
    let records = traffic(kills * 24 + 40, 60, 103.0);
    let site = Site::new(&records, "");
    let (web, topics) = (Web::start(), Topics::start());
    Feed::make(&site, &(web.relay(&site) + &topics.relay()));
    let far = Unsteady::new(web, topics, 3);
    let rows = BTreeMap::new();
    let mut watch = Watch { site, far, records, rows, before_the_end: 0, while_reading: 0 };
    let mut random = ChaCha8Rng::seed_from_u64(7);
    for _ in 0..kills {
        watch.life(&mut random);
    }
    let away = watch.far.settle();
    println!(
        "{} of {kills} kills before the end of the input, {} of them while it was read; {} messages stored; \
         broker or server were away {away} times",
        watch.before_the_end,
        watch.while_reading,
        watch.stored()
    );
    assert!(watch.before_the_end * 4 >= kills * 3 && away > 0);
    assert!(watch.while_reading * 3 >= kills, "{} while it read", watch.while_reading);
    finish(&mut watch);
}

/// Lets a last life come to its end, and counts everything.
fn finish(watch: &mut Watch) {
    let mut running = Running::start(&watch.site);
    let mut feed = Feed::opened(&watch.site);
    let replay = watch.replay(0);
    let from = watch.stored().saturating_sub(5);
    for record in watch.records[from..].iter().chain([&replay]) {
        feed.put(record).unwrap();
    }
    drop(feed);
    assert!(running.wait().success(), "{}", watch.site.log());
    let count = watch.records.len();
    let [web, topics] = [0, 1].map(|index| move |watch: &Watch| by_id(&watch.far.seen()[index]));
    // The application hears of it a moment after the broker has it.
    wait_for(|| topics(watch).len() == count);
    watch.look();
    let rows = watch.site.export();
    let accepted: Vec<&Value> = rows.iter().filter(|row| row["verdict"] == "accepted").collect();
    let everywhere = json!({ "archive": true, "web": true, "topics": true });
    assert!(accepted.iter().all(|row| row["relayed"] == everywhere), "the balance is zero");
    let known: BTreeMap<String, String> =
        by_id(&accepted.iter().copied().cloned().collect::<Vec<_>>());
    assert_eq!((accepted.len(), known.len()), (count, count));
    let payloads: BTreeSet<&String> = known.values().collect();
    assert_eq!(payloads.len(), count, "each message under one ID");
    for seen in [web(watch), topics(watch), by_id(&file(&watch.site))] {
        assert!(seen == known, "every relay has every ID");
    }
    counters_go_forwards(&accepted);
    let refused = |reason: &str| rows.iter().filter(|row| row["reason"] == reason).count();
    assert_eq!(rows.last().unwrap()["reason"], "replayed");
    println!(
        "refused after the kills: {} duplicates, {} replays",
        refused("duplicate"),
        refused("replayed")
    );
}

fn counters_go_forwards(accepted: &[&Value]) {
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    for row in accepted {
        let counter = row["sequence_number"].as_u64().unwrap();
        let before = last.insert(row["device_id"].as_str().unwrap(), counter);
        assert!(before.is_none_or(|before| before < counter), "counters never go back");
    }
}
