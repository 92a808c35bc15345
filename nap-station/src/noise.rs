//! The noise floor of the channel, for whoever watches.

use nap_dsp::spectrogram::{Spectrogram, SpectrogramConfig};
use nap_phy::ReceiverConfig;
use num_complex::Complex32;

/// How much of every second is looked at, in seconds.
const LOOK_S: f64 = 0.05;
const INTERVAL_S: f64 = 1.0;
const RESOLUTION_HZ: f64 = 2_000.0;

/// Measures now and then.
#[derive(Debug)]
pub(crate) struct NoiseMeter {
    config: SpectrogramConfig,
    look: usize,
    interval: u64,
    since_last: u64,
    samples: Vec<Complex32>,
    density_dbfs_per_hz: Option<f64>,
}

impl NoiseMeter {
    /// A meter for the channel of a receiver.
    pub(crate) fn new(receiver: &ReceiverConfig) -> Self {
        let rate_hz = receiver.sample_rate_hz;
        let mut config = SpectrogramConfig::new(rate_hz);
        config.offset_hz = receiver.channel_centre_hz - receiver.centre_hz;
        config.half_width_hz = receiver.channel_width_hz / 2.0;
        config.resolution_hz = RESOLUTION_HZ;
        config.time_step_s = LOOK_S / 4.0;
        config.max_columns = 256;
        let look = (LOOK_S * rate_hz) as usize;
        Self {
            config,
            look,
            interval: (INTERVAL_S * rate_hz) as u64,
            since_last: 0,
            samples: Vec::with_capacity(look),
            density_dbfs_per_hz: None,
        }
    }

    /// Takes samples in.
    pub(crate) fn push(&mut self, samples: &[Complex32]) {
        self.since_last += samples.len() as u64;
        let wanted = self.look.saturating_sub(self.samples.len());
        self.samples.extend(samples.iter().take(wanted));
        if self.since_last >= self.interval {
            self.density_dbfs_per_hz = self.measure();
            self.since_last = 0;
            self.samples.clear();
        }
    }

    /// The last value, in dBFS/Hz: the median over the channel, which bursts do not lift.
    pub(crate) fn density_dbfs_per_hz(&self) -> Option<f64> {
        self.density_dbfs_per_hz
    }

    fn measure(&self) -> Option<f64> {
        let mut spectrogram = Spectrogram::new(self.config).ok()?;
        spectrogram.push(&self.samples);
        let mut cells: Vec<f32> = spectrogram.array().power_db.into_iter().collect();
        cells.sort_by(f32::total_cmp);
        cells.get(cells.len() / 2).map(|&db| f64::from(db))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_distr::{Distribution, StandardNormal};

    #[test]
    fn white_noise_has_its_density() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let mut part = || -> f32 { StandardNormal.sample(&mut rng) };
        // A variance of 2 × 1e-4 over 250 kHz.
        let samples: Vec<_> = (0..300_000).map(|_| 1e-2 * Complex32::new(part(), part())).collect();
        let mut meter = NoiseMeter::new(&ReceiverConfig::new(250e3, 0.0));
        assert_eq!(meter.density_dbfs_per_hz(), None);
        meter.push(&samples);
        let found = meter.density_dbfs_per_hz().unwrap();
        let expected = 10.0 * (2e-4_f64 / 250e3).log10();
        assert!((found - expected).abs() < 0.7, "{found}, not {expected}");
    }
}
