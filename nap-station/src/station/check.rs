//! A dry run: what would go wrong at a start.

use std::fs;
use std::path::Path;

use rustix::fs::StatVfsMountFlags;
use tokio::sync::watch;

use crate::config::parse::Config;
use crate::config::radio::SourceChoice;
use crate::config::retention::RetentionConfig;
use crate::error::Error;
use crate::relay::context::Context;
use crate::relay::spawn::check as check_relay;
use crate::station::clock::{built, now};
use crate::station::devices::DevicesFile;
use crate::station::receiving::Receiving;
use crate::station::records::Records;
use crate::store::folder::ledger_path;
use crate::store::upkeep;

/// One thing that was looked at.
#[derive(Debug)]
pub struct Finding {
    /// What.
    pub what: String,
    /// What is wrong with it; nothing if it is well.
    pub problem: Option<String>,
}

/// Looks at everything that a start needs, without a start: nothing is written, nothing is sent.
#[must_use]
pub fn check(config: &Config) -> Vec<Finding> {
    let mut findings = vec![
        finding("devices", DevicesFile::new(config.devices.file.clone()).read()),
        finding("source", source(config)),
        finding("state", state(&config.station.state)),
    ];
    let status = watch::Sender::new(serde_json::json!({}));
    let context = Context::new("0000000000000000", &config.folder, status.subscribe());
    for (name, options) in &config.relays {
        findings.push(finding(&format!("relay {name:?}"), check_relay(options, &context)));
    }
    findings.push(finding("disk", room(&config.station.state, config.retention)));
    findings.push(Finding { what: "clock".into(), problem: clock() });
    findings
}

/// Whether there is room for the ledger as large as it may become.
fn room(state: &Path, retention: RetentionConfig) -> Result<(), Error> {
    let existing = state.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
    let disk = rustix::fs::statvfs(existing)
        .map_err(|error| Error::io(existing, "look at the disk of")(error.into()))?;
    let bad = |problem: String| Err(Error::BadFile { path: state.into(), problem });
    if disk.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return bad("is on a disk that is read-only".into());
    }
    let ledger = fs::metadata(ledger_path(state)).map_or(0, |metadata| metadata.len());
    let free = disk.f_bavail.saturating_mul(disk.f_frsize).saturating_add(ledger) / 1_000_000;
    let wanted = u64::from(retention.megabytes);
    if free < wanted {
        return bad(format!(
            "has room for {free} MB, and the ledger may have {wanted}: make room, or set `megabytes` under [retention]"
        ));
    }
    Ok(())
}

/// What is wrong with the clock, if anything is.
fn clock() -> Option<String> {
    let now = now();
    if now < built() {
        let built = built().text();
        return Some(format!(
            "it says {}, and the program was built at {built}; set it",
            now.text()
        ));
    }
    None
}

fn finding<T>(what: &str, result: Result<T, Error>) -> Finding {
    Finding { what: what.into(), problem: result.err().map(|error| error.to_string()) }
}

fn source(config: &Config) -> Result<(), Error> {
    match &config.radio.source {
        SourceChoice::Records(path) => Records::open(path, now()).map(drop),
        SourceChoice::Samples(address) => Receiving::check(address, &config.radio),
    }
}

/// The folder can be written to, and its ledger is sound.
fn state(state: &Path) -> Result<(), Error> {
    let Ok(metadata) = fs::metadata(state) else { return Ok(()) };
    if metadata.permissions().readonly() {
        let problem = "cannot be written to".to_owned();
        return Err(Error::BadFile { path: state.into(), problem });
    }
    if !ledger_path(state).exists() {
        return Ok(());
    }
    let problems = upkeep::check(state)?;
    if problems.is_empty() {
        return Ok(());
    }
    Err(Error::BadFile { path: ledger_path(state), problem: problems.join("; ") })
}
