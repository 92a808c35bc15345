//! Records on standard output or in a file, in the format that the user wants.

use std::io::{self, Write};
use std::path::Path;

use anstream::AutoStream;
use anyhow::{Context, Result};
use serde::Serialize;

use crate::outcome::{Outcome, text};
use crate::output::csv;
use crate::output::json_lines::{ErrorRecord, Place};
use crate::terminal::beside_bars;
use nap_station::rotated_file::{RotatedFile, Rotation};

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

/// Writes records of one kind to standard output or a file, each at once.
pub struct Printer {
    to: To,
    format: Format,
    /// The fields that go into CSV.
    columns: &'static [&'static str],
    header_due: bool,
}

enum To {
    Stdout(AutoStream<io::Stdout>),
    File(RotatedFile),
}

impl Printer {
    /// A printer of records that have these fields.
    pub fn new(format: Format, columns: &'static [&'static str]) -> Self {
        let to = To::Stdout(anstream::stdout());
        Self { to, format, columns, header_due: format == Format::Csv }
    }

    /// A printer of such records into files that follow each other.
    ///
    /// # Errors
    /// If the first file cannot be created.
    pub fn to_file(
        path: &Path,
        rotation: Rotation,
        format: Format,
        columns: &'static [&'static str],
    ) -> Result<Self> {
        let header = (format == Format::Csv).then(|| csv::header(columns)).transpose()?;
        let file = RotatedFile::open(path, rotation, header)?;
        Ok(Self { to: To::File(file), format, columns, header_due: false })
    }

    /// Writes a record; `log` makes its text for the eye.
    ///
    /// # Errors
    /// If the output cannot be written.
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
    /// If the output cannot be written.
    pub fn error(&mut self, place: Place, error: &anyhow::Error) -> Result<Outcome> {
        match self.format {
            Format::Json => self.line(&serde_json::to_string(&ErrorRecord::new(place, error))?)?,
            Format::Log | Format::Csv => tracing::error!("{place}: {}", text(error)),
        }
        Ok(Outcome::Failed)
    }

    /// Writes a line that stands over those that follow; only for the eye.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn heading(&mut self, text: &str) -> Result<()> {
        if self.format == Format::Log { self.line(text) } else { Ok(()) }
    }

    /// Ends the results. Without a single record, the header is written now.
    ///
    /// # Errors
    /// If the output cannot be written.
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
        match &mut self.to {
            To::Stdout(stdout) => beside_bars(|| {
                writeln!(stdout, "{text}")?;
                stdout.flush()
            })
            .context("cannot write to standard output"),
            To::File(file) => Ok(file.line(&anstream::adapter::strip_str(text).to_string())?),
        }
    }
}
