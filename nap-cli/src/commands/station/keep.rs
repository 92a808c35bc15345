//! `nap station backup` and `nap station restore`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use nap_station::station::clock::now;
use nap_station::store::backup;

use crate::commands::station::config::ConfigArg;
use crate::outcome::{Outcome, misuse};

/// A backup's file, and where the station is.
#[derive(clap::Args)]
pub struct Args {
    /// The backup.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    config: ConfigArg,
}

/// What a backup is to have.
#[derive(clap::Args)]
pub struct BackupArgs {
    #[command(flatten)]
    args: Args,

    /// Keys and identity too: not in this version.
    #[arg(long, hide = true)]
    with_secrets: bool,
}

/// Writes a backup.
pub fn make(args: &BackupArgs) -> Result<Outcome> {
    if args.with_secrets {
        let problem =
            "`--with-secrets` is not in this version; leave it out, and keep devices.csv elsewhere";
        return Err(misuse(anyhow!(problem)));
    }
    let args = &args.args;
    let state = args.config.load()?.station.state;
    backup::backup(&state, args.config.path()?, &args.file, now())?;
    tracing::info!("{}: ledger and configuration, without keys and identity", args.file.display());
    Ok(Outcome::Done)
}

/// Puts a backup back; also its configuration, where there is none.
pub fn put_back(args: &Args) -> Result<Outcome> {
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
