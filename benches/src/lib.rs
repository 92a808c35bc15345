//! Experiments on the receiver with the simulated channel, shared by the sensitivity harness and its
//! snapshot test.

use anyhow::Result;
use nap_phy::scene::{Scene, SceneDevice, SceneMessage, Score, Shape};
use nap_phy::{
    BitRate, DeviceId, Event, Key, Kind, Message, RadioConfiguration, Rank, Receiver,
    ReceiverConfig,
};
use num_complex::Complex32;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

const SAMPLE_RATE_HZ: f64 = 250_000.0;
const NOISE_FIGURE_DB: f64 = 6.0;
const FULL_SCALE_DBM: f64 = -90.0;
/// Room for one message in frequency, in symbol rates: its frames never meet its neighbour's.
const SLOT_SYMBOL_RATES: f64 = 32.0;
/// Half of the band in which carriers lie.
const HALF_BAND_HZ: f64 = 95_000.0;
const PAUSE_S: f64 = 0.3;
const BLOCK: usize = 65_536;

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

    /// Power at the antenna for this Eb/N0, with noise at -174 dBm/Hz and the noise figure.
    fn level_dbm(&self) -> f64 {
        let rate_db = 10.0 * f64::from(self.bit_rate.bits_per_s()).log10();
        self.eb_over_n0_db - 174.0 + NOISE_FIGURE_DB + rate_db
    }

    /// One scene full of messages that do not meet.
    fn scene(&self, seed: u64) -> Result<Scene> {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        let rate = f64::from(self.bit_rate.bits_per_s());
        // Preamble, frame type, header, device, longest tag and check sum: at most 210 symbols.
        let frame_s = 212.0 / rate;
        let spread_s = 60.0 / rate;
        let frames = f64::from(self.frames.number());
        let duration_s = 0.5 + spread_s + frames * (frame_s + PAUSE_S);
        let mut scene: Scene = empty_scene(duration_s, seed);
        let slot_hz = SLOT_SYMBOL_RATES * rate;
        let slots = (2.0 * HALF_BAND_HZ / slot_hz) as usize;
        for slot in 0..slots {
            let ppm = self.most_clock_error_ppm;
            let crystal_ppm = if ppm > 0.0 { rng.random_range(-ppm..ppm) } else { 0.0 };
            let drift = self.most_drift_hz_per_s;
            let frequencies_hz = (0..self.frames.number())
                .map(|_| {
                    let inside = rng.random_range(0.35..0.65);
                    let offset_hz = (slot as f64 + inside) * slot_hz - HALF_BAND_HZ;
                    // The crystal's error comes on top of what the device means to send.
                    (scene.center_hz() + offset_hz) / (1.0 + crystal_ppm * 1e-6)
                })
                .collect();
            let payload: String = (0..self.payload_bytes)
                .map(|_| format!("{:02x}", rng.random_range(0..=u8::MAX)))
                .collect();
            let kind = if payload.is_empty() { Kind::Empty } else { Kind::Bytes };
            scene.devices.push(SceneDevice {
                id: DeviceId(rng.random_range(0..=u32::MAX)),
                key: Key::from_bytes(rng.random()),
                radio_configuration: None,
                bit_rate: Some(self.bit_rate),
                shape: self.shape,
                level_dbm: self.level_dbm(),
                crystal_ppm,
                drift_hz_per_s: if drift > 0.0 { rng.random_range(-drift..drift) } else { 0.0 },
                pause_s: PAUSE_S,
                random_value: 0,
                doppler_hz: None,
                messages: vec![SceneMessage {
                    time_s: 0.25 + rng.random_range(0.0..spread_s),
                    sequence_number: Some(nap_phy::MessageCounter::new(rng.random_range(0..4096))?),
                    kind,
                    payload,
                    bidirectional: false,
                    voltage_idle_mv: None,
                    voltage_tx_mv: None,
                    temperature_decidegree_c: None,
                    rssi_dbm_at_device: None,
                    frames: Some(self.frames),
                    frequencies_hz: Some(frequencies_hz),
                    level_dbm: None,
                }],
            });
        }
        Ok(scene)
    }
}

/// An empty RC1 channel.
fn empty_scene(duration_s: f64, seed: u64) -> Scene {
    Scene {
        sample_rate_hz: SAMPLE_RATE_HZ,
        center_hz: None,
        duration_s,
        full_scale_dbm: FULL_SCALE_DBM,
        noise_figure_db: NOISE_FIGURE_DB,
        seed,
        dc_offset_dbfs: None,
        iq_gain_db: 0.0,
        iq_phase_deg: 0.0,
        quantisation_bits: None,
        radio_configuration: RadioConfiguration::Rc1,
        devices: Vec::new(),
        traffic: None,
        interferers: Vec::new(),
    }
}

/// What came of an experiment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Messages sent and heard.
    pub messages: Score,
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

/// Sends at least `messages` messages and counts what is heard. The receiver knows no device.
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
        let (score, heard) = hear(&scene, Some(conditions.bit_rate))?;
        outcome.messages.sent += score.sent;
        outcome.messages.heard += score.heard;
        outcome.messages.repeated += score.repeated;
        outcome.messages.invented += score.invented;
        let frames = heard.iter().flat_map(|message| &message.frames);
        outcome.frames += frames.filter(|frame| frame.crc_ok).count();
    }
    Ok(outcome)
}

/// Receives a scene, blindly: no device is known. `bit_rate` limits the search.
///
/// # Errors
/// When the scene or the receiver cannot be set up.
pub fn hear(scene: &Scene, bit_rate: Option<BitRate>) -> Result<(Score, Vec<Message>)> {
    let (mut simulator, truth) = scene.build()?;
    let mut config = ReceiverConfig::new(scene.sample_rate_hz, scene.center_hz())
        .with_radio_configuration(scene.radio_configuration);
    if let Some(bit_rate) = bit_rate {
        config.bit_rates = vec![bit_rate];
    }
    let mut receiver = Receiver::new(config)?;
    let mut events = Vec::new();
    let mut left = scene.samples() as usize;
    let mut block = vec![Complex32::default(); BLOCK];
    while left > 0 {
        let count = left.min(BLOCK);
        simulator.render(&mut block[..count]);
        events.extend(receiver.push(&block[..count]));
        left -= count;
    }
    events.extend(receiver.flush());
    let complete = |event| match event {
        Event::Complete(message) => Some(message),
        _ => None,
    };
    let messages: Vec<Message> = events.into_iter().filter_map(complete).collect();
    Ok((Score::new(&truth, &messages), messages))
}
