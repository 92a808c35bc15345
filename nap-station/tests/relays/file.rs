//! Relays to a file.

use std::fs;

use nap_station::relay::options::Options;
use serde_json::Value;

use crate::outbox::MemoryOutbox;
use crate::relay::{Relay, options, until};

fn ids(text: &str) -> Vec<u64> {
    let id = |line: &str| -> Value { serde_json::from_str::<Value>(line).unwrap()["id"].clone() };
    text.lines().map(|line| id(line).as_str().unwrap()[9..].parse().unwrap()).collect()
}

#[tokio::test]
async fn a_torn_line_is_cut_off_and_files_are_rotated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("messages.jsonl");
    fs::write(&path, "{\"id\":\"0000a1b2-1\"}\n{\"id\":\"0000a1").unwrap();
    let file = Options::File(options("path = \"messages.jsonl\"\nrotate_megabytes = 1"));
    let outbox = MemoryOutbox::new();
    let relay = Relay::start(&outbox, folder.path(), &file);
    outbox.store(4000);
    until("all are written", || outbox.delivered() == 4000).await;
    relay.stop().await;
    let mut all = fs::read_to_string(folder.path().join("messages.jsonl.1")).unwrap();
    assert!(all.len() <= 1_000_000, "{}", all.len());
    all.push_str(&fs::read_to_string(&path).unwrap());
    assert_eq!(ids(&all), [1].into_iter().chain(1..=4000).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_folder_that_is_missing_is_told_and_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = Options::File(options("path = \"archive/messages.jsonl\""));
    let outbox = MemoryOutbox::new();
    let relay = Relay::start(&outbox, folder.path(), &file);
    outbox.store(2);
    let state = relay.until(|state| state.faults > 0).await;
    assert!(state.last_error.unwrap().contains("messages.jsonl"));
    fs::create_dir(folder.path().join("archive")).unwrap();
    until("all are written", || outbox.delivered() == 2).await;
    relay.stop().await;
}

#[tokio::test]
async fn a_file_that_somebody_took_away_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("messages.jsonl");
    let outbox = MemoryOutbox::new();
    let relay =
        Relay::start(&outbox, folder.path(), &Options::File(options("path = \"messages.jsonl\"")));
    outbox.store(1);
    until("it is written", || outbox.delivered() == 1).await;
    fs::rename(&path, folder.path().join("taken")).unwrap();
    outbox.store(1);
    until("the next is written", || outbox.delivered() == 2).await;
    assert_eq!(ids(&fs::read_to_string(&path).unwrap()), [2]);
    relay.stop().await;
}
