//! Checks which files and crates import each other: `imports [FOLDER]` reads the workspace there, says what
//! breaks a rule as `file:line: text`, and ends with 1 if something does, with 2 if it cannot be read.
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

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::finding::Finding;

fn main() -> ExitCode {
    nap_findings::run(check)
}

fn check(folder: &Path) -> Result<BTreeSet<Finding>> {
    let root = folder.canonicalize().with_context(|| folder.display().to_string())?;
    let packages = workspace::packages(&root)?;
    let sources = reader::read(&packages)?;
    Ok(rules::check(&root, &packages, &sources))
}
