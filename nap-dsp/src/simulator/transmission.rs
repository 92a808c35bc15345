//! A signal on a carrier: where, when and how strong.

use std::f64::consts::TAU;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use num_complex::{Complex32, Complex64};

use super::fading::Fading;
use super::front_end::FrontEnd;
use super::level::amplitude;
use crate::error::Error;
use crate::modulator::dbpsk::Waveform;

/// Samples over which the gain of fading is taken as a straight line.
const FADING_STEP: usize = 32;

/// A baseband signal of mean power 1 (unless its type says otherwise) as a function of time.
pub trait Signal: fmt::Debug + Send + Sync {
    /// The instants in seconds, on the signal's own clock, between which it is not zero.
    fn support_s(&self) -> Range<f64>;

    /// Width of the band around the carrier that holds the signal, in hertz.
    fn bandwidth_hz(&self) -> f64;

    /// Samples the signal at `start_s`, `start_s + period_s`, ... into `out`.
    fn render(&self, start_s: f64, period_s: f64, out: &mut [Complex32]);
}

impl Signal for Waveform {
    fn support_s(&self) -> Range<f64> {
        self.support_s()
    }

    /// The main lobe.
    fn bandwidth_hz(&self) -> f64 {
        2.0 * self.symbol_rate_hz()
    }

    fn render(&self, start_s: f64, period_s: f64, out: &mut [Complex32]) {
        self.render(start_s, period_s, out);
    }
}

/// A signal on its way to the receiver.
#[derive(Debug, Clone)]
pub struct Transmission {
    /// What is sent.
    pub signal: Arc<dyn Signal>,
    /// When the signal's time 0 reaches the receiver, in seconds from the first sample.
    pub time_s: f64,
    /// Carrier relative to the receiver's centre, at the middle of the signal.
    pub carrier_offset_hz: f64,
    /// Mean power at the antenna, over all realisations if the signal fades.
    pub level_dbm: f64,
    /// Steady change of the carrier.
    pub drift_hz_per_s: f64,
    /// How much too fast the transmitter's symbol clock runs.
    pub clock_error_ppm: f64,
    /// Phase of the carrier at `time_s`.
    pub phase_rad: f64,
    /// The path's fading.
    pub fading: Option<Fading>,
}

impl Transmission {
    /// A transmission with a perfect clock and carrier over a steady path; change its fields for
    /// worse.
    pub fn new(
        signal: impl Signal + 'static,
        time_s: f64,
        carrier_offset_hz: f64,
        level_dbm: f64,
    ) -> Self {
        Self {
            signal: Arc::new(signal),
            time_s,
            carrier_offset_hz,
            level_dbm,
            drift_hz_per_s: 0.0,
            clock_error_ppm: 0.0,
            phase_rad: 0.0,
            fading: None,
        }
    }

    /// The instants between which the transmission is heard, in seconds from the first sample.
    pub fn span_s(&self) -> Range<f64> {
        let support_s = self.signal.support_s();
        let clock = self.clock();
        self.time_s + support_s.start / clock..self.time_s + support_s.end / clock
    }

    /// The transmitter's seconds in one of ours.
    fn clock(&self) -> f64 {
        1.0 + 1e-6 * self.clock_error_ppm
    }

    /// The middle of the signal, where the carrier is `carrier_offset_hz`, in seconds after
    /// `time_s`.
    pub fn middle_s(&self) -> f64 {
        let span_s = self.span_s();
        0.5 * (span_s.start + span_s.end) - self.time_s
    }

    pub(super) fn check(&self, sample_rate_hz: f64) -> Result<(), Error> {
        Error::check_range("time_s", self.time_s, -1e9, 1e9)?;
        Error::check_range("level_dbm", self.level_dbm, -300.0, 300.0)?;
        Error::check_range("drift_hz_per_s", self.drift_hz_per_s, -1e6, 1e6)?;
        Error::check_range("clock_error_ppm", self.clock_error_ppm, -1e5, 1e5)?;
        Error::check_range("phase_rad", self.phase_rad, -1e6, 1e6)?;
        let span_s = self.span_s();
        let swing_hz = 0.5 * (span_s.end - span_s.start) * self.drift_hz_per_s.abs();
        let reach_hz = 0.5 * (sample_rate_hz - self.signal.bandwidth_hz()) - swing_hz;
        Error::check_range("carrier_offset_hz", self.carrier_offset_hz, -reach_hz, reach_hz)?;
        let doppler_hz = self.fading.as_ref().map_or(0.0, Fading::doppler_hz);
        let steps_per_s = sample_rate_hz / FADING_STEP as f64;
        Error::check_range("doppler_hz", doppler_hz, 0.0, steps_per_s / 32.0)
    }

    /// Adds the signal to `chunk`, whose first sample has the index `first`. `scratch` is as long
    /// as the chunk.
    pub(super) fn add_to(
        &self,
        front_end: &FrontEnd,
        first: u64,
        chunk: &mut [Complex32],
        scratch: &mut [Complex32],
    ) {
        let rate_hz = front_end.sample_rate_hz;
        let span_s = self.span_s();
        let index = |t_s: f64| (t_s * rate_hz - first as f64).clamp(0.0, chunk.len() as f64);
        // One more on both sides, for samples that average over their interval.
        let from = (index(span_s.start).floor() as usize).saturating_sub(1);
        let to = (index(span_s.end).ceil() as usize + 1).min(chunk.len());
        let start_s = (first as f64 + from as f64) / rate_hz - self.time_s;
        let samples = &mut scratch[from..to];
        let clock = self.clock();
        self.signal.render(start_s * clock, clock / rate_hz, samples);

        let mut carrier = self.carrier(start_s, rate_hz);
        let level = amplitude(self.level_dbm - front_end.full_scale_dbm);
        let blocks = samples.chunks(FADING_STEP).zip(chunk[from..to].chunks_mut(FADING_STEP));
        for (i, (samples, sums)) in blocks.enumerate() {
            let t_s = start_s + (i * FADING_STEP) as f64 / rate_hz;
            let mut gain = self.gain(t_s) * level;
            let next = self.gain(t_s + FADING_STEP as f64 / rate_hz) * level;
            let slope = (next - gain) / FADING_STEP as f64;
            for (sum, sample) in sums.iter_mut().zip(samples) {
                let value = gain * carrier.next();
                *sum += sample * Complex32::new(value.re as f32, value.im as f32);
                gain += slope;
            }
        }
    }

    fn gain(&self, t_s: f64) -> Complex64 {
        self.fading.as_ref().map_or(Complex64::ONE, |fading| fading.gain(t_s))
    }

    /// The carrier from `t_s` seconds after `time_s` on.
    fn carrier(&self, t_s: f64, rate_hz: f64) -> Carrier {
        let elapsed_s = t_s - self.middle_s();
        let frequency_hz = self.carrier_offset_hz + self.drift_hz_per_s * elapsed_s;
        // The integral of the frequency from 0 to t_s.
        let cycles = t_s * (self.carrier_offset_hz - self.drift_hz_per_s * self.middle_s())
            + 0.5 * self.drift_hz_per_s * t_s * t_s;
        let turn = self.drift_hz_per_s / (rate_hz * rate_hz);
        Carrier {
            value: Complex64::cis(self.phase_rad + TAU * cycles.fract()),
            step: Complex64::cis(TAU * (frequency_hz / rate_hz + 0.5 * turn)),
            turn: Complex64::cis(TAU * turn),
        }
    }
}

/// A complex exponential of linearly changing frequency, by recursion. Over one chunk the error is
/// below 1e-12.
struct Carrier {
    value: Complex64,
    step: Complex64,
    turn: Complex64,
}

impl Carrier {
    fn next(&mut self) -> Complex64 {
        let value = self.value;
        self.value *= self.step;
        self.step *= self.turn;
        value
    }
}
