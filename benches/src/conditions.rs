//! Loss of messages that meet nobody, under given conditions.

use std::ops::Range;

use anyhow::Result;
use nap_phy::scene::{ReceptionCounts, Scene, Shape};
use nap_phy::{BitRate, Rank};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;
use rayon::prelude::*;

use crate::differential::heard_differentially;
use crate::impairments::Impairments;
use crate::reception::Reception;
use crate::sender::{
    HALF_BAND_HZ, LEAD_IN_S, PAUSE_S, SAMPLE_RATE_HZ, Sender, empty_scene, frame_s, level_dbm,
    symmetric,
};

/// Room for one message in frequency, in symbol rates: its frames never meet its neighbour's.
const SLOT_SYMBOL_RATES: f64 = 32.0;
/// Time over which the messages' starts are spread, in symbols.
const SPREAD_SYMBOLS: f64 = 60.0;

/// The conditions under which messages are sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conditions {
    /// Bit rate.
    pub bit_rate: BitRate,
    /// Energy of a bit of one frame over the noise density, dB.
    pub eb_over_n0_db: f64,
    /// Frames a message, 1 to 3.
    pub frames: Rank,
    /// Payload of a message.
    pub payload_bytes: usize,
    /// How the transmitters turn the phase.
    pub shape: Shape,
    /// Drifts are uniform between minus and plus this.
    pub max_drift_hz_per_s: f64,
    /// Symbol clocks are off by up to this, in ppm.
    pub max_clock_error_ppm: f64,
    /// Samples a second. Of a band that is narrower than the channel, messages are all over it.
    pub sample_rate_hz: f64,
}

impl Conditions {
    /// 12-byte messages of `frames` frames, ±20 ppm, rectangular, no drift.
    #[must_use]
    pub fn new(bit_rate: BitRate, eb_over_n0_db: f64, frames: Rank) -> Self {
        Self {
            bit_rate,
            eb_over_n0_db,
            frames,
            payload_bytes: 12,
            shape: Shape::Rect,
            max_drift_hz_per_s: 0.0,
            max_clock_error_ppm: 20.0,
            sample_rate_hz: SAMPLE_RATE_HZ,
        }
    }

    fn symbol_rate_hz(&self) -> f64 {
        f64::from(self.bit_rate.bits_per_s())
    }

    /// Half of the band in which carriers lie: in a narrow one, as near to its edge as can be simulated.
    fn half_band_hz(&self) -> f64 {
        HALF_BAND_HZ.min(self.sample_rate_hz / 2.0 - self.symbol_rate_hz())
    }

    fn slot_hz(&self) -> f64 {
        (SLOT_SYMBOL_RATES * self.symbol_rate_hz()).min(2.0 * self.half_band_hz())
    }

    fn messages_per_scene(&self) -> usize {
        (2.0 * self.half_band_hz() / self.slot_hz()) as usize
    }

    /// Where in its slot a carrier may lie: anywhere, if nobody is beside it.
    fn places_in_slot(&self) -> Range<f64> {
        if self.messages_per_scene() > 1 { 0.35..0.65 } else { 0.0..1.0 }
    }

    /// One scene full of messages that do not meet.
    fn scene(&self, impairments: &Impairments, seed: u64) -> Result<Scene> {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        let spread_s = SPREAD_SYMBOLS * self.bit_rate.symbol_s();
        let frames = f64::from(self.frames.number());
        let duration_s = 2.0 * LEAD_IN_S + spread_s + frames * (frame_s(self.bit_rate) + PAUSE_S);
        let mut scene =
            Scene { sample_rate_hz: self.sample_rate_hz, ..empty_scene(duration_s, seed) };
        let (slot_hz, lowest_hz) = (self.slot_hz(), -self.half_band_hz());
        for slot in 0..self.messages_per_scene() {
            let crystal_ppm = symmetric(self.max_clock_error_ppm, &mut rng);
            let carriers = (0..self.frames.number()).map(|_| {
                lowest_hz + (slot as f64 + rng.random_range(self.places_in_slot())) * slot_hz
            });
            let offsets_hz = carriers.collect();
            let sender = Sender {
                bit_rate: self.bit_rate,
                shape: self.shape,
                level_dbm: level_dbm(self.bit_rate, self.eb_over_n0_db),
                payload_bytes: self.payload_bytes,
                crystal_ppm,
                drift_hz_per_s: symmetric(self.max_drift_hz_per_s, &mut rng),
                pause_s: PAUSE_S,
                time_s: LEAD_IN_S + rng.random_range(0.0..spread_s),
                offsets_hz,
            };
            let device = sender.device(&scene, &mut rng)?;
            scene.devices.push(device);
        }
        impairments.apply(&mut scene)?;
        Ok(scene)
    }
}

/// What came of an experiment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Messages sent and heard.
    pub messages: ReceptionCounts,
    /// Messages sent of which at least one frame decoded by itself.
    pub any_frame: usize,
    /// Frames that decoded by themselves.
    pub frames: usize,
}

impl Outcome {
    fn of(mut reception: Reception) -> Self {
        let messages = reception.counts();
        let frames = reception.messages.iter().flat_map(|message| &message.frames);
        let frames = frames.filter(|frame| frame.crc_ok).count();
        reception.messages.retain(|message| message.frames.iter().any(|frame| frame.crc_ok));
        Self { messages, any_frame: reception.counts().heard, frames }
    }

    /// Share of the messages that were not heard.
    #[must_use]
    pub fn loss(&self) -> f64 {
        1.0 - self.messages.heard as f64 / self.messages.sent.max(1) as f64
    }

    /// Share of the messages of which no frame decoded by itself.
    #[must_use]
    pub fn any_frame_loss(&self) -> f64 {
        1.0 - self.any_frame as f64 / self.messages.sent.max(1) as f64
    }

    fn add(mut self, other: Self) -> Self {
        self.messages += other.messages;
        self.any_frame += other.any_frame;
        self.frames += other.frames;
        self
    }
}

/// Sends at least `messages` messages and counts what is heard. The receiver knows no device and
/// searches for their bit rate only. Scenes are worked on in parallel.
///
/// # Errors
/// When a scene or the receiver cannot be set up.
pub fn measure(
    conditions: &Conditions,
    impairments: &Impairments,
    messages: usize,
    seed: u64,
) -> Result<Outcome> {
    let received = each_scene(conditions, impairments, messages, seed, |scene| {
        Ok(Outcome::of(Reception::of(&scene, &[conditions.bit_rate])?))
    })?;
    Ok(received.into_iter().fold(Outcome::default(), Outcome::add))
}

/// The same, and how many of the messages a plain differential detector reads: see
/// [`heard_differentially`].
///
/// # Errors
/// When a scene or the receiver cannot be set up.
pub fn measure_beside_differential(
    conditions: &Conditions,
    impairments: &Impairments,
    messages: usize,
    seed: u64,
) -> Result<(Outcome, usize)> {
    let received = each_scene(conditions, impairments, messages, seed, |scene| {
        let heard = heard_differentially(&scene)?;
        Ok((Outcome::of(Reception::of(&scene, &[conditions.bit_rate])?), heard))
    })?;
    let none = (Outcome::default(), 0);
    Ok(received.into_iter().fold(none, |sum, new| (sum.0.add(new.0), sum.1 + new.1)))
}

/// Scenes with at least `messages` messages together, none of which meet.
///
/// # Errors
/// When one cannot be set up.
pub fn scenes(
    conditions: &Conditions,
    impairments: &Impairments,
    messages: usize,
    seed: u64,
) -> Result<Vec<Scene>> {
    let rounds = messages.div_ceil(conditions.messages_per_scene()) as u64;
    let scene = |round| conditions.scene(impairments, seed.wrapping_mul(1000) + round);
    (0..rounds).map(scene).collect()
}

/// What comes of such scenes.
fn each_scene<T: Send>(
    conditions: &Conditions,
    impairments: &Impairments,
    messages: usize,
    seed: u64,
    work: impl Fn(Scene) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    scenes(conditions, impairments, messages, seed)?.into_par_iter().map(&work).collect()
}
