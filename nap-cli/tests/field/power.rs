//! Power cuts: the order of what is written, synced and sent, and a disk that forgets what was not synced.
//!
//! A run of the real program is traced. From its calls a disk is made that has, at any moment, exactly what
//! was synced by then, or that with some of what was written since; the program goes on from there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::common::site::{Feed, Running, Site, traffic};
use crate::far::Topics;
use crate::trace::{Call, read, traced};

const MESSAGES: usize = 40;

/// How many moments are tried: `NAP_POWER_CUTS` says.
fn cuts() -> usize {
    std::env::var("NAP_POWER_CUTS").ok().and_then(|text| text.parse().ok()).unwrap_or(8)
}

/// A disk and what is on it for good.
#[derive(Default)]
struct Disk {
    files: Vec<File>,
    /// What the names lead to, now and after a power cut.
    names: BTreeMap<PathBuf, usize>,
    kept_names: BTreeMap<PathBuf, usize>,
}

#[derive(Default)]
struct File {
    kept: Vec<u8>,
    /// What was done since the last sync.
    since: Vec<Call>,
}

impl Disk {
    fn file(&mut self, path: &Path) -> &mut File {
        let index =
            self.names.get(path).unwrap_or_else(|| panic!("{} is not there", path.display()));
        &mut self.files[*index]
    }

    fn call(&mut self, call: &Call) {
        match call {
            Call::Create(path) | Call::MakeFolder(path) => {
                self.names.insert(path.clone(), self.files.len());
                self.files.push(File::default());
            }
            Call::Write { path, .. } | Call::SetLength { path, .. } => {
                self.file(path).since.push(call.clone());
            }
            Call::Rename { from, to } => {
                let index = self.names.remove(from).unwrap();
                self.names.insert(to.clone(), index);
            }
            Call::Remove(path) => drop(self.names.remove(path)),
            Call::Sync(folder) if folder.is_dir() => self.sync_names(folder),
            Call::Sync(path) => {
                let file = self.file(path);
                std::mem::take(&mut file.since).iter().for_each(|call| apply(&mut file.kept, call));
            }
            Call::Send(_) => {}
        }
    }

    /// The names in a folder are on the disk as they are now.
    fn sync_names(&mut self, folder: &Path) {
        let is_inside = |path: &Path| path.parent() == Some(folder);
        self.kept_names.retain(|path, _| !is_inside(path));
        let inside = self.names.iter().filter(|(path, _)| is_inside(path));
        self.kept_names.extend(inside.map(|(path, index)| (path.clone(), *index)));
    }

    /// Whether the folders that lead to a file are kept, where they were made here.
    fn is_reached(&self, path: &Path) -> bool {
        path.ancestors()
            .all(|one| !self.names.contains_key(one) || self.kept_names.contains_key(one))
    }

    /// What is found after a power cut: all that was synced, and of what was written since what `is_kept`
    /// says.
    fn after_power_cut(&self, mut is_kept: impl FnMut() -> bool) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut content = |index: &usize| {
            let mut content = self.files[*index].kept.clone();
            let since = self.files[*index].since.iter().filter(|_| is_kept());
            since.for_each(|call| apply(&mut content, call));
            content
        };
        let kept =
            self.kept_names.iter().filter(|(path, _)| self.is_reached(path) && !path.is_dir());
        kept.map(|(path, index)| (path.clone(), content(index))).collect()
    }
}

fn apply(content: &mut Vec<u8>, call: &Call) {
    match call {
        Call::Write { offset, bytes, .. } => {
            let end = offset + bytes.len();
            content.resize(content.len().max(end), 0);
            content[*offset..end].copy_from_slice(bytes);
        }
        Call::SetLength { length, .. } => content.resize(*length, 0),
        _ => {}
    }
}

/// A run of a station and all that it did.
struct Run {
    site: Site,
    records: Vec<Value>,
    topics: Topics,
    calls: Vec<Call>,
}

impl Run {
    fn new() -> Self {
        let records = traffic(MESSAGES, 5, 60.0);
        let (site, topics) = (Site::new(&records, ""), Topics::start());
        Feed::make(&site, &topics.relay());
        let trace = site.path("trace");
        let mut running = Running::of(traced(&site.command(&[]), &trace), &site);
        let mut feed = Feed::opened(&site);
        for record in &records {
            feed.put(record).unwrap();
            thread::sleep(Duration::from_millis(8));
        }
        drop(feed);
        assert!(running.wait().success(), "{}", site.log());
        let calls = read(&trace, &site.path(""));
        Self { site, records, topics, calls }
    }

    /// The moments at which something was sent, and the IDs of the messages in it.
    fn sent(&self) -> Vec<(usize, Vec<String>)> {
        let of = |call: &Call| match call {
            Call::Send(bytes) => ids_in(bytes),
            _ => Vec::new(),
        };
        let all = self.calls.iter().enumerate().map(|(moment, call)| (moment, of(call)));
        all.filter(|(_, ids)| !ids.is_empty()).collect()
    }

    /// A site with what is on a disk.
    fn site_of(&self, found: &BTreeMap<PathBuf, Vec<u8>>) -> Site {
        let site = Site::new(&self.records, &self.topics.relay());
        fs::create_dir(site.path("state")).unwrap();
        for (path, content) in found {
            let name = path.strip_prefix(self.site.path("")).unwrap();
            // Shared memory is made anew.
            if !name.to_string_lossy().ends_with("-shm") {
                fs::write(site.path(name.to_str().unwrap()), content).unwrap();
            }
        }
        site
    }
}

/// The IDs of messages in what goes over the network; those of events have a letter before the number.
fn ids_in(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let after = text.split("\"id\":\"").skip(1);
    let ids = after.filter_map(|rest| rest.split('"').next());
    ids.filter(|id| !id.contains("-e")).map(str::to_owned).collect()
}

fn position(calls: &[Call], is: impl Fn(&Call) -> bool) -> Option<usize> {
    calls.iter().position(is)
}

/// The name in a path.
fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// Between the write that holds a message and the moment at which it is sent, the ledger is synced.
#[test]
fn synced_before_sent_under_strace_with_mosquitto() {
    let run = Run::new();
    let rows = run.site.export();
    assert_eq!(rows.len(), MESSAGES);
    for row in &rows {
        let (id, payload) = (row["id"].as_str().unwrap(), row["payload"].as_str().unwrap());
        let holds = |bytes: &[u8]| {
            String::from_utf8_lossy(bytes).contains(&format!("\"payload\":\"{payload}\""))
        };
        let written = position(
            &run.calls,
            |call| matches!(call, Call::Write { path, bytes, .. } if name(path) == "ledger.db-wal" && holds(bytes)),
        );
        let written = written.unwrap_or_else(|| panic!("{id} is not in the ledger's log"));
        let synced = position(
            &run.calls[written..],
            |call| matches!(call, Call::Sync(path) if name(path) == "ledger.db-wal"),
        );
        let synced = written + synced.unwrap();
        let sent = position(
            &run.calls,
            |call| matches!(call, Call::Send(bytes) if ids_in(bytes).iter().any(|one| one == id)),
        );
        let sent = sent.unwrap_or_else(|| panic!("{id} was not sent"));
        let archived = position(
            &run.calls,
            |call| matches!(call, Call::Write { path, bytes, .. } if name(path) == "archive.jsonl" && holds(bytes)),
        );
        assert!(
            synced < sent && synced < archived.unwrap(),
            "{id}: synced at {synced}, sent at {sent}"
        );
    }
    the_power_is_cut(&run);
}

/// Whenever the power is cut, what was sent is on the disk under its ID, and goes on from there.
fn the_power_is_cut(run: &Run) {
    let sent = run.sent();
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let count = cuts();
    let mut moments: Vec<usize> =
        (0..count).map(|_| random.random_range(sent[0].0..run.calls.len())).collect();
    moments.sort_unstable();
    let (mut disk, mut done) = (Disk::default(), 0);
    for (number, moment) in moments.into_iter().enumerate() {
        run.calls[done..=moment].iter().for_each(|call| disk.call(call));
        done = moment + 1;
        let known = sent.iter().filter(|(at, _)| *at <= moment).flat_map(|(_, ids)| ids.clone());
        let known: Vec<String> = known.collect();
        let strict = run.site_of(&disk.after_power_cut(|| false));
        look(&strict, &known);
        let torn = run.site_of(&disk.after_power_cut(|| random.random()));
        look(&torn, &known);
        if number % 4 == 0 {
            go_on(run, &torn, &known);
        }
    }
}

/// What was sent is there, and the ledger is sound.
fn look(site: &Site, known: &[String]) {
    assert!(site.run(&["ledger", "check"]).status.success());
    let rows = site.export();
    let accepted: Vec<&Value> = rows.iter().filter(|row| row["verdict"] == "accepted").collect();
    for id in known {
        assert!(
            accepted.iter().any(|row| row["id"] == id.as_str()),
            "{id} was sent and is forgotten"
        );
    }
}

/// The station goes on: it has the same identity, and no message has two IDs.
fn go_on(run: &Run, site: &Site, known: &[String]) {
    let before = run.site.export();
    site.finish();
    let rows = site.export();
    let payload = |rows: &[Value], id: &str| {
        rows.iter().find(|row| row["id"] == id).map(|row| row["payload"].clone()).unwrap()
    };
    for id in known {
        assert_eq!(payload(&rows, id), payload(&before, id), "{id}");
    }
    let accepted = rows.iter().filter(|row| row["verdict"] == "accepted");
    let mut payloads: Vec<&str> = accepted.map(|row| row["payload"].as_str().unwrap()).collect();
    payloads.sort_unstable();
    payloads.dedup();
    assert_eq!(payloads.len(), MESSAGES, "each message is there once");
    let identity = |site: &Site| fs::read(site.path("state/identity.json")).unwrap();
    assert!(identity(site) == identity(&run.site), "it is the same station");
    assert_eq!(
        site.export().iter().filter(|row| row["relayed"] == json!({})).count(),
        rows.len() - MESSAGES
    );
}
