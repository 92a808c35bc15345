//! Rows of the ledger on standard output.

use std::io::{BufWriter, Write, stdout};

use anyhow::{Context, Result};
use serde_json::Value;

/// Prints JSON objects, one a line.
pub fn print(rows: &[Value]) -> Result<()> {
    let mut out = BufWriter::new(stdout().lock());
    for row in rows {
        writeln!(out, "{row}").context("cannot write to standard output")?;
    }
    out.flush().context("cannot write to standard output")
}
