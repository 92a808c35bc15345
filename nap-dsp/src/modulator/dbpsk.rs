//! DBPSK modulation: from bits to a waveform that exists at every instant.
//!
//! A [`Waveform`] is a function of continuous time, so the same transmission can be sampled at any
//! rate. A 0 bit turns the phase by 180 degrees, a 1 bit keeps it. How the phase is turned differs
//! from transmitter to transmitter: see [`PulseShape`].
//!
//! # Time and level
//!
//! For `n` bits every waveform lasts `n + 2` symbols, from time 0 on:
//!
//! | symbol | rectangular, smoothed | ST polar |
//! | --- | --- | --- |
//! | 0 | reference symbol | ramp up |
//! | 1 to n | the phase after each bit, turned at the symbol's start | the phase turns in the middle of each 0 bit |
//! | n + 1 | repetition of the last symbol | ramp down |
//!
//! A smoothed waveform rises and falls symmetrically around both ends, half a pulse outside them.
//! The mean power over the `n + 2` symbols is 1.

use std::f64::consts::{PI, TAU};
use std::ops::Range;

use num_complex::Complex32;

use crate::error::Error;
use crate::modulator::pulse_shape::{
    PulseShape, SUBSAMPLES, TURNING_SUBSAMPLE, notch_amplitude, ramp_amplitude,
};

/// A DBPSK transmission as a function of time.
///
/// ```
/// use nap_dsp::modulator::{PulseShape, Waveform};
///
/// let waveform = Waveform::new([true, false], 100.0, PulseShape::Rectangular)?;
/// assert_eq!(waveform.duration_s(), 0.04);
/// assert_eq!(waveform.at(0.015).re, 1.0); // bit 1: as the reference
/// assert_eq!(waveform.at(0.025).re, -1.0); // bit 0: turned
/// # Ok::<(), nap_dsp::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Waveform {
    symbol_rate_hz: f64,
    shape: PulseShape,
    /// Amplitude that makes the mean power 1.
    amplitude: f32,
    /// Sign of the carrier at the end of each of the `n + 2` symbols.
    signs: Vec<f32>,
}

impl Waveform {
    /// Modulates `bits`, `symbol_rate_hz` of them a second.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if the symbol rate is not above 0 or the pulse's width is not above 0
    /// and up to 1.
    pub fn new(
        bits: impl IntoIterator<Item = bool>,
        symbol_rate_hz: f64,
        shape: PulseShape,
    ) -> Result<Self, Error> {
        Error::check_range("symbol_rate_hz", symbol_rate_hz, f64::MIN_POSITIVE, f64::MAX)?;
        if let PulseShape::Smoothed { width_symbols } = shape {
            Error::check_range("width_symbols", width_symbols, f64::MIN_POSITIVE, 1.0)?;
        }
        let mut waveform = Self { symbol_rate_hz, shape, amplitude: 1.0, signs: signs(bits) };
        waveform.amplitude = waveform.mean_power().sqrt().recip() as f32;
        Ok(waveform)
    }

    /// Symbols a second.
    pub fn symbol_rate_hz(&self) -> f64 {
        self.symbol_rate_hz
    }

    /// How the phase is turned.
    pub fn shape(&self) -> PulseShape {
        self.shape
    }

    /// Length of the `n + 2` symbols in seconds.
    pub fn duration_s(&self) -> f64 {
        self.signs.len() as f64 / self.symbol_rate_hz
    }

    /// The instants in seconds between which the waveform is not zero: 0 to
    /// [`duration_s`](Self::duration_s), and half a pulse more on both sides if it is smoothed.
    pub fn support_s(&self) -> Range<f64> {
        let margin_s = match self.shape {
            PulseShape::Smoothed { width_symbols } => 0.5 * width_symbols / self.symbol_rate_hz,
            PulseShape::Rectangular | PulseShape::StPolar => 0.0,
        };
        -margin_s..self.duration_s() + margin_s
    }

    /// The value at one instant, `t_s` seconds after the start.
    pub fn at(&self, t_s: f64) -> Complex32 {
        self.value(t_s * self.symbol_rate_hz) * self.amplitude
    }

    /// Samples the waveform at `start_s`, `start_s + period_s`, ... into `out`.
    ///
    /// A rectangular waveform is averaged over the sample's interval (half a period on both
    /// sides), so that a turn between two instants shows its exact place in the sample's value.
    /// The other shapes are continuous and taken at the instant.
    pub fn render(&self, start_s: f64, period_s: f64, out: &mut [Complex32]) {
        let start = start_s * self.symbol_rate_hz;
        let step = period_s * self.symbol_rate_hz;
        for (i, sample) in out.iter_mut().enumerate() {
            let u = start + i as f64 * step;
            let value = match self.shape {
                PulseShape::Rectangular => self.mean(u - 0.5 * step, u + 0.5 * step),
                PulseShape::Smoothed { .. } | PulseShape::StPolar => self.value(u),
            };
            *sample = value * self.amplitude;
        }
    }

    /// The value before the level is set, at `u` symbols from the start.
    fn value(&self, u: f64) -> Complex32 {
        match self.shape {
            PulseShape::Rectangular => self.sign(u.floor()).into(),
            PulseShape::Smoothed { width_symbols } => self.smoothed(u, width_symbols).into(),
            PulseShape::StPolar => self.st_polar(u),
        }
    }

    /// The carrier's sign in symbol `k`, 0 outside the transmission.
    fn sign(&self, k: f64) -> f32 {
        if k < 0.0 {
            return 0.0;
        }
        self.signs.get(k as usize).copied().unwrap_or(0.0)
    }

    /// A step from sign to sign, convolved with a Hann pulse that touches one boundary only.
    fn smoothed(&self, u: f64, width: f64) -> f32 {
        let boundary = u.round();
        let x = ((u - boundary) / width).clamp(-0.5, 0.5);
        let done = (0.5 + x + (TAU * x).sin() / TAU) as f32;
        let before = self.sign(boundary - 1.0);
        before + (self.sign(boundary) - before) * done
    }

    fn st_polar(&self, u: f64) -> Complex32 {
        let slot = u.floor();
        let (before, after) = (self.sign(slot - 1.0), self.sign(slot));
        let position = (u - slot) * SUBSAMPLES as f64;
        let last = self.signs.len() as f64 - 1.0;
        if slot == 0.0 {
            return (after * ramp_amplitude(SUBSAMPLES as f64 - position)).into();
        }
        if slot == last {
            return (after * ramp_amplitude(position)).into();
        }
        if before == after {
            return after.into();
        }
        let turn = (position - TURNING_SUBSAMPLE).clamp(0.0, 1.0);
        // The sign itself alternates at each turn, and so gives the turn's direction.
        let phase = f64::from(before) * PI * turn;
        Complex32::from_polar(before * notch_amplitude(position), phase as f32)
    }

    /// Mean of the rectangular waveform from `u0` to `u1 > u0` symbols.
    fn mean(&self, u0: f64, u1: f64) -> Complex32 {
        let (mut from, mut sum) = (u0, 0.0);
        while from < u1 {
            let slot = from.floor();
            let to = u1.min(slot + 1.0);
            sum += f64::from(self.sign(slot)) * (to - from);
            from = to;
        }
        ((sum / (u1 - u0)) as f32).into()
    }

    /// Mean power over the `n + 2` symbols, by the midpoint rule. The grid is finer than the
    /// S2-LP's sub-samples.
    fn mean_power(&self) -> f64 {
        // Four to a sub-sample.
        const STEPS: usize = 4 * SUBSAMPLES;
        let steps = self.signs.len() * STEPS;
        let power: f64 = (0..steps)
            .map(|i| f64::from(self.value((i as f64 + 0.5) / STEPS as f64).norm_sqr()))
            .sum();
        power / steps as f64
    }
}

/// The sign at the end of the reference (or ramp up), of each bit, and of the repetition (or ramp
/// down).
fn signs(bits: impl IntoIterator<Item = bool>) -> Vec<f32> {
    let mut sign = 1.0;
    let mut signs = vec![sign];
    for bit in bits {
        sign = if bit { sign } else { -sign };
        signs.push(sign);
    }
    signs.push(sign);
    signs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHAPES: [PulseShape; 3] =
        [PulseShape::Rectangular, PulseShape::SMOOTHED, PulseShape::StPolar];

    fn bits(n: usize) -> Vec<bool> {
        (0..n).map(|i| (i * i + i / 3) % 5 < 2).collect()
    }

    #[test]
    fn a_zero_turns_the_phase_and_a_one_keeps_it() {
        let waveform = Waveform::new([true, false, false, true], 100.0, PulseShape::Rectangular);
        let waveform = waveform.unwrap();
        let values: Vec<f32> = (0..6).map(|k| waveform.at(0.01 * k as f64 + 0.005).re).collect();
        assert_eq!(values, [1.0, 1.0, -1.0, 1.0, 1.0, 1.0]);
        assert_eq!(waveform.at(-1e-6), Complex32::ZERO);
        assert_eq!(waveform.at(0.06 + 1e-6), Complex32::ZERO);
    }

    #[test]
    fn the_mean_power_is_one_at_any_rate() {
        for shape in SHAPES {
            let waveform = Waveform::new(bits(112), 600.0, shape).unwrap();
            for period_s in [1.0 / 250_000.0, 1.0 / 201_613.7] {
                let n = (waveform.duration_s() / period_s) as usize;
                let mut samples = vec![Complex32::ZERO; n];
                waveform.render(0.5 * period_s, period_s, &mut samples);
                let power = samples.iter().map(|s| s.norm_sqr()).sum::<f32>() / n as f32;
                assert!((power - 1.0).abs() < 2e-3, "{shape:?}: {power}");
            }
        }
    }

    #[test]
    fn a_smoothed_turn_crosses_zero_on_the_boundary() {
        let waveform = Waveform::new([false], 100.0, PulseShape::SMOOTHED).unwrap();
        assert!(waveform.at(0.01).norm() < 1e-6);
        let (before, after) = (waveform.at(0.009), waveform.at(0.011));
        assert!((before + after).norm() < 1e-6);
        assert!(waveform.at(-0.003).norm() > 1e-6 && waveform.at(-0.0032).norm() < 1e-12);
        assert_eq!(waveform.support_s(), -0.0031..0.0331);
    }

    #[test]
    fn st_polar_turns_in_the_middle_of_the_bit_alternately_up_and_down() {
        let waveform = Waveform::new([false, false], 100.0, PulseShape::StPolar).unwrap();
        let sub_s = 0.01 / 40.0;
        let turn = |bit: f64| waveform.at(bit * 0.01 + 20.75 * sub_s);
        // Three quarters of the way: from 0 up to 135 degrees, then from 180 down to 45 degrees.
        assert!((turn(1.0).arg() - 0.75 * std::f32::consts::PI).abs() < 1e-3);
        assert!((turn(2.0).arg() - 0.25 * std::f32::consts::PI).abs() < 1e-3);
        let full = waveform.at(0.02).re;
        assert!(full < 0.0);
        // Code 39 is 19 dB below code 1, in the middle of sub-sample 17.
        let notch = waveform.at(0.01 + 17.5 * sub_s).norm() / full.abs();
        assert!((20.0 * notch.log10() + 19.0).abs() < 1e-3);
        assert!(waveform.at(0.01 + 20.0 * sub_s).norm() < 1e-6);
    }

    #[test]
    fn st_polar_ramps_are_mirrors_of_each_other() {
        let waveform = Waveform::new([true; 8], 600.0, PulseShape::StPolar).unwrap();
        let end_s = waveform.duration_s();
        for i in 1..100 {
            let t_s = i as f64 * 1e-4 / 6.0;
            let (up, down) = (waveform.at(t_s), waveform.at(end_s - t_s));
            assert!((up - down).norm() < 1e-4, "{t_s}: {up} {down}");
        }
    }

    #[test]
    fn a_turn_between_two_samples_shows_its_place() {
        let waveform = Waveform::new([false], 100.0, PulseShape::Rectangular).unwrap();
        let mut samples = [Complex32::ZERO; 3];
        // The turn at 10 ms is a quarter of a period after the second sample's instant.
        waveform.render(0.01 - 1.25e-4, 1e-4, &mut samples);
        assert!((samples[0].re - 1.0).abs() < 1e-5);
        assert!((samples[1].re - 0.5).abs() < 1e-5);
        assert!((samples[2].re + 1.0).abs() < 1e-5);
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let wide = PulseShape::Smoothed { width_symbols: 1.1 };
        assert!(Waveform::new([true], 0.0, PulseShape::Rectangular).is_err());
        assert!(Waveform::new([true], f64::NAN, PulseShape::Rectangular).is_err());
        let error = Waveform::new([true], 100.0, wide).unwrap_err();
        assert!(error.to_string().starts_with("width_symbols is 1.1"));
    }

    proptest! {
        #[test]
        fn samples_of_two_rates_agree_where_instants_coincide(
            bits in prop::collection::vec(any::<bool>(), 1..40),
            ratio in 2usize..7,
            start_s in -0.02f64..0.4,
        ) {
            for shape in [PulseShape::SMOOTHED, PulseShape::StPolar] {
                let waveform = Waveform::new(bits.clone(), 100.0, shape).unwrap();
                let period_s = 1e-4;
                let mut coarse = [Complex32::ZERO; 32];
                let mut fine = vec![Complex32::ZERO; 32 * ratio];
                waveform.render(start_s, period_s, &mut coarse);
                waveform.render(start_s, period_s / ratio as f64, &mut fine);
                for (a, b) in coarse.iter().zip(fine.iter().step_by(ratio)) {
                    prop_assert!((a - b).norm() < 1e-3);
                }
            }
        }
    }
}
