//! Loss of messages over Eb/N0 under all kinds of conditions, against theory: tables, pictures and
//! the page that shows them.
#![allow(clippy::print_stderr, reason = "tells how far it is")]

mod figures;
mod grid;
mod page;
mod tables;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Parser;
use grid::{Effort, Grid};

/// Measures the loss of messages over Eb/N0 and writes tables, pictures and their page.
#[derive(Parser)]
struct Args {
    /// A coarse run: fewer messages, larger steps.
    #[arg(long)]
    quick: bool,
    /// Messages a point, at least.
    #[arg(long)]
    messages: Option<usize>,
    /// Where sensitivity.md and the folder sensitivity are written.
    #[arg(long, default_value = "docs")]
    output: PathBuf,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let start = Instant::now();
    let mut effort = if args.quick { Effort::QUICK } else { Effort::FULL };
    effort.messages = args.messages.unwrap_or(effort.messages);
    // Before all the work, since it may fail.
    let folder = args.output.join("sensitivity");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    let grid = Grid::measure(effort)?;

    let folder = args.output.join("sensitivity");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    let write = |path: PathBuf, content: &[u8]| {
        std::fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))
    };
    for (name, table) in tables::all(&grid)? {
        write(folder.join(name), &table)?;
    }
    for (name, chart) in figures::all(&grid) {
        write(folder.join(name), &chart.png()?)?;
    }
    write(args.output.join("sensitivity.md"), page::text(&grid).as_bytes())?;
    eprintln!("all of it took {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}
