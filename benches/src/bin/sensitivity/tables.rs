//! The results as CSV files.

use anyhow::Result;
use nap_benches::scenarios::Part;
use nap_benches::{Conditions, Outcome, shape_name};
use serde::Serialize;

use super::grid::{Grid, Ideal, NearFar};

#[derive(Serialize)]
struct LossRow {
    bit_rate: u16,
    frames: u8,
    payload_bytes: usize,
    shape: &'static str,
    max_drift_hz_per_s: f64,
    eb_over_n0_db: f64,
    sent: usize,
    heard: usize,
    /// Messages of which a frame decoded by itself.
    heard_by_a_frame: usize,
    false_positives: usize,
    repeated: usize,
}

#[derive(Serialize)]
struct NearFarRow {
    frames: u8,
    level_difference_db: f64,
    kind: &'static str,
    sent: usize,
    heard: usize,
    false_positives: usize,
    repeated: usize,
}

#[derive(Serialize)]
struct IdealRow {
    frames: usize,
    unknown_bits: usize,
    list: usize,
    eb_over_n0_db: f64,
    loss: f64,
}

/// Names and contents of all tables.
pub fn all(grid: &Grid) -> Result<[(&'static str, Vec<u8>); 3]> {
    let of_sweep = |sweep: &'_ nap_benches::Sweep| {
        let conditions = sweep.conditions;
        sweep.points.iter().map(move |point| loss_row(&conditions, point)).collect::<Vec<_>>()
    };
    Ok([
        ("loss.csv", csv(grid.sweeps.iter().flat_map(of_sweep))?),
        ("near_far.csv", csv(grid.near_far.iter().flat_map(near_far_rows))?),
        ("theory.csv", csv(grid.ideals.iter().flat_map(ideal_rows))?),
    ])
}

fn loss_row(conditions: &Conditions, &(eb_over_n0_db, outcome): &(f64, Outcome)) -> LossRow {
    LossRow {
        bit_rate: conditions.bit_rate.bits_per_s(),
        frames: conditions.frames.number(),
        payload_bytes: conditions.payload_bytes,
        shape: shape_name(conditions.shape),
        max_drift_hz_per_s: conditions.max_drift_hz_per_s,
        eb_over_n0_db,
        sent: outcome.messages.sent,
        heard: outcome.messages.heard,
        heard_by_a_frame: outcome.any_frame,
        false_positives: outcome.messages.false_positives,
        repeated: outcome.messages.repeated,
    }
}

fn near_far_rows(curve: &NearFar) -> Vec<NearFarRow> {
    let row = |level_difference_db: f64, (false_positives, repeated), part: &Part| NearFarRow {
        frames: curve.last.number(),
        level_difference_db,
        kind: part.name,
        sent: part.sent,
        heard: part.heard,
        false_positives,
        repeated,
    };
    let points = curve.points.iter();
    points
        .flat_map(|(difference_db, tally)| {
            let false_ones = (tally.false_positives, tally.repeated);
            tally.parts.iter().map(move |part| row(*difference_db, false_ones, part))
        })
        .collect()
}

fn ideal_rows(ideal: &Ideal) -> Vec<IdealRow> {
    let decoder = &ideal.decoder;
    let row = |&(eb_over_n0_db, loss)| IdealRow {
        frames: decoder.frames,
        unknown_bits: decoder.bits,
        list: decoder.list,
        eb_over_n0_db,
        loss,
    };
    ideal.points.iter().map(row).collect()
}

fn csv(rows: impl Iterator<Item = impl Serialize>) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row)?;
    }
    Ok(writer.into_inner()?)
}
