//! Running the command.
#![allow(dead_code, reason = "each test uses some of it")]

pub mod frames;
pub mod live;
pub mod site;

use std::path::PathBuf;
use std::process::Output;

use assert_cmd::Command;
use num_complex::Complex32;
use serde_json::Value;

/// The command, as it behaves in a pipe, whatever the environment of the tests is.
pub fn nap() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nap"));
    for variable in ["NAP_KEY", "NO_COLOR", "CLICOLOR_FORCE", "RUST_BACKTRACE"] {
        command.env_remove(variable);
    }
    command
}

/// A file of the project's fixtures.
pub fn fixture(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures")).join(name)
}

/// A recording that others made, without its extension.
pub fn recording(name: &str) -> PathBuf {
    fixture("recordings").join(name)
}

/// What is in such a recording.
pub fn truth(name: &str) -> Value {
    let text = std::fs::read_to_string(fixture(&format!("recordings/{name}.truth.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The samples of `rc1_two_uplinks` in the format of RTL-SDR.
pub fn cu8() -> Vec<u8> {
    let stored = std::fs::read(recording("rc1_two_uplinks.sigmf-data")).unwrap();
    let mut samples = vec![Complex32::ZERO; stored.len() / 4];
    nap_io::convert::decode(nap_io::SampleFormat::Cs16Le, &stored, &mut samples);
    let mut bytes = Vec::new();
    // The recording is far below full scale.
    samples.iter_mut().for_each(|sample| *sample *= 20.0);
    nap_io::convert::encode(nap_io::SampleFormat::Cu8, &samples, &mut bytes);
    bytes
}

/// Lines of JSON.
pub fn json_lines(text: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A table of devices from objects with `device_id` and `key`, with a name made of the id.
pub fn devices_csv<'a>(devices: impl IntoIterator<Item = &'a Value>) -> String {
    let mut lines = vec!["device_id,key,name".to_owned()];
    for device in devices {
        let (id, key) = (device["device_id"].as_str().unwrap(), device["key"].as_str().unwrap());
        lines.push(format!("{id},{key},no {id}"));
    }
    lines.sort();
    lines.dedup();
    // The header sorts last: its letters are lower-case.
    lines.rotate_right(1);
    lines.join("\n") + "\n"
}

pub fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

pub fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

pub fn exit_code(output: &Output) -> i32 {
    output.status.code().unwrap()
}
