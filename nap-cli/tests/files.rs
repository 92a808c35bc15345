//! `nap decode` of files as other programs leave them: gaps, retuning, several parts, wrong headers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use common::{exit_code, json_lines, nap, recording, stderr, truth};
use nap_io::{SampleFormat, convert};
use num_complex::Complex32;
use serde_json::{Value, json};
use tempfile::TempDir;

const RATE_HZ: u64 = 250_000;
const TOTAL: u64 = 1_000_000;

/// Four seconds of cs8 around 902.2 MHz with two messages at 600 bit/s.
fn samples() -> Vec<u8> {
    fs::read(recording("rc2_minus112dbm.sigmf-data")).unwrap()
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn sigmf(&self, name: &str, global: Value, captures: Value, data: &[u8]) -> PathBuf {
        let mut root = json!({
            "global": {"core:version": "1.2.0", "core:datatype": "ci8", "core:sample_rate": RATE_HZ},
            "captures": captures,
        });
        for (field, value) in global.as_object().unwrap() {
            root["global"][field] = value.clone();
        }
        self.write(&format!("{name}.sigmf-data"), data);
        self.write(&format!("{name}.sigmf-meta"), root.to_string().as_bytes())
    }
}

fn decode(files: &[&Path], more: &[&str]) -> Output {
    let mut command = nap();
    command.arg("decode").args(files).args(["--format", "json"]).args(more);
    command.output().unwrap()
}

/// The messages of files that are read to their end.
fn messages(files: &[&Path], more: &[&str]) -> Vec<Value> {
    let output = decode(files, more);
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    json_lines(&output.stdout)
}

/// Device and time of each message.
fn times(messages: &[Value]) -> Vec<(String, f64)> {
    let time = |message: &Value| {
        let id = message["device_id"].as_str().unwrap().to_owned();
        (id, message["time_s"].as_f64().unwrap())
    };
    messages.iter().map(time).collect()
}

/// The same as it was sent, so much later.
fn sent(later_s: f64) -> Vec<(String, f64)> {
    let truth = truth("rc2_minus112dbm");
    let sent = truth["messages"].as_array().unwrap().iter();
    let time = |message: &Value| {
        let id = message["device_id"].as_str().unwrap().to_owned();
        (id, message["frames"][0]["time_s"].as_f64().unwrap() + later_s)
    };
    sent.map(time).collect()
}

/// Both have the same messages at the same times, in any order.
fn assert_same(mut found: Vec<(String, f64)>, mut sent: Vec<(String, f64)>) {
    let order = |a: &(String, f64), b: &(String, f64)| a.1.total_cmp(&b.1);
    found.sort_by(order);
    sent.sort_by(order);
    assert_eq!(found.len(), sent.len(), "{found:?}");
    for (found, sent) in found.iter().zip(&sent) {
        assert_eq!(found.0, sent.0);
        assert!((found.1 - sent.1).abs() < 2e-3, "{found:?}, not {sent:?}");
    }
}

#[test]
fn time_goes_on_over_samples_that_a_receiver_has_counted_but_not_stored() {
    let folder = Folder::new();
    let captures = json!([
        {"core:sample_start": 0, "core:global_index": 0, "core:frequency": 902.2e6,
            "core:datetime": "2026-03-01T10:20:30Z"},
        {"core:sample_start": 2000, "core:global_index": 2_502_000},
    ]);
    let data = [vec![0; 4000], samples()].concat();
    let meta = folder.sigmf("gap", json!({}), captures, &data);
    let output = decode(&[&meta], &[]);
    assert_eq!(exit_code(&output), 0);
    assert!(stderr(&output).contains("missing in one place, 10.000 s"), "{}", stderr(&output));
    let messages = json_lines(&output.stdout);
    assert_same(times(&messages), sent(10.008));
    for message in &messages {
        let time_s = message["time_s"].as_f64().unwrap();
        let expected = nap_io::utc_text("2026-03-01T10:20:30Z".parse().unwrap(), time_s).unwrap();
        assert_eq!(message["time"], expected.as_str());
    }
    // The marks lie on the samples of the file.
    let out = folder.0.path().join("out.sigmf-meta");
    let flags = ["--annotate", out.to_str().unwrap()];
    assert_eq!(exit_code(&decode(&[&meta], &flags)), 0);
    let marked: Value = serde_json::from_slice(&fs::read(&out).unwrap()).unwrap();
    let first = marked["annotations"][0]["core:sample_start"].as_u64().unwrap();
    let sent_s = sent(0.008).into_iter().map(|(_, time_s)| time_s).fold(f64::MAX, f64::min);
    assert!(first.abs_diff((sent_s * RATE_HZ as f64) as u64) < 500, "{first}");
    // A start and an end count on the same time.
    assert_same(times(&self::messages(&[&meta], &["--start", "9"])), sent(10.008));
    assert_eq!(decode(&[&meta], &["--start", "15"]).status.code(), Some(2));
    assert!(json_lines(&decode(&[&meta], &["--duration", "9"]).stdout).is_empty());
}

#[test]
fn every_opening_of_a_squelch_has_its_own_time() {
    let folder = Folder::new();
    let captures = json!([
        {"core:sample_start": 0, "core:frequency": 902.2e6, "core:datetime": "2026-03-01T10:20:30Z"},
        {"core:sample_start": TOTAL, "core:datetime": "2026-03-01T11:00:00.5Z"},
    ]);
    let meta = folder.sigmf("squelch", json!({}), captures, &samples().repeat(2));
    let messages = messages(&[&meta], &[]);
    assert_same(times(&messages), [sent(0.0), sent(2370.5)].concat());
    let hours: Vec<&str> =
        messages.iter().map(|message| &message["time"].as_str().unwrap()[11..16]).collect();
    assert_eq!(hours, ["10:20", "10:20", "11:00", "11:00"]);
    let ids: Vec<u64> = messages.iter().map(|m| m["message_id"].as_u64().unwrap()).collect();
    assert_eq!(ids, [1, 2, 3, 4]);

    // Played as if it were live, what was never recorded is no fault of the computer.
    let output = nap().arg("listen").arg(&meta).args(["--replay", "max"]).output().unwrap();
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    assert!(stderr(&output).contains("samples are missing in one place"), "{}", stderr(&output));
    assert!(!stderr(&output).contains("not read fast enough"), "{}", stderr(&output));
}

#[test]
fn each_frequency_is_decoded_for_itself() {
    let folder = Folder::new();
    let data = [samples(), vec![0; 100_000], samples()].concat();
    let captures = json!([
        {"core:sample_start": 0, "core:frequency": 902.2e6},
        {"core:sample_start": TOTAL, "core:frequency": 700e6},
        {"core:sample_start": TOTAL + 50_000, "core:frequency": 902.2e6},
    ]);
    let meta = folder.sigmf("retuned", json!({}), captures, &data);
    let output = decode(&[&meta], &[]);
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    assert!(stderr(&output).contains("from 902200000 Hz to 700000000 Hz"), "{}", stderr(&output));
    assert!(stderr(&output).contains("from 4.000 s on is left out"), "{}", stderr(&output));
    assert_same(times(&json_lines(&output.stdout)), [sent(0.0), sent(4.2)].concat());
    let first = messages(&[&meta], &["--duration", "4"]);
    assert_same(times(&first), sent(0.0));
    let last = messages(&[&meta], &["--start", "4.2"]);
    assert_same(times(&last), sent(4.2));
    // One frequency for all of it, as given.
    let output = decode(&[&meta], &["--center-frequency", "902.2M"]);
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    assert!(stderr(&output).contains("all of it is read at 902200000 Hz"), "{}", stderr(&output));
    assert_same(times(&json_lines(&output.stdout)), [sent(0.0), sent(4.2)].concat());
    let nowhere = json!([
        {"core:sample_start": 0, "core:frequency": 700e6},
        {"core:sample_start": 100, "core:frequency": 701e6},
    ]);
    let meta = folder.sigmf("nowhere", json!({}), nowhere, &samples());
    assert_eq!(decode(&[&meta], &[]).status.code(), Some(2));
    let picture = folder.0.path().join("x.png");
    let output = nap()
        .arg("waterfall")
        .arg(folder.0.path().join("retuned.sigmf-meta"))
        .arg("-o")
        .arg(&picture)
        .output()
        .unwrap();
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    // Both parts at this frequency are in the picture.
    assert!(stderr(&output).contains("4 messages, 12 frames decoded"), "{}", stderr(&output));
}

#[test]
fn each_recording_of_an_archive_is_decoded() {
    let folder = Folder::new();
    let captures = json!([{"core:sample_start": 0, "core:frequency": 902.2e6}]);
    let meta = folder.sigmf("r", json!({}), captures, &samples());
    let mut archive = tar::Builder::new(Vec::new());
    for name in ["one", "two"] {
        archive.append_path_with_name(&meta, format!("{name}.sigmf-meta")).unwrap();
        let data = meta.with_extension("sigmf-data");
        archive.append_path_with_name(data, format!("{name}.sigmf-data")).unwrap();
    }
    let path = folder.write("both.sigmf", &archive.into_inner().unwrap());
    let messages = messages(&[&path], &[]);
    assert_same(times(&messages), [sent(0.0), sent(0.0)].concat());
    let of = |name: &str| {
        let name = path.join(name).display().to_string();
        messages.iter().filter(|message| message["recording"] == name.as_str()).count()
    };
    assert_eq!((of("one.sigmf-meta"), of("two.sigmf-meta")), (2, 2));
    let one = path.join("two.sigmf-meta");
    assert_eq!(json_lines(&decode(&[&one], &[]).stdout).len(), 2);
    let out = folder.0.path().join("out.sigmf-meta");
    let marked = decode(&[&one], &["--annotate", out.to_str().unwrap()]);
    assert_eq!(exit_code(&marked), 2, "{}", stderr(&marked));
    let doctor = nap().arg("doctor").arg(&path).output().unwrap();
    assert!(stderr(&doctor).contains("give one of them by that name"), "{}", stderr(&doctor));
}

/// The recording in parts that are cut inside frames.
fn parts() -> Vec<Vec<u8>> {
    samples().chunks(2 * 380_000).map(<[u8]>::to_vec).collect()
}

/// Messages without what may depend on where they were read from.
fn plain(messages: Vec<Value>) -> Vec<Value> {
    let without = |mut message: Value| {
        message.as_object_mut().unwrap().remove("recording");
        message
    };
    messages.into_iter().map(without).collect()
}

#[test]
fn recordings_that_go_on_in_the_next_file_are_one() {
    let folder = Folder::new();
    let whole = folder.sigmf(
        "whole",
        json!({}),
        json!([{"core:sample_start": 0,
        "core:frequency": 902.2e6, "core:datetime": "2026-03-01T10:20:30Z"}]),
        &samples(),
    );
    let expected = plain(messages(&[&whole], &[]));
    assert_eq!(expected.len(), 2);
    let mut files = Vec::new();
    for (index, part) in parts().iter().enumerate() {
        let first = 380_000 * index as u64;
        let time = nap_io::utc_text(
            "2026-03-01T10:20:30Z".parse().unwrap(),
            first as f64 / RATE_HZ as f64,
        );
        let captures = json!([{"core:sample_start": first, "core:frequency": 902.2e6,
            "core:datetime": time.unwrap()}]);
        files.push(folder.sigmf(
            &format!("p{index}"),
            json!({"core:offset": first}),
            captures,
            part,
        ));
    }
    let [first, second, third] = files.as_slice() else { panic!() };
    let output = decode(&[third, first, second], &[]);
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    assert!(stderr(&output).contains("one recording in 3 files"), "{}", stderr(&output));
    assert!(stderr(&output).contains("2 messages, 6 frames in 4.0 s"), "{}", stderr(&output));
    assert_eq!(plain(json_lines(&output.stdout)), expected);
}

#[test]
fn files_whose_names_count_are_joined_on_demand() {
    let folder = Folder::new();
    let parts = parts();
    let files: Vec<PathBuf> = (0..3)
        .map(|i| folder.write(&format!("p_902.2M_250k_{:03}.cs8", i + 9), &parts[i]))
        .collect();
    let [first, second, third] = files.as_slice() else { panic!() };
    let joined = messages(&[second, third, first], &["--join"]);
    assert_same(times(&joined), sent(0.0));
    let frames: Vec<usize> =
        joined.iter().map(|message| message["frames"].as_array().unwrap().len()).collect();
    assert_eq!(frames, [3, 3]);
    let output = decode(&[first, second, third], &[]);
    let apart = json_lines(&output.stdout);
    assert!(apart.len() != 2 || times(&apart) != times(&joined), "{apart:?}");
    // What lies over the ends of files is lost then, so the flag is named.
    assert!(stderr(&output).contains("decode them as one with --join"), "{}", stderr(&output));
}

#[test]
fn recordings_that_do_not_belong_together_are_not_joined() {
    let folder = Folder::new();
    let short = &samples()[..1000];
    let (one, other) =
        (folder.write("a_902.2M_250k.cs8", short), folder.write("b_902.2M_250k.cs8", short));
    let output = decode(&[&one, &other], &["--join"]);
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    assert!(stderr(&output).contains("--join: none of these"), "{}", stderr(&output));
    let output = decode(&[&one, &other], &[]);
    assert!(!stderr(&output).contains("--join"), "{}", stderr(&output));
    let output = decode(&[&one], &["--join"]);
    assert_eq!(exit_code(&output), 2);
    assert!(stderr(&output).contains("there is but one recording"), "{}", stderr(&output));
}

#[test]
fn the_user_overrules_a_header() {
    let folder = Folder::new();
    let mut floats = vec![Complex32::ZERO; TOTAL as usize];
    convert::decode(SampleFormat::Cs8, &samples(), &mut floats);
    let mut data = Vec::new();
    convert::encode(SampleFormat::Cf32Le, &floats, &mut data);
    // NumPy's complex64 under the name of another type, at a rate that was before decimation.
    let global = json!({"core:datatype": "cf64_le", "core:sample_rate": 800_000});
    let captures = json!([{"core:sample_start": 0, "core:frequency": 868e6,
        "core:datetime": "2026-03-01T10:20:30Z"}]);
    let meta = folder.sigmf("wrong", global, captures, &data);
    let right = [
        "--sample-rate",
        "250k",
        "--center-frequency",
        "902.2M",
        "--start-time",
        "2027-01-01T00:00:00Z",
    ];
    let output = decode(&[&meta], &right);
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    let messages = json_lines(&output.stdout);
    assert_same(times(&messages), sent(0.0));
    assert!(messages[0]["time"].as_str().unwrap().starts_with("2027-01-01T00:00:00."));
    for word in ["make no sense", "is 800000; ", "is 868000000; ", "is 2026-03-01T10:20:30Z; "] {
        assert!(stderr(&output).contains(word), "{word}: {}", stderr(&output));
    }
    let given = [&right[..], &["--sample-format", "cf32"]].concat();
    let output = decode(&[&meta], &given);
    assert_same(times(&json_lines(&output.stdout)), sent(0.0));
    assert!(!stderr(&output).contains("make no sense"), "{}", stderr(&output));
}

#[test]
fn a_wav_file_comes_through_a_pipe() {
    let mut wav = b"RIFF\x24\xf0\xff\x7fWAVEfmt \x10\0\0\0\x01\0\x02\0".to_vec();
    wav.extend([0x90, 0xd0, 3, 0, 0x20, 0xa1, 7, 0, 2, 0, 8, 0]);
    wav.extend(b"data\0\xf0\xff\x7f");
    wav.extend(samples().iter().map(|byte| byte ^ 0x80));
    let output = nap()
        .args(["decode", "-", "--center-frequency", "902.2M", "--format", "json"])
        .write_stdin(wav)
        .output()
        .unwrap();
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    assert_same(times(&json_lines(&output.stdout)), sent(0.0));
}

#[test]
fn files_that_are_no_recordings_are_said() {
    let folder = Folder::new();
    for (name, bytes, word) in [
        ("x_902.2M_250k.cu8", b"<!DOCTYPE html>\n<html>" as &[u8], "a web page"),
        ("y_902.2M_250k.cu8", b"PK\x03\x04\x14\0\0\0", "a zip archive"),
    ] {
        let output = decode(&[&folder.write(name, bytes)], &[]);
        assert_eq!(exit_code(&output), 2);
        assert!(stderr(&output).contains(word), "{}", stderr(&output));
    }
    let packed = folder.write("z_902.2M_250k.cu8.gz", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
    let output = nap().arg("listen").arg(packed).arg("--follow").output().unwrap();
    assert_eq!(exit_code(&output), 2, "{}", stderr(&output));
    assert!(stderr(&output).contains("following what is compressed"), "{}", stderr(&output));
}
