//! Interference of a scene.

use nap_dsp::Error;
use nap_dsp::simulator::{
    FskBurst, Impulses, LoraBurst, NoiseImpulses, Simulator, Tone, Transmission, burst_starts_s,
};
use rand::Rng;
use serde::Deserialize;

use super::error::SceneError;

/// The most random symbols that are drawn for the bursts of one interferer.
const MAX_SYMBOLS: f64 = 1e8;

/// A signal that is no device's.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interferer {
    /// What it is.
    pub signal: InterfererSignal,
    /// When it starts.
    pub time_s: f64,
    /// How long it lasts at most.
    pub duration_s: f64,
    /// Its carrier.
    pub frequency_hz: f64,
    /// Its mean power at the receiver while it lasts; of impulses, that of an impulse.
    pub level_dbm: Option<f64>,
    /// The same over the noise in the whole sampled band, in place of `level_dbm`.
    pub level_over_noise_db: Option<f64>,
    /// Length of the bursts that it comes in; one of `duration_s` if left out.
    pub burst_s: Option<f64>,
    /// Part of the time that its bursts take, with pauses of random length between them.
    pub duty: Option<f64>,
}

/// Kinds of interference.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum InterfererSignal {
    /// An unmodulated carrier.
    Tone {},
    /// A LoRa packet of random content.
    Lora {
        /// 7 to 12.
        spreading_factor: u32,
        /// Width of its chirps.
        bandwidth_hz: f64,
    },
    /// Random bits in two-level frequency shift keying.
    Fsk {
        /// Bits a second.
        bit_rate_hz: f64,
        /// From the carrier to either frequency.
        deviation_hz: f64,
    },
    /// Short pulses at random instants.
    Impulses {
        /// Length of a pulse.
        width_s: f64,
        /// Mean number of pulses a second.
        rate_hz: f64,
        /// Band that they fill with noise, if they do; else a pulse is a piece of a carrier.
        bandwidth_hz: Option<f64>,
    },
}

impl InterfererSignal {
    fn symbols_per_s(&self) -> f64 {
        match *self {
            Self::Lora { spreading_factor, bandwidth_hz } => {
                bandwidth_hz * 0.5f64.powf(spreading_factor.into())
            }
            Self::Fsk { bit_rate_hz, .. } => bit_rate_hz,
            Self::Tone {} | Self::Impulses { .. } => 0.0,
        }
    }
}

/// An interferer while it is on.
pub(super) struct Burst<'a> {
    interferer: &'a Interferer,
    time_s: f64,
    duration_s: f64,
}

impl Interferer {
    /// Mean power at the receiver.
    pub(super) fn level_dbm<R: Rng>(
        &self,
        place: &str,
        simulator: &Simulator<R>,
    ) -> Result<f64, SceneError> {
        match (self.level_dbm, self.level_over_noise_db) {
            (Some(level_dbm), None) => Ok(level_dbm),
            (None, Some(over_noise_db)) => {
                let front_end = simulator.front_end();
                let density_dbm = front_end.noise_density_dbm_per_hz().unwrap_or(f64::NAN);
                Ok(over_noise_db + density_dbm + 10.0 * front_end.sample_rate_hz.log10())
            }
            _ => Err(SceneError::Conflict {
                place: place.to_owned(),
                problem: "give either `level_dbm` or `level_over_noise_db`",
            }),
        }
    }

    /// When it is on.
    pub(super) fn bursts<R: Rng>(
        &self,
        place: &str,
        rng: &mut R,
    ) -> Result<Vec<Burst<'_>>, SceneError> {
        let burst = |start_s: f64, duration_s| Burst {
            interferer: self,
            time_s: self.time_s + start_s,
            duration_s,
        };
        match (self.burst_s, self.duty) {
            (None, None) => Ok(vec![burst(0.0, self.duration_s)]),
            (Some(burst_s), Some(duty)) => {
                let symbols = self.signal.symbols_per_s() * self.duration_s * duty;
                SceneError::check_value("symbols of an interferer", symbols, 0.0, MAX_SYMBOLS)?;
                let starts_s = burst_starts_s(self.duration_s, burst_s, duty, rng)
                    .map_err(|source| SceneError::signal(place, source))?;
                Ok(starts_s.into_iter().map(|start_s| burst(start_s, burst_s)).collect())
            }
            _ => Err(SceneError::Conflict {
                place: place.to_owned(),
                problem: "`burst_s` and `duty` belong together",
            }),
        }
    }
}

impl Burst<'_> {
    pub(super) fn transmission<R: Rng>(
        &self,
        center_hz: f64,
        level_dbm: f64,
        rng: &mut R,
    ) -> Result<Transmission, Error> {
        let Self { interferer, time_s, duration_s } = *self;
        let offset_hz = interferer.frequency_hz - center_hz;
        Ok(match interferer.signal {
            InterfererSignal::Tone {} => {
                Transmission::new(Tone::new(duration_s)?, time_s, offset_hz, level_dbm)
            }
            InterfererSignal::Lora { spreading_factor, bandwidth_hz } => {
                let burst = LoraBurst::random(spreading_factor, bandwidth_hz, duration_s, rng)?;
                Transmission::new(burst, time_s, offset_hz, level_dbm)
            }
            InterfererSignal::Fsk { bit_rate_hz, deviation_hz } => {
                let burst = FskBurst::random(bit_rate_hz, deviation_hz, duration_s, rng)?;
                Transmission::new(burst, time_s, offset_hz, level_dbm)
            }
            InterfererSignal::Impulses { width_s, rate_hz, bandwidth_hz: None } => {
                let impulses = Impulses::random(width_s, rate_hz, duration_s, rng)?;
                Transmission::new(impulses, time_s, offset_hz, level_dbm)
            }
            InterfererSignal::Impulses { width_s, rate_hz, bandwidth_hz: Some(band_hz) } => {
                let impulses = NoiseImpulses::random(width_s, rate_hz, duration_s, band_hz, rng)?;
                Transmission::new(impulses, time_s, offset_hz, level_dbm)
            }
        })
    }
}
