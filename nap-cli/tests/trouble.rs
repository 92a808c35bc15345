//! What goes wrong outside: exit codes, messages, and what is decoded all the same.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

mod common;

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use common::{exit_code, json_lines, nap, recording, stderr, stdout};

/// Runs `nap decode` on a file.
fn decode(file: &Path, more: &[&str]) -> Output {
    nap().arg("decode").arg(file).args(["--format", "json"]).args(more).output().unwrap()
}

/// Checks how a run ended and what it said.
fn assert_ends(output: &Output, code: i32, expected: &str) {
    assert_eq!(exit_code(output), code, "{}", stderr(output));
    assert!(stderr(output).contains(expected), "{}", stderr(output));
    assert!(!stderr(output).contains("panicked"), "{}", stderr(output));
}

/// A copy of a recording in `folder`, its data cut or changed by `change`.
fn copy(folder: &Path, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
    let mut data = fs::read(recording(&format!("{name}.sigmf-data"))).unwrap();
    change(&mut data);
    fs::write(folder.join("copy.sigmf-data"), data).unwrap();
    let meta = folder.join("copy.sigmf-meta");
    fs::copy(recording(&format!("{name}.sigmf-meta")), &meta).unwrap();
    meta
}

#[test]
fn a_reader_that_has_had_enough_is_no_error() {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_nap"))
        .arg("decode")
        .args(vec![recording("rc2_minus112dbm"); 3])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    // The pipe is closed when the reader goes, after the heading and the first of six messages.
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    reader.read_line(&mut first).unwrap();
    assert!(first.ends_with("rc2_minus112dbm:\n"), "{first}");
    reader.read_line(&mut first).unwrap();
    assert!(first.contains("4C21232F"), "{first}");
    drop(reader);
    let output = child.wait_with_output().unwrap();
    assert_eq!((exit_code(&output), stderr(&output)), (0, ""));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let run = |arguments: &[&str]| {
        std::process::Command::new(env!("CARGO_BIN_EXE_nap"))
            .args(arguments)
            .stdout(full())
            .output()
            .unwrap()
    };
    let file = recording("rc2_minus112dbm");
    let output = run(&["decode", file.to_str().unwrap()]);
    assert_ends(&output, 1, "error: cannot write to standard output: No space left on device");
    let output = run(&["frame", "aaaaa35f01a0db334d00abad1deadc32758a"]);
    assert_ends(&output, 1, "cannot write to standard output");
}

#[test]
fn missing_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("nothing_868.13M_250k.cu8");
    assert_ends(&decode(&missing, &[]), 2, "nothing_868.13M_250k.cu8: cannot open: No such file");
    let data = folder.path().join("half.sigmf-data");
    fs::write(&data, [0; 4]).unwrap();
    assert_ends(&decode(&data, &[]), 2, "half.sigmf-meta is missing");
    assert_ends(&decode(folder.path(), &[]), 2, "");
}

#[test]
fn other_files_are_decoded_all_the_same() {
    let output = nap()
        .args(["decode", "missing_868.13M_250k.cu8"])
        .arg(recording("rc2_minus112dbm"))
        .output()
        .unwrap();
    assert_ends(&output, 2, "missing_868.13M_250k.cu8");
    let lines: Vec<&str> = stdout(&output).lines().collect();
    assert_eq!(lines.len(), 3, "a heading and two messages: {lines:?}");
    assert!(lines[0].ends_with("rc2_minus112dbm:"), "{lines:?}");
}

#[test]
fn a_recording_cut_short_gives_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    // After 2.7 s, in the middle of a sample: the first message is complete, the second is not.
    let meta = copy(folder.path(), "rc2_minus112dbm", |data| data.truncate(2 * 675_000 + 1));
    let output = decode(&meta, &[]);
    assert_ends(&output, 1, "ends after 675000 samples, with 1 byte of an incomplete sample");
    let messages = json_lines(&output.stdout);
    let frames: Vec<usize> =
        messages.iter().map(|m| m["frames"].as_array().unwrap().len()).collect();
    assert_eq!(frames, [3, 2]);
}

#[test]
fn a_pipe_cut_short_gives_what_it_has() {
    let mut data = fs::read(recording("rc2_minus112dbm.sigmf-data")).unwrap();
    data.truncate(2 * 675_000 + 1);
    let output = nap()
        .args(["decode", "-", "--sample-format=ci8", "--sample-rate=250000"])
        .write_stdin(data)
        .output()
        .unwrap();
    assert_ends(&output, 1, "incomplete sample");
    assert_eq!(stdout(&output).lines().count(), 2);
}

#[test]
fn metadata_and_data_that_disagree() {
    let folder = tempfile::tempdir().unwrap();
    let meta = copy(folder.path(), "rc2_minus112dbm", |_| {});
    let with_capture = |start: u64| {
        let text = fs::read_to_string(recording("rc2_minus112dbm.sigmf-meta")).unwrap();
        let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut capture = document["captures"][0].clone();
        capture["core:sample_start"] = start.into();
        document["captures"].as_array_mut().unwrap().push(capture);
        fs::write(&meta, document.to_string()).unwrap();
    };
    with_capture(5_000_000);
    let output = decode(&meta, &[]);
    assert_ends(&output, 1, "ends after 1000000 samples, 5000001 or more are described");
    assert_eq!(json_lines(&output.stdout).len(), 2);

    let output = decode(&recording("rc2_minus112dbm"), &["--sample-rate", "1M"]);
    assert_ends(
        &output,
        0,
        "says that the sample rate is 250000; reading it with 1000000, as given",
    );
    assert!(output.stdout.is_empty(), "{}", stdout(&output));
}

#[test]
fn an_empty_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("g_868.13M_250k.cu8");
    fs::write(&file, []).unwrap();
    assert_ends(&decode(&file, &[]), 1, "g_868.13M_250k.cu8: the recording is empty");
}

#[test]
fn what_is_unknown_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("capture.bin");
    fs::write(&file, [0; 4]).unwrap();
    assert_ends(&decode(&file, &[]), 2, "the flags are --sample-format and --sample-rate");
    assert_ends(&decode(&file, &["--sample-format=cu8"]), 2, "the sample rate is not known");
    assert_ends(&decode(&file, &["--sample-format=mp3"]), 2, "\"mp3\" is not a sample format");
    let flags = ["--sample-format=cu8", "--sample-rate=250k", "--radio-configuration=RC1"];
    assert_ends(&decode(&file, &flags), 2, "give --center-frequency HZ");
}

#[test]
fn a_recording_must_hold_a_channel() {
    let file = recording("rc1_two_uplinks");
    let output = decode(&file, &["--center-frequency", "433.92M"]);
    assert_ends(&output, 2, "in the band, 433.795000 to 434.045000 MHz");
    assert!(stderr(&output).contains("--channel-center HZ"), "{}", stderr(&output));
    let output = decode(&file, &["--radio-configuration", "RC2"]);
    assert_ends(&output, 2, "lies outside the sampled band of ±125000 Hz");
    let output = decode(&file, &["--channel-center", "868.2M"]);
    assert_ends(&output, 2, "at +70000 Hz from the centre");
    let output = decode(&file, &["--channel-center=868.13M", "--radio-configuration=RC1"]);
    assert_ends(&output, 2, "cannot be used with");
    let output = decode(&file, &["--radio-configuration", "RC9"]);
    assert_ends(&output, 2, "unknown radio configuration");
    let output = decode(&file, &["--bit-rate", "300"]);
    assert_ends(&output, 2, "an uplink's bit rate is 100 or 600 bit/s, not 300");
    let output = decode(&file, &["--start", "9.5"]);
    assert_ends(&output, 2, "--start 9.5 s is not before the end of the recording at 9 s");
}

#[test]
fn tables_of_devices_say_where_they_are_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let devices = folder.path().join("devices.csv");
    let secret = "c0ffee00c0ffee00c0ffee00c0ffee";
    for (table, expected) in [
        (format!("device_id,key\n1,{secret}\n"), "devices.csv: line 2: a key has 32"),
        (format!("device_id,key\n1,\n1,{secret}00\n"), "devices.csv: line 3: device 00000001"),
        (format!("1,{secret}\n"), "devices.csv: line 1: no column `device_id`"),
        (format!("device_id,key\n# old\nxyz,{secret}00\n"), "devices.csv: line 3: character 0"),
    ] {
        fs::write(&devices, table).unwrap();
        let more = ["--devices", devices.to_str().unwrap()];
        let output = decode(&recording("rc1_two_uplinks"), &more);
        assert_ends(&output, 2, expected);
        assert!(!stderr(&output).contains("c0ffee"), "{}", stderr(&output));
        assert_eq!(stdout(&output), "");
    }
    fs::remove_file(&devices).unwrap();
    let output = decode(&recording("rc1_two_uplinks"), &["--devices", devices.to_str().unwrap()]);
    assert_ends(&output, 2, "devices.csv: cannot open the table of devices: No such file");
}

#[test]
fn samples_that_are_no_numbers_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("g_902.2M_250k.cf32");
    let bytes = fs::read(recording("rc2_minus112dbm.sigmf-data")).unwrap();
    let mut samples: Vec<f32> = bytes.iter().map(|&b| f32::from(b as i8) / 128.0).collect();
    // At the very end, where no frame is.
    for (place, value) in [(0, f32::NAN), (3, f32::INFINITY), (8, f32::NEG_INFINITY)] {
        let from_end = samples.len() - 10 + place;
        samples[from_end] = value;
    }
    let bytes: Vec<u8> = samples.iter().flat_map(|value| value.to_le_bytes()).collect();
    fs::write(&file, bytes).unwrap();
    let output = decode(&file, &[]);
    assert_ends(&output, 1, "3 of 1000000 samples are no finite numbers");
    assert_eq!(json_lines(&output.stdout).len(), 2);
}

#[test]
fn only_one_sigmf_recording_can_be_annotated() {
    let file = recording("rc2_minus112dbm.sigmf-meta");
    let more = [file.to_str().unwrap(), "--annotate", "never.sigmf-meta"];
    assert_ends(&decode(&file, &more), 2, "--annotate takes one recording, not 2");
    let output = decode(Path::new("x_868.13M_250k.cu8"), &["--annotate", "never.sigmf-meta"]);
    assert_ends(&output, 2, "needs a SigMF recording");
}

/// A value with which nothing could ever come out, and a choice that needs another flag.
#[test]
fn values_that_leave_nothing_to_do_are_refused() {
    for (arguments, expected) in [
        (&["decode", "x.cu8", "--duration", "0"][..], "a duration is above 0"),
        (&["waterfall", "x.cu8", "-o", "x.png", "--duration", "0"], "a duration is above 0"),
        (&["waterfall", "x.cu8", "-o", "x.jpg"], "give it a name that ends with .png"),
        (&["waterfall", "x.cu8", "-o", "x"], "give it a name that ends with .png"),
        (&["listen", "x.cu8", "--duration", "0"], "a duration is above 0"),
        (&["listen", "x.cu8", "--output", "x", "--rotate-size", "0"], "is not above 0"),
        (&["listen", "x.cu8", "--record", "x", "--record-size", "0"], "is not above 0"),
        (&["listen", "x.cu8", "--record", "x", "--record-which", "known"], "give --devices"),
        (&["doctor", "x.cu8", "--duration", "0"], "a duration is above 0"),
    ] {
        let output = nap().args(arguments).output().unwrap();
        assert_ends(&output, 2, expected);
    }
}

#[test]
fn usage_is_explained() {
    let output = nap().arg("decode").output().unwrap();
    assert_ends(&output, 2, "<FILE>");
    let output = nap().args(["decode", "x", "--sample-rate", "fast"]).output().unwrap();
    assert_ends(&output, 2, "is not a number such as 868130000, 868.13M or 250k");
    let output = nap().arg("--version").output().unwrap();
    let built_in = if cfg!(feature = "soapy") { " with SoapySDR" } else { " without SoapySDR (" };
    let version = concat!("nap ", env!("CARGO_PKG_VERSION")).to_owned() + built_in;
    assert!(stdout(&output).starts_with(&version), "{}", stdout(&output));
    for command in ["decode", "frame", "encode", "simulate"] {
        let output = nap().args([command, "--help"]).output().unwrap();
        assert_eq!(exit_code(&output), 0);
        assert!(stdout(&output).contains("Examples:"), "{}", stdout(&output));
    }
}

#[test]
fn less_than_a_sample_is_a_recording_cut_short() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("g001_868.13M_250k.cu8");
    fs::write(&file, [128]).unwrap();
    assert_ends(&decode(&file, &[]), 1, "cut short: it ends after 0 samples, with 1 byte");
    assert_ends(&decode(&file, &["--start", "1"]), 2, "--start 1 s is not before the end");
}
