//! The files that are looked at, and what stands in them.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use proc_macro2::{TokenStream, TokenTree};

/// Folders that hold nothing of ours; so do those that begin with a dot.
const FOREIGN: [&str; 4] = ["target", "out", "fixtures", "node_modules"];

/// What a file says, each with its line, counted from 1.
#[derive(Default)]
pub(crate) struct Source {
    pub(crate) names: Vec<(usize, String)>,
    pub(crate) prose: Vec<(usize, String)>,
}

/// The Rust and Markdown files in a folder, from there on and with `/`, in their order.
pub(crate) fn files(folder: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    gather(folder, "", &mut found)?;
    found.sort();
    Ok(found)
}

fn gather(folder: &Path, prefix: &str, found: &mut Vec<String>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            if !name.starts_with('.') && !FOREIGN.contains(&name.as_str()) {
                gather(&entry.path(), &format!("{path}/"), found)?;
            }
        } else if is_rust(&name) || has_extension(&name, "md") {
            found.push(path);
        }
    }
    Ok(())
}

fn is_rust(file: &str) -> bool {
    has_extension(file, "rs")
}

fn has_extension(file: &str, extension: &str) -> bool {
    Path::new(file).extension().is_some_and(|found| found == extension)
}

impl Source {
    pub(crate) fn read(file: &str, text: &str) -> Result<Self> {
        let lines = (1..).zip(text.lines());
        if !is_rust(file) {
            return Ok(Self {
                prose: lines.map(|(number, line)| (number, without_code(line))).collect(),
                ..Self::default()
            });
        }
        let tokens: TokenStream =
            text.parse().map_err(|error| anyhow!("{file} is no Rust: {error}"))?;
        let mut source = Self::default();
        source.take_names(tokens);
        source.names.sort();
        let comments = lines.filter(|(_, line)| line.trim_start().starts_with("//"));
        source.prose = comments.map(|(number, line)| (number, without_code(line))).collect();
        Ok(source)
    }

    fn take_names(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.take_names(group.stream()),
                TokenTree::Ident(name) => {
                    self.names.push((name.span().start().line, name.to_string()));
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }
}

/// A line without what stands between backticks and without the targets of links: names, which may be others'.
fn without_code(line: &str) -> String {
    let prose: Vec<&str> = line.split('`').step_by(2).collect();
    let mut parts = prose.join(" ");
    while let Some(start) = parts.find("](") {
        let length = parts[start..].find(')').unwrap_or(parts.len() - start - 1) + 1;
        parts.replace_range(start..start + length, " ");
    }
    parts
}
