//! What the receiver alone costs on given samples, to set another program's figure beside it.
#![allow(clippy::print_stdout, reason = "a program that prints its results")]

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use nap_benches::{Recording, timed};
use num_complex::Complex32;

/// Prints the CPU time in seconds and the number of messages of every run, one run a line.
#[derive(Parser)]
struct Args {
    /// Samples of an RC1 channel: pairs of little-endian 32-bit floats.
    samples: PathBuf,
    /// Samples a second.
    #[arg(long)]
    sample_rate_hz: f64,
    /// Frequency of the samples' 0 Hz.
    #[arg(long)]
    center_hz: f64,
    /// How many runs.
    #[arg(long, default_value_t = 1)]
    runs: usize,
}

fn main() -> Result<()> {
    let Args { samples, sample_rate_hz, center_hz, runs } = Args::parse();
    let bytes = std::fs::read(&samples).with_context(|| samples.display().to_string())?;
    let (pairs, _) = bytes.as_chunks::<8>();
    let recording =
        Recording { samples: pairs.iter().map(sample).collect(), sample_rate_hz, center_hz };
    for _ in 0..runs {
        let mut heard = Ok(0);
        let cost = timed(|| heard = recording.receive());
        println!("{:.6} {}", cost.as_secs_f64(), heard?);
    }
    Ok(())
}

fn sample(&[a, b, c, d, e, f, g, h]: &[u8; 8]) -> Complex32 {
    Complex32::new(f32::from_le_bytes([a, b, c, d]), f32::from_le_bytes([e, f, g, h]))
}
