//! The receiver's hardware: noise, imbalance, offset, converter.

use num_complex::{Complex, Complex32};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use super::level::amplitude;
use crate::error::Error;

/// Thermal noise at 290 K in dBm/Hz.
const THERMAL_NOISE_DBM_PER_HZ: f64 = -174.0;

/// What turns analogue samples into numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Converter {
    /// Keeps everything, above full scale too.
    Ideal,
    /// Limits I and Q to -1 and 1.
    Clipping,
    /// Rounds I and Q to `2^bits` steps from -1 to `1 - 2^(1 - bits)` and limits them to these.
    Quantising {
        /// Resolution, 1 to 24 bits.
        bits: u32,
    },
}

/// A receiver from the antenna to the samples. The fields are applied from top to bottom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrontEnd {
    /// Complex samples a second.
    pub sample_rate_hz: f64,
    /// Power in dBm of a complex sinusoid of amplitude 1.0.
    pub full_scale_dbm: f64,
    /// Noise above -174 dBm/Hz; `None` for no noise at all.
    pub noise_figure_db: Option<f64>,
    /// Gain of Q over I.
    pub iq_gain_db: f64,
    /// How far Q is from being 90 degrees after I. With gain ratio g and phase p the image of a
    /// signal is `(1 + 2 g cos p + g^2) / (1 - 2 g cos p + g^2)` weaker in power.
    pub iq_phase_deg: f64,
    /// Power of a constant offset relative to full scale, in equal parts on I and Q.
    pub dc_offset_dbfs: Option<f64>,
    /// The last stage.
    pub converter: Converter,
}

impl FrontEnd {
    /// A receiver of noise figure 6 dB without flaws, full scale at -80 dBm.
    pub fn new(sample_rate_hz: f64) -> Self {
        Self {
            sample_rate_hz,
            full_scale_dbm: -80.0,
            noise_figure_db: Some(6.0),
            iq_gain_db: 0.0,
            iq_phase_deg: 0.0,
            dc_offset_dbfs: None,
            converter: Converter::Ideal,
        }
    }

    /// Noise density in dBm/Hz, if there is noise.
    pub fn noise_density_dbm_per_hz(&self) -> Option<f64> {
        self.noise_figure_db.map(|figure_db| THERMAL_NOISE_DBM_PER_HZ + figure_db)
    }

    fn check(&self) -> Result<(), Error> {
        Error::check_range("sample_rate_hz", self.sample_rate_hz, 1.0, 1e9)?;
        Error::check_range("full_scale_dbm", self.full_scale_dbm, -300.0, 300.0)?;
        Error::check_range("noise_figure_db", self.noise_figure_db.unwrap_or(0.0), -300.0, 300.0)?;
        Error::check_range("iq_gain_db", self.iq_gain_db, -20.0, 20.0)?;
        Error::check_range("iq_phase_deg", self.iq_phase_deg, -90.0, 90.0)?;
        Error::check_range("dc_offset_dbfs", self.dc_offset_dbfs.unwrap_or(0.0), -300.0, 60.0)?;
        if let Converter::Quantising { bits } = self.converter {
            Error::check_range("quantisation bits", bits.into(), 1.0, 24.0)?;
        }
        Ok(())
    }

    /// Standard deviation of the noise in I and in Q relative to full scale.
    fn noise_deviation(&self) -> f64 {
        self.noise_density_dbm_per_hz().map_or(0.0, |density_dbm| {
            let level_dbm = density_dbm + 10.0 * self.sample_rate_hz.log10();
            amplitude(level_dbm - self.full_scale_dbm) * 0.5f64.sqrt()
        })
    }
}

/// A [`FrontEnd`] at work.
#[derive(Debug)]
pub(super) struct Sampler<R> {
    rng: R,
    noise_deviation: f32,
    /// Q becomes `q.re * I + q.im * Q`.
    q: Complex32,
    dc_offset: Complex32,
    converter: Converter,
}

impl<R: Rng> Sampler<R> {
    pub(super) fn new(front_end: &FrontEnd, rng: R) -> Result<Self, Error> {
        front_end.check()?;
        let gain = amplitude(front_end.iq_gain_db);
        let (sin, cos) = front_end.iq_phase_deg.to_radians().sin_cos();
        let dc = front_end.dc_offset_dbfs.map_or(0.0, amplitude) * 0.5f64.sqrt();
        Ok(Self {
            rng,
            noise_deviation: front_end.noise_deviation() as f32,
            q: Complex::new((-gain * sin) as f32, (gain * cos) as f32),
            dc_offset: Complex::new(dc as f32, dc as f32),
            converter: front_end.converter,
        })
    }

    /// Turns the field at the antenna into samples, in place.
    pub(super) fn sample(&mut self, block: &mut [Complex32]) {
        if self.noise_deviation > 0.0 {
            self.add_noise(block);
        }
        for sample in block {
            let q = self.q.re * sample.re + self.q.im * sample.im;
            *sample = convert(Complex::new(sample.re, q) + self.dc_offset, self.converter);
        }
    }

    fn add_noise(&mut self, block: &mut [Complex32]) {
        for sample in block {
            let (i, q): (f32, f32) =
                (self.rng.sample(StandardNormal), self.rng.sample(StandardNormal));
            *sample += Complex::new(i, q) * self.noise_deviation;
        }
    }
}

fn convert(sample: Complex32, converter: Converter) -> Complex32 {
    let part: fn(f32, f32) -> f32 = match converter {
        Converter::Ideal => return sample,
        Converter::Clipping => |x, _| x.clamp(-1.0, 1.0),
        Converter::Quantising { .. } => {
            |x, steps| (x * steps).round().clamp(-steps, steps - 1.0) / steps
        }
    };
    let steps = match converter {
        Converter::Quantising { bits } => (1u32 << (bits - 1)) as f32,
        Converter::Ideal | Converter::Clipping => 1.0,
    };
    Complex::new(part(sample.re, steps), part(sample.im, steps))
}
