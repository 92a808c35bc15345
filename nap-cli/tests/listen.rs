//! `nap listen` without a receiver: recordings, pipes and the network.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

mod common;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use common::live::{Listening, has_all};
use common::{cu8, json_lines, nap, recording};
use serde_json::Value;

const RATE_HZ: usize = 250_000;
const RC1: [&str; 2] = ["--radio-configuration", "RC1"];

/// What `nap decode` finds in a recording.
fn decoded(name: &str) -> Vec<Value> {
    let file = recording(&format!("{name}.sigmf-meta"));
    let output = nap().arg("decode").arg(file).args(["--format", "json"]).output().unwrap();
    json_lines(&output.stdout)
}

fn results(listening: &Listening) -> Vec<Value> {
    listening.results.iter().map(|(_, result)| result.clone()).collect()
}

#[test]
fn a_recording_gives_the_same_as_decoding_it() {
    for name in ["rc1_two_uplinks", "rc1_weak"] {
        let file = recording(&format!("{name}.sigmf-meta"));
        let file = file.to_str().unwrap();
        let mut listening = Listening::start(&[file, "--replay", "max", "--report", "complete"]);
        assert!(listening.wait().success());
        // Messages are numbered as they are first told of: there with their first frame, here when complete; and
        // here they are in the order of their starts, there of their ends.
        let numbers = |records: &[Value]| -> Vec<u64> {
            let mut ids: Vec<u64> =
                records.iter().map(|record| record["message_id"].as_u64().unwrap()).collect();
            ids.sort_unstable();
            ids
        };
        let unnumbered = |mut records: Vec<Value>| {
            records.iter_mut().for_each(|record| record["message_id"] = Value::Null);
            records.sort_by_key(|record| record["time_s"].as_f64().map(f64::to_bits));
            records
        };
        let (heard, decoded) = (results(&listening), decoded(name));
        assert_eq!(numbers(&heard), numbers(&decoded));
        assert_eq!(unnumbered(heard), unnumbered(decoded));
    }
}

#[test]
fn a_message_is_reported_at_once_and_updated() {
    let file = recording("rc1_two_uplinks.sigmf-meta");
    let mut listening = Listening::start(&[file.to_str().unwrap(), "--replay", "4"]);
    let started = Instant::now();
    assert!(listening.wait().success());
    assert!(started.elapsed() > Duration::from_millis(2000), "too fast for 9 s at four times");
    let results = results(&listening);
    let types: Vec<&str> = results.iter().map(|r| r["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["message", "message", "update", "update", "update", "update"]);
    assert!(listening.story().contains("after the end of a frame"), "{}", listening.story());
}

#[test]
fn results_go_to_a_file_in_each_format() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("messages.csv");
    let run = || {
        let output = nap()
            .arg("listen")
            .arg(recording("rc1_two_uplinks.sigmf-meta"))
            .args(["--replay", "max", "--format", "csv", "--report", "first", "--output"])
            .arg(&file)
            .args(["--rotate-size", "0.0006", "--rotate-count", "2"])
            .output()
            .unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
    };
    run();
    run();
    let newest = fs::read_to_string(&file).unwrap();
    let older = fs::read_to_string(file.with_extension("csv.1")).unwrap();
    for text in [&newest, &older] {
        assert!(text.starts_with("type,schema,recording,message_id,time,"), "{text}");
    }
    assert!(newest.lines().count() + older.lines().count() >= 4);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_once_and_decoding_goes_on() {
    let output = nap()
        .arg("listen")
        .arg(recording("rc1_two_uplinks.sigmf-meta"))
        .args(["--replay", "max", "--output", "/dev/full"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.matches("cannot write").count(), 1, "{said}");
    assert!(said.contains("2 messages, 6 frames"), "{said}");
}

#[test]
fn samples_come_from_standard_input() {
    let mut listening = Listening::start_with(
        &["-", "--sample-format", "cs16", "--sample-rate", "250k", "--center-frequency", "868.13M"],
        |command| {
            let file = File::open(recording("rc1_two_uplinks.sigmf-data")).unwrap();
            command.stdin(Stdio::from(file));
        },
    );
    assert!(listening.wait().success());
    assert!(has_all(&listening));
    // What comes without a time of its own gets that of the clock.
    assert!(results(&listening)[0]["time"].is_string());
}

/// Records bursts of a recording into a folder; returns what was said.
fn record(name: &str, folder: &std::path::Path, more: &[&str]) -> String {
    let output = nap()
        .arg("listen")
        .arg(recording(&format!("{name}.sigmf-meta")))
        .args(["--replay", "max", "--report", "first", "--record"])
        .arg(folder)
        .args(more)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stderr).unwrap()
}

/// The metadata of all recordings in a folder.
fn recorded(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|e| e == "sigmf-meta")).collect();
    found.sort();
    found
}

fn labels(meta: &std::path::Path) -> Vec<String> {
    let source = nap_io::open(meta, &nap_io::OpenOptions::default()).unwrap();
    source.info().annotations.iter().filter_map(|a| a.label.clone()).collect()
}

#[test]
fn recorded_bursts_decode_again() {
    let folder = tempfile::tempdir().unwrap();
    record("rc1_two_uplinks", folder.path(), &["--record-which", "all"]);
    let files = recorded(folder.path());
    // Two frames at a time, three times.
    assert_eq!(files.len(), 3, "{files:?}");
    let output = nap().arg("decode").args(&files).args(["--format", "json"]).output().unwrap();
    let messages = json_lines(&output.stdout);
    assert_eq!(messages.len(), 6, "{}", String::from_utf8_lossy(&output.stderr));
    for (number, file) in files.iter().enumerate() {
        let rank = number + 1;
        assert_eq!(
            labels(file),
            [format!("258E05CA frame {rank}"), format!("38DFD2F3 frame {rank}")]
        );
    }
    // All was decoded.
    let folder = tempfile::tempdir().unwrap();
    record("rc1_two_uplinks", folder.path(), &[]);
    assert_eq!(recorded(folder.path()), [] as [std::path::PathBuf; 0]);
}

#[test]
fn bursts_that_were_not_decoded_are_kept() {
    // Frames that say they come from a device whose CRC is wrong: samples in the middle of each frame
    // are overwritten by those of another time.
    let folder = tempfile::tempdir().unwrap();
    let mut data = fs::read(recording("rc1_minus120dbm.sigmf-data")).unwrap();
    let text = fs::read_to_string(recording("rc1_minus120dbm.truth.json")).unwrap();
    let truth: Value = serde_json::from_str(&text).unwrap();
    let noise = data[..2 * RATE_HZ / 10].to_vec();
    for frame in truth["messages"][0]["frames"].as_array().unwrap() {
        let start = (frame["time_s"].as_f64().unwrap() + 0.6) * RATE_HZ as f64;
        for piece in 0..9 {
            let at = 2 * (start as usize + piece * RATE_HZ / 10);
            if piece % 2 == 0 {
                data[at..at + noise.len()].copy_from_slice(&noise);
            }
        }
    }
    fs::write(folder.path().join("spoilt.sigmf-data"), data).unwrap();
    let meta = folder.path().join("spoilt.sigmf-meta");
    fs::copy(recording("rc1_minus120dbm.sigmf-meta"), &meta).unwrap();
    let out = folder.path().join("bursts");
    let output = nap()
        .arg("listen")
        .arg(&meta)
        .args(["--replay", "max", "--record"])
        .arg(&out)
        .output()
        .unwrap();
    assert!(output.status.success());
    let files = recorded(&out);
    assert!(!files.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    for file in &files {
        let source = nap_io::open(file, &nap_io::OpenOptions::default()).unwrap();
        for annotation in &source.info().annotations {
            assert_eq!(annotation.label.as_deref(), Some("not decoded"));
            assert!(annotation.comment.is_some(), "no reason: {annotation:?}");
        }
    }
}

#[test]
fn recordings_keep_within_their_bound_whatever_the_disk_says() {
    let folder = tempfile::tempdir().unwrap();
    record("rc1_two_uplinks", folder.path(), &["--record-which", "all", "--record-size", "8"]);
    assert_eq!(recorded(folder.path()).len(), 2);
    // Files of more than a megabyte cannot be written: as good as a full disk.
    let folder = tempfile::tempdir().unwrap();
    let output = std::process::Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 2048; exec \"$0\" \"$@\""])
        .arg(env!("CARGO_BIN_EXE_nap"))
        .arg("listen")
        .arg(recording("rc1_two_uplinks.sigmf-meta"))
        .args(["--replay", "max", "--record-which", "all", "--record"])
        .arg(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.matches("a burst is not recorded").count(), 1, "{said}");
    assert!(said.contains("2 messages, 6 frames"), "{said}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Sends bytes at the pace of an RTL-SDR, `speed` times as fast.
fn send_paced(stream: &mut TcpStream, bytes: &[u8], speed: usize) {
    let started = Instant::now();
    let piece = 2 * RATE_HZ * speed / 50;
    for (number, piece) in bytes.chunks(piece).enumerate() {
        let due = Duration::from_millis(20 * (number as u64 + 1));
        thread::sleep(due.saturating_sub(started.elapsed()));
        if stream.write_all(piece).is_err() {
            return;
        }
    }
}

#[test]
fn an_rtl_tcp_server_is_set_and_opened_again_when_it_goes() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let bytes = cu8();
        let mut commands = Vec::new();
        // The first connection breaks after a second of the recording.
        for end in [2 * RATE_HZ, bytes.len()] {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"RTL0\0\0\0\x05\0\0\0\x1d").unwrap();
            stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
            commands.clear();
            let mut command = [0; 5];
            while stream.read_exact(&mut command).is_ok() {
                commands.push(command);
            }
            send_paced(&mut stream, &bytes[..end], 4);
        }
        commands
    });
    let source = format!("rtl_tcp://{address}");
    let mut listening = Listening::start(&[
        &source,
        RC1[0],
        RC1[1],
        "--sample-rate",
        "250k",
        "--gain",
        "29.7",
        "--ppm",
        "-3",
        "--replay",
        "4",
    ]);
    assert!(listening.watch_until(Duration::from_secs(10), has_all), "{}", listening.story());
    assert_eq!(listening.times_said("the source has ended; trying again"), 1);
    assert_eq!(listening.times_said("samples again"), 1);
    assert!(listening.end("INT").success());
    let commands = server.join().unwrap();
    let expected: [[u8; 5]; 6] = [
        [2, 0, 3, 0xd0, 0x90],
        [1, 0x33, 0xbe, 0x9c, 0xd0],
        [5, 0xff, 0xff, 0xff, 0xfd],
        [14, 0, 0, 0, 0],
        [3, 0, 0, 0, 1],
        [4, 0, 0, 1, 0x29],
    ];
    assert_eq!(commands, expected);
}

#[test]
fn what_is_no_rtl_tcp_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(&[0x7f; 100]).unwrap();
        thread::sleep(Duration::from_millis(200));
    });
    let source = format!("rtl_tcp://{address}");
    let mut listening = Listening::start(&[&source, RC1[0], RC1[1], "--on-error", "quit"]);
    assert_eq!(listening.wait().code(), Some(1));
    assert!(listening.story().contains("this is no rtl_tcp"), "{}", listening.story());
    server.join().unwrap();
}

#[test]
fn raw_samples_come_over_tcp_and_udp() {
    let raw = ["--sample-format", "cu8", "--sample-rate", "250k", "--center-frequency", "868.13M"];
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let source = format!("tcp://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        send_paced(&mut stream, &cu8(), 4);
    });
    let mut arguments = vec![source.as_str(), "--replay", "4"];
    arguments.extend(raw);
    let mut listening = Listening::start(&arguments);
    assert!(listening.watch_until(Duration::from_secs(8), has_all), "{}", listening.story());
    assert!(listening.end("TERM").success());
    server.join().unwrap();

    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let source = format!("udp://127.0.0.1:{port}");
    let mut arguments = vec![source.as_str(), "--replay", "4"];
    arguments.extend(raw);
    let mut listening = Listening::start(&arguments);
    // Datagrams that come before anybody listens are lost.
    listening.watch_until(Duration::from_secs(2), |l| l.when_said("MS/s").is_some());
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let started = Instant::now();
    for (number, piece) in cu8().chunks(2 * RATE_HZ * 4 / 250).enumerate() {
        let due = Duration::from_millis(4 * (number as u64 + 1));
        thread::sleep(due.saturating_sub(started.elapsed()));
        socket.send_to(piece, ("127.0.0.1", port)).unwrap();
    }
    assert!(listening.watch_until(Duration::from_secs(3), has_all), "{}", listening.story());
    assert!(listening.end("TERM").success());
}

#[test]
fn a_signal_ends_a_replay_with_what_was_decoded() {
    let file = recording("rc1_two_uplinks.sigmf-meta");
    let mut listening =
        Listening::start(&[file.to_str().unwrap(), "--replay", "2", "--report", "complete"]);
    // Half of the recording: two messages are open, and flushed by the signal.
    listening.watch(Duration::from_millis(2500));
    assert!(results(&listening).is_empty());
    assert!(listening.end("TERM").success());
    assert_eq!(results(&listening).len(), 2, "{}", listening.story());
}

#[test]
fn wrong_usage_is_told_at_once() {
    let said = |arguments: &[&str], code: i32| {
        let output = nap().arg("listen").args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(said(&[], 2).contains("SOURCE"));
    let raw = said(&["tcp://127.0.0.1:1"], 2);
    assert!(raw.contains("raw samples do not tell how they are made"), "{raw}");
    assert!(raw.contains("the flags are --sample-format and --sample-rate"), "{raw}");
    assert!(said(&["nothing.sigmf-meta"], 2).contains("No such file"));
    assert!(said(&["x", "--radio", "driver=x"], 2).contains("cannot be used with"));
    assert!(said(&["x", "--gain", "much"], 2).contains("is not a gain"));
    if cfg!(not(feature = "soapy")) {
        assert!(said(&["--radio", "driver=rtlsdr"], 2).contains("built without SoapySDR"));
    }
}
