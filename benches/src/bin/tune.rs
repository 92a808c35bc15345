//! Changes one threshold of the receiver at a time and prints what that costs, as a table.
#![allow(clippy::print_stdout, reason = "a program that prints its results")]

use anyhow::Result;
use clap::Parser;
use nap_benches::scenarios::{Pairs, crowd_scene};
use nap_benches::{Air, Conditions, Impairments, Reception, empty_scene, scenes};
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

/// A knob of a parameter of all models of how carriers wander; the table has that of the widest.
macro_rules! model_knob {
    ($parameter:ident) => {
        Knob {
            name: concat!("demodulator.models.", stringify!($parameter)),
            value: |tuning| tuning.demodulator.models.last().map_or(0.0, |m| m.$parameter as f64),
            scale: |tuning, factor| {
                for model in &mut tuning.demodulator.models {
                    model.$parameter = (model.$parameter as f64 * factor) as _;
                }
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
    knob!(detector.knee),
    knob!(detector.min_snr_per_deviation),
    knob!(detector.max_clear_snr),
    knob!(detector.min_lines_over_energy),
    knob!(detector.min_faded_lines_over_energy),
    knob!(detector.max_before),
    knob!(detector.deviations_before),
    knob!(min_correlation),
    knob!(competing_distance),
    knob!(faint_correlation),
    knob!(certain_correlation),
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
    knob!(synchronizer.max_differential_correlation),
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
    knob!(demodulator.max_clock_error),
    knob!(demodulator.clock_step),
    knob!(demodulator.min_clock_deviations),
    knob!(demodulator.min_clock_gain),
    knob!(demodulator.max_es_over_n0),
    model_knob!(reach),
    model_knob!(step_probability),
    model_knob!(jitter_probability),
    model_knob!(fade_probability),
    knob!(demodulator.fading.power),
    knob!(demodulator.fading.shallow),
    knob!(demodulator.steady_symbols),
    knob!(demodulator.level_step),
    knob!(demodulator.level_descent),
    knob!(demodulator.min_ln_likelihood_ratio),
    knob!(demodulator.coarse_ln_ratio),
    knob!(demodulator.clear_ln_likelihood_ratio),
    knob!(demodulator.ln_ratio_per_step),
    knob!(demodulator.clear_sign),
    knob!(demodulator.open_sign),
    knob!(demodulator.open_symbols),
    knob!(demodulator.min_interference_ratio),
    knob!(decoder.priors.known_llr_clip),
    knob!(decoder.priors.ln_places),
    knob!(decoder.priors.periodic_share),
    knob!(decoder.min_clock_correlation),
    knob!(decoder.faded_share),
    knob!(decoder.max_posterior),
    knob!(decoder.group_odds),
    knob!(decoder.max_group_odds),
    knob!(decoder.iterated_leeway),
    knob!(decoder.max_decisions),
    knob!(joint.max_level_ratio_db),
    knob!(joint.min_parity_agreement),
    knob!(joint.min_es_over_n0),
    knob!(joint.pause_tolerance),
    knob!(joint.min_ln_sibling_ratio),
    knob!(joint.min_sibling_share),
    knob!(joint.min_ln_group_odds),
    knob!(joint.extrinsic_share),
    knob!(joint.half_turn_cost),
    knob!(joint.rounds),
    knob!(joint.max_iterated_groups),
    knob!(canceller.sidelobes_over_noise),
    knob!(canceller.min_strong_es_over_n0),
    knob!(canceller.min_modelled_over_chance),
    knob!(canceller.max_ghost_over_noise),
    knob!(canceller.max_interpolation_error),
    knob!(canceller.min_knots),
    knob!(canceller.samples_per_knot),
];

/// Messages that meet nobody, at a level at which some are lost.
struct Alone {
    name: &'static str,
    frames: Rank,
    eb_over_n0_db: f64,
    impair: fn(&mut Impairments),
    /// How many, as a share of those asked for: what takes long is sent less often.
    share: f64,
}

const ALONE: &[Alone] = &[
    Alone {
        name: "three frames",
        frames: Rank::Third,
        eb_over_n0_db: 0.5,
        impair: |_| (),
        share: 1.0,
    },
    Alone {
        name: "one frame",
        frames: Rank::First,
        eb_over_n0_db: 5.0,
        impair: |_| (),
        share: 1.0,
    },
    // Forty clicks a second of 0.2 ms, 30 dB over the noise.
    Alone {
        name: "one frame, impulses",
        frames: Rank::First,
        eb_over_n0_db: 6.0,
        impair: |flags| flags.impulses = Some([40.0, 2e-4, 30.0]),
        share: 1.0,
    },
    Alone {
        name: "three frames, fading of 1 Hz",
        frames: Rank::Third,
        eb_over_n0_db: 8.0,
        impair: |flags| flags.doppler = Some(1.0),
        share: 0.5,
    },
    Alone {
        name: "one frame, settling from 60 Hz in 0.1 s",
        frames: Rank::First,
        eb_over_n0_db: 8.0,
        impair: |flags| flags.settle = Some([60.0, 0.1]),
        share: 1.0,
    },
    Alone {
        name: "one frame, clock off by 1 %",
        frames: Rank::First,
        eb_over_n0_db: 6.0,
        impair: |flags| flags.bit_rate_error = 0.01,
        share: 1.0,
    },
];

/// Messages that start within half a minute.
const CROWD: u32 = 200;
/// How much stronger the stronger ones of pairs are, 150 to 300 Hz beside.
const NEAR_FAR_DB: f64 = 38.0;
/// What is listened for.
const BIT_RATES: [BitRate; 1] = [BitRate::Bps100];

fn main() -> Result<()> {
    let args = Args::parse();
    let columns = columns(&args)?;
    let titles: Vec<&str> = columns.iter().map(|column| column.title.as_str()).collect();
    println!("| threshold | is | set to | {} | false | candidates | CPU |", titles.join(" | "));
    println!("| --- |{}", " ---: |".repeat(titles.len() + 5));
    print_row("as it is", " | ", &args, &columns, Tuning::default())?;
    for Knob { name, value, scale } in KNOBS.iter().filter(|knob| knob.name.starts_with(&args.only))
    {
        for &factor in &args.factors {
            let mut tuning = Tuning::default();
            scale(&mut tuning, factor);
            let values = [Tuning::default(), tuning].map(|tuning| value(&tuning));
            print_row(name, &values.map(written).join(" | "), &args, &columns, tuning)?;
        }
    }
    Ok(())
}

/// A column of the table: what is received for it, and what of that is counted.
struct Column {
    title: String,
    airs: Vec<Air>,
    counts: fn(&Reception) -> ReceptionCounts,
}

/// All columns; their scenes are rendered once.
fn columns(args: &Args) -> Result<Vec<Column>> {
    let column = |title, scenes: Vec<Scene>, counts| -> Result<Column> {
        let airs: Result<Vec<Air>> = scenes.into_par_iter().map(Air::of).collect();
        Ok(Column { title, airs: airs?, counts })
    };
    let mut columns = Vec::new();
    for alone in ALONE {
        let title = format!("{}, {} dB", alone.name, alone.eb_over_n0_db);
        columns.push(column(title, alone.scenes(args.messages)?, Reception::counts)?);
    }
    let crowds = (1..=args.scenes).map(|seed| crowd_scene(CROWD, &BIT_RATES, seed)).collect();
    columns.push(column("frames in a crowd".to_owned(), crowds, frames_of)?);
    let pairs = Pairs { level_difference_db: NEAR_FAR_DB, ..Pairs::near_far(Rank::First) };
    let near_far: Result<Vec<Scene>> = (1..=args.scenes).map(|seed| pairs.scene(seed)).collect();
    let title = format!("frames beside one {NEAR_FAR_DB} dB stronger");
    columns.push(column(title, near_far?, frames_of)?);
    Ok(columns)
}

impl Alone {
    fn scenes(&self, messages: usize) -> Result<Vec<Scene>> {
        let conditions = Conditions::new(BitRate::Bps100, self.eb_over_n0_db, self.frames);
        let mut impairments = Impairments::default();
        (self.impair)(&mut impairments);
        scenes(&conditions, &impairments, (self.share * messages as f64) as usize, 1)
    }
}

/// A threshold as the table has it, with three digits at least.
fn written(value: f64) -> String {
    if value != 0.0 && value.abs() < 0.1 { format!("{value:.2e}") } else { format!("{value:.3}") }
}

fn print_row(
    name: &str,
    values: &str,
    args: &Args,
    columns: &[Column],
    tuning: Tuning,
) -> Result<()> {
    let kinds: Result<Vec<ReceptionCounts>> =
        columns.par_iter().with_max_len(1).map(|column| column.receive(tuning)).collect();
    let kinds = kinds?;
    let lost: Vec<String> = kinds.iter().map(lost).collect();
    let false_positives: usize = kinds.iter().map(|counts| counts.false_positives).sum();
    let noise = Reception::tuned(&empty_scene(args.noise, 1), &BIT_RATES, tuning)?;
    println!(
        "| {name} | {values} | {} | {false_positives} | {:.1} | {:.2} |",
        lost.join(" | "),
        noise.statistics.candidates as f64 / args.noise,
        1e3 * noise.cpu_s / args.noise
    );
    Ok(())
}

impl Column {
    /// How many are heard with a tuning, of all that are sent.
    fn receive(&self, tuning: Tuning) -> Result<ReceptionCounts> {
        let counts = |air: &Air| Ok((self.counts)(&air.receive(&BIT_RATES, tuning)?));
        let all: Result<Vec<ReceptionCounts>> =
            self.airs.par_iter().with_max_len(1).map(counts).collect();
        let mut sum = ReceptionCounts::default();
        all?.into_iter().for_each(|counts| sum += counts);
        Ok(sum)
    }
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
