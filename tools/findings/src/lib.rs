//! How a check of the project's own runs: over the folder that its one argument names, or the one it is called in.
//! What it finds goes to standard output, a line each.

use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;

/// Runs a check, and ends with 1 if it finds something, with 2 if something cannot be read.
pub fn run<F>(check: impl FnOnce(&Path) -> Result<F>) -> ExitCode
where
    F: IntoIterator<Item: Display>,
{
    let folder = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("."), PathBuf::from);
    match check(&folder).and_then(|findings| Ok(print(findings)?)) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            drop(writeln!(std::io::stderr(), "error: {error:#}"));
            ExitCode::from(2)
        }
    }
}

/// How many there were.
fn print(findings: impl IntoIterator<Item: Display>) -> std::io::Result<usize> {
    let mut out = std::io::stdout().lock();
    findings.into_iter().try_fold(0, |count, finding| {
        writeln!(out, "{finding}")?;
        Ok(count + 1)
    })
}
