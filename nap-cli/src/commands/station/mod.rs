//! `nap station`: the access point.

mod config;
mod ledger;
mod run;

use anyhow::{Context, Result};
use nap_station::config::{Config, DEFAULT};

use crate::args::quantity;
use crate::commands::station::config::ConfigArg;
use crate::outcome::Outcome;

/// The access point: hears devices, keeps strangers out, loses no message.
///
/// Receives, judges every message by the rules of its configuration, keeps it on disk, and passes it on to
/// relays, also a day later if there was no network.
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  nap station config > nap.toml
  nap station check --config nap.toml
  nap station --config nap.toml
  nap station ledger export --config nap.toml"
)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    config: ConfigArg,

    /// When a recording has ended, relays may take so many seconds to deliver what is there.
    #[arg(long, value_name = "SECONDS", value_parser = quantity::duration, default_value = "60")]
    drain_timeout: f64,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Print a configuration with all defaults, each key with its meaning.
    Config,
    /// Look at everything that a start needs, without one.
    Check(ConfigArg),
    /// Look at the ledger.
    #[command(subcommand)]
    Ledger(ledger::Command),
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Outcome> {
    match &args.command {
        Some(Command::Config) => print(DEFAULT),
        Some(Command::Check(config)) => check(&config.load()?),
        Some(Command::Ledger(command)) => ledger::run(command),
        None => run::run(args.config.load()?, args.drain_timeout),
    }
}

fn check(config: &Config) -> Result<Outcome> {
    let findings = nap_station::station::check::check(config);
    for finding in &findings {
        match &finding.problem {
            Some(problem) => tracing::error!("{}: {problem}", finding.what),
            None => tracing::info!("{}: well", finding.what),
        }
    }
    let is_well = findings.iter().all(|finding| finding.problem.is_none());
    Ok(if is_well { Outcome::Done } else { Outcome::Misused })
}

fn print(text: &str) -> Result<Outcome> {
    use std::io::Write;
    anstream::stdout().write_all(text.as_bytes()).context("cannot write to standard output")?;
    Ok(Outcome::Done)
}
