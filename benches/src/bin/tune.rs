//! Changes one threshold of the receiver at a time and prints what that costs, as a table.
#![allow(clippy::print_stdout, reason = "a program that prints its results")]

use anyhow::Result;
use clap::Parser;
use nap_benches::scenarios::{Pairs, crowd_scene};
use nap_benches::{Conditions, Impairments, Reception, empty_scene, measure_tuned};
use nap_phy::receiver::Tuning;
use nap_phy::scene::{ReceptionCounts, Scene};
use nap_phy::{BitRate, Rank};
use rayon::prelude::*;

/// Changes one threshold of the receiver at a time and prints what that costs.
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
    /// Scenes of each kind in which devices meet.
    #[arg(long, default_value_t = 1)]
    scenes: u64,
    /// Only thresholds whose names begin with this: `canceller`, `masking.residue`.
    #[arg(long, default_value = "")]
    only: String,
}

/// A threshold.
struct Knob {
    name: &'static str,
    value: fn(&Tuning) -> f64,
    /// Multiplies it.
    scale: fn(&mut Tuning, f64),
}

/// A knob of a field, by its path in the receiver's tuning.
macro_rules! knob {
    ($($name:ident).+) => {
        Knob {
            name: stringify!($($name).+),
            value: |tuning| tuning.$($name).+ as f64,
            scale: |tuning, factor| {
                tuning.$($name).+ = (tuning.$($name).+ as f64 * factor) as _;
            },
        }
    };
}

const KNOBS: &[Knob] = &[
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
    knob!(detector.min_faded_lines_over_energy),
    knob!(detector.max_before),
    knob!(detector.deviations_before),
    knob!(min_correlation),
    knob!(competing_distance),
    knob!(blanker.min_peak),
    knob!(blanker.min_core),
    knob!(blanker.min_edge),
    knob!(blanker.max_impulse_s),
    knob!(blanker.min_smoothness),
    knob!(blanker.min_smooth_samples),
    knob!(blanker.min_evenness),
    knob!(blanker.min_even_samples),
    knob!(masking.masking),
    knob!(masking.corrupting),
    knob!(masking.imitating),
    knob!(masking.residue),
    knob!(masking.outshining),
    knob!(masking.blocking),
    knob!(synchronizer.frequency_reach),
    knob!(synchronizer.frequency_step_cycles),
    knob!(synchronizer.max_quadratic_phase),
    knob!(synchronizer.min_preamble_correlation),
    knob!(synchronizer.expected_share),
    knob!(synchronizer.max_starts),
    knob!(synchronizer.coarse_share),
    knob!(synchronizer.min_power_over_noise),
    knob!(synchronizer.min_faint_correlation),
    knob!(synchronizer.certain_correlation),
    knob!(synchronizer.min_preamble_share),
    knob!(synchronizer.min_differential_share),
    knob!(synchronizer.differential_expected_share),
    knob!(synchronizer.min_differential_power),
    knob!(synchronizer.min_chirped_power),
    knob!(synchronizer.max_differential_trials),
    knob!(synchronizer.max_es_over_n0),
    knob!(synchronizer.max_noise_share),
    knob!(synchronizer.min_ln_sync_word_ratio),
    knob!(synchronizer.differential_weight),
    knob!(demodulator.start_reach),
    knob!(demodulator.quadratic_phase),
    knob!(demodulator.quadratic_phase_squared),
    knob!(demodulator.frequency_reach),
    knob!(demodulator.drift_reach_cycles),
    knob!(demodulator.min_coherence),
    knob!(demodulator.clear_coherence),
    knob!(demodulator.steady_coherence),
    knob!(demodulator.clock_step),
    knob!(demodulator.min_clock_deviations),
    knob!(demodulator.min_clock_gain),
    knob!(demodulator.max_es_over_n0),
    knob!(demodulator.steady_symbols),
    knob!(demodulator.level_step),
    knob!(demodulator.level_descent),
    knob!(demodulator.min_ln_likelihood_ratio),
    knob!(demodulator.ln_ratio_per_step),
    knob!(demodulator.clear_sign),
    knob!(demodulator.open_sign),
    knob!(demodulator.open_symbols),
    knob!(demodulator.min_interference_ratio),
    knob!(joint.max_level_ratio_db),
    knob!(joint.min_parity_agreement),
    knob!(joint.min_clearness),
    knob!(joint.pause_tolerance),
    knob!(joint.min_ln_sibling_ratio),
    knob!(joint.min_sibling_share),
    knob!(joint.min_ln_group_odds),
    knob!(joint.extrinsic_share),
    knob!(canceller.sidelobes_over_noise),
    knob!(canceller.min_strong_es_over_n0),
    knob!(canceller.min_modelled_over_chance),
    knob!(canceller.max_ghost_over_noise),
    knob!(canceller.max_interpolation_error),
    knob!(canceller.min_knots),
    knob!(canceller.samples_per_knot),
];

/// Levels at which messages are lost now and then, Eb/N0 in dB: of three frames, of one, and of one under impulses.
const THREE_FRAMES_DB: f64 = 0.5;
const ONE_FRAME_DB: f64 = 5.0;
const UNDER_IMPULSES_DB: f64 = 6.0;
/// Forty clicks a second of 0.2 ms, 30 dB over the noise.
const IMPULSES: [f64; 3] = [40.0, 2e-4, 30.0];
/// Messages that start within half a minute.
const CROWD: u32 = 400;
/// How much stronger the stronger ones of pairs are, 150 to 300 Hz beside.
const NEAR_FAR_DB: f64 = 38.0;
/// What is listened for.
const BIT_RATES: [BitRate; 1] = [BitRate::Bps100];

fn main() -> Result<()> {
    let args = Args::parse();
    println!(
        "| threshold | value | three frames, {THREE_FRAMES_DB} dB | one frame, {ONE_FRAME_DB} dB | impulses, \
         {UNDER_IMPULSES_DB} dB | frames in a crowd | frames beside one {NEAR_FAR_DB} dB stronger | false | candidates | CPU |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    print_row("as it is", None, &args, Tuning::default())?;
    for Knob { name, value, scale } in KNOBS.iter().filter(|knob| knob.name.starts_with(&args.only))
    {
        for &factor in &args.factors {
            let mut tuning = Tuning::default();
            scale(&mut tuning, factor);
            print_row(name, Some(value(&tuning)), &args, tuning)?;
        }
    }
    Ok(())
}

fn print_row(name: &str, value: Option<f64>, args: &Args, tuning: Tuning) -> Result<()> {
    let alone = |frames, eb_over_n0_db, impulses| -> Result<ReceptionCounts> {
        let conditions = Conditions::new(BitRate::Bps100, eb_over_n0_db, frames);
        let impairments = Impairments { impulses, ..Impairments::default() };
        Ok(measure_tuned(&conditions, &impairments, args.messages, 1, tuning)?.messages)
    };
    let pairs = Pairs { level_difference_db: NEAR_FAR_DB, ..Pairs::near_far(Rank::First) };
    let kinds = [
        alone(Rank::Third, THREE_FRAMES_DB, None)?,
        alone(Rank::First, ONE_FRAME_DB, None)?,
        alone(Rank::First, UNDER_IMPULSES_DB, Some(IMPULSES))?,
        in_scenes(args, tuning, |seed| Ok(crowd_scene(CROWD, &BIT_RATES, seed)))?,
        in_scenes(args, tuning, |seed| pairs.scene(seed))?,
    ];
    let lost: Vec<String> = kinds.iter().map(lost).collect();
    let false_positives: usize = kinds.iter().map(|counts| counts.false_positives).sum();
    let noise = Reception::tuned(&empty_scene(args.noise, 1), &BIT_RATES, tuning)?;
    let value = value.map(|value| format!("{value:.3}")).unwrap_or_default();
    println!(
        "| {name} | {value} | {} | {false_positives} | {:.1} | {:.2} |",
        lost.join(" | "),
        noise.statistics.candidates as f64 / args.noise,
        1e3 * noise.cpu_s / args.noise
    );
    Ok(())
}

/// How many frames are heard in scenes of a kind, of all that are sent.
fn in_scenes(
    args: &Args,
    tuning: Tuning,
    scene: impl Fn(u64) -> Result<Scene> + Sync,
) -> Result<ReceptionCounts> {
    let counts = |seed| Ok(frames_of(&Reception::tuned(&scene(seed)?, &BIT_RATES, tuning)?));
    let all: Result<Vec<ReceptionCounts>> = (1..=args.scenes).into_par_iter().map(counts).collect();
    let mut sum = ReceptionCounts::default();
    all?.into_iter().for_each(|counts| sum += counts);
    Ok(sum)
}

/// Frames in place of messages.
fn frames_of(reception: &Reception) -> ReceptionCounts {
    let sent = reception.truth.messages.iter().map(|message| message.frames.len()).sum();
    let heard = reception.messages.iter().map(|message| message.frames.len()).sum();
    ReceptionCounts { sent, heard, ..reception.counts() }
}

/// The share that was lost.
fn lost(counts: &ReceptionCounts) -> String {
    format!("{:.1} %", 100.0 * (1.0 - counts.heard as f64 / counts.sent.max(1) as f64))
}
