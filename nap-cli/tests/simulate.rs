//! `nap simulate`, and what `nap decode` finds in its recordings.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use common::{devices_csv, exit_code, json_lines, nap, stderr};
use nap_phy::scene::Truth;
use serde_json::Value;

const SCENE: &str = r#"
sample_rate_hz = 250_000
duration_s = 2.0
radio_configuration = "RC2"
quantisation_bits = 8
full_scale_dbm = -90

[[device]]
id = "FEDCBA98"
key = "0123456789ABCDEF0123456789ABCDEF"
level_dbm = -115
[[device.message]]
time_s = 0.1
payload = "abad1dea"
"#;

fn simulate(folder: &Path, scene: &str, output: &str, more: &[&str]) -> (PathBuf, Output) {
    let scene_path = folder.join("scene.toml");
    fs::write(&scene_path, scene).unwrap();
    let path = folder.join(output);
    let output =
        nap().arg("simulate").arg(scene_path).arg("-o").arg(&path).args(more).output().unwrap();
    (path, output)
}

#[test]
fn what_is_simulated_is_decoded() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.sigmf-meta", "b_902.2M_250k.cs16", "c.wav"] {
        let (path, output) = simulate(folder.path(), SCENE, name, &[]);
        assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
        let truth_path = path.with_extension("truth.json");
        let truth: Value = serde_json::from_str(&fs::read_to_string(truth_path).unwrap()).unwrap();
        serde_json::from_value::<Truth>(truth.clone()).unwrap();
        let devices = folder.path().join("devices.csv");
        fs::write(&devices, devices_csv(truth["messages"].as_array().unwrap())).unwrap();
        let output = nap()
            .arg("decode")
            .arg(path)
            .args(["--format=json", "--center-frequency=902.2M", "--devices"])
            .arg(devices)
            .output()
            .unwrap();
        let messages = json_lines(&output.stdout);
        assert_eq!(messages.len(), 1, "{name}: {}", stderr(&output));
        assert_eq!(messages[0]["payload"], "abad1dea");
        assert_eq!(messages[0]["auth"], "verified");
        assert_eq!(messages[0]["frames"].as_array().unwrap().len(), 3);
    }
}

#[test]
fn the_same_seed_gives_the_same_samples() {
    let folder = tempfile::tempdir().unwrap();
    let data = |name: &str, more: &[&str]| {
        let (path, output) = simulate(folder.path(), SCENE, name, more);
        assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
        fs::read(path.with_extension("sigmf-data")).unwrap()
    };
    let usual = data("a.sigmf-meta", &[]);
    assert_eq!(usual.len(), 2 * 500_000);
    assert_eq!(data("b.sigmf-meta", &["--seed", "0"]), usual);
    assert_ne!(data("c.sigmf-meta", &["--seed", "1"]), usual);
}

#[test]
fn wrong_scenes_are_refused_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    for (from, to, expected) in [
        ("ABCDEF\"", "\"", "scene.toml: line 10: a key has 32 hexadecimal digits"),
        ("level_dbm", "level", "scene.toml: line 11: unknown field `level`"),
        ("time_s = 0.1", "time_s = 1.9", "device[0].message[0], frame 1: lasts from 1.9 s"),
        ("abad1dea", "abad1de", "device[0].message[0]: a payload has two hexadecimal digits"),
        ("[[device.message]]", "[[device.message]", "scene.toml: line 12: "),
    ] {
        assert!(SCENE.contains(from));
        let (path, output) = simulate(folder.path(), &SCENE.replace(from, to), "x.sigmf-meta", &[]);
        assert_eq!(exit_code(&output), 2, "{}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
        assert!(!stderr(&output).contains("0123456789"), "{}", stderr(&output));
        assert!(!path.exists());
    }
    let output = nap().args(["simulate", "nothing.toml", "-o", "x.wav"]).output().unwrap();
    assert_eq!(exit_code(&output), 2);
    assert!(stderr(&output).contains("nothing.toml: cannot read the scene"), "{}", stderr(&output));
}

#[test]
fn names_that_contradict_the_scene_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (name, more, expected) in [
        ("x_902.2M_200k.cs8", &[][..], "a sample rate of 200000 S/s, but the scene has 250000 S/s"),
        ("x_868.13M_250k.cs8", &[], "a centre of 868130000 Hz, but the scene has 902200000 Hz"),
        ("x_868130000Hz.wav", &[], "a centre of 868130000 Hz"),
        ("x_250k.cu8", &["--sample-format", "cs8"], "the format cu8, but --sample-format is cs8"),
    ] {
        let (path, output) = simulate(folder.path(), SCENE, name, more);
        assert_eq!(exit_code(&output), 2, "{name}: {}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
        assert!(!path.exists());
    }
}

/// What is piped is what would be in a file; the truth goes where it is asked for.
#[test]
fn samples_may_go_to_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let (path, output) = simulate(folder.path(), SCENE, "x_902.2M_250k.cs8", &[]);
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    let truth = folder.path().join("truth.json");
    let piped = nap()
        .current_dir(folder.path())
        .args(["simulate", "scene.toml", "-o", "-", "--truth"])
        .arg(&truth)
        .output()
        .unwrap();
    assert_eq!(exit_code(&piped), 0, "{}", stderr(&piped));
    assert_eq!(piped.stdout, fs::read(&path).unwrap());
    let note = "raw samples: cs8, 250000 S/s around 902200000 Hz";
    assert!(stderr(&piped).contains(note), "{}", stderr(&piped));
    assert_eq!(fs::read(truth).unwrap(), fs::read(path.with_extension("truth.json")).unwrap());
    // A name that tells nothing is no better than none.
    let (_, unnamed) = simulate(folder.path(), SCENE, "samples.bin", &[]);
    assert!(stderr(&unnamed).contains("raw samples: cs8, 250000 S/s"), "{}", stderr(&unnamed));
    assert!(!stderr(&output).contains("raw samples"), "{}", stderr(&output));
}

#[test]
fn a_wav_file_tells_its_center() {
    let folder = tempfile::tempdir().unwrap();
    let (path, output) = simulate(folder.path(), SCENE, "c.wav", &[]);
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    let source = nap_io::open(&path, &nap_io::OpenOptions::default()).unwrap();
    assert_eq!((source.info().center_hz, source.info().start), (Some(902.2e6), None));
    assert_eq!(source.info().total_samples, Some(500_000));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/full", folder.path().join("x_902.2M_250k.cs8")).unwrap();
    let (_, output) = simulate(folder.path(), SCENE, "x_902.2M_250k.cs8", &[]);
    assert_eq!(exit_code(&output), 1, "{}", stderr(&output));
    assert!(stderr(&output).contains("No space left on device"), "{}", stderr(&output));
}

/// Decodes a recording of many seconds, with these flags more.
fn decode(path: &Path, flags: &[&str]) -> Vec<Value> {
    let output = nap().arg("decode").arg(path).arg("--format=json").args(flags).output().unwrap();
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    json_lines(&output.stdout)
}

/// Two minutes are two pieces. What came before, in the file and in `--start`, does not matter.
#[test]
fn threads_that_share_a_recording_find_what_one_finds() {
    let folder = tempfile::tempdir().unwrap();
    let scene = "sample_rate_hz = 200_000\nduration_s = 126.0\nquantisation_bits = 8\nseed = 3\n\
                 [traffic]\nmessages = 40\nlevel_dbm = [-138, -110]\n";
    let (path, output) = simulate(folder.path(), scene, "long_868.13M_200k.cs8", &[]);
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    for flags in [&[][..], &["--start=3", "--duration=122"]] {
        let [alone, shared] = ["1", "2"].map(|threads| {
            let threads = ["--threads", threads];
            decode(&path, &[flags, &threads].concat())
        });
        assert!(alone.len() > 25, "{}", alone.len());
        assert_eq!(shared, alone);
    }
}

/// RC1 and RC7 are both in a band of 2.4 MS/s.
#[test]
fn several_channels_of_one_recording() {
    let device = |id: u32, radio_configuration: &str, time_s: f64| {
        format!(
            "[[device]]\nid = \"{id:08X}\"\nkey = \"0123456789ABCDEF0123456789ABCDEF\"\n\
             radio_configuration = \"{radio_configuration}\"\nlevel_dbm = -110\nbit_rate = 600\n\
             [[device.message]]\ntime_s = {time_s}\npayload = \"01\"\n"
        )
    };
    let scene = "sample_rate_hz = 2_400_000\ncenter_hz = 868.5e6\nduration_s = 2.5\n\
                 quantisation_bits = 8\n"
        .to_owned()
        + &device(1, "RC1", 0.2)
        + &device(7, "RC7", 0.3);
    let folder = tempfile::tempdir().unwrap();
    let (path, output) = simulate(folder.path(), &scene, "wide_868.5M_2400k.cs8", &[]);
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    let channels = |flag: &str, field: &str| -> Vec<(Value, Value, usize)> {
        let records = decode(&path, &[flag]);
        let mut found: Vec<(Value, Value, usize)> = records
            .iter()
            .map(|record| {
                let frames = record["frames"].as_array().unwrap().len();
                (record["device_id"].clone(), record[field].clone(), frames)
            })
            .collect();
        found.sort_by_key(|(device_id, ..)| device_id.to_string());
        found
    };
    assert_eq!(
        channels("--radio-configuration=RC1,RC7", "radio_configuration"),
        [("00000001".into(), "RC1".into(), 3), ("00000007".into(), "RC7".into(), 3)]
    );
    let by_center = "--channel-center=868.8M,868.13M";
    assert_eq!(
        channels(by_center, "channel_center_hz"),
        [("00000001".into(), 868.13e6.into(), 3), ("00000007".into(), 868.8e6.into(), 3)]
    );
    let radio_configurations = channels(by_center, "radio_configuration");
    assert!(radio_configurations.iter().all(|(_, found, _)| found.is_null()));
    let twice = nap().arg("decode").arg(&path).arg("--radio-configuration=RC1,RC1").output();
    let twice = twice.unwrap();
    assert_eq!(exit_code(&twice), 2);
    assert!(stderr(&twice).contains("chosen twice"), "{}", stderr(&twice));
}
