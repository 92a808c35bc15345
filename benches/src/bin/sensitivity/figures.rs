//! The results as pictures.

use nap_benches::{Conditions, Outcome, Sweep, shape_name};
use nap_phy::{BitRate, Rank};
use nap_plot::loss_chart::{Chart, Curve, Panel, Point};

use super::grid::{
    DRIFTS_HZ_PER_S, Grid, JOINT_LIST, LAST_FRAMES, SHORT_PAYLOADS, SINGLE_LIST, SMOOTH_SHAPES,
    base, differential,
};

const BLUE: &str = "#0072b2";
const RED: &str = "#d55e00";
const GREEN: &str = "#009e73";
const PURPLE: &str = "#aa4499";
/// Of measurements, in the order of a figure's conditions.
const COLORS: [&str; 4] = [BLUE, GREEN, RED, PURPLE];
const DASHED: &str = "9 5";
const DOTTED: &str = "2 4";

/// Names and contents of all pictures.
pub fn all(grid: &Grid) -> Vec<(&'static str, Chart)> {
    vec![
        ("frames.png", frames(grid)),
        ("payload.png", payload(grid)),
        ("shape.png", shape(grid)),
        ("drift.png", drift(grid)),
        ("near_far.png", near_far(grid)),
    ]
}

fn frames(grid: &Grid) -> Chart {
    let panel = |bit_rate: BitRate| {
        let [single, joint] = LAST_FRAMES.map(|last| base(bit_rate, last));
        let any = grid.sweep(joint).map(|sweep| {
            let lost = |outcome: &Outcome| outcome.messages.sent - outcome.any_frame;
            measured("any of three frames by itself", GREEN, sweep, lost)
        });
        let curves = [
            Some(line("one frame, ideal differential", BLUE, DOTTED, &differential(1))),
            Some(line("any of three, ideal differential", GREEN, DOTTED, &differential(3))),
            ideal(grid, &single, true, BLUE),
            ideal(grid, &joint, false, RED),
            ideal(grid, &joint, true, PURPLE),
            lost(grid, single, "one frame", BLUE),
            any,
            lost(grid, joint, "three frames together", RED),
        ];
        let zero_dbm = -168.0 + 10.0 * f64::from(bit_rate.bits_per_s()).log10();
        let title = format!("{bit_rate} bit/s (0 dB is \u{2212}{:.1} dBm)", -zero_dbm);
        panel(&title, curves.into_iter().flatten().collect())
    };
    chart(
        "Messages of 12 bytes lost in white noise",
        "Carrier, start and drift unknown, no key known; levels at a noise figure of 6 dB. Bars: 95 % \
         confidence; hollow: no loss.",
        BitRate::ALL.map(panel),
    )
}

fn payload(grid: &Grid) -> Chart {
    let conditions =
        |last, payload_bytes| Conditions { payload_bytes, ..base(BitRate::Bps100, last) };
    let label = |payload_bytes| match payload_bytes {
        0 => "no payload".to_owned(),
        bytes => format!("{bytes} bytes"),
    };
    let panel = |last| {
        let mut curves: Vec<Curve> = Vec::new();
        for (payload_bytes, color) in [(0, COLORS[0]), (12, COLORS[3])] {
            let ideal = ideal(grid, &conditions(last, payload_bytes), true, color);
            let label = format!("{}, ideal coherent, list", label(payload_bytes));
            curves.extend(ideal.map(|curve| Curve { label, ..curve }));
        }
        for (payload_bytes, color) in SHORT_PAYLOADS.into_iter().chain([12]).zip(COLORS) {
            let label = label(payload_bytes);
            curves.extend(lost(grid, conditions(last, payload_bytes), &label, color));
        }
        panel(frames_title(last), curves)
    };
    chart("Loss by payload", UNDER_100, LAST_FRAMES.map(panel))
}

fn shape(grid: &Grid) -> Chart {
    let panel = |last| {
        let base = base(BitRate::Bps100, last);
        let shapes = [base.shape].into_iter().chain(SMOOTH_SHAPES);
        let curves = shapes.zip(COLORS).filter_map(|(shape, color)| {
            lost(grid, Conditions { shape, ..base }, shape_name(shape), color)
        });
        panel(frames_title(last), curves.collect())
    };
    chart("Loss by the transmitter's pulse shape", UNDER_100, LAST_FRAMES.map(panel))
}

fn drift(grid: &Grid) -> Chart {
    let panel = |last| {
        let base = base(BitRate::Bps100, last);
        let drifts = [0.0].into_iter().chain(DRIFTS_HZ_PER_S);
        let curves = drifts.zip(COLORS).filter_map(|(max_drift_hz_per_s, color)| {
            let label = match max_drift_hz_per_s {
                0.0 => "no drift".to_owned(),
                drift => format!("drift up to ±{drift} Hz/s"),
            };
            lost(grid, Conditions { max_drift_hz_per_s, ..base }, &label, color)
        });
        panel(frames_title(last), curves.collect())
    };
    chart("Loss by drift of the carrier", UNDER_100, LAST_FRAMES.map(panel))
}

fn near_far(grid: &Grid) -> Chart {
    let curves = grid.near_far.iter().zip([BLUE, RED]).map(|(curve, color)| {
        let points = curve.points.iter().filter_map(|(difference_db, tally)| {
            let weak = tally.parts.first()?;
            Some(Point::counted(*difference_db, weak.sent - weak.heard, weak.sent))
        });
        Curve {
            label: format!("messages of {}", frames_title(curve.last).to_lowercase()),
            color,
            dashes: "",
            is_measured: true,
            points: points.collect(),
        }
    });
    let panel = Panel {
        title: "The weaker one has an Eb/N0 of 15 dB".to_owned(),
        x_title: "How much stronger the other one is (dB)".to_owned(),
        x: (0.0, 40.0),
        x_step: 5.0,
        curves: curves.collect(),
    };
    Chart {
        title: "Loss beside a stronger device".to_owned(),
        subtitle: "150 to 300 Hz away, throughout all frames; 100 bit/s, 12 bytes, rect."
            .to_owned(),
        panels: vec![panel],
    }
}

const UNDER_100: &str = "100 bit/s, white noise, carrier, start and drift unknown, no key known. \
                         Bars: 95 % confidence; hollow: no loss.";

fn chart(title: &str, subtitle: &str, panels: [Panel; 2]) -> Chart {
    Chart { title: title.to_owned(), subtitle: subtitle.to_owned(), panels: panels.into() }
}

fn panel(title: &str, curves: Vec<Curve>) -> Panel {
    Panel {
        title: title.to_owned(),
        x_title: "Eb/N0 of a frame (dB)".to_owned(),
        x: (-6.0, 10.0),
        x_step: 2.0,
        curves,
    }
}

fn frames_title(last: Rank) -> &'static str {
    match last {
        Rank::First => "One frame",
        Rank::Second => "Two frames",
        Rank::Third => "Three frames",
    }
}

fn lost(grid: &Grid, conditions: Conditions, label: &str, color: &'static str) -> Option<Curve> {
    let lost = |outcome: &Outcome| outcome.messages.sent - outcome.messages.heard;
    grid.sweep(conditions).map(|sweep| measured(label, color, sweep, lost))
}

fn measured(
    label: &str,
    color: &'static str,
    sweep: &Sweep,
    lost: impl Fn(&Outcome) -> usize,
) -> Curve {
    let point =
        |(db, outcome): &(f64, Outcome)| Point::counted(*db, lost(outcome), outcome.messages.sent);
    // From the last loss on, one point is enough.
    let last = sweep.points.iter().rposition(|(_, outcome)| lost(outcome) > 0);
    let shown = last.map_or(1, |last| last + 2).min(sweep.points.len());
    Curve {
        label: label.to_owned(),
        color,
        dashes: "",
        is_measured: true,
        points: sweep.points[..shown].iter().map(point).collect(),
    }
}

fn ideal(
    grid: &Grid,
    conditions: &Conditions,
    has_list: bool,
    color: &'static str,
) -> Option<Curve> {
    let label = match (conditions.frames, has_list) {
        (Rank::First, false) => "one frame, ideal coherent".to_owned(),
        (Rank::First, true) => format!("one frame, ideal coherent, list of {SINGLE_LIST}"),
        (_, false) => "three frames, coherent maximum likelihood".to_owned(),
        (_, true) => format!("the same, list of {JOINT_LIST}"),
    };
    let ideal = grid.ideal(conditions, has_list)?;
    Some(line(&label, color, DASHED, &ideal.points))
}

fn line(label: &str, color: &'static str, dashes: &'static str, points: &[(f64, f64)]) -> Curve {
    Curve {
        label: label.to_owned(),
        color,
        dashes,
        is_measured: false,
        points: points.iter().map(|&(x, loss)| Point::exact(x, loss)).collect(),
    }
}
