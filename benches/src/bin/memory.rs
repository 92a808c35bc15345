//! The most memory that a receiver takes, part by part, for some limits.
#![allow(clippy::print_stdout, reason = "a program that prints its results")]

use anyhow::Result;
use clap::Parser;
use nap_phy::receiver::MemoryBound;
use nap_phy::{Receiver, ReceiverConfig};

/// Prints the bound of a receiver's memory by part.
#[derive(Parser)]
struct Args {
    /// Samples per second.
    #[arg(long, default_value_t = 250_000.0)]
    sample_rate_hz: f64,
    /// Bursts and undecoded frames of a bit rate, one column each.
    #[arg(long, value_delimiter = ',', default_value = "512,64,16")]
    limits: Vec<usize>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let bound = |&most: &usize| {
        let mut config = ReceiverConfig::new(args.sample_rate_hz, 0.0);
        (config.limits.max_bursts, config.limits.max_undecoded_frames) = (most, most);
        Receiver::memory_bound(&config)
    };
    let bounds = args.limits.iter().map(bound).collect::<Result<Vec<_>, _>>()?;
    let limits = args.limits.iter().map(|most| format!("{most} bursts and undecoded frames"));
    println!("| part, MB at most | {} |", limits.collect::<Vec<_>>().join(" | "));
    println!("| --- |{}", " ---: |".repeat(bounds.len()));
    type Part = fn(&MemoryBound) -> u64;
    let parts: [(&str, Part); 9] = [
        ("the last seconds of all subbands", |bound| bound.subbands_bytes),
        ("tables and work of the stages", |bound| bound.stages_bytes),
        ("bursts that wait, of both bit rates", |bound| bound.bursts_bytes),
        ("undecoded frames, of both bit rates", |bound| bound.undecoded_frames_bytes),
        ("frames of doubtful messages, of both bit rates", |bound| bound.doubtful_bytes),
        ("decoded bursts that wait to be cancelled", |bound| bound.remaining_bytes),
        ("all", MemoryBound::bytes),
        ("a burst", |bound| bound.burst_bytes),
        ("an undecoded frame", |bound| bound.undecoded_frame_bytes),
    ];
    for (name, part) in parts {
        let row = bounds.iter().map(|bound| format!("{:.2}", 1e-6 * part(bound) as f64));
        println!("| {name} | {} |", row.collect::<Vec<_>>().join(" | "));
    }
    Ok(())
}
