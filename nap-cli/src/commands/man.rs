//! `nap man`: the manual pages.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::outcome::Outcome;

/// Manual pages.
///
/// Writes a manual page for nap and one for each of its commands into a folder: nap.1, nap-decode.1 and so on.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  nap man share/man/man1")]
pub struct Args {
    /// The folder; it is made if it does not exist.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// Runs the command; `cli` is the whole command line.
pub fn run(args: &Args, cli: clap::Command) -> Result<Outcome> {
    let name = || format!("{}: cannot write the manual pages", args.folder.display());
    fs::create_dir_all(&args.folder).with_context(name)?;
    clap_mangen::generate_to(cli, &args.folder).with_context(name)?;
    Ok(Outcome::Done)
}
