//! The C example and the command tell of the same messages.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{exit_code, fixture, json_lines, nap, stderr};
use serde_json::Value;

/// `make cross-c` says with these which C library, compiler and emulator are used instead of this machine's.
const LIBRARY: &str = "NAP_C_LIBRARY";
const COMPILER: &str = "NAP_C_COMPILER";
const RUNNER: &str = "NAP_C_RUNNER";

/// The words of a variable of the environment, or of what holds without it.
fn words(variable: &str, otherwise: &str) -> Vec<String> {
    let text = std::env::var(variable).unwrap_or_else(|_| otherwise.to_owned());
    text.split_whitespace().map(str::to_owned).collect()
}

/// The static library: the one that Cargo has built beside this program, unless another one is to be used.
fn library() -> PathBuf {
    std::env::var_os(LIBRARY).map_or_else(
        || std::env::current_exe().unwrap().with_file_name("libnap_c.a"),
        PathBuf::from,
    )
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../nap-c").join(path)
}

/// Builds a program.
fn build(source: &Path, program: &Path) {
    let compiler = words(COMPILER, "cc");
    let output = Command::new(&compiler[0])
        .args(&compiler[1..])
        .args(["-std=c11", "-O1", "-I"])
        .arg(here("include"))
        .arg(source)
        .arg(library())
        .args(["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl"])
        .arg("-o")
        .arg(program)
        .output()
        .unwrap();
    assert!(output.status.success(), "{compiler:?}: {}", stderr(&output));
}

/// What the example prints.
fn run(program: &Path, data: &Path, arguments: &[String; 3]) -> Vec<String> {
    let mut command = words(RUNNER, "");
    command.push(program.display().to_string());
    let output =
        Command::new(&command[0]).args(&command[1..]).arg(data).args(arguments).output().unwrap();
    assert_eq!(exit_code(&output), 0, "{}: {}", data.display(), stderr(&output));
    sorted(common::stdout(&output).lines().map(str::to_owned))
}

/// The example tells of messages as they are complete, the command in the order of time.
fn sorted(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    lines
}

/// What the command reports of a recording, as the example prints it: it listens for both bit rates around the
/// middle of the samples, as the example does, in place of the radio configuration that has its channel there.
fn decoded(meta: &Path, center_hz: &str) -> Vec<String> {
    let channel = ["decode", "--format", "json", "--channel-center", center_hz];
    let output = nap().args(channel).arg(meta).output().unwrap();
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    sorted(json_lines(&output.stdout).iter().map(line))
}

/// A message as the example prints it.
fn line(message: &Value) -> String {
    let text = |field: &str| message[field].as_str().unwrap_or_default().to_owned();
    let number = |field: &str| message[field].as_f64().unwrap();
    let content = match message.get("voltage_idle_mv") {
        Some(idle_mv) => format!(
            "{idle_mv} mV {} mV {:.1} C",
            message["voltage_tx_mv"],
            number("temperature_decidegree_c") / 10.0
        ),
        None => text("payload"),
    };
    format!(
        "{:.6} {} #{} {} {content} {:.1} Hz {:.1} dBFS Eb/N0 {:.1} dB, {} frames",
        number("time_s"),
        text("device_id"),
        message["sequence_number"],
        text("kind"),
        number("frequency_hz"),
        number("rssi_dbfs"),
        number("snr_db"),
        message["frames"].as_array().unwrap().len()
    )
}

/// What the example wants to know of a recording, whose data are written to a folder where it does not read them
/// as they are.
fn readable(meta: &Path, folder: &Path) -> (PathBuf, [String; 3]) {
    let record: Value = serde_json::from_slice(&fs::read(meta).unwrap()).unwrap();
    let data = meta.with_extension("sigmf-data");
    let rate_hz = record["global"]["core:sample_rate"].to_string();
    let center_hz = record["captures"][0]["core:frequency"].to_string();
    let (data, format) = match record["global"]["core:datatype"].as_str().unwrap() {
        "cu8" => (data, "cu8"),
        "ci8" => (data, "cs8"),
        "ci16_le" => (data, "cs16"),
        "ci16_be" => (swapped(&data, folder), "cs16"),
        "cf32_le" => (data, "cf32"),
        other => panic!("the example does not read {other}"),
    };
    (data, [rate_hz, center_hz, format.to_owned()])
}

/// The same with the lower byte of each number first.
fn swapped(data: &Path, folder: &Path) -> PathBuf {
    let mut bytes = fs::read(data).unwrap();
    bytes.as_chunks_mut::<2>().0.iter_mut().for_each(|word| word.reverse());
    let path = folder.join(data.file_name().unwrap());
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn what_decode_reports_comes_out_from_c_too() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("decode_file");
    build(&here("examples/decode_file.c"), &program);
    let files = fs::read_dir(fixture("recordings")).unwrap().map(|file| file.unwrap().path());
    let metas = files.filter(|path| path.extension().is_some_and(|kind| kind == "sigmf-meta"));
    let mut messages = 0;
    for meta in metas {
        let (data, arguments) = readable(&meta, folder.path());
        let expected = decoded(&meta, &arguments[1]);
        assert_eq!(run(&program, &data, &arguments), expected, "{}", meta.display());
        messages += expected.len();
    }
    assert!(messages >= 10, "{messages} messages");
}

/// What stands in a page between a line of three backquotes with a word after them and the next.
fn quoted<'a>(page: &'a str, word: &str) -> &'a str {
    let (_, begun) = page.split_once(&format!("```{word}\n")).unwrap();
    begun.split_once("```").unwrap().0
}

#[test]
fn the_page_about_firmware_shows_what_its_program_prints() {
    let page = fs::read_to_string(here("../docs/firmware.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (source, program) = (folder.path().join("first.c"), folder.path().join("first"));
    fs::write(&source, quoted(&page, "c")).unwrap();
    build(&source, &program);
    let scene = here("../examples/scenes/two_devices.toml");
    let samples = folder.path().join("samples.cu8");
    let simulated = nap().arg("simulate").arg(scene).arg("-o").arg(&samples).output().unwrap();
    assert_eq!(exit_code(&simulated), 0, "{}", stderr(&simulated));
    let mut first = words(RUNNER, "");
    first.push(program.display().to_string());
    let samples = fs::File::open(samples).unwrap();
    let output = Command::new(&first[0]).args(&first[1..]).stdin(samples).output().unwrap();
    assert_eq!(exit_code(&output), 0, "{}", stderr(&output));
    let printed: Vec<String> = common::stdout(&output).lines().map(str::to_owned).collect();
    let told: Vec<&str> = quoted(&page, "text").lines().collect();
    assert_eq!([&printed[0], &printed[printed.len() - 1]], [told[0], told[1]]);
    assert!(printed.len() > 5, "{printed:?}");
}
