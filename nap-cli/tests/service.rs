//! The station as a service of systemd: its unit, what it tells the manager, and its log.
#![cfg(feature = "station")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a panic in a test is a failed test"
)]

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The most that `systemd-analyze security` may find, times ten: 20 of 100 is "OK".
const EXPOSURE: &str = "20";

fn packaging() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging")
}

/// A folder with the unit as it is installed, but for where the program is.
fn installed() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("nap-station.service");
    let text = fs::read_to_string(packaging().join("systemd/nap-station.service")).unwrap();
    // In quotes, since its path may have blanks.
    let program = concat!("\"", env!("CARGO_BIN_EXE_nap"), "\"");
    fs::write(&unit, text.replace("/usr/bin/nap", program)).unwrap();
    (folder, unit)
}

fn analyze(arguments: &[&str], unit: &Path) -> Option<String> {
    let output = Command::new("systemd-analyze").args(arguments).arg(unit).output();
    let Ok(output) = output else {
        println!("left out: systemd-analyze is not there");
        return None;
    };
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{said}");
    Some(said)
}

#[test]
fn the_unit_is_right_and_lets_little_happen() {
    let (folder, unit) = installed();
    if let Some(said) = analyze(&["verify", "--man=no", "--recursive-errors=no"], &unit) {
        assert!(!said.contains("nap-station.service:"), "{said}");
    }
    analyze(&["security", "--offline=true", "--threshold", EXPOSURE], &unit);
    // With the drop-in for radios in the network, too.
    let drop_ins = folder.path().join("nap-station.service.d");
    fs::create_dir(&drop_ins).unwrap();
    fs::copy(packaging().join("systemd/network-radio.conf"), drop_ins.join("a.conf")).unwrap();
    if let Some(said) = analyze(&["verify", "--man=no", "--recursive-errors=no"], &unit) {
        assert!(!said.contains("a.conf"), "{said}");
    }
}

/// A station on a recording, in a folder of its own.
fn station(folder: &Path) -> Command {
    let recording = "../fixtures/recordings/rc1_two_uplinks.sigmf-meta";
    let mut command = Command::new(env!("CARGO_BIN_EXE_nap"));
    let recording = Path::new(env!("CARGO_MANIFEST_DIR")).join(recording);
    command.arg("station").arg(recording.canonicalize().unwrap()).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

#[test]
fn the_manager_is_told_when_the_station_is_ready_and_when_it_stops() {
    let folder = tempfile::tempdir().unwrap();
    let address = folder.path().join("notify");
    let manager = UnixDatagram::bind(&address).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let status = station(folder.path()).env("NOTIFY_SOCKET", &address).status().unwrap();
    assert!(status.success());
    let mut told = Vec::new();
    while !told.iter().any(|word: &String| word.contains("STOPPING=1")) {
        let mut bytes = [0; 1000];
        let count = manager.recv(&mut bytes).unwrap();
        told.push(String::from_utf8_lossy(&bytes[..count]).into_owned());
    }
    assert!(told[0].contains("READY=1"), "{told:?}");
}

#[test]
fn the_journal_is_told_how_serious_a_line_is() {
    let folder = tempfile::tempdir().unwrap();
    let run = |is_journal: bool| {
        let log = folder.path().join("log");
        let file = File::create(&log).unwrap();
        let metadata = file.metadata().unwrap();
        let stream = format!("{}:{}", metadata.dev(), metadata.ino() + u64::from(!is_journal));
        let mut command = station(folder.path());
        let status = command.stderr(file).env("JOURNAL_STREAM", stream).status().unwrap();
        assert!(status.success());
        let mut command = Command::new(env!("CARGO_BIN_EXE_nap"));
        let file = File::options().append(true).open(&log).unwrap();
        let stream = format!("{}:{}", metadata.dev(), metadata.ino() + u64::from(!is_journal));
        command.args(["station", "--config", "gone.toml"]).stderr(file);
        assert_eq!(command.env("JOURNAL_STREAM", stream).status().unwrap().code(), Some(2));
        fs::read_to_string(&log).unwrap()
    };
    let log = run(true);
    assert!(log.lines().all(|line| line.starts_with("<6>") || line.starts_with("<3>")), "{log}");
    assert!(log.contains("<3>gone.toml: "), "{log}");
    assert!(run(false).contains("error: gone.toml: "));
}
