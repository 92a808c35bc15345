//! Changes one threshold of the receiver's first stages at a time and prints what that costs, as a table.
#![allow(clippy::print_stdout, reason = "a program that prints its results")]

use anyhow::Result;
use clap::Parser;
use nap_benches::{Conditions, Impairments, Reception, empty_scene, measure_tuned};
use nap_phy::receiver::Tuning;
use nap_phy::{BitRate, Rank};

/// Changes one threshold of the receiver's first stages at a time and prints what that costs.
#[derive(Parser)]
struct Args {
    /// Messages a point, at least.
    #[arg(long, default_value_t = 60)]
    messages: usize,
    /// Seconds of noise.
    #[arg(long, default_value_t = 20.0)]
    noise: f64,
    /// What thresholds are multiplied with, one after the other.
    #[arg(long, value_delimiter = ',', default_value = "0.7,1.4")]
    factors: Vec<f64>,
}

/// A threshold.
struct Knob {
    name: &'static str,
    value: fn(&Tuning) -> f64,
    /// Multiplies it.
    scale: fn(&mut Tuning, f64),
}

/// A knob of a field, or of one of the detector's.
macro_rules! knob {
    (detector.$field:ident) => {
        Knob {
            name: concat!("detector.", stringify!($field)),
            value: |tuning| f64::from(tuning.detector.$field),
            scale: |tuning, factor| tuning.detector.$field *= factor as f32,
        }
    };
    ($field:ident) => {
        Knob {
            name: stringify!($field),
            value: |tuning| tuning.$field,
            scale: |tuning, factor| tuning.$field *= factor,
        }
    };
}

const KNOBS: [Knob; 17] = [
    knob!(min_detection_statistic),
    knob!(detector.max_imbalance),
    knob!(detector.imbalance_of_noise),
    knob!(detector.imbalance_of_rotation),
    knob!(detector.surround_weight),
    knob!(detector.min_peak),
    knob!(detector.energy_weight),
    knob!(detector.max_deviations),
    knob!(detector.min_deviations),
    knob!(detector.min_line_snr),
    knob!(detector.knee),
    knob!(detector.min_clearness),
    knob!(detector.max_clearness),
    knob!(detector.min_lines_over_energy),
    knob!(detector.max_before),
    knob!(detector.deviations_before),
    knob!(min_correlation),
    knob!(competing_distance),
];

/// The levels at which messages of three frames and of one are lost now and then, Eb/N0 in dB.
const THREE_FRAMES_DB: f64 = 0.5;
const ONE_FRAME_DB: f64 = 5.0;

fn main() -> Result<()> {
    let args = Args::parse();
    println!(
        "| threshold | value | lost, three frames at {THREE_FRAMES_DB} dB | lost, one frame at \
         {ONE_FRAME_DB} dB | false | candidates a second of noise | CPU of noise, ms a second |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    print_row("as it is", None, &args, Tuning::default())?;
    for Knob { name, value, scale } in &KNOBS {
        for &factor in &args.factors {
            let mut tuning = Tuning::default();
            scale(&mut tuning, factor);
            print_row(name, Some(value(&tuning)), &args, tuning)?;
        }
    }
    Ok(())
}

fn print_row(name: &str, value: Option<f64>, args: &Args, tuning: Tuning) -> Result<()> {
    let outcome = |frames, eb_over_n0_db| {
        let conditions = Conditions::new(BitRate::Bps100, eb_over_n0_db, frames);
        measure_tuned(&conditions, &Impairments::default(), args.messages, 1, tuning)
    };
    let (three, one) =
        (outcome(Rank::Third, THREE_FRAMES_DB)?, outcome(Rank::First, ONE_FRAME_DB)?);
    let noise = Reception::tuned(&empty_scene(args.noise, 1), &[BitRate::Bps100], tuning)?;
    let value = value.map(|value| format!("{value:.3}")).unwrap_or_default();
    println!(
        "| {name} | {value} | {:.1} % | {:.1} % | {} | {:.1} | {:.2} |",
        100.0 * three.loss(),
        100.0 * one.loss(),
        three.messages.false_positives + one.messages.false_positives,
        noise.statistics.candidates as f64 / args.noise,
        1e3 * noise.cpu_s / args.noise
    );
    Ok(())
}
