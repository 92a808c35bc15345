//! What was assumed of a recording in which nothing was found.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nap_io::{FormatDoubt, SampleLook, StreamInfo};
use nap_phy::ReceiverConfig;
use nap_station::diagnosis::too_short;
use num_complex::Complex32;

/// What was assumed of a recording, and what its samples look like.
pub struct Assumed {
    info: String,
    configs: Vec<ReceiverConfig>,
    look: SharedLook,
}

/// What the samples look like, seen by all who read them.
#[derive(Clone)]
pub struct SharedLook(Arc<Mutex<SampleLook>>);

impl SharedLook {
    /// Looks at samples, the first of which has this index in the recording.
    pub fn take(&self, index: u64, samples: &[Complex32]) {
        self.lock().take(index, samples);
    }

    fn lock(&self) -> MutexGuard<'_, SampleLook> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Assumed {
    /// What is assumed of a recording, before it is read.
    pub fn new(info: &StreamInfo, configs: &[ReceiverConfig]) -> Self {
        let center = match info.center_hz {
            Some(hz) => format!("centre {:.6} MHz", hz / 1e6),
            None => "centre unknown".to_owned(),
        };
        Self {
            info: format!("{}, {} kS/s, {center}", info.format, info.sample_rate_hz / 1e3),
            configs: configs.to_vec(),
            look: SharedLook(Arc::new(Mutex::new(SampleLook::new(info.format)))),
        }
    }

    /// For who reads the samples.
    pub fn look(&self) -> SharedLook {
        self.look.clone()
    }

    /// What looks wrong with the samples, and which flag mends it.
    pub fn doubt(&self) -> Option<String> {
        let doubt = self.look.lock().doubt()?;
        let advice = match doubt {
            FormatDoubt::Unscaled { .. } => "levels are too high by that",
            _ => "--sample-format says what it is",
        };
        Some(format!("{doubt}; {advice}"))
    }

    /// All of it in a line, for a recording in which nothing was found.
    pub fn text(&self, duration_s: f64) -> String {
        let look = self.look.lock();
        let channels: Vec<String> = self.configs.iter().map(channel).collect();
        let mut text = format!(
            "no messages; read as {}; listened to {}; {duration_s:.2} s, ",
            self.info,
            channels.join(" and ")
        );
        if let Some(stillness) = look.stillness() {
            text += &stillness.to_string();
            if stillness.is_all() {
                return text + "; nothing was recorded";
            }
            text += ", ";
        }
        text += &look.level_dbfs().map_or("silence".into(), |db| format!("{db:.1} dBFS"));
        let short = self.configs.first().and_then(|config| too_short(config, duration_s));
        text += &match short {
            Some(hint) => format!("; {hint}"),
            None => "; `nap doctor` tries other sample rates and the mirrored spectrum".to_owned(),
        };
        text
    }
}

fn channel(config: &ReceiverConfig) -> String {
    let name = config.radio_configuration.map(|rc| format!("{rc} ")).unwrap_or_default();
    let rates: Vec<String> =
        config.bit_rates.iter().map(|rate| rate.bits_per_s().to_string()).collect();
    let (mhz, rates) = (config.channel_center_hz / 1e6, rates.join(" and "));
    format!("{name}around {mhz:.6} MHz at {rates} bit/s")
}
