//! Random traffic.

use hex::ToHex;
use nap_dsp::simulator::Wander;
use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha12Rng;
use serde::Deserialize;

use crate::device::id::DeviceId;
use crate::device::key::Key;
use crate::radio::bit_rate::BitRate;
use crate::radio::configuration::RadioConfiguration;
use crate::scene::device::{self, SceneDevice, SceneMessage};
use crate::scene::error::SceneError;
use crate::scene::shape::Shape;
use crate::uplink::kind::Kind;
use crate::uplink::length_class::LengthClass;
use crate::uplink::message_counter::MessageCounter;
use crate::uplink::payload::MAX_PAYLOAD_BYTES;

/// Most messages of random traffic.
const MAX_MESSAGES: u32 = 100_000;

/// Symbols that a transmission is longer than its bits.
const EXTRA_SYMBOLS: usize = 2;

/// Devices drawn at random, each with one message of three frames. Every range is drawn from
/// uniformly.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// How many messages, up to 100 000.
    pub messages: u32,
    /// Mean power at the receiver.
    pub level_dbm: [f64; 2],
    /// Error of the crystals; none if left out.
    #[serde(default)]
    pub crystal_ppm: [f64; 2],
    /// Change of the carriers, anew for each device; none if left out.
    #[serde(default)]
    pub drift_hz_per_s: [f64; 2],
    /// How their carriers stray, each device's to one side or the other by lot; not at all if left out.
    #[serde(default)]
    pub wander: Wander,
    /// How much too fast the symbol clocks are besides; not at all if left out.
    #[serde(default)]
    pub bit_rate_error_ppm: [f64; 2],
    /// Largest Doppler shift of Rayleigh fading, each frame fading for itself; steady paths if left
    /// out.
    pub doppler_hz: Option<f64>,
    /// From frame to frame; 0.5 s if left out.
    #[serde(default = "default_pause_s")]
    pub pause_s: [f64; 2],
    /// Lengths of the payload, 0 to 12, where 0 is an empty message; 1 to 12 if left out.
    #[serde(default = "default_payload_bytes")]
    pub payload_bytes: [u8; 2],
    /// Part of the messages that ask for a downlink, 0 to 1; none if left out.
    #[serde(default)]
    pub bidirectional_share: f64,
    /// Bit rates; the usual one of the scene's radio configuration if left out.
    pub bit_rates: Option<Vec<BitRate>>,
    /// Pulse shapes; `rect`, `hann` and `s2lp` if left out.
    pub shapes: Option<Vec<Shape>>,
}

fn default_pause_s() -> [f64; 2] {
    [device::default_pause_s(); 2]
}

fn default_payload_bytes() -> [u8; 2] {
    [1, MAX_PAYLOAD_BYTES as u8]
}

impl Traffic {
    /// Draws the devices with their messages for a scene of these rules and this length.
    pub(super) fn devices(
        &self,
        scene: RadioConfiguration,
        duration_s: f64,
        mut rng: ChaCha12Rng,
    ) -> Result<Vec<SceneDevice>, SceneError> {
        self.check()?;
        (0..self.messages).map(|_| self.device(scene, duration_s, &mut rng)).collect()
    }

    fn check(&self) -> Result<(), SceneError> {
        let check = SceneError::check_range;
        check("traffic.level_dbm", self.level_dbm, -300.0, 300.0)?;
        check("traffic.crystal_ppm", self.crystal_ppm, -100.0, 100.0)?;
        check("traffic.drift_hz_per_s", self.drift_hz_per_s, -1e4, 1e4)?;
        check("traffic.bit_rate_error_ppm", self.bit_rate_error_ppm, -2e4, 2e4)?;
        check("traffic.pause_s", self.pause_s, 0.0, 10.0)?;
        let longest = MAX_PAYLOAD_BYTES as f64;
        check("traffic.payload_bytes", self.payload_bytes.map(f64::from), 0.0, longest)?;
        let check = SceneError::check_value;
        check("traffic.messages", self.messages.into(), 0.0, MAX_MESSAGES.into())?;
        check("traffic.bidirectional_share", self.bidirectional_share, 0.0, 1.0)
    }

    fn device(
        &self,
        scene: RadioConfiguration,
        duration_s: f64,
        rng: &mut ChaCha12Rng,
    ) -> Result<SceneDevice, SceneError> {
        let nominal = [scene.nominal_bit_rate()];
        let bit_rates = self.bit_rates.as_deref().unwrap_or(&nominal);
        let shapes = self.shapes.as_deref().unwrap_or(&[Shape::Rect, Shape::Hann, Shape::S2lp]);
        let empty = |field| SceneError::EmptyList { field };
        let mut device = SceneDevice {
            id: DeviceId(rng.random()),
            key: Key::from_bytes(rng.random()),
            radio_configuration: None,
            bit_rate: Some(*bit_rates.choose(rng).ok_or(empty("traffic.bit_rates"))?),
            shape: *shapes.choose(rng).ok_or(empty("traffic.shapes"))?,
            rotation: None,
            level_dbm: draw(self.level_dbm, rng),
            crystal_ppm: draw(self.crystal_ppm, rng),
            drift_hz_per_s: draw(self.drift_hz_per_s, rng),
            pause_s: draw(self.pause_s, rng),
            random_value: rng.random(),
            bit_rate_error_ppm: 0.0,
            wander: Wander::default(),
            doppler_hz: self.doppler_hz,
            rician_k_db: None,
            fading_runs_on: false,
            messages: Vec::new(),
        };
        // Drawn where asked for alone, so that all else is as without it.
        if self.bit_rate_error_ppm != [0.0; 2] {
            device.bit_rate_error_ppm = draw(self.bit_rate_error_ppm, rng);
        }
        if !self.wander.is_none() {
            let wander = self.wander.clone();
            device.wander = if rng.random() { wander.mirrored() } else { wander };
        }
        let mut message = self.message(rng);
        let longest_s = longest_s(scene, &device, &message);
        SceneError::check_value("duration_s", duration_s, longest_s, f64::MAX)?;
        message.time_s = draw([0.0, duration_s - longest_s], rng);
        device.messages.push(message);
        Ok(device)
    }

    /// A message at the start of the scene.
    fn message(&self, rng: &mut ChaCha12Rng) -> SceneMessage {
        let [shortest, longest] = self.payload_bytes;
        let payload: Vec<u8> =
            (0..rng.random_range(shortest..=longest)).map(|_| rng.random()).collect();
        let number = rng.random_range(0..=u16::from(MessageCounter::MAX));
        SceneMessage {
            time_s: 0.0,
            sequence_number: MessageCounter::new(number).ok(),
            kind: if payload.is_empty() { Kind::Empty } else { Kind::Bytes },
            payload: payload.encode_hex(),
            bidirectional: rng.random_bool(self.bidirectional_share),
            voltage_idle_mv: None,
            voltage_tx_mv: None,
            temperature_decidegree_c: None,
            rssi_dbm_at_device: None,
            frames: None,
            frequencies_hz: None,
            level_dbm: None,
        }
    }
}

/// The longest that three frames of any payload can take, pulses and crystal error included.
fn longest_s(scene: RadioConfiguration, device: &SceneDevice, message: &SceneMessage) -> f64 {
    let symbols = LengthClass::NineToTwelveBytes.frame_bits() + EXTRA_SYMBOLS + 1;
    let slowest = 1.001 + 1e-6 * device.bit_rate_error_ppm.abs() * 1.1;
    let frame_s = symbols as f64 * device.bit_rate(scene).symbol_s() * slowest;
    3.0 * frame_s + 2.0 * message.pause_s(device)
}

/// A value of a range that has been checked.
fn draw([low, high]: [f64; 2], rng: &mut ChaCha12Rng) -> f64 {
    low + (high - low) * rng.random::<f64>()
}
