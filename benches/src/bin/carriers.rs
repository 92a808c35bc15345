//! Loss of messages whose carriers are those of real transmitters and channels, as a CSV table, beside
//! a plain differential detector that reads the same recordings.
#![allow(clippy::print_stdout, reason = "a program that prints its results")]

use anyhow::Result;
use clap::{Parser, ValueEnum};
use nap_benches::scenarios::crowd_beside_differential;
use nap_benches::{Impairments, LossArgs, measure_beside_differential};
use nap_phy::BitRate;
use nap_phy::scene::ReceptionCounts;
use serde::Serialize;

/// Measures the loss of messages from carriers that wander, fade and are disturbed.
#[derive(Parser)]
struct Args {
    /// Which rows; all if left out.
    #[arg(long, value_enum)]
    table: Vec<Table>,
    /// Messages a row, at least.
    #[arg(long, default_value_t = 60)]
    messages: usize,
    /// Further flags for each row, as for `loss`: `--also "--drift 3 --shape hann"`.
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    also: String,
    /// Start of all randomness.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only rows whose carrier has this in its name.
    #[arg(long, default_value = "")]
    carrier: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Table {
    /// Strong messages on carriers that are not steady.
    Strong,
    /// Three frames, at a first set of levels.
    ThreeMilestones,
    /// Three frames, as deep as they should be heard.
    ThreeGoals,
    /// One frame, at a first set of levels.
    OneMilestones,
    /// One frame, as deep as it should be heard.
    OneGoals,
    /// A hundred devices at a time.
    Crowd,
}

/// A carrier, the flags of `loss` that make it, and its levels in dB: with three frames, with one.
struct Carrier {
    name: &'static str,
    flags: &'static str,
    three_db: &'static [f64],
    one_db: &'static [f64],
}

const fn carrier(
    name: &'static str,
    flags: &'static str,
    three_db: &'static [f64],
    one_db: &'static [f64],
) -> Carrier {
    Carrier { name, flags, three_db, one_db }
}

/// Strong messages: the levels are those that are measured, with three frames or one.
const STRONG: [Carrier; 14] = [
    carrier("+-2 Hz at 1 Hz", "--wobble 2@1", &[20.0], &[]),
    carrier("+-10 Hz at 3 Hz", "--wobble 10@3", &[], &[20.0]),
    carrier("settles from 10 Hz in 150 ms", "--settle 10@0.15", &[10.0, 20.0, 30.0, 40.0], &[]),
    carrier("settles from 5 Hz in 300 ms", "--settle 5@0.3", &[20.0, 40.0], &[]),
    carrier("walk 5 Hz per root second", "--walk 5", &[3.0], &[]),
    carrier("parabola 20 Hz/s^2", "--curvature 20", &[2.0], &[]),
    carrier("Rayleigh 0.3 Hz", "--doppler 0.3", &[8.0], &[]),
    carrier("Rayleigh 1 Hz", "--doppler 1", &[9.0, 20.0], &[]),
    carrier("Rayleigh 3 Hz", "--doppler 3", &[30.0], &[]),
    carrier("impulses 40 a second of 0.2 ms and 30 dB", "--impulses 40@0.0002@30", &[6.0], &[]),
    carrier("rotations of 0.6 symbol, the same way", "--rotation 0.6", &[4.0, 20.0], &[]),
    carrier("bit rate off by 0.3 %", "--bit-rate-error 0.003", &[20.0], &[]),
    carrier("bit rate off by 1 %", "--bit-rate-error 0.01", &[20.0], &[]),
    carrier("+-5 Hz at 3 Hz", "--wobble 5@3", &[8.0], &[]),
];

/// Levels at which 90 % should be heard, or more where there is a third: first milestone and goal, then what is
/// to be heard nearly always.
const FAINT: [Carrier; 19] = [
    carrier("steady", "", &[0.2, -0.8], &[4.9, 4.5]),
    carrier("+-5 Hz at 1 Hz", "--wobble 5@1", &[2.0, 0.5], &[6.5, 5.0]),
    carrier("+-10 Hz at 1 Hz", "--wobble 10@1", &[3.0, 1.5], &[7.0, 5.5]),
    carrier("+-5 Hz at 3 Hz", "--wobble 5@3", &[5.0, 3.0], &[8.0, 6.5]),
    carrier("+-10 Hz at 3 Hz", "--wobble 10@3", &[7.5, 5.5, 15.0], &[10.0, 8.5, 15.0]),
    carrier("+-20 Hz at 3 Hz", "--wobble 20@3 --bit-rate 600", &[2.0, 0.5], &[6.5, 5.5]),
    carrier("settles from 10 Hz in 150 ms", "--settle 10@0.15", &[1.0, -0.3], &[6.0, 5.0]),
    carrier("settles from 40 Hz in 150 ms", "--settle 40@0.15", &[2.0, 0.5], &[7.0, 5.7]),
    carrier(
        "settles from 60 Hz in 100 ms",
        "--settle 60@0.1",
        &[3.0, 1.0, 20.0],
        &[8.0, 6.0, 20.0],
    ),
    carrier("settles from 15 Hz in 1 s", "--settle 15@1", &[1.7, 0.5], &[6.5, 5.2]),
    carrier("walk 5 Hz per root second", "--walk 5", &[2.5, 1.0], &[7.0, 5.7]),
    carrier("parabola 20 Hz/s^2", "--curvature 20", &[2.5, 1.0], &[6.5, 5.2]),
    carrier("line width 0.2 Hz", "--line-width 0.2", &[1.0, 0.0], &[6.5, 5.5]),
    carrier("Rayleigh 0.3 Hz", "--doppler 0.3", &[7.0, 6.0], &[]),
    carrier("Rayleigh 1 Hz", "--doppler 1", &[8.0, 6.5], &[]),
    carrier("Rayleigh 3 Hz", "--doppler 3", &[11.5, 9.5, 30.0], &[]),
    carrier(
        "impulses 40 a second of 0.2 ms and 30 dB",
        "--impulses 40@0.0002@30",
        &[4.0, 1.5],
        &[],
    ),
    carrier("rotations of 0.6 symbol, either way", "--rotation 0.6@either", &[3.0, 1.0, 20.0], &[]),
    carrier("bit rate off by up to 1 %", "--bit-rate-error-up-to 0.01", &[8.0, 4.0, 15.0], &[]),
];

const CROWD: u32 = 100;
const CROWD_FLAGS: &str = "--wobble 5@1";

#[derive(Serialize)]
struct Row<'a> {
    carrier: &'a str,
    /// The command that measures this row alone.
    command: String,
    frames: u8,
    /// Not in a crowd, whose levels differ.
    eb_over_n0_db: Option<f64>,
    sent: usize,
    heard: usize,
    heard_differentially: usize,
    false_positives: usize,
    repeated: usize,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let chosen =
        if args.table.is_empty() { Table::value_variants() } else { args.table.as_slice() };
    let mut writer = csv::Writer::from_writer(std::io::stdout());
    for &table in chosen {
        for (carrier, frames, level_db) in rows(table) {
            if carrier.name.contains(&args.carrier) {
                writer.serialize(row(carrier, frames, level_db, &args)?)?;
                writer.flush()?;
            }
        }
        if table == Table::Crowd && "crowd".contains(&args.carrier) {
            writer.serialize(crowd(&args)?)?;
        }
    }
    Ok(writer.flush()?)
}

/// Carriers, frames and levels of a table.
fn rows(table: Table) -> Vec<(&'static Carrier, u8, f64)> {
    let of = |carriers: &'static [Carrier], frames: u8, wanted: &dyn Fn(usize) -> bool| {
        let levels = |carrier: &'static Carrier| {
            let levels_db = if frames == 1 { carrier.one_db } else { carrier.three_db };
            let levels_db = levels_db.iter().enumerate().filter(|(n, _)| wanted(*n));
            levels_db.map(|(_, &level_db)| (carrier, frames, level_db)).collect::<Vec<_>>()
        };
        carriers.iter().flat_map(levels).collect::<Vec<_>>()
    };
    match table {
        Table::Strong => [of(&STRONG, 3, &|_| true), of(&STRONG, 1, &|_| true)].concat(),
        Table::ThreeMilestones => of(&FAINT, 3, &|n| n != 1),
        Table::ThreeGoals => of(&FAINT, 3, &|n| n == 1),
        Table::OneMilestones => of(&FAINT, 1, &|n| n != 1),
        Table::OneGoals => of(&FAINT, 1, &|n| n == 1),
        Table::Crowd => Vec::new(),
    }
}

fn row<'a>(carrier: &'a Carrier, frames: u8, level_db: f64, args: &Args) -> Result<Row<'a>> {
    let command = [
        "loss",
        carrier.flags,
        &format!("--frames {frames} --eb-over-n0={level_db}"),
        &format!("--messages {} --seed {}", args.messages, args.seed),
        &args.also,
    ];
    let command = words(&command.join(" ")).join(" ");
    let loss = LossArgs::try_parse_from(words(&command))?;
    let conditions = loss.conditions(level_db)?;
    let (outcome, heard_differentially) =
        measure_beside_differential(&conditions, &loss.impairments, loss.messages, loss.seed)?;
    Ok(Row {
        command,
        frames,
        eb_over_n0_db: Some(level_db),
        ..counted(carrier.name, outcome.messages, heard_differentially)
    })
}

fn crowd(args: &Args) -> Result<Row<'static>> {
    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        impairments: Impairments,
    }
    let command = format!(
        "scenarios --scenario crowd_100 --messages {CROWD} {CROWD_FLAGS} --seed {}",
        args.seed
    );
    let Flags { impairments } = Flags::try_parse_from(words(&format!("loss {CROWD_FLAGS}")))?;
    let (counts, heard_differentially) =
        crowd_beside_differential(CROWD, &[BitRate::Bps100], args.seed, &impairments)?;
    let name = "crowd of 100, +-5 Hz at 1 Hz, -130 to -100 dBm";
    Ok(Row { command, frames: 3, ..counted(name, counts, heard_differentially) })
}

fn counted(carrier: &str, counts: ReceptionCounts, heard_differentially: usize) -> Row<'_> {
    Row {
        carrier,
        command: String::new(),
        frames: 0,
        eb_over_n0_db: None,
        sent: counts.sent,
        heard: counts.heard,
        heard_differentially,
        false_positives: counts.false_positives,
        repeated: counts.repeated,
    }
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}
