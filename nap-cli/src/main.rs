//! The `nap` command: Sigfox 0G uplinks from receivers and recordings, and back.
//!
//! Each subcommand is one module with its `Args` and a `run`; this file only chooses. Results go to
//! standard output, everything else to standard error.

mod args;
mod commands;
mod outcome;
mod output;
mod signals;
mod terminal;

use std::process::ExitCode;

use clap::{ArgAction, CommandFactory, Parser, Subcommand};

#[cfg(feature = "soapy")]
use commands::drive;
#[cfg(feature = "station")]
use commands::station;
use commands::{
    completions, decode, doctor, encode, frame, listen, man, radios, simulate, waterfall,
};

/// Receive, inspect and simulate Sigfox 0G uplinks.
#[derive(Parser)]
#[command(name = "nap", version = VERSION, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Say more on standard error; twice for everything.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,

    /// Say nothing on standard error but errors.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
}

/// The help of a subcommand is that of its `Args`.
#[derive(Subcommand)]
enum Command {
    Decode(decode::Args),
    Frame(frame::Args),
    Encode(encode::Args),
    Simulate(simulate::Args),
    Waterfall(waterfall::Args),
    Listen(Box<listen::Args>),
    #[cfg(feature = "station")]
    Station(station::Args),
    Radios(radios::Args),
    Doctor(Box<doctor::Args>),
    Completions(completions::Args),
    Man(man::Args),
    #[cfg(feature = "soapy")]
    #[command(hide = true)]
    Drive(drive::Args),
}

/// The version, and what is built in.
#[cfg(feature = "soapy")]
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " with SoapySDR");
/// The version, and what is built in.
#[cfg(not(feature = "soapy"))]
const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " without SoapySDR (recordings and network sources only; build it with --features soapy)"
);

const AFTER_HELP: &str = "\
Exit status:
  0  done
  1  failed while running: unreadable lines, a recording cut short, a full disk
  2  wrong usage or configuration: do not try again unchanged

Examples:
  nap decode capture.sigmf-meta
  nap decode g001_868.13M_250k.cu8 --devices devices.csv --format json
  nap simulate scene.toml -o scene.sigmf-meta && nap decode scene.sigmf-meta
  nap waterfall capture.sigmf-meta -o waterfall.png
  nap listen --radio driver=rtlsdr --radio-configuration RC1
  nap frame aaaaa35f01a0db334d00abad1deadc32758a";

fn main() -> ExitCode {
    let cli = Cli::parse();
    terminal::start(cli.verbose, cli.quiet);
    let result = match &cli.command {
        Command::Decode(args) => decode::run(args),
        Command::Frame(args) => frame::run(args),
        Command::Encode(args) => encode::run(args),
        Command::Simulate(args) => simulate::run(args),
        Command::Waterfall(args) => waterfall::run(args),
        Command::Listen(args) => listen::run(args),
        #[cfg(feature = "station")]
        Command::Station(args) => station::run(args),
        Command::Radios(args) => radios::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Completions(args) => completions::run(args, Cli::command()),
        Command::Man(args) => man::run(args, Cli::command()),
        #[cfg(feature = "soapy")]
        Command::Drive(args) => drive::run(args),
    };
    result.unwrap_or_else(|error| outcome::report(&error)).into()
}
