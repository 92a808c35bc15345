//! Interference of a scene.

use nap_dsp::Error;
use nap_dsp::simulator::{FskBurst, Impulses, LoraBurst, Tone, Transmission};
use rand::Rng;
use serde::Deserialize;

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
    pub level_dbm: f64,
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
    },
}

impl Interferer {
    pub(super) fn transmission<R: Rng>(
        &self,
        center_hz: f64,
        rng: &mut R,
    ) -> Result<Transmission, Error> {
        let (time_s, level_dbm) = (self.time_s, self.level_dbm);
        let duration_s = self.duration_s;
        let offset_hz = self.frequency_hz - center_hz;
        Ok(match self.signal {
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
            InterfererSignal::Impulses { width_s, rate_hz } => {
                let impulses = Impulses::random(width_s, rate_hz, duration_s, rng)?;
                Transmission::new(impulses, time_s, offset_hz, level_dbm)
            }
        })
    }
}
