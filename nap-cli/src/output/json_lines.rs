//! Input by the line, and records about lines that cannot be used.

use std::fmt;
use std::io::{self, BufRead};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::outcome::text;

/// A part of the input that could not be used, in the place of its result.
#[derive(Serialize)]
pub struct ErrorRecord {
    #[serde(rename = "type")]
    record_type: &'static str,
    #[serde(flatten)]
    place: Place,
    error: String,
}

/// Where the input could not be used, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A line of standard input.
    Line(usize),
    /// An argument of the command.
    Argument(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line {number}"),
            Self::Argument(number) => write!(f, "argument {number}"),
        }
    }
}

impl ErrorRecord {
    /// A record of this error.
    pub fn new(place: Place, error: &anyhow::Error) -> Self {
        Self { record_type: "error", place, error: text(error) }
    }
}

/// The lines of standard input with their numbers from 1, without blank ones. What is not UTF-8
/// is replaced, so that only the line that holds it is lost.
pub fn stdin_lines() -> impl Iterator<Item = Result<(usize, String)>> {
    lines(io::stdin().lock())
}

fn lines(mut input: impl BufRead) -> impl Iterator<Item = Result<(usize, String)>> {
    let read = move || -> Option<Result<String>> {
        let mut bytes = Vec::new();
        match input.read_until(b'\n', &mut bytes).context("cannot read standard input") {
            Ok(0) => None,
            Ok(_) => Some(Ok(String::from_utf8_lossy(&bytes).trim().to_owned())),
            Err(error) => Some(Err(error)),
        }
    };
    std::iter::from_fn(read)
        .enumerate()
        .map(|(index, line)| Ok((index + 1, line?)))
        .filter(|line| line.as_ref().map_or(true, |(_, text)| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_blank_lines_but_leaves_them_out() {
        let found: Vec<_> = lines(&b"a\r\n\n  \nb\xff\nc"[..]).map(Result::unwrap).collect();
        assert_eq!(found, [(1, "a".into()), (4, "b\u{fffd}".into()), (5, "c".into())]);
    }
}
