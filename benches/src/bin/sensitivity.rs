//! Loss of messages over Eb/N0.
#![allow(clippy::print_stdout, reason = "a program that prints its results")]

use anyhow::Result;
use clap::{Parser, ValueEnum};
use nap_benches::{Conditions, measure};
use nap_phy::scene::Shape;
use nap_phy::{BitRate, Rank};

/// Measures the loss of messages over Eb/N0.
#[derive(Parser)]
struct Args {
    /// Bit rate.
    #[arg(long, default_value_t = BitRate::Bps100)]
    bit_rate: BitRate,
    /// Frames a message.
    #[arg(long, default_value_t = 3)]
    frames: u8,
    /// Eb/N0 in dB.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "3,4,5,6,7,8,9,10",
        allow_hyphen_values = true
    )]
    eb_over_n0: Vec<f64>,
    /// Messages a point.
    #[arg(long, default_value_t = 500)]
    messages: usize,
    /// Largest drift in Hz/s.
    #[arg(long, default_value_t = 0.0)]
    drift: f64,
    /// How the transmitters turn the phase.
    #[arg(long, value_enum, default_value = "rect")]
    shape: ShapeArg,
    /// Payload bytes.
    #[arg(long, default_value_t = 12)]
    payload: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum ShapeArg {
    Rect,
    Hann,
    S2lp,
}

fn main() -> Result<()> {
    let args = Args::parse();
    for &eb_over_n0_db in &args.eb_over_n0 {
        let conditions = Conditions {
            most_drift_hz_per_s: args.drift,
            payload_bytes: args.payload,
            shape: match args.shape {
                ShapeArg::Rect => Shape::Rect,
                ShapeArg::Hann => Shape::Hann,
                ShapeArg::S2lp => Shape::S2lp,
            },
            ..Conditions::new(args.bit_rate, eb_over_n0_db, Rank::try_from(args.frames)?)
        };
        let outcome = measure(&conditions, args.messages, 1)?;
        println!(
            "{eb_over_n0_db:5.1} dB  loss {:5.1} %  of {} messages, frames alone {:.1} %, invented {}, repeated {}",
            100.0 * outcome.loss(),
            outcome.messages.sent,
            100.0 * outcome.frames as f64 / (outcome.messages.sent * args.frames as usize) as f64,
            outcome.messages.invented,
            outcome.messages.repeated
        );
    }
    Ok(())
}
