//! Loss of messages that meet nobody, under given conditions.

use anyhow::Result;
use nap_phy::scene::{Scene, Score, Shape};
use nap_phy::{BitRate, Rank};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

use crate::reception::Reception;
use crate::sender::{
    HALF_BAND_HZ, LEAD_IN_S, PAUSE_S, Sender, empty_scene, frame_s, level_dbm, symmetric,
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
    pub most_drift_hz_per_s: f64,
    /// Symbol clocks are off by up to this, in ppm.
    pub most_clock_error_ppm: f64,
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
            most_drift_hz_per_s: 0.0,
            most_clock_error_ppm: 20.0,
        }
    }

    /// One scene full of messages that do not meet.
    fn scene(&self, seed: u64) -> Result<Scene> {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        let spread_s = SPREAD_SYMBOLS * self.bit_rate.symbol_s();
        let frames = f64::from(self.frames.number());
        let duration_s = 2.0 * LEAD_IN_S + spread_s + frames * (frame_s(self.bit_rate) + PAUSE_S);
        let mut scene = empty_scene(duration_s, seed);
        let slot_hz = SLOT_SYMBOL_RATES * f64::from(self.bit_rate.bits_per_s());
        for slot in 0..(2.0 * HALF_BAND_HZ / slot_hz) as usize {
            let crystal_ppm = symmetric(self.most_clock_error_ppm, &mut rng);
            let carriers = (0..self.frames.number())
                .map(|_| (slot as f64 + rng.random_range(0.35..0.65)) * slot_hz - HALF_BAND_HZ);
            let offsets_hz = carriers.collect();
            let sender = Sender {
                bit_rate: self.bit_rate,
                shape: self.shape,
                level_dbm: level_dbm(self.bit_rate, self.eb_over_n0_db),
                payload_bytes: self.payload_bytes,
                crystal_ppm,
                drift_hz_per_s: symmetric(self.most_drift_hz_per_s, &mut rng),
                time_s: LEAD_IN_S + rng.random_range(0.0..spread_s),
                offsets_hz,
            };
            let device = sender.device(&scene, &mut rng)?;
            scene.devices.push(device);
        }
        Ok(scene)
    }
}

/// What came of an experiment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Messages sent and heard.
    pub messages: Score,
    /// Messages sent of which at least one frame decoded by itself.
    pub any_frame: usize,
    /// Frames that decoded by themselves.
    pub frames: usize,
}

impl Outcome {
    /// Share of the messages that were not heard.
    #[must_use]
    pub fn loss(&self) -> f64 {
        1.0 - self.messages.heard as f64 / self.messages.sent.max(1) as f64
    }
}

/// Sends at least `messages` messages and counts what is heard. The receiver knows no device and
/// searches for their bit rate only.
///
/// # Errors
/// When a scene or the receiver cannot be set up.
pub fn measure(conditions: &Conditions, messages: usize, seed: u64) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    for round in 0.. {
        if outcome.messages.sent >= messages {
            break;
        }
        let scene = conditions.scene(seed.wrapping_mul(1000) + round)?;
        let mut reception = Reception::of(&scene, &[conditions.bit_rate])?;
        let score = reception.score();
        outcome.messages.sent += score.sent;
        outcome.messages.heard += score.heard;
        outcome.messages.repeated += score.repeated;
        outcome.messages.invented += score.invented;
        let frames = reception.messages.iter().flat_map(|message| &message.frames);
        outcome.frames += frames.filter(|frame| frame.crc_ok).count();
        reception.messages.retain(|message| message.frames.iter().any(|frame| frame.crc_ok));
        outcome.any_frame += reception.score().heard;
    }
    Ok(outcome)
}
