//! Recordings that hold less than a channel, or hold it the wrong way round.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use common::{exit_code, json_lines, nap, stderr};

/// A recording `NAME.cs16` of a message at 868.06 MHz.
fn simulated(folder: &Path, name: &str, sample_rate_hz: u32, center_hz: u32) -> PathBuf {
    let scene = folder.join(format!("{name}.toml"));
    let text = format!(
        "sample_rate_hz = {sample_rate_hz}\ncenter_hz = {center_hz}\nduration_s = 3.0\n\
         quantisation_bits = 16\n[[device]]\nid = \"4D33DB\"\n\
         key = \"00112233445566778899AABBCCDDEEFF\"\nlevel_dbm = -110\n[[device.message]]\n\
         time_s = 0.4\npayload = \"C0FFEE\"\nframes = 1\nfrequencies_hz = [868_060_000]\n"
    );
    fs::write(&scene, text).unwrap();
    let file = folder.join(format!("{name}.cs16"));
    let output = nap().arg("simulate").arg(&scene).arg("-o").arg(&file).output().unwrap();
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    file
}

fn run(command: &str, file: &Path, more: &[&str]) -> Output {
    nap().arg(command).arg(file).args(more).output().unwrap()
}

/// The carriers of the messages that are decoded, Hz.
fn carriers(output: &Output) -> Vec<f64> {
    assert_eq!(exit_code(output), 0, "{}", stderr(output));
    let messages = json_lines(&output.stdout);
    messages.iter().map(|message| message["frequency_hz"].as_f64().unwrap()).collect()
}

#[test]
fn a_part_of_the_channel_is_decoded_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = simulated(folder.path(), "part_868.061M_3k", 3_000, 868_061_000);
    let output = run("decode", &file, &["--format=json"]);
    let [carrier_hz] = carriers(&output)[..] else { panic!("one message") };
    assert!((carrier_hz - 868.06e6).abs() < 3.0, "{carrier_hz}");
    for part in ["868.059500 to 868.062500 MHz are heard", "(1.6 %)", "600 bit/s is not listened"] {
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
    let output = run("decode", &file, &["--bit-rate=600"]);
    assert_eq!(exit_code(&output), 2);
    assert!(stderr(&output).contains("600 bit/s need 12000 S/s or more"), "{}", stderr(&output));
    let findings = String::from_utf8(run("doctor", &file, &[]).stdout).unwrap();
    assert!(findings.contains("868.059500 to 868.062500 MHz are heard"), "{findings}");
    assert!(findings.contains("1 message, 1 frame"), "{findings}");
}

#[test]
fn any_recording_has_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let part = simulated(folder.path(), "part_868.061M_3k", 3_000, 868_061_000);
    let picture = folder.path().join("out.png");
    let out = picture.to_str().unwrap();
    let output = run("waterfall", &part, &["-o", out]);
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    assert!(stderr(&output).contains("1 message, 1 frame decoded"), "{}", stderr(&output));
    // Too low a rate, and no channel in the band.
    for name in ["slow_868.13M_1k.cs16", "else_433.92M_250k.cs16"] {
        let file = folder.path().join(name);
        fs::write(&file, [1, 0, 2, 0].repeat(5_000)).unwrap();
        fs::remove_file(&picture).unwrap();
        let output = run("waterfall", &file, &["-o", out]);
        assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
        assert!(stderr(&output).contains("drawing the whole band"), "{}", stderr(&output));
        assert!(picture.exists());
    }
    let output = run("waterfall", &part, &["-o", out, "--radio-configuration=RC2"]);
    assert_eq!(exit_code(&output), 2, "{}", stderr(&output));
}

#[test]
fn a_mirrored_spectrum_is_turned_round() {
    let folder = tempfile::tempdir().unwrap();
    let file = simulated(folder.path(), "right_868.15M_250k", 250_000, 868_150_000);
    let stored = fs::read(&file).unwrap();
    let swapped: Vec<u8> = stored.chunks_exact(4).flat_map(|s| [s[2], s[3], s[0], s[1]]).collect();
    let mirrored = folder.path().join("mirrored_868.15M_250k.cs16");
    fs::write(&mirrored, swapped).unwrap();

    assert!(carriers(&run("decode", &mirrored, &["--format=json"])).is_empty());
    let expected = carriers(&run("decode", &file, &["--format=json"]));
    assert_eq!(expected.len(), 1);
    for command in ["decode", "listen"] {
        let output = run(command, &mirrored, &["--swap-iq", "--format=json"]);
        assert_eq!(carriers(&output), expected, "{command}");
    }
    let picture = folder.path().join("out.png");
    let out = ["-o", picture.to_str().unwrap()];
    let output = run("waterfall", &mirrored, &["--swap-iq", out[0], out[1]]);
    assert!(stderr(&output).contains("1 message, 1 frame decoded"), "{}", stderr(&output));

    let output = run("doctor", &mirrored, &[]);
    let findings = String::from_utf8(output.stdout).unwrap();
    assert!(findings.contains("1 message with I and Q swapped, none"), "{findings}");
    assert!(findings.contains("give --swap-iq"), "{findings}");
    for (file, flags) in [(&file, &[][..]), (&mirrored, &["--swap-iq"][..])] {
        let findings = String::from_utf8(run("doctor", file, flags).stdout).unwrap();
        assert!(!findings.contains("swapped"), "{findings}");
    }
}
