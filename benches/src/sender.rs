//! Devices of random content for the experiments.

use anyhow::Result;
use nap_dsp::simulator::Wander;
use nap_phy::scene::{Scene, SceneDevice, SceneMessage, Shape};
use nap_phy::{BitRate, DeviceId, Key, Kind, MessageCounter, RadioConfiguration};
use rand::RngExt;
use rand_chacha::ChaCha12Rng;

pub(crate) const NOISE_FIGURE_DB: f64 = 6.0;
const THERMAL_NOISE_DBM_PER_HZ: f64 = -174.0;
/// Samples a second, but where an experiment says otherwise.
pub(crate) const SAMPLE_RATE_HZ: f64 = 250_000.0;
const FULL_SCALE_DBM: f64 = -90.0;
/// Half of the band in which carriers lie.
pub(crate) const HALF_BAND_HZ: f64 = 95_000.0;
/// The usual pause from frame to frame.
pub(crate) const PAUSE_S: f64 = 0.3;
/// Silence before the first frame.
pub(crate) const LEAD_IN_S: f64 = 0.25;

/// An empty RC1 channel: noise alone.
#[must_use]
pub fn empty_scene(duration_s: f64, seed: u64) -> Scene {
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
        gain_steps: Vec::new(),
        lost_samples: Vec::new(),
        radio_configuration: RadioConfiguration::Rc1,
        devices: Vec::new(),
        traffic: None,
        interferers: Vec::new(),
    }
}

/// The longest that a frame takes on the air: preamble, frame type, header, device, payload, tag and
/// check sum are at most 208 symbols; pulses that reach further and slow clocks are added.
pub(crate) fn frame_s(bit_rate: BitRate) -> f64 {
    212.0 * bit_rate.symbol_s()
}

/// Power at the antenna that gives this Eb/N0.
pub(crate) fn level_dbm(bit_rate: BitRate, eb_over_n0_db: f64) -> f64 {
    let rate_db = 10.0 * f64::from(bit_rate.bits_per_s()).log10();
    eb_over_n0_db + THERMAL_NOISE_DBM_PER_HZ + NOISE_FIGURE_DB + rate_db
}

/// A value between minus and plus `most`.
pub(crate) fn symmetric(most: f64, rng: &mut ChaCha12Rng) -> f64 {
    if most > 0.0 { rng.random_range(-most..most) } else { 0.0 }
}

/// What is set of a device that sends one message; the rest of it is drawn.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    pub(crate) bit_rate: BitRate,
    pub(crate) shape: Shape,
    pub(crate) level_dbm: f64,
    pub(crate) payload_bytes: usize,
    pub(crate) crystal_ppm: f64,
    pub(crate) drift_hz_per_s: f64,
    /// From frame to frame.
    pub(crate) pause_s: f64,
    /// Start of the first frame.
    pub(crate) time_s: f64,
    /// Carriers of the frames from the middle of the channel, each a frame; what the crystal adds is
    /// in them.
    pub(crate) offsets_hz: Vec<f64>,
}

impl Sender {
    /// A device with random identity, key, counter and payload.
    pub(crate) fn device(&self, scene: &Scene, rng: &mut ChaCha12Rng) -> Result<SceneDevice> {
        // The crystal's error comes on top of what the device means to send.
        let meant_hz =
            |offset_hz| (scene.center_hz() + offset_hz) / (1.0 + self.crystal_ppm * 1e-6);
        Ok(SceneDevice {
            id: DeviceId(rng.random_range(0..=u32::MAX)),
            key: Key::from_bytes(rng.random()),
            radio_configuration: None,
            bit_rate: Some(self.bit_rate),
            shape: self.shape,
            rotation: None,
            level_dbm: self.level_dbm,
            crystal_ppm: self.crystal_ppm,
            bit_rate_error_ppm: 0.0,
            drift_hz_per_s: self.drift_hz_per_s,
            wander: Wander::default(),
            pause_s: self.pause_s,
            random_value: 0,
            doppler_hz: None,
            rician_k_db: None,
            fading_runs_on: false,
            messages: vec![SceneMessage {
                time_s: self.time_s,
                sequence_number: Some(MessageCounter::new(rng.random_range(0..4096))?),
                kind: if self.payload_bytes == 0 { Kind::Empty } else { Kind::Bytes },
                payload: (0..self.payload_bytes)
                    .map(|_| format!("{:02x}", rng.random_range(0..=u8::MAX)))
                    .collect(),
                bidirectional: false,
                voltage_idle_mv: None,
                voltage_tx_mv: None,
                temperature_decidegree_c: None,
                rssi_dbm_at_device: None,
                frames: Some(u8::try_from(self.offsets_hz.len())?.try_into()?),
                frequencies_hz: Some(self.offsets_hz.iter().copied().map(meant_hz).collect()),
                level_dbm: None,
            }],
        })
    }
}
