//! `nap station ledger`.

use std::io::Write;

use anyhow::{Context, Result};
use nap_station::store::export::Export;

use crate::commands::station::ConfigArg;
use crate::outcome::Outcome;

/// Look at the ledger.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Print all rows in the order of their numbers, one JSON object a line. Works beside a station that runs.
    Export(ConfigArg),
}

/// Runs the command.
pub fn run(command: &Command) -> Result<Outcome> {
    match command {
        Command::Export(config) => export(config),
    }
}

fn export(config: &ConfigArg) -> Result<Outcome> {
    let state = config.load()?.station.state;
    let mut export = Export::open(&state).with_context(|| state.display().to_string())?;
    let mut stdout = std::io::BufWriter::new(std::io::stdout().lock());
    loop {
        let rows = export.next()?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            writeln!(stdout, "{row}").context("cannot write to standard output")?;
        }
    }
    stdout.flush().context("cannot write to standard output")?;
    Ok(Outcome::Done)
}
