//! `nap station backup` and `nap station restore`.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

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
        write(path, &text)?;
        tracing::info!("{}: written from the backup, for you alone to read", path.display());
    }
    let state = args.config.load()?.station.state;
    backup::restore(&args.file, &state)?;
    tracing::info!("{}: restored; devices' keys come from their table", state.display());
    Ok(Outcome::Done)
}

/// Writes a configuration, which may have secrets in headers, where there is none.
fn write(path: &Path, text: &str) -> Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.with_context(|| format!("{}: cannot write", path.display()))
}
