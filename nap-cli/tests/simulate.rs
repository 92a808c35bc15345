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

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/full", folder.path().join("x_902.2M_250k.cs8")).unwrap();
    let (_, output) = simulate(folder.path(), SCENE, "x_902.2M_250k.cs8", &[]);
    assert_eq!(exit_code(&output), 1, "{}", stderr(&output));
    assert!(stderr(&output).contains("No space left on device"), "{}", stderr(&output));
}
