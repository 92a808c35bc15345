//! `nap station ledger`.

use anyhow::{Context, Result};
use nap_station::store::export::Export;
use nap_station::store::upkeep::{self, Compacted};

use crate::commands::station::config::ConfigArg;
use crate::commands::station::rows;
use crate::outcome::Outcome;

/// Look at the ledger.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Look whether the ledger is sound. Works beside a station that runs.
    Check(ConfigArg),
    /// Give back the room that removed rows have left. The station must not run meanwhile.
    Compact(ConfigArg),
    /// Print all rows in the order of their numbers, one JSON object a line. Works beside a station that runs.
    Export(ConfigArg),
}

/// Runs the command.
pub fn run(command: &Command) -> Result<Outcome> {
    match command {
        Command::Export(config) => export(config),
        Command::Check(config) => check(config),
        Command::Compact(config) => {
            let state = config.load()?.station.state;
            let Compacted { before, after } = upkeep::compact(&state)?;
            let [before_mb, after_mb] = [before, after].map(|bytes| bytes as f64 / 1e6);
            tracing::info!("the ledger has {after_mb:.1} MB, and had {before_mb:.1} MB");
            Ok(Outcome::Done)
        }
    }
}

fn check(config: &ConfigArg) -> Result<Outcome> {
    let state = config.load()?.station.state;
    let problems = upkeep::check(&state).with_context(|| state.display().to_string())?;
    for problem in &problems {
        tracing::error!("{problem}");
    }
    if problems.is_empty() {
        tracing::info!("the ledger is sound");
    }
    Ok(if problems.is_empty() { Outcome::Done } else { Outcome::Failed })
}

fn export(config: &ConfigArg) -> Result<Outcome> {
    let state = config.load()?.station.state;
    let mut export = Export::open(&state).with_context(|| state.display().to_string())?;
    loop {
        let page = export.read()?;
        if page.is_empty() {
            return Ok(Outcome::Done);
        }
        rows::print(&page)?;
    }
}
