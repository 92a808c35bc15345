//! Checks which files and crates import each other: `imports [FOLDER]` reads the workspace there, says what
//! breaks a rule as `file:line: text`, and ends with 1 if something does.
//!
//! It reads what is shipped; tests may use what they like. Re-exports hide nothing from it: a name counts
//! as used from the file that defines it.

mod arrow;
mod circle;
mod finding;
mod module;
mod reader;
mod resolver;
mod rules;
mod tokens;
mod workspace;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

fn main() -> Result<ExitCode> {
    let folder = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("."), PathBuf::from);
    let root = folder.canonicalize().with_context(|| folder.display().to_string())?;
    let packages = workspace::packages(&root)?;
    let sources = reader::read(&packages)?;
    let findings = rules::check(&root, &packages, &sources);
    let mut out = std::io::stdout().lock();
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
