//! Scenes: devices, interference and a receiver, described in words, simulated to the last bit.
//!
//! A [`Scene`] is read from any format that `serde` knows; TOML reads best (see
//! `examples/scenes`). [`Scene::build`] turns it into a [`Simulator`] that renders the samples and
//! a [`Truth`] that says what is in them. The same scene always gives the same samples.

mod device;
mod error;
mod interferer;
mod reception_counts;
mod shape;
mod traffic;
mod truth;

use std::f64::consts::TAU;
use std::ops::Range;

use nap_dsp::modulator::Waveform;
use nap_dsp::simulator::{
    Converter, Fading, FrontEnd, GainStep, Gap, RotatedWaveform, Simulator, Transmission,
};
use rand::RngExt;
use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};
use serde::Deserialize;

use crate::radio::configuration::RadioConfiguration;
use crate::radio::frequency_generator::FrequencyGenerator;
use crate::uplink::container::Bitstream;
use crate::uplink::message::Uplink;
use crate::uplink::message_counter::{MessageCounter, MessageModulo};
use crate::uplink::rank::Rank;

pub use device::{SceneDevice, SceneMessage};
pub use error::SceneError;
pub use interferer::{Interferer, InterfererSignal};
pub use reception_counts::ReceptionCounts;
pub use shape::Shape;
pub use traffic::Traffic;
pub use truth::{Truth, TruthFrame, TruthMessage};

/// Streams of the scene's generator, so that what one draws does not change the others.
mod stream {
    pub(super) const NOISE: u64 = 0;
    pub(super) const TRAFFIC: u64 = 1;
    pub(super) const CHANNEL: u64 = 2;
    pub(super) const TRANSMITTER: u64 = 3;
}

/// What is on the air and who listens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    /// Complex samples a second.
    pub sample_rate_hz: f64,
    /// Frequency of the receiver's centre; that of the radio configuration if left out.
    pub center_hz: Option<f64>,
    /// Length of the recording in seconds.
    pub duration_s: f64,
    /// Power in dBm of a complex sinusoid of amplitude 1.0; -80 if left out.
    #[serde(default = "default_full_scale_dbm")]
    pub full_scale_dbm: f64,
    /// The receiver's noise over -174 dBm/Hz; 6 dB if left out.
    #[serde(default = "default_noise_figure_db")]
    pub noise_figure_db: f64,
    /// Start of all randomness.
    #[serde(default)]
    pub seed: u64,
    /// Power of a constant offset relative to full scale; none if left out.
    pub dc_offset_dbfs: Option<f64>,
    /// Gain of Q over I.
    #[serde(default)]
    pub iq_gain_db: f64,
    /// Phase of Q less its ideal 90 degrees.
    #[serde(default)]
    pub iq_phase_deg: f64,
    /// Resolution of the converter, 1 to 24; not quantised and not limited if left out.
    pub quantisation_bits: Option<u32>,
    /// Steps of the receiver's gain, none if left out.
    #[serde(default)]
    pub gain_steps: Vec<GainStep>,
    /// Samples that the receiver loses. Where they are marked, silence stands for them in a recording;
    /// where not, all that follows is earlier in it than the truth says.
    #[serde(default)]
    pub lost_samples: Vec<Gap>,
    /// The rules that devices follow unless they say otherwise; RC1 if left out.
    #[serde(default = "default_radio_configuration")]
    pub radio_configuration: RadioConfiguration,
    /// The devices, written out.
    #[serde(default, rename = "device")]
    pub devices: Vec<SceneDevice>,
    /// Devices drawn at random, one message each.
    pub traffic: Option<Traffic>,
    /// What else is on the air.
    #[serde(default, rename = "interferer")]
    pub interferers: Vec<Interferer>,
}

fn default_full_scale_dbm() -> f64 {
    -80.0
}

fn default_noise_figure_db() -> f64 {
    6.0
}

fn default_radio_configuration() -> RadioConfiguration {
    RadioConfiguration::Rc1
}

impl Scene {
    /// Frequency of the receiver's centre in hertz.
    #[must_use]
    pub fn center_hz(&self) -> f64 {
        self.center_hz.unwrap_or_else(|| self.radio_configuration.uplink_center_hz().into())
    }

    /// Samples of the whole recording, with silence for those that are lost with a mark.
    #[must_use]
    pub fn samples(&self) -> u64 {
        let all = (self.duration_s * self.sample_rate_hz).round() as u64;
        let unmarked = self.lost_samples.iter().filter(|gap| !gap.is_marked);
        let lost = unmarked.map(|gap| {
            let Range { start, end } = gap.samples(self.sample_rate_hz);
            end.min(all).saturating_sub(start)
        });
        lost.fold(all, u64::saturating_sub)
    }

    /// Plans every transmission. The simulator renders [`samples`](Self::samples) and more; the
    /// truth lists the messages in the order of time.
    ///
    /// # Errors
    /// [`SceneError`] names the field that cannot be.
    pub fn build(&self) -> Result<(Simulator<ChaCha12Rng>, Truth), SceneError> {
        let simulator =
            self.simulator().map_err(|source| SceneError::signal("the scene", source))?;
        SceneError::check_value("center_hz", self.center_hz(), 0.0, 1e12)?;
        SceneError::check_value("duration_s", self.duration_s, 0.0, 1e7)?;
        let channel = self.rng(stream::CHANNEL);
        let transmitter = self.rng(stream::TRANSMITTER);
        let mut builder = Builder { scene: self, simulator, channel, transmitter };
        for (i, interferer) in self.interferers.iter().enumerate() {
            builder.add_interferer(&format!("interferer[{i}]"), interferer)?;
        }
        let mut messages = Vec::new();
        for (i, device) in self.devices.iter().enumerate() {
            messages.extend(builder.add_device(&format!("device[{i}]"), device)?);
        }
        if let Some(traffic) = &self.traffic {
            let rng = self.rng(stream::TRAFFIC);
            let devices = traffic.devices(self.radio_configuration, self.duration_s, rng)?;
            for (i, device) in devices.iter().enumerate() {
                messages.extend(builder.add_device(&format!("traffic device[{i}]"), device)?);
            }
        }
        messages.sort_by(|a, b| a.time_s().total_cmp(&b.time_s()));
        Ok((builder.simulator, self.truth(messages)))
    }

    /// A receiver that hears nothing yet.
    fn simulator(&self) -> Result<Simulator<ChaCha12Rng>, nap_dsp::Error> {
        let mut simulator = Simulator::new(self.front_end(), self.rng(stream::NOISE))?;
        simulator.set_gain_steps(&self.gain_steps)?;
        for &gap in &self.lost_samples {
            simulator.lose(gap)?;
        }
        Ok(simulator)
    }

    fn front_end(&self) -> FrontEnd {
        FrontEnd {
            sample_rate_hz: self.sample_rate_hz,
            full_scale_dbm: self.full_scale_dbm,
            noise_figure_db: Some(self.noise_figure_db),
            iq_gain_db: self.iq_gain_db,
            iq_phase_deg: self.iq_phase_deg,
            dc_offset_dbfs: self.dc_offset_dbfs,
            converter: self
                .quantisation_bits
                .map_or(Converter::Ideal, |bits| Converter::Quantising { bits }),
        }
    }

    fn rng(&self, stream: u64) -> ChaCha12Rng {
        let mut rng = ChaCha12Rng::seed_from_u64(self.seed);
        rng.set_stream(stream);
        rng
    }

    fn truth(&self, messages: Vec<TruthMessage>) -> Truth {
        Truth {
            sample_rate: self.sample_rate_hz,
            center_hz: self.center_hz(),
            full_scale_dbm: self.full_scale_dbm,
            noise_figure_db: self.noise_figure_db,
            messages,
        }
    }
}

/// A scene on its way into a simulator.
struct Builder<'a> {
    scene: &'a Scene,
    simulator: Simulator<ChaCha12Rng>,
    /// Draws phases, fading and the content of interference.
    channel: ChaCha12Rng,
    /// Draws how carriers stray and which way round phases turn.
    transmitter: ChaCha12Rng,
}

impl Builder<'_> {
    fn add_interferer(&mut self, place: &str, interferer: &Interferer) -> Result<(), SceneError> {
        let level_dbm = interferer.level_dbm(place, &self.simulator)?;
        for burst in interferer.bursts(place, &mut self.channel)? {
            burst
                .transmission(self.scene.center_hz(), level_dbm, &mut self.channel)
                .and_then(|transmission| self.simulator.add(transmission))
                .map_err(|source| SceneError::signal(place, source))?;
        }
        Ok(())
    }

    fn add_device(
        &mut self,
        place: &str,
        device: &SceneDevice,
    ) -> Result<Vec<TruthMessage>, SceneError> {
        device.check(place)?;
        let radio_configuration = device.radio_configuration(self.scene.radio_configuration);
        let mut generator =
            FrequencyGenerator::new(radio_configuration, device.id, device.random_value);
        // The number before 0, which the first message has.
        let mut last = MessageCounter::MAX;
        let messages = device.messages.iter().enumerate().map(|(i, message)| {
            let place = format!("{place}.message[{i}]");
            let next = last.next(MessageModulo::default());
            let sequence_number = message.sequence_number.unwrap_or(next);
            last = sequence_number;
            let uplink = message
                .uplink(device.id, sequence_number)
                .map_err(|source| SceneError::Message { place: place.clone(), source })?;
            let frequencies_hz = message.frequencies_hz(&place, &mut generator)?;
            let frames = self.add_frames(&place, device, message, &uplink, &frequencies_hz)?;
            Ok(TruthMessage::new(
                &uplink,
                &device.key,
                device.bit_rate(self.scene.radio_configuration),
                frames,
            ))
        });
        messages.collect()
    }

    fn add_frames(
        &mut self,
        place: &str,
        device: &SceneDevice,
        message: &SceneMessage,
        uplink: &Uplink,
        frequencies_hz: &[f64],
    ) -> Result<Vec<TruthFrame>, SceneError> {
        let mut time_s = message.time_s;
        let fading = if device.fading_runs_on { self.fading(device) } else { Ok(None) };
        let fading = fading.map_err(|source| SceneError::signal(place, source))?;
        let container = uplink.container(&device.key);
        let mut frames = Vec::new();
        for (rank, &frequency_hz) in Rank::ALL.into_iter().zip(frequencies_hz) {
            let place = format!("{place}, frame {rank}");
            let transmission = self
                .transmission(device, &container.bitstream(rank), time_s, frequency_hz)
                .map_err(|source| SceneError::signal(&place, source))?;
            let fading = fading.as_ref().map(|fading| fading.delayed(time_s - message.time_s));
            let transmission = Transmission {
                fading: fading.or(transmission.fading),
                level_dbm: message.level_dbm.unwrap_or(device.level_dbm),
                ..transmission
            };
            let end_s = transmission.span_s().end;
            self.check_inside(&place, time_s, end_s)?;
            frames.push(self.truth_frame(device, rank, &transmission));
            self.simulator
                .add(transmission)
                .map_err(|source| SceneError::signal(&place, source))?;
            time_s = end_s + message.pause_s(device);
        }
        Ok(frames)
    }

    /// One frame on the air, at the device's level.
    fn transmission(
        &mut self,
        device: &SceneDevice,
        bitstream: &Bitstream,
        time_s: f64,
        frequency_hz: f64,
    ) -> Result<Transmission, nap_dsp::Error> {
        let symbol_rate_hz = device.bit_rate(self.scene.radio_configuration).bits_per_s().into();
        let on_air_hz = frequency_hz * (1.0 + 1e-6 * device.crystal_ppm);
        let offset_hz = on_air_hz - self.scene.center_hz();
        let (bits, level_dbm) = (bits(bitstream), device.level_dbm);
        let steady = match device.rotation {
            None => {
                let waveform = Waveform::new(bits, symbol_rate_hz, device.shape.into())?;
                Transmission::new(waveform, time_s, offset_hz, level_dbm)
            }
            Some(rotation) => {
                let rng = &mut self.transmitter;
                let waveform = RotatedWaveform::new(bits, symbol_rate_hz, rotation, rng)?;
                Transmission::new(waveform, time_s, offset_hz, level_dbm)
            }
        };
        let fading = if device.fading_runs_on { None } else { self.fading(device)? };
        let mut transmission = Transmission {
            drift_hz_per_s: device.drift_hz_per_s,
            clock_error_ppm: device.crystal_ppm + device.bit_rate_error_ppm,
            phase_rad: TAU * self.channel.random::<f64>(),
            fading,
            ..steady
        };
        if !device.wander.is_none() {
            let Range { start, end } = transmission.span_s();
            let span_s = start - time_s..end - time_s;
            transmission.wander = Some(device.wander.realize(span_s, &mut self.transmitter)?);
        }
        Ok(transmission)
    }

    /// A path as the device's, drawn anew.
    fn fading(&mut self, device: &SceneDevice) -> Result<Option<Fading>, nap_dsp::Error> {
        let rng = &mut self.channel;
        Ok(match (device.doppler_hz, device.rician_k_db) {
            (None, _) => None,
            (Some(doppler_hz), None) => Some(Fading::rayleigh(doppler_hz, rng)),
            (Some(doppler_hz), Some(k_db)) => Some(Fading::rician(doppler_hz, k_db, rng)?),
        })
    }

    fn truth_frame(
        &self,
        device: &SceneDevice,
        rank: Rank,
        transmission: &Transmission,
    ) -> TruthFrame {
        let since_start_hz = transmission.drift_hz_per_s * transmission.middle_s();
        TruthFrame {
            rank,
            time_s: transmission.time_s,
            frequency_hz: self.scene.center_hz() + transmission.carrier_offset_hz - since_start_hz,
            dbm: transmission.level_dbm,
            drift_hz_per_s: transmission.drift_hz_per_s,
            shape: device.rotation.is_none().then_some(device.shape),
        }
    }

    /// A truth must not list what the recording does not hold.
    fn check_inside(&self, place: &str, start_s: f64, end_s: f64) -> Result<(), SceneError> {
        if start_s >= 0.0 && end_s <= self.scene.duration_s {
            return Ok(());
        }
        Err(SceneError::Outside {
            place: place.to_owned(),
            start_s,
            end_s,
            duration_s: self.scene.duration_s,
        })
    }
}

/// The bits of a frame in the order of sending.
fn bits(bitstream: &[u8]) -> impl Iterator<Item = bool> {
    bitstream.iter().flat_map(|byte| (0..8).rev().map(move |i| byte >> i & 1 == 1))
}
