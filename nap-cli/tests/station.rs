//! `nap station`: the real binary on message records and on samples. What goes wrong in the field is in `field`.
#![cfg(feature = "station")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use common::site::{Feed, Running, Site, ids, record, traffic, verdicts, wait_for};
use common::stderr;

#[test]
fn each_message_has_an_id_a_verdict_and_its_place_at_the_relay() {
    let mut records = traffic(100, 10, 60.0);
    records.insert(50, record(0xBAD_0001, 1, 3000.0, 201));
    records.insert(60, records[59].clone());
    let mut forged = record(0x1001, 4000, 3600.0, 202);
    forged["auth"] = json!("failed");
    records.insert(70, forged);
    let site = Site::new(&records, "");
    site.finish();
    let rows = site.export();
    let expected = [
        ("accepted", 100),
        ("refused auth_failed", 1),
        ("refused duplicate", 1),
        ("refused not_listed", 1),
    ];
    assert_eq!(verdicts(&rows), expected.map(|(name, count)| (name.to_owned(), count)).into());
    let (epoch, _) = ids(&rows)[0].split_once('-').unwrap();
    let numbered: Vec<String> = (1..=rows.len()).map(|n| format!("{epoch}-{n}")).collect();
    assert_eq!(ids(&rows), numbered);
    let accepted: Vec<Value> =
        rows.into_iter().filter(|row| row["verdict"] == "accepted").collect();
    assert!(accepted.iter().all(|row| row["relayed"] == json!({ "archive": true })));
    let archive = site.archive();
    assert_eq!(ids(&archive), ids(&accepted));
    for (line, row) in archive.iter().zip(&accepted) {
        assert_eq!((&line["time"], &line["payload"]), (&row["time"], &row["payload"]));
        assert_eq!(line["device_name"], format!("no {}", line["device_id"].as_str().unwrap()));
        assert_eq!((&line["clock"], &line["flags"]), (&json!("recording"), &json!([])));
        assert_eq!(line["station"].as_str().unwrap().len(), 16);
    }
}

#[test]
fn over_the_budget_messages_wait_for_the_next_day_and_go_out_first() {
    // 900 on the first day, and one on each of the next two.
    let mut records = traffic(900, 60, 90.0);
    records.push(record(0x1000, 100, 86_400.0 + 1.0, 901));
    records.push(record(0x1000, 101, 2.0 * 86_400.0 + 1.0, 902));
    let site = Site::new(&records, "[rules]\nmessages_per_day = 100\n");
    site.finish();
    let rows = site.export();
    let held = rows.iter().filter(|row| row["verdict"] == "held").count();
    assert_eq!(held, 800 - 50 - 50, "half of the budget of each day");
    assert_eq!(
        rows.iter().find(|row| row["verdict"] == "held").unwrap()["sequence_number"],
        200 / 60
    );
    let archive = site.archive();
    assert_eq!(archive.len(), 100 + 51 + 51);
    let late: Vec<&Value> = archive.iter().filter(|line| !line["held_until"].is_null()).collect();
    assert_eq!(late.len(), 100);
    assert_eq!(late[0]["held_until"], "2026-11-02T00:00:00.000000Z");
    assert!(late[0]["time"].as_str().unwrap().starts_with("2026-11-01"), "its own time");
    // The same once more changes nothing: neither a budget nor a counter begins anew.
    site.finish();
    assert_eq!(site.archive().len(), 202);
}

#[test]
fn one_station_a_folder() {
    let site = Site::new(&traffic(10, 2, 60.0), "");
    // A pipe that nobody writes to keeps the first one waiting.
    let pipe = site.path("pipe.jsonl");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    site.configure("records:pipe.jsonl", "");
    let mut first = Running::start(&site);
    let writer = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    wait_for(|| site.has("state/ledger.db"));
    let second = site.run(&[]);
    assert_eq!(second.status.code(), Some(2));
    assert!(stderr(&second).contains(&format!("process {}", first.id())), "{}", stderr(&second));
    // What the first has written can be looked at beside it.
    assert_eq!(site.export(), Vec::<Value>::new());
    first.kill();
    drop(writer);
    site.configure("records:records.jsonl", "");
    site.finish();
    assert_eq!(site.export().len(), 10);
}

#[test]
fn sigterm_keeps_what_is_not_relayed() {
    let site = Site::new(&traffic(500, 10, 60.0), "");
    // The archive is a folder, so nothing can be delivered.
    fs::create_dir(site.path("archive.jsonl")).unwrap();
    let output = site.run(&["--drain-timeout", "0.3"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("500 not delivered"), "{}", stderr(&output));
    let mut running = Running::start(&site);
    thread::sleep(Duration::from_millis(300));
    let start = Instant::now();
    running.stop();
    assert!(start.elapsed() < Duration::from_secs(10), "it ends at once");
    fs::remove_dir(site.path("archive.jsonl")).unwrap();
    site.finish();
    assert_eq!(site.archive().len(), 500);
}

#[test]
fn a_wrong_configuration_is_told_by_line_and_ends_with_2() {
    let site = Site::new(&traffic(1, 1, 1.0), "[rules]\nwhitelist = true\n");
    let output = site.run(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("nap.toml: line 11: unknown field `whitelist`"),
        "{}",
        stderr(&output)
    );
    let output = Command::new(env!("CARGO_BIN_EXE_nap")).arg("station").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--config"), "{}", stderr(&output));
}

#[test]
fn a_recording_of_samples() {
    let site = Site::new(&[], "");
    let recording = common::recording("rc1_two_uplinks.sigmf-meta");
    site.configure(recording.to_str().unwrap(), "");
    site.put("devices.csv", "device_id,key\n258E05CA,\n");
    site.finish();
    let rows = site.export();
    let found: Vec<_> =
        rows.iter().map(|row| (&row["device_id"], &row["verdict"], &row["frames"])).collect();
    assert_eq!(rows.len(), 2);
    for (device_id, verdict, frames) in found {
        let expected = if device_id == "258E05CA" { "accepted" } else { "refused" };
        assert_eq!(verdict, expected);
        if expected == "accepted" {
            assert_eq!(frames.as_array().unwrap().len(), 3, "the row has all frames");
        }
    }
    assert_eq!(site.archive().len(), 1);
    assert!(rows.iter().all(|row| row["time"].is_string()));
}

#[test]
fn the_ledger_is_checked_and_made_smaller() {
    let site = Site::new(&traffic(200, 10, 60.0), "");
    assert!(!site.run(&["ledger", "check"]).status.success(), "there is none yet");
    site.finish();
    assert!(site.run(&["ledger", "check"]).status.success());
    assert!(site.run(&["ledger", "compact"]).status.success());
    assert_eq!(site.export().len(), 200);
    let path = site.path("state/ledger.db");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0x55);
    fs::write(&path, bytes).unwrap();
    assert!(!site.run(&["ledger", "check"]).status.success());
}

#[test]
fn a_dry_run_looks_at_everything_and_writes_nothing() {
    let site = Site::new(&traffic(1, 1, 1.0), "");
    let output = site.run(&["check"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!site.has("state") && !site.has("archive.jsonl"));
    site.configure(
        "records:gone.jsonl",
        "[relay.web]\ntype = \"https\"\nurl = \"http://example.org\"\n",
    );
    site.put("devices.csv", "device_id,key\nx,\n");
    let output = site.run(&["check"]);
    assert_eq!(output.status.code(), Some(2));
    for what in ["devices: ", "source: ", "relay \"web\": "] {
        assert!(stderr(&output).contains(what), "{}", stderr(&output));
    }
}

/// Whoever writes records into a pipe may be silent: the station ends all the same when it is asked to.
#[test]
fn sigterm_while_nothing_comes() {
    let site = Site::new(&traffic(10, 2, 60.0), "");
    Feed::make(&site, "");
    let start = Instant::now();
    let mut running = Running::start(&site);
    wait_for(|| site.has("state/ledger.db"));
    assert!(running.stop().success(), "before anybody writes: {}", site.log());
    let mut running = Running::start(&site);
    let mut feed = Feed::opened(&site);
    feed.put(&traffic(1, 1, 60.0)[0]).unwrap();
    wait_for(|| !site.archive().is_empty());
    assert!(running.stop().success(), "while nobody does: {}", site.log());
    assert!(start.elapsed() < Duration::from_secs(10));
}

/// The mode of what is in the state folder is nobody else's business.
#[test]
fn the_state_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let site = Site::new(&traffic(1, 1, 1.0), "");
    site.finish();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&site.path("state")), 0o700);
    for name in ["ledger.db", "identity.json", "lock"] {
        assert_eq!(mode(&site.path("state").join(name)), 0o600, "{name}");
    }
}
