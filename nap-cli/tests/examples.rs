//! Every command that the help, the README and the documents print can be typed as it stands.
//!
//! The commands run in a folder with the files that they name. Those that listen to a radio or the network, or
//! never end, are only read by the program: with `--help` at their end it checks what is before.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

mod common;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{cu8, exit_code, fixture, nap, recording, stdout};
use nap_io::{SampleFormat, StreamInfo};
use num_complex::Complex32;
use tempfile::TempDir;

const COMMANDS: [&str; 10] = [
    "decode",
    "frame",
    "encode",
    "simulate",
    "waterfall",
    "listen",
    "radios",
    "doctor",
    "completions",
    "man",
];

const DOCUMENTS: [&str; 5] =
    ["README.md", "docs/live.md", "docs/recordings.md", "docs/schema.md", "docs/sensitivity.md"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The commands of a text, a line each; a line that ends with a backslash, `|` or `&&` goes on.
fn commands(lines: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut command = String::new();
    for line in lines.lines() {
        // A comment stands behind at least two spaces.
        let line = line.split("  #").next().unwrap_or_default().trim();
        command += line.trim_end_matches('\\');
        if line.ends_with('\\') || line.ends_with('|') || line.ends_with("&&") {
            command.push(' ');
        } else if !command.trim().is_empty() {
            commands.push(std::mem::take(&mut command));
        }
    }
    commands
}

/// The examples at the end of a help.
fn of_help(arguments: &[&str]) -> Vec<String> {
    let output = nap().args(arguments).arg("--help").output().unwrap();
    assert_eq!(exit_code(&output), 0, "{arguments:?}");
    let examples = stdout(&output).split_once("Examples:\n").map(|(_, examples)| examples);
    examples.map(commands).unwrap_or_default()
}

/// The commands in a document's blocks of shell.
fn of_document(name: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(name)).unwrap();
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.flat_map(commands).collect()
}

/// A folder with what the examples name.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for name in ["examples", "fixtures"] {
        symlink(root().join(name).canonicalize().unwrap(), path(name)).unwrap();
    }
    for extension in ["sigmf-meta", "sigmf-data"] {
        let file = recording("rc1_two_uplinks").with_extension(extension);
        symlink(file.canonicalize().unwrap(), path(&format!("capture.{extension}"))).unwrap();
    }
    for name in ["monday.sigmf-meta", "tuesday.wav"] {
        quiet(&path(name), 250e3, 868.13e6, SampleFormat::Cs16Le);
    }
    quiet(&path("wide.sigmf-meta"), 2.4e6, 868.5e6, SampleFormat::Cs8);
    quiet(&path("g001_868.13M_1M.cu8"), 1e6, 868.13e6, SampleFormat::Cu8);
    quiet(&path("capture.bin"), 250e3, 868.13e6, SampleFormat::Cs16Le);
    fs::write(path("g001_868.13M_250k.cu8"), cu8()).unwrap();
    let key = "0123456789ABCDEF0123456789ABCDEF";
    let devices = fs::read_to_string(fixture("recordings/rc1_two_uplinks.devices.csv")).unwrap();
    let devices = devices + &format!("FEDCBA98,{key},,\n4D33DB,{key},,\n");
    fs::write(path("devices.csv"), devices).unwrap();
    fs::write(path("bitstreams.txt"), "aaaaa35f01a0db334d00abad1deadc32758a\n").unwrap();
    let message =
        format!(r#"{{"kind":"empty","device_id":"4D33DB","sequence_number":1,"key":"{key}"}}"#);
    fs::write(path("messages.jsonl"), message).unwrap();
    fs::write(path("scene.toml"), "sample_rate_hz = 250_000\nduration_s = 1.0\n").unwrap();
    programs(&path("bin"));
    folder
}

/// A fifth of a second of almost nothing.
fn quiet(path: &Path, sample_rate_hz: f64, center_hz: f64, format: SampleFormat) {
    let mut info = StreamInfo::new(sample_rate_hz, format);
    info.center_hz = Some(center_hz);
    let mut sink = nap_io::create(path, &info).unwrap();
    sink.write(&vec![Complex32::new(0.01, -0.01); (sample_rate_hz / 5.0) as usize]).unwrap();
    sink.finish().unwrap();
}

/// The command, and a stand-in for a receiver that writes to standard output.
fn programs(bin: &Path) {
    fs::create_dir(bin).unwrap();
    symlink(env!("CARGO_BIN_EXE_nap"), bin.join("nap")).unwrap();
    let rtl_sdr = bin.join("rtl_sdr");
    fs::write(&rtl_sdr, "#!/bin/sh\ncat g001_868.13M_250k.cu8\n").unwrap();
    fs::set_permissions(&rtl_sdr, fs::Permissions::from_mode(0o755)).unwrap();
}

/// What can be run of a command, if it is one of ours.
fn runnable(command: &str) -> Option<String> {
    let mut words = command.split_whitespace().skip_while(|word| word.contains('='));
    let ours = words.next()? == "nap" || command.contains("| nap ");
    if !ours {
        return None;
    }
    let live =
        ["nap listen", "nap radios", "nap doctor", "nap station --config", "nap station check"];
    let is_live = live.iter().any(|live| command.contains(live));
    Some(if is_live { format!("{command} --help") } else { command.to_owned() })
}

/// Runs a command in the folder; says what went wrong.
fn run(folder: &Path, command: &str) -> Result<(), String> {
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .args(["-ec", command])
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", folder.join("bin").display()))
        .env_remove("NAP_KEY")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("{command}: {text}")) }
}

#[test]
fn every_printed_command_runs() {
    let mut printed = of_help(&[]);
    printed.extend(COMMANDS.iter().flat_map(|command| of_help(&[command])));
    let of_help = printed.len();
    assert!(of_help > 20, "{of_help}");
    printed.extend(DOCUMENTS.iter().flat_map(|name| of_document(name)));
    let folder = folder();
    let runnable: Vec<String> = printed.iter().filter_map(|line| runnable(line)).collect();
    assert!(runnable.len() > of_help + 10, "{} of {}", runnable.len(), printed.len());
    let wrong: Vec<String> =
        runnable.iter().filter_map(|command| run(folder.path(), command).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The manual and the completions know every command.
#[test]
fn the_manual_and_completions_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    let output = nap().arg("man").arg(folder.path()).output().unwrap();
    assert_eq!(exit_code(&output), 0);
    for command in COMMANDS {
        let page = fs::read_to_string(folder.path().join(format!("nap-{command}.1"))).unwrap();
        assert!(page.contains(".TH"), "{page}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let output = nap().args(["completions", shell]).output().unwrap();
        for word in COMMANDS {
            assert!(stdout(&output).contains(word), "{shell}: {word}");
        }
    }
}
