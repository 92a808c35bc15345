//! What receiving costs, beside a bare FFT pass over the same samples.
#![allow(clippy::print_stdout, reason = "a program that prints its results")]

use anyhow::Result;
use clap::Parser;
use nap_benches::{Recording, timed};

/// Measures the receiver's CPU time beside that of a bare FFT pass with half overlap, in turns, and
/// prints medians.
#[derive(Parser)]
struct Args {
    /// Runs of each.
    #[arg(long, default_value_t = 7)]
    runs: usize,
    /// Length of the channels. At the end of each, frames that it cuts off are tried in vain.
    #[arg(long, default_value_t = 30.0)]
    seconds: f64,
    /// How many frames are on the air at a time: one row for each.
    #[arg(long, value_delimiter = ',', default_values_t = [0, 2, 20, 80])]
    at_once: Vec<usize>,
}

const SECONDS_PER_DAY: f64 = 86_400.0;
/// Messages of a day for the day's budget.
const DAILY_MESSAGES: f64 = 840.0;
/// A channel with messages that do not meet, to tell what one of them costs.
const SPARSE_S: f64 = 80.0;
const SPARSE_MESSAGES: usize = 10;

/// CPU time in seconds.
struct Cost {
    bare_fft_s: f64,
    receiver_s: f64,
}

impl Cost {
    /// Medians of some runs in turns.
    fn of(recording: &Recording, runs: usize) -> Result<Self> {
        let (mut bare_fft_s, mut receiver_s) = (Vec::new(), Vec::new());
        for _ in 0..runs.max(1) {
            bare_fft_s.push(timed(|| recording.bare_fft()).as_secs_f64());
            let mut heard = Ok(0);
            receiver_s.push(timed(|| heard = recording.receive()).as_secs_f64());
            heard?;
        }
        Ok(Self { bare_fft_s: median(bare_fft_s), receiver_s: median(receiver_s) })
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() -> Result<()> {
    let args = Args::parse();
    println!("| what | bare FFT, ms | receiver, ms | ratio | x real time |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for at_once in args.at_once {
        let name = match at_once {
            0 => "noise alone".to_owned(),
            _ => format!("{at_once} at a time"),
        };
        let recording = Recording::busy(at_once, args.seconds, 1)?;
        let cost = Cost::of(&recording, args.runs)?;
        println!(
            "| {name}, {} s | {:.1} | {:.0} | {:.1} | {:.0} |",
            args.seconds,
            1e3 * cost.bare_fft_s,
            1e3 * cost.receiver_s,
            cost.receiver_s / cost.bare_fft_s,
            recording.duration_s() / cost.receiver_s
        );
    }
    print_day(args.runs.min(3))
}

/// The budget of a day: noise all day and, by difference, what its messages add.
fn print_day(runs: usize) -> Result<()> {
    let quiet = Cost::of(&Recording::sparse(0, SPARSE_S, 1)?, runs)?.receiver_s;
    let busy = Cost::of(&Recording::sparse(SPARSE_MESSAGES, SPARSE_S, 1)?, runs)?.receiver_s;
    let second = quiet / SPARSE_S;
    let message = (busy - quiet) / SPARSE_MESSAGES as f64;
    let day = SECONDS_PER_DAY * second + DAILY_MESSAGES * message;
    println!();
    println!(
        "A day with {DAILY_MESSAGES} messages of three frames: {SECONDS_PER_DAY} s x {:.2} ms + \
         {DAILY_MESSAGES} x {:.1} ms = {day:.0} s of CPU time, {:.2} % of one core",
        1e3 * second,
        1e3 * message,
        100.0 * day / SECONDS_PER_DAY
    );
    Ok(())
}
