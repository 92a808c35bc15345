//! `nap station backup` and `nap station restore`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use nap_station::station::clock::now;
use nap_station::store::backup;

use crate::commands::station::config::ConfigArg;
use crate::outcome::Outcome;

/// A backup's file, and where the station is.
#[derive(clap::Args)]
pub struct Args {
    /// The backup.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    config: ConfigArg,
}

/// Writes a backup.
pub fn backup(args: &Args) -> Result<Outcome> {
    let state = args.config.load()?.station.state;
    backup::backup(&state, args.config.path()?, &args.file, now())?;
    tracing::info!("{}: ledger and configuration, without keys and identity", args.file.display());
    Ok(Outcome::Done)
}

/// Puts a backup back; also its configuration, where there is none.
pub fn restore(args: &Args) -> Result<Outcome> {
    let path = args.config.path()?;
    if !path.exists() {
        let text = backup::configuration(&args.file)?;
        fs::write(path, text).with_context(|| format!("{}: cannot write", path.display()))?;
        tracing::info!("{}: written from the backup", path.display());
    }
    let state = args.config.load()?.station.state;
    backup::restore(&args.file, &state)?;
    tracing::info!("{}: restored; devices' keys come from their table", state.display());
    Ok(Outcome::Done)
}
