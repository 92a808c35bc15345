//! The page that shows tables and pictures.

use std::fmt::Write as _;

use nap_benches::{Conditions, crossing, shape_name};
use nap_phy::Rank;

use super::grid::{Grid, JOINT_LIST, SINGLE_LIST, base};

pub fn text(grid: &Grid) -> String {
    let messages = grid.outcomes().map(|outcome| outcome.messages.sent).min().unwrap_or(0);
    let sum = |count: fn(&nap_phy::scene::ReceptionCounts) -> usize| -> usize {
        grid.outcomes().map(|outcome| count(&outcome.messages)).sum()
    };
    include_str!("page.md")
        .replace("{messages}", &messages.to_string())
        .replace("{thresholds}", thresholds(grid).trim_end())
        .replace("{single_list}", &SINGLE_LIST.to_string())
        .replace("{joint_list}", &JOINT_LIST.to_string())
        .replace("{sent}", &sum(|counts| counts.sent).to_string())
        .replace("{false_positives}", &sum(|counts| counts.false_positives).to_string())
        .replace("{repeated}", &sum(|counts| counts.repeated).to_string())
}

fn thresholds(grid: &Grid) -> String {
    let mut rows = String::new();
    for sweep in &grid.sweeps {
        let ideal = grid.ideal(&sweep.conditions, true);
        let reached = |loss| decibels(sweep.threshold_db(loss));
        let ideal = |loss| decibels(ideal.and_then(|ideal| crossing(&ideal.points, loss)));
        // Writing to a string does not fail.
        let _ = writeln!(
            rows,
            "| {} | {} | {} | {} | {} |",
            name(&sweep.conditions),
            reached(0.1),
            reached(0.01),
            ideal(0.1),
            ideal(0.01)
        );
    }
    rows
}

fn decibels(value: Option<f64>) -> String {
    value.map_or_else(String::new, |db| format!("{db:.1}"))
}

fn name(conditions: &Conditions) -> String {
    let frames = match conditions.frames {
        Rank::First => "one frame",
        Rank::Second => "two frames",
        Rank::Third => "three frames",
    };
    let mut name = format!("{frames}, {} bit/s", conditions.bit_rate);
    let usual = base(conditions.bit_rate, conditions.frames);
    if conditions.payload_bytes != usual.payload_bytes {
        let _ = write!(name, ", {} bytes", conditions.payload_bytes);
    }
    if conditions.shape != usual.shape {
        let _ = write!(name, ", `{}`", shape_name(conditions.shape));
    }
    if conditions.max_drift_hz_per_s > 0.0 {
        let _ = write!(name, ", drift up to ±{} Hz/s", conditions.max_drift_hz_per_s);
    }
    name
}
