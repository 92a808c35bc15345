//! A dry run: what would go wrong at a start.

use std::fs;
use std::path::Path;

use tokio::sync::watch;

use crate::config::parse::Config;
use crate::config::radio::SourceChoice;
use crate::error::Error;
use crate::relay::context::Context;
use crate::relay::spawn::check as check_relay;
use crate::station::clock::{clock_name, now};
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
    let is_set = clock_name(now()) != "none";
    let problem = (!is_set).then(|| format!("the clock says {}; set it", now().text()));
    findings.push(Finding { what: "clock".into(), problem });
    findings
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
