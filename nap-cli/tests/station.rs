//! `nap station`: the real binary on message records and on samples. What goes wrong in the field is in `field`.
#![cfg(feature = "station")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use nap_station::rules::utc::Utc;
use nap_station::station::clock::now;
use nap_station::store::change::Change;
use nap_station::store::folder;
use nap_station::store::hardware::fingerprint;
use nap_station::store::ledger::Ledger;
use serde_json::{Value, json};

use common::site::{Feed, Running, Site, ids, lines, record, traffic, verdicts, wait_for};
use common::{json_lines, stderr};

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
    // What is wrong with relays, which are looked at last: nothing of that goes away by itself.
    for (relay, expected) in [
        ("type = \"https\"\nurl = \"http://example.org\"", "nap.toml: line 12: relay \"x\": `url`"),
        (
            "type = \"mqtt\"\nurl = \"mqtt://h\"\ncustom_payload = \"a:b\"",
            "nap.toml: line 13: relay \"x\": `custom_payload`",
        ),
        (
            "type = \"https\"\nurl = \"https://h\"\nevents = [\"dead_leter\"]",
            "no event \"dead_leter\"",
        ),
        ("type = \"https\"\nurl = \"https://h\"\ncertificate = \"x\"", "line 10: relay \"x\": TLS"),
        ("type = \"file\"\npath = \"\"", "`path`: names no file"),
    ] {
        site.configure("records:records.jsonl", &format!("[relay.x]\n{relay}\n"));
        for command in [&[][..], &["check"]] {
            let output = site.run(command);
            assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
            let expected =
                if command.is_empty() { expected } else { expected.rsplit(": ").next().unwrap() };
            assert!(stderr(&output).contains(expected), "{}", stderr(&output));
        }
    }
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

/// Two words are enough: no configuration, no table, no server.
#[test]
fn a_source_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    let recording = common::recording("rc1_two_uplinks.sigmf-meta");
    let devices = common::recording("rc1_two_uplinks.devices.csv");
    let station = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nap"));
        let output = command.current_dir(&folder).arg("station").args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        output
    };
    let recording = recording.to_str().unwrap();
    station(&[recording]);
    let archive = fs::read(folder.path().join("nap-messages.jsonl")).unwrap();
    assert_eq!(json_lines(&archive).len(), 2);
    // With a table, tags are checked; what the ledger has already is not taken again, which is said.
    let again = station(&[recording, "--devices", devices.to_str().unwrap()]);
    assert!(stderr(&again).contains("messages: 2 refused as duplicate"), "{}", stderr(&again));
    let configuration = station(&["config", "--quick"]).stdout;
    fs::write(folder.path().join("nap.toml"), configuration).unwrap();
    let rows = json_lines(&station(&["ledger", "export", "--config", "nap.toml"]).stdout);
    let expected = [("accepted", 2), ("refused duplicate", 2)];
    assert_eq!(verdicts(&rows), expected.map(|(name, count)| (name.to_owned(), count)).into());
}

/// Nobody knows the time of day: the clock is earlier than a time that was saved. Messages wait for it over a restart.
#[test]
fn a_radio_without_the_time_of_day() {
    let site = Site::new(&[], "");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let source = format!("tcp://{}", listener.local_addr().unwrap());
    site.configure_samples(&source, 868_130_000.0, "");
    site.put("devices.csv", "device_id,key\n258E05CA,\n38DFD2F3,\n");
    let _server = thread::spawn(move || {
        let (mut first, _) = listener.accept().unwrap();
        // Four seconds, twice as fast as they were: a receiver keeps up with that.
        for part in common::cu8()[..2_000_000].chunks(50_000) {
            if first.write_all(part).is_err() {
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
        // Who connects again hears nothing.
        listener.incoming().flatten().collect::<Vec<_>>()
    });
    let save = |saved_us: Option<&str>| {
        let state = site.path("state");
        folder::make(&state).unwrap();
        let hardware = fingerprint(Path::new("/"));
        let (mut ledger, _) = Ledger::open(&state, &hardware, now()).unwrap();
        let setting = Change::Setting("clock_saved_us", saved_us.map(str::to_owned));
        ledger.write(&[setting], &[], &[]).unwrap();
    };
    save(Some("4102444800000000"));
    let mut running = Running::start(&site);
    wait_for(|| site.has("state/control") && site.export().len() == 2);
    let is_undated = |row: &Value| row["time"].is_null() && row["clock"] == "none";
    assert!(site.export().iter().all(is_undated), "{:?}", site.export());
    running.kill();
    assert_eq!(site.archive(), Vec::<Value>::new(), "the relay waits");
    save(None);
    let mut running = Running::start(&site);
    wait_for(|| site.archive().len() == 2);
    running.kill();
    for message in site.archive().iter().chain(&site.export()) {
        let at = Utc::parse(message["time"].as_str().unwrap()).unwrap();
        assert!(now().seconds_since(at).abs() < 60.0, "{message}");
        assert_ne!(message["clock"], "none");
    }
}

/// Without a restart: when somebody says so, and when it has changed. One with a mistake in it changes nothing.
#[test]
fn the_table_of_devices_is_read_again() {
    let site = Site::new(&[], "");
    Feed::make(&site, "");
    let mut running = Running::start(&site);
    let mut feed = Feed::opened(&site);
    let mut verdict_of = |number: u32| {
        feed.put(&record(0x2000, number, f64::from(number) * 60.0, number as usize)).unwrap();
        wait_for(|| site.export().len() == number as usize);
        let row = site.export().pop().unwrap();
        (row["verdict"].as_str().unwrap().to_owned(), row["device_name"].clone())
    };
    assert_eq!(verdict_of(1).0, "refused");
    // As Windows would write it.
    site.put("devices.csv", "\u{feff}device_id,key,name\r\n00002000,,Gerät +/#\r\n");
    running.signal("-HUP");
    wait_for(|| site.log().contains("the table of devices was read again: 1"));
    assert_eq!(verdict_of(2), ("accepted".into(), json!("Gerät +/#")));
    site.put("devices.csv", "device_id,key\n00002000,\n00002000,\n");
    wait_for(|| site.log().contains("the table as it was stays"));
    assert!(site.log().contains("devices.csv: line 3: "), "{}", site.log());
    assert_eq!(verdict_of(3).0, "accepted");
    drop(feed);
    assert!(running.wait().success(), "{}", site.log());
    assert_eq!(site.archive().len(), 2);
}

/// Operators reach a station that runs and one that does not in the same way.
#[test]
fn orders_reach_a_station_that_runs_and_one_that_does_not() {
    let mut records = traffic(5, 1, 60.0);
    records.push(record(0xBAD_0001, 1, 400.0, 6));
    let site = Site::new(&records, "");
    let refused = site.run(&["admit", "0BAD0001"]);
    assert_eq!(refused.status.code(), Some(2), "there is no ledger yet");
    site.finish();
    let listed = json_lines(&site.run(&["refused"]).stdout);
    assert_eq!(
        (&listed[0]["device_id"], &listed[0]["reason"]),
        (&json!("0BAD0001"), &json!("not_listed"))
    );
    assert!(site.run(&["admit", "0BAD0001"]).status.success());

    let pipe = site.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    site.configure("records:pipe", "");
    let mut running = Running::start(&site);
    let mut writer = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    wait_for(|| site.has("state/control"));
    assert!(site.run(&["block", "1000", "--minutes", "60"]).status.success());
    let unknown = site.run(&["dead-letters", "again", "--relay", "none"]);
    assert_eq!(unknown.status.code(), Some(1), "{}", stderr(&unknown));
    assert!(stderr(&unknown).contains("no such relay"), "{}", stderr(&unknown));
    let more = [record(0xBAD_0001, 2, 500.0, 7), record(0x1000, 9, 560.0, 8)];
    writer.write_all(lines(&more).as_bytes()).unwrap();
    drop(writer);
    wait_for(|| site.export().len() == 8);
    running.wait();
    let last: Vec<Value> = site.export()[6..].iter().map(|row| row["reason"].clone()).collect();
    assert_eq!(last, [Value::Null, json!("blocked")]);
    assert!(!site.has("state/control"), "a station that has ended takes no orders");
}

#[test]
fn a_backup_makes_a_station_of_another_box() {
    let site = Site::new(&traffic(20, 2, 60.0), "");
    site.finish();
    let copy = site.path("backup.tar");
    let copy = copy.to_str().unwrap();
    assert!(site.run(&["backup", copy]).status.success());
    assert!(!site.run(&["restore", copy]).status.success(), "it has a ledger");
    let rows = site.export();
    fs::remove_dir_all(site.path("state")).unwrap();
    fs::remove_file(site.path("nap.toml")).unwrap();
    let restored = site.run(&["restore", copy]);
    assert!(restored.status.success(), "{}", stderr(&restored));
    assert_eq!(site.export(), rows, "the configuration came back too");
    site.put("records.jsonl", &lines(&[record(0x1000, 50, 4000.0, 21)]));
    site.finish();
    let id = |row: &Value| row["id"].as_str().unwrap().to_owned();
    let last = id(site.export().last().unwrap());
    assert!(last.ends_with("-1") && last[..8] != id(&rows[0])[..8], "a new epoch: {last}");
}

/// The radio configurations of a border, out of one capture.
#[test]
fn several_radio_configurations_at_once() {
    let device = |id: &str, radio_configuration: &str| {
        format!(
            "[[device]]\nid = \"{id}\"\nkey = \"0123456789ABCDEF0123456789ABCDEF\"\nlevel_dbm = -100\n\
             radio_configuration = \"{radio_configuration}\"\nbit_rate = 600\n\
             [[device.message]]\ntime_s = 0.2\nkind = \"empty\"\nframes = 1\n"
        )
    };
    let scene = "sample_rate_hz = 1_000_000\ncenter_hz = 868_465_000\nduration_s = 1.0\n\
                 radio_configuration = \"RC1\"\nfull_scale_dbm = -60\nnoise_figure_db = 6\nseed = 1\n";
    let scene = format!("{scene}{}{}", device("A1", "RC1"), device("A7", "RC7"));
    let site = Site::new(&[], "");
    site.put("scene.toml", &scene);
    let (scene, capture) = (site.path("scene.toml"), site.path("capture.sigmf-meta"));
    common::nap().arg("simulate").arg(scene).arg("-o").arg(&capture).assert().success();
    site.put("devices.csv", "device_id,key\nA1,\nA7,\n");
    site.configure(capture.to_str().unwrap(), "");
    let text = fs::read_to_string(site.path("nap.toml")).unwrap();
    let both = "[radio]\nradio_configurations = [\"RC1\", \"RC7\"]\n";
    site.put("nap.toml", &text.replace("[radio]\n", both));
    site.finish();
    let rows = site.export();
    let heard: BTreeMap<&str, &str> = rows
        .iter()
        .map(|row| {
            (row["device_id"].as_str().unwrap(), row["radio_configuration"].as_str().unwrap())
        })
        .collect();
    assert_eq!(heard, [("000000A1", "RC1"), ("000000A7", "RC7")].into());
}

/// What a relay does not want is no part of its balance.
#[test]
fn a_sign_of_life_is_not_for_every_relay() {
    let mut records = traffic(2, 1, 60.0);
    records[1]["kind"] = json!("keep_alive");
    records[1]["payload"] = json!("");
    // Nobody listens there.
    let web = "[relay.web]\ntype = \"https\"\nurl = \"http://127.0.0.1:9/\"\n";
    let site = Site::new(&records, web);
    let output = site.run(&["--drain-timeout", "0.5"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("\"web\": 1 not delivered"), "{}", stderr(&output));
    let relayed: Vec<Value> = site.export().iter().map(|row| row["relayed"].clone()).collect();
    let expected = [json!({"archive": true, "web": false}), json!({"archive": true})];
    assert_eq!(relayed, expected);
}

#[test]
fn the_ledger_is_checked_and_made_smaller() {
    let site = Site::new(&traffic(200, 10, 60.0), "");
    assert!(!site.run(&["ledger", "check"]).status.success(), "there is none yet");
    site.finish();
    assert!(site.run(&["ledger", "check"]).status.success());
    let compacted = site.run(&["ledger", "compact"]);
    assert!(compacted.status.success());
    assert!(stderr(&compacted).contains("the ledger has 0."), "{}", stderr(&compacted));
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
        assert!(!stderr(&output).contains(&format!("{what}well")), "{}", stderr(&output));
    }
    let secrets = site.run(&["backup", "x.tar", "--with-secrets"]);
    assert_eq!(secrets.status.code(), Some(2));
    assert!(stderr(&secrets).contains("not in this version"), "{}", stderr(&secrets));
}

/// Whoever writes records into a pipe may be silent: the station ends all the same when it is asked to.
#[test]
fn sigterm_while_nothing_comes() {
    let site = Site::new(&traffic(10, 2, 60.0), "");
    Feed::make(&site, "");
    let mut running = Running::start(&site);
    wait_for(|| site.has("state/ledger.db"));
    assert!(running.stop().success(), "before anybody writes: {}", site.log());
    let mut running = Running::start(&site);
    let mut feed = Feed::opened(&site);
    feed.put(&traffic(1, 1, 60.0)[0]).unwrap();
    wait_for(|| !site.archive().is_empty());
    assert!(running.stop().success(), "while nobody does: {}", site.log());
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
