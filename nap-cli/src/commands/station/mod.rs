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
use nap_station::station::check::Finding;
use nap_station::station::found::Found;
use nap_station::station::order::Order;

use crate::args::quantity;
use crate::args::source::driver;
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
    /// Look at everything that a start needs, without one: configuration, radio, relays, position, clock, state, disk.
    ///
    /// The radio is opened and closed again, relays are reached and get no message, nothing is written. Ends with 0 if
    /// all is well, with 1 if something does not answer, and with 2 if something cannot work as it is configured.
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
    Backup(keep::BackupArgs),
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
        Some(Command::Backup(args)) => keep::make(args),
        Some(Command::Restore(args)) => keep::put_back(args),
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

/// One line for each thing that was looked at; what is wrong counts more than what is only away.
fn check(config: &Config) -> Result<Outcome> {
    let mut outcome = Outcome::Done;
    for Finding { what, found } in nap_station::station::check::check(config, Some(driver()?)) {
        match found {
            Found::Well(text) => tracing::info!("{what}: well: {text}"),
            Found::Away(problem) => {
                tracing::error!("{what}: {problem}");
                outcome = outcome.max(Outcome::Failed);
            }
            Found::Wrong(problem) => {
                tracing::error!("{what}: {problem}");
                outcome = Outcome::Misused;
            }
        }
    }
    Ok(outcome)
}

fn print(text: &str) -> Result<Outcome> {
    use std::io::Write;
    anstream::stdout().write_all(text.as_bytes()).context("cannot write to standard output")?;
    Ok(Outcome::Done)
}
