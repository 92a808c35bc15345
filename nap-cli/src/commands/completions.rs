//! `nap completions`: what a shell completes.

use std::io::{self, Write};

use anyhow::{Context, Result};
use clap_complete::Shell;

use crate::outcome::Outcome;

/// Completions for a shell.
///
/// Writes the script that lets a shell complete the commands and flags of nap.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  nap completions bash > nap.bash
  nap completions zsh > _nap
  nap completions fish > nap.fish")]
pub struct Args {
    /// The shell.
    shell: Shell,
}

/// Runs the command; `cli` is the whole command line.
pub fn run(args: &Args, mut cli: clap::Command) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut cli, "nap", &mut script);
    io::stdout().write_all(&script).context("cannot write to standard output")?;
    Ok(Outcome::Done)
}
