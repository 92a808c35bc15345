//! `nap station`: the access point.

mod config;
mod keep;
mod ledger;
mod orders;
mod rows;
mod run;

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use nap_station::config::{Config, DEFAULT, QUICK};
use nap_station::station::order::Order;

use crate::args::quantity;
use crate::commands::station::config::ConfigArg;
use crate::outcome::{Outcome, misuse};

/// The access point: hears devices, keeps strangers out, loses no message.
///
/// Receives, judges every message by the rules of its configuration, keeps it on disk, and passes it on to
/// relays, also a day later if there was no network.
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  nap station capture.sigmf-meta
  nap station config > nap.toml
  nap station check --config nap.toml
  nap station --config nap.toml
  nap station refused --config nap.toml
  nap station admit 0BAD0001 --config nap.toml
  nap station ledger export --config nap.toml"
)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    /// Without a configuration: a radio as SoapySDR names it, such as driver=rtlsdr, rtl_tcp://HOST, a recording, or
    /// whatever else `source` may be. Messages go to nap-messages.jsonl, the station's state to nap-state, both in the
    /// working directory.
    #[arg(value_name = "SOURCE", conflicts_with = "config")]
    source: Option<String>,

    /// With SOURCE: the table of the devices that are heard. If left out, all are.
    #[arg(long, value_name = "FILE", requires = "source")]
    devices: Option<PathBuf>,

    #[command(flatten)]
    config: ConfigArg,

    /// When a recording has ended, relays may take so many seconds to deliver what is there.
    #[arg(long, value_name = "SECONDS", value_parser = quantity::duration, default_value = "60")]
    drain_timeout: f64,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Print a configuration with all defaults, each key with its meaning.
    Config {
        /// Print the one that `nap station SOURCE` runs with.
        #[arg(long)]
        quick: bool,
    },
    /// Look at everything that a start needs, without one.
    Check(ConfigArg),
    /// Print which devices were heard and refused, one JSON object a line.
    Refused(ConfigArg),
    /// Let devices use the station that the table does not have.
    Admit(orders::DevicesArgs),
    /// Refuse devices, whatever the table says.
    Block(orders::BlockArgs),
    /// Take back that devices are blocked.
    Unblock(orders::DevicesArgs),
    /// Accept any counter of devices once, within 7 days, if their keys prove the message: they were reset or exchanged.
    Disengage(orders::DevicesArgs),
    /// Look at what relays could not deliver, and try it again or drop it.
    #[command(subcommand)]
    DeadLetters(orders::LettersCommand),
    /// Look at the ledger.
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// Write ledger and configuration into one file, without keys and identity. Works beside a station that runs.
    Backup(keep::Args),
    /// Put the ledger of a backup into a state folder that has none, and its configuration where there is none.
    Restore(keep::Args),
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Outcome> {
    match &args.command {
        Some(Command::Config { quick }) => print(if *quick { QUICK } else { DEFAULT }),
        Some(Command::Check(config)) => check(&config.load()?),
        Some(Command::Refused(config)) => orders::refused(config),
        Some(Command::Admit(args)) => orders::devices(args, |device_id| Order::Admit { device_id }),
        Some(Command::Block(args)) => orders::block(args),
        Some(Command::Unblock(args)) => {
            orders::devices(args, |device_id| Order::Unblock { device_id })
        }
        Some(Command::Disengage(args)) => {
            orders::devices(args, |device_id| Order::Disengage { device_id })
        }
        Some(Command::DeadLetters(command)) => orders::letters(command),
        Some(Command::Backup(args)) => keep::backup(args),
        Some(Command::Restore(args)) => keep::restore(args),
        Some(Command::Ledger(command)) => ledger::run(command),
        None => run::run(args.config()?, args.drain_timeout),
    }
}

impl Args {
    fn config(&self) -> Result<Config> {
        let Some(source) = &self.source else { return self.config.load() };
        let config = Config::quick(source, self.devices.clone());
        config.map_err(|problem| misuse(anyhow!("{problem}")))
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
