//! All that is measured and computed.

use anyhow::{Context, Result};
use nap_benches::scenarios::{Pairs, Tally};
use nap_benches::theory::{CoherentDecoder, differential_loss};
use nap_benches::{Conditions, Impairments, Outcome, Sweep};
use nap_phy::scene::Shape;
use nap_phy::{BitRate, LengthClass, Rank};
use rayon::prelude::*;

/// Ranks of the last frame: messages of one frame and of three.
pub const LAST_FRAMES: [Rank; 2] = [Rank::First, Rank::Third];
/// Payloads beside the usual 12 bytes; 0 stands for empty and one-bit messages.
pub const SHORT_PAYLOADS: [usize; 3] = [0, 4, 8];
/// Shapes beside `rect`.
pub const SMOOTH_SHAPES: [Shape; 2] = [Shape::Hann, Shape::S2lp];
/// Largest drifts beside none, Hz/s.
pub const DRIFTS_HZ_PER_S: [f64; 2] = [20.0, 50.0];
/// Largest difference of level of two devices beside each other.
const MAX_DIFFERENCE_DB: f64 = 40.0;

/// Sequences that the check sum chooses from in the ideal decoders, as the receiver's does.
pub const SINGLE_LIST: usize = 32;
/// The same for three frames together.
pub const JOINT_LIST: usize = 8;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    pub messages: usize,
    pub step_db: f64,
    pub difference_step_db: f64,
    pub max_trials: usize,
}

impl Effort {
    pub const FULL: Self =
        Self { messages: 500, step_db: 0.5, difference_step_db: 5.0, max_trials: 20_000 };
    pub const QUICK: Self =
        Self { messages: 100, step_db: 1.0, difference_step_db: 10.0, max_trials: 4000 };
}

/// Loss of the weaker of two devices over their difference of level.
pub struct NearFar {
    pub last: Rank,
    pub points: Vec<(f64, Tally)>,
}

/// Loss of an ideal receiver over Eb/N0.
pub struct Ideal {
    pub decoder: CoherentDecoder,
    pub points: Vec<(f64, f64)>,
}

/// The results.
pub struct Grid {
    pub sweeps: Vec<Sweep>,
    pub near_far: Vec<NearFar>,
    pub ideals: Vec<Ideal>,
}

impl Grid {
    pub fn measure(effort: Effort) -> Result<Self> {
        let ideals = ideal_decoders().into_par_iter().map(|decoder| ideal(decoder, &effort));
        let ideals = ideals.collect();
        let sweeps = all_conditions().into_par_iter().map(|conditions| sweep(conditions, &effort));
        let sweeps = sweeps.collect::<Result<_>>()?;
        let near_far = LAST_FRAMES.into_par_iter().map(|last| near_far(last, &effort));
        Ok(Self { sweeps, near_far: near_far.collect::<Result<_>>()?, ideals })
    }

    /// The sweep under these conditions.
    pub fn sweep(&self, conditions: Conditions) -> Option<&Sweep> {
        self.sweeps.iter().find(|sweep| sweep.conditions == conditions)
    }

    /// The ideal receiver for messages of these conditions, with or without a list.
    pub fn ideal(&self, conditions: &Conditions, has_list: bool) -> Option<&Ideal> {
        let frames = usize::from(conditions.frames.number());
        let (_, class) =
            IDEAL_CLASSES.iter().find(|(bytes, _)| *bytes == conditions.payload_bytes)?;
        let bits = class.container_bits();
        self.ideals.iter().find(|ideal| {
            let decoder = &ideal.decoder;
            (decoder.frames, decoder.bits) == (frames, bits) && (decoder.list > 1) == has_list
        })
    }

    /// Outcomes of all sweeps.
    pub fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.sweeps.iter().flat_map(|sweep| &sweep.points).map(|(_, outcome)| outcome)
    }
}

/// 12-byte messages, rectangular, without drift.
pub fn base(bit_rate: BitRate, last: Rank) -> Conditions {
    Conditions::new(bit_rate, Sweep::start_db(last), last)
}

fn all_conditions() -> Vec<Conditions> {
    let of = |last| {
        let base = base(BitRate::Bps100, last);
        let payload = |payload_bytes| Conditions { payload_bytes, ..base };
        let shape = |shape| Conditions { shape, ..base };
        let drift = |max_drift_hz_per_s| Conditions { max_drift_hz_per_s, ..base };
        let payloads = SHORT_PAYLOADS.map(payload).into_iter();
        let shapes = SMOOTH_SHAPES.map(shape).into_iter();
        let drifts = DRIFTS_HZ_PER_S.map(drift).into_iter();
        let bases = BitRate::ALL.map(|bit_rate| Conditions { bit_rate, ..base }).into_iter();
        bases.chain(payloads).chain(shapes).chain(drifts)
    };
    // The long ones first.
    LAST_FRAMES.into_iter().rev().flat_map(of).collect()
}

fn sweep(conditions: Conditions, effort: &Effort) -> Result<Sweep> {
    let is_base = conditions == base(conditions.bit_rate, conditions.frames);
    let follow_single_frames = is_base && conditions.frames != Rank::First;
    let step_db = if is_base { effort.step_db } else { effort.step_db.max(1.0) };
    let sweep = Sweep::run(conditions, step_db, effort.messages, follow_single_frames)
        .with_context(|| format!("{conditions:?}"))?;
    eprintln!(
        "{} frame(s), {} bit/s, {} bytes, {}, drift {}: {} points",
        conditions.frames,
        conditions.bit_rate,
        conditions.payload_bytes,
        nap_benches::shape_name(conditions.shape),
        conditions.max_drift_hz_per_s,
        sweep.points.len()
    );
    Ok(sweep)
}

fn near_far(last: Rank, effort: &Effort) -> Result<NearFar> {
    let steps = (MAX_DIFFERENCE_DB / effort.difference_step_db) as u32;
    let point = |n| {
        let level_difference_db = f64::from(n) * effort.difference_step_db;
        let pairs = Pairs { level_difference_db, ..Pairs::near_far(last) };
        Ok((level_difference_db, pairs.tally(effort.messages, 1, &Impairments::default())?))
    };
    let points = (0..=steps).into_par_iter().map(point).collect::<Result<_>>()?;
    eprintln!("{last} frame(s) beside a stronger device: {} points", steps + 1);
    Ok(NearFar { last, points })
}

/// Payloads for which ideal receivers are computed, and the classes of their frames.
const IDEAL_CLASSES: [(usize, LengthClass); 2] =
    [(0, LengthClass::EmptyOrBit), (12, LengthClass::NineToTwelveBytes)];

fn ideal_decoders() -> Vec<CoherentDecoder> {
    let of = |(_, class): (_, LengthClass)| {
        let single = CoherentDecoder { frames: 1, bits: class.container_bits(), list: 1 };
        let joint = CoherentDecoder { frames: 3, ..single };
        [
            single,
            CoherentDecoder { list: SINGLE_LIST, ..single },
            joint,
            CoherentDecoder { list: JOINT_LIST, ..joint },
        ]
    };
    IDEAL_CLASSES.into_iter().flat_map(of).collect()
}

/// From nearly all messages lost to nearly none.
fn ideal(decoder: CoherentDecoder, effort: &Effort) -> Ideal {
    let mut points = Vec::new();
    for n in -32..=48 {
        let eb_over_n0_db = 0.25 * f64::from(n);
        let loss = decoder.loss(eb_over_n0_db, effort.max_trials, 1);
        points.push((eb_over_n0_db, loss));
        if loss < 1e-3 {
            break;
        }
    }
    Ideal { decoder, points }
}

/// Loss of any number of frames, each detected differentially and by itself, over Eb/N0.
pub fn differential(frames: i32) -> Vec<(f64, f64)> {
    let bits = LengthClass::NineToTwelveBytes.container_bits();
    let points = (-32..=48).map(|n| 0.25 * f64::from(n));
    points.map(|db| (db, differential_loss(db, bits).powi(frames))).collect()
}
