//! `nap doctor` on scenes whose flaws are known.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

mod common;

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use common::{json_lines, nap, recording};

/// The findings on a recording: verdict and text by subject.
fn examine(file: &Path, more: &[&str]) -> (i32, HashMap<String, (String, String)>) {
    let output = nap().arg("doctor").arg(file).arg("--json").args(more).output().unwrap();
    let findings = json_lines(&output.stdout).into_iter().map(|finding| {
        let field = |name: &str| finding[name].as_str().unwrap().to_owned();
        (field("subject"), (field("verdict"), field("text")))
    });
    (output.status.code().unwrap(), findings.collect())
}

/// A scene of noise alone with a front end, rendered.
fn scene(folder: &Path, front_end: &str) -> std::path::PathBuf {
    let text = format!(
        "sample_rate_hz = 250_000\nduration_s = 3.0\nradio_configuration = \"RC1\"\n{front_end}\n"
    );
    let path = folder.join("scene.toml");
    fs::write(&path, text).unwrap();
    let out = folder.join("scene.sigmf-meta");
    let output = nap().arg("simulate").arg(&path).arg("-o").arg(&out).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    out
}

#[test]
fn a_wrong_sample_rate_is_found_by_trying() {
    for (told, factor) in
        [("1M", "none with the 1000000 told"), ("256k", "none with the 256000 told")]
    {
        let file = recording("rc1_two_uplinks.sigmf-meta");
        let (status, findings) = examine(&file, &["--sample-rate", told]);
        let (verdict, text) = &findings["sample rate"];
        assert_eq!((status, verdict.as_str()), (1, "bad"));
        assert!(text.starts_with("2 messages if these are 250000 samples"), "{text}");
        assert!(text.ends_with(factor), "{text}");
    }
}

/// Floats read as pairs of numbers are heard at twice the rate, which is not what is wrong.
#[test]
fn a_wrong_format_is_not_called_a_wrong_rate() {
    let folder = tempfile::tempdir().unwrap();
    let signed = fs::read(recording("rc2_minus112dbm.sigmf-data")).unwrap();
    let floats: Vec<u8> = signed[..700_000]
        .iter()
        .flat_map(|&byte| (f32::from(byte.cast_signed()) / 128.0).to_le_bytes())
        .collect();
    let file = folder.path().join("x_902.2M_250k.cs16");
    fs::write(&file, floats).unwrap();
    let (status, findings) = examine(&file, &[]);
    assert_eq!((status, findings["sample format"].0.as_str()), (1, "bad"));
    assert!(findings["sample format"].1.ends_with("try cf32"), "{findings:?}");
    assert!(!findings.contains_key("sample rate"), "{findings:?}");
}

/// There is neither level nor spectrum nor a mistaken format in it, and all of it is said to be nothing.
#[test]
fn nothing_but_zeros_is_called_so() {
    let folder = tempfile::tempdir().unwrap();
    for format in ["cu8", "cs16", "cf32"] {
        let file = folder.path().join(format!("x_868.13M_250k.{format}"));
        fs::write(&file, vec![0; 400_000]).unwrap();
        let (status, findings) = examine(&file, &[]);
        let (verdict, text) = &findings["stillness"];
        assert_eq!((status, verdict.as_str(), text.as_str()), (1, "bad", "nothing but zeros"));
        assert!(findings.keys().all(|subject| ["stillness", "length"].contains(&&**subject)));
        let output = nap().arg("decode").arg(&file).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains(" s, nothing but zeros; nothing was recorded\n"), "{told}");
        assert!(!told.contains("try "), "{told}");
    }
}

#[test]
fn a_good_recording_is_called_good() {
    let file = recording("rc1_two_uplinks.sigmf-meta");
    let devices = recording("rc1_two_uplinks.devices.csv");
    let devices = devices.to_str().unwrap();
    let start = Instant::now();
    let (code, findings) = examine(&file, &["--full-scale-dbm", "-60", "--devices", devices]);
    assert!(start.elapsed() < Duration::from_secs(7), "nine seconds are not waited for");
    assert_eq!(code, 0, "{findings:?}");
    assert_eq!(findings["clipping"].0, "good");
    assert!(!findings.contains_key("lost samples"), "nobody knows of a recording");
    assert_eq!(findings["images"].0, "good", "{findings:?}");
    assert_eq!(findings["heard"].1, "2 messages, 6 frames");
    // Sidelobes of strong devices are no other system.
    assert_eq!(findings["signals"].0, "good", "{findings:?}");
    // A noise figure of 6 dB.
    let floor = &findings["noise floor"].1;
    let dbm: f64 = floor.split(' ').next().unwrap().parse().unwrap();
    assert!((dbm + 168.0).abs() < 1.0, "{floor}");
    // -148 dBm in 100 Hz, and the 0.6 dB for three frames.
    assert!(findings["sensitivity"].1.contains("at -147."), "{findings:?}");
    // Six frames are good for 26 millionths, which says nothing.
    let (verdict, text) = &findings["crystal"];
    assert!(verdict == "note" && text.contains("from 6 frames, where some"), "{findings:?}");
}

#[test]
fn flaws_are_found_and_measured() {
    let folder = tempfile::tempdir().unwrap();
    let file = scene(folder.path(), "dc_offset_dbfs = -40\niq_gain_db = 1.5\niq_phase_deg = 5.0");
    let (_, findings) = examine(&file, &[]);
    let (verdict, text) = &findings["DC spike"];
    assert!(verdict != "good" && text.contains("inside the channel"), "{findings:?}");
    assert!(text.ends_with("-40.0 dBFS"), "{text}");
    assert_eq!(findings["images"].0, "note", "{findings:?}");
    assert_eq!(findings["heard"].0, "note");
}

#[test]
fn broad_signals_are_no_filter() {
    let folder = tempfile::tempdir().unwrap();
    let fsk = |duration_s: f64| {
        format!(
            "[[interferer]]\ntime_s = 0.0\nduration_s = {duration_s}\nfrequency_hz = 868_160_000\n\
             level_over_noise_db = 15\n\
             signal = {{ kind = \"fsk\", bit_rate_hz = 20_000, deviation_hz = 10_000 }}"
        )
    };
    // All the time: the floor itself is uneven, with a hump that no filter makes.
    let (_, findings) = examine(&scene(folder.path(), &fsk(3.0)), &[]);
    assert_ne!(findings["noise shape"].0, "good", "{findings:?}");
    // Now and then: the floor is what it is without.
    let (_, findings) = examine(&scene(folder.path(), &fsk(0.8)), &[]);
    assert_eq!(findings["noise shape"].0, "good", "{findings:?}");
    let (verdict, text) = &findings["signals"];
    assert_eq!(verdict, "note", "{findings:?}");
    assert!(text.contains("something broad comes and goes from 868.1"), "{text}");
    let output = nap().arg("doctor").arg(scene(folder.path(), &fsk(3.0))).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("something broad sends in the channel, no filter does this"), "{told}");
}

#[test]
fn a_recording_that_is_examined_in_part_is_said_to_be() {
    let file = recording("rc1_all_kinds.sigmf-meta");
    let output = nap().arg("doctor").arg(file).args(["--duration", "2"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("the first 2 s of 16 s; --duration takes more"), "{said}");
}
