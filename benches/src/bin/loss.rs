//! Loss of messages under conditions of one's choice.
#![allow(clippy::print_stdout, reason = "a program that prints its results")]

use anyhow::Result;
use clap::Parser;
use nap_benches::{Conditions, measure, parse_shape};
use nap_phy::scene::Shape;
use nap_phy::{BitRate, Rank};

/// Measures the loss of messages at some Eb/N0.
#[derive(Parser)]
struct Args {
    /// Bit rate.
    #[arg(long, default_value_t = BitRate::Bps100)]
    bit_rate: BitRate,
    /// Frames a message.
    #[arg(long, default_value_t = 3)]
    frames: u8,
    /// Eb/N0 in dB.
    #[arg(long, value_delimiter = ',', default_value = "-1,0,1,2,3", allow_hyphen_values = true)]
    eb_over_n0: Vec<f64>,
    /// Messages a point.
    #[arg(long, default_value_t = 500)]
    messages: usize,
    /// Largest drift in Hz/s.
    #[arg(long, default_value_t = 0.0)]
    drift: f64,
    /// How the transmitters turn the phase: `rect`, `hann` or `s2lp`.
    #[arg(long, default_value = "rect", value_parser = parse_shape)]
    shape: Shape,
    /// Payload bytes.
    #[arg(long, default_value_t = 12)]
    payload: usize,
    /// Start of all randomness.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> Result<()> {
    let args = Args::parse();
    for &eb_over_n0_db in &args.eb_over_n0 {
        let conditions = Conditions {
            most_drift_hz_per_s: args.drift,
            payload_bytes: args.payload,
            shape: args.shape,
            ..Conditions::new(args.bit_rate, eb_over_n0_db, Rank::try_from(args.frames)?)
        };
        let outcome = measure(&conditions, args.messages, args.seed)?;
        let score = outcome.messages;
        let frames = score.sent * usize::from(args.frames);
        println!(
            "{eb_over_n0_db:5.1} dB  loss {:5.1} % of {} messages, {:5.1} % without a frame that \
             decodes alone, {:5.1} % of frames do; invented {}, repeated {}",
            100.0 * outcome.loss(),
            score.sent,
            100.0 * outcome.any_frame_loss(),
            100.0 * outcome.frames as f64 / frames as f64,
            score.invented,
            score.repeated
        );
    }
    Ok(())
}
