//! DBPSK of transmitters that turn the phase through a half circle instead of through zero.

use std::f64::consts::PI;
use std::ops::Range;

use num_complex::Complex32;
use rand::{Rng, RngExt};

use super::transmission::Signal;
use crate::error::Error;

/// How a reversal of the phase is turned round.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(deny_unknown_fields))]
pub struct Rotation {
    /// How long it takes, above 0 up to 1 symbol.
    pub width_symbols: f64,
    /// Which way round it goes.
    pub way: Way,
}

/// Which way round a reversal goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Way {
    /// Always up, as of a transmitter that raises its frequency for each.
    Same,
    /// Up or down, by lot for each.
    Either,
}

/// DBPSK of constant envelope: each reversal of the phase is a rotation at even speed over a part of
/// a symbol, in the middle of which lies the symbol's boundary. As of [`Waveform`](crate::modulator::Waveform),
/// n bits last n + 2 symbols: a reference comes before them, and a repetition of the last symbol
/// after them.
#[derive(Debug, Clone, PartialEq)]
pub struct RotatedWaveform {
    symbol_rate_hz: f64,
    width_symbols: f64,
    /// Phase of each symbol in half turns.
    half_turns: Vec<f64>,
}

impl RotatedWaveform {
    /// Modulates `bits`, `symbol_rate_hz` of them a second; a 0 reverses the phase.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if the symbol rate is not above 0 or the width of a rotation not above
    /// 0 and up to 1 symbol.
    pub fn new<R: Rng>(
        bits: impl IntoIterator<Item = bool>,
        symbol_rate_hz: f64,
        rotation: Rotation,
        rng: &mut R,
    ) -> Result<Self, Error> {
        Error::check_range("symbol_rate_hz", symbol_rate_hz, f64::MIN_POSITIVE, f64::MAX)?;
        let Rotation { width_symbols, way } = rotation;
        Error::check_range("rotation.width_symbols", width_symbols, f64::MIN_POSITIVE, 1.0)?;
        let mut phase = 0.0;
        let mut half_turns = vec![phase];
        for bit in bits {
            if !bit {
                let down = way == Way::Either && rng.random();
                phase += if down { -1.0 } else { 1.0 };
            }
            half_turns.push(phase);
        }
        half_turns.push(phase);
        Ok(Self { symbol_rate_hz, width_symbols, half_turns })
    }

    /// Phase in half turns, `u` symbols from the start; outside of the symbols that of the nearest.
    fn half_turns(&self, u: f64) -> f64 {
        let boundary = u.round();
        let phase = |k: f64| {
            let k = (k.max(0.0) as usize).min(self.half_turns.len() - 1);
            self.half_turns[k]
        };
        let done = ((u - boundary) / self.width_symbols + 0.5).clamp(0.0, 1.0);
        let before = phase(boundary - 1.0);
        before + (phase(boundary) - before) * done
    }
}

impl Signal for RotatedWaveform {
    fn support_s(&self) -> Range<f64> {
        0.0..self.half_turns.len() as f64 / self.symbol_rate_hz
    }

    /// The main lobe.
    fn bandwidth_hz(&self) -> f64 {
        2.0 * self.symbol_rate_hz
    }

    fn render(&self, start_s: f64, period_s: f64, out: &mut [Complex32]) {
        let support_s = self.support_s();
        for (i, sample) in out.iter_mut().enumerate() {
            let t_s = start_s + i as f64 * period_s;
            *sample = if support_s.contains(&t_s) {
                // Whole turns go first, since single precision has few digits.
                let half_turns = self.half_turns(t_s * self.symbol_rate_hz) % 2.0;
                Complex32::cis((PI * half_turns) as f32)
            } else {
                Complex32::ZERO
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};

    /// 100 samples a symbol, the first in the middle of the first sample's interval.
    fn samples(bits: &[bool], way: Way) -> Vec<Complex32> {
        let mut rng = ChaCha12Rng::seed_from_u64(2);
        let rotation = Rotation { width_symbols: 0.6, way };
        let waveform =
            RotatedWaveform::new(bits.iter().copied(), 100.0, rotation, &mut rng).unwrap();
        let mut samples = vec![Complex32::ZERO; 100 * (bits.len() + 2) + 100];
        waveform.render(0.5e-4, 1e-4, &mut samples);
        samples
    }

    /// Phase from sample to sample, summed up, in half turns.
    fn path(samples: &[Complex32]) -> Vec<f64> {
        let turns = samples.windows(2).map(|w| f64::from((w[1] * w[0].conj()).arg()) / PI);
        std::iter::once(0.0)
            .chain(turns.scan(0.0, |sum, turn| {
                *sum += turn;
                Some(*sum)
            }))
            .collect()
    }

    #[test]
    fn the_envelope_is_constant_and_ends() {
        let samples = samples(&[false, true, false, false], Way::Either);
        assert!(samples[..600].iter().all(|s| (s.norm() - 1.0).abs() < 1e-6));
        assert!(samples[600..].iter().all(|s| *s == Complex32::ZERO));
    }

    #[test]
    fn a_reversal_takes_its_part_of_a_symbol_around_the_boundary() {
        let path = path(&samples(&[true, false, true], Way::Same)[..500]);
        // The reversal lies 2 symbols after the start, 0.3 symbols to both sides.
        for (symbol, half_turns) in
            [(1.69, 0.0), (1.85, 0.25), (2.0, 0.5), (2.15, 0.75), (2.31, 1.0)]
        {
            let found = path[(100.0 * symbol) as usize];
            assert!((found - half_turns).abs() < 0.02, "{symbol}: {found}");
        }
        assert!((path[499] - 1.0).abs() < 1e-3);
    }

    #[test]
    fn the_same_way_winds_up_and_either_way_does_not() {
        let bits = [false; 200];
        let end = |way| path(&samples(&bits, way)[..20_200])[20_199];
        assert!((end(Way::Same) - 200.0).abs() < 1e-2);
        // A walk of 200 steps has a deviation of 14.
        assert!(end(Way::Either).abs() < 57.0);
    }

    #[test]
    fn signs_are_those_of_differential_coding() {
        let bits = [false, true, true, false, false, true];
        let samples = samples(&bits, Way::Either);
        let middle = |symbol: usize| samples[100 * symbol + 50];
        for (n, bit) in bits.into_iter().enumerate() {
            let product = middle(n + 1) * middle(n).conj();
            assert!((product.re - if bit { 1.0 } else { -1.0 }).abs() < 1e-3, "{n}");
        }
    }

    #[test]
    fn a_width_out_of_range_is_named() {
        for width_symbols in [0.0, 1.1, f64::NAN] {
            let mut rng = ChaCha12Rng::seed_from_u64(2);
            let rotation = Rotation { width_symbols, way: Way::Same };
            let error = RotatedWaveform::new([true], 1e2, rotation, &mut rng);
            let text = error.unwrap_err().to_string();
            assert!(text.starts_with("rotation.width_symbols is"), "{text}");
        }
    }
}
