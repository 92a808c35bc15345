//! Results on standard output, in the format that the user wants.

mod csv;
pub mod log;

use std::io::{self, Write};

use anstream::AutoStream;
use anyhow::{Context, Result};
use serde::Serialize;

use crate::json_lines::ErrorRecord;
use crate::outcome::{Outcome, text};
use crate::terminal::beside_bars;

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Aligned lines for the eye, coloured on a terminal.
    Log,
    /// One JSON object a line, in the documented schema.
    Json,
    /// Comma-separated values with a header.
    Csv,
}

/// Writes records of one kind to standard output, each at once.
pub struct Printer {
    stdout: AutoStream<io::Stdout>,
    format: Format,
    /// The fields that go into CSV.
    columns: &'static [&'static str],
    header_due: bool,
}

impl Printer {
    /// A printer of records that have these fields.
    pub fn new(format: Format, columns: &'static [&'static str]) -> Self {
        let stdout = anstream::stdout();
        Self { stdout, format, columns, header_due: format == Format::Csv }
    }

    /// Writes a record; `log` makes its text for the eye.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub fn record(&mut self, record: &impl Serialize, log: impl FnOnce() -> String) -> Result<()> {
        self.header()?;
        let text = match self.format {
            Format::Log => log(),
            Format::Json => serde_json::to_string(record)?,
            Format::Csv => csv::row(self.columns, &serde_json::to_value(record)?)?,
        };
        self.line(&text)
    }

    /// Reports a part of the input that could not be used: in JSON in its place among the results,
    /// else on standard error.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub fn error(&mut self, line: usize, error: &anyhow::Error) -> Result<Outcome> {
        match self.format {
            Format::Json => self.line(&serde_json::to_string(&ErrorRecord::new(line, error))?)?,
            Format::Log | Format::Csv => tracing::error!("line {line}: {}", text(error)),
        }
        Ok(Outcome::Failed)
    }

    /// Ends the results. Without a single record, the header is written now.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub fn finish(mut self) -> Result<()> {
        self.header()
    }

    fn header(&mut self) -> Result<()> {
        if std::mem::take(&mut self.header_due) {
            self.line(&csv::header(self.columns)?)?;
        }
        Ok(())
    }

    fn line(&mut self, text: &str) -> Result<()> {
        let stdout = &mut self.stdout;
        beside_bars(|| {
            writeln!(stdout, "{text}")?;
            stdout.flush()
        })
        .context("cannot write to standard output")
    }
}
