//! Checks that names and documents speak the field's words, and that constants say where they come from: `words [FOLDER]`
//! reads the list in `tools/words/words.txt` there, says where an old word or such a constant stands as `file:line: text`,
//! and ends with 1 if one does, with 2 if something cannot be read.
//!
//! Names are the identifiers of Rust files, tests included. Prose is their comments and the Markdown files.

mod constants;
mod list;
mod parts;
mod search;
mod sources;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::list::List;

/// Where the list is, from the folder that is checked.
const LIST: &str = "tools/words/words.txt";

fn main() -> ExitCode {
    nap_findings::run(check)
}

fn check(folder: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(folder.join(LIST)).context(LIST)?;
    let list = List::parse(&text).context(LIST)?;
    let mut findings = Vec::new();
    for file in sources::files(folder)? {
        let path = folder.join(&file);
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let source = sources::Source::read(&file, &text)?;
        findings.extend(search::findings(&list, &file, &source));
        if list.asks_for_sources(&file) {
            let lost = constants::without_source(&text).into_iter();
            findings.extend(lost.map(|(line, name)| {
                format!("{file}:{line}: `{name}` has no source: say above it where it comes from")
            }));
        }
    }
    Ok(findings)
}
