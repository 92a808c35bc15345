//! The steady carrier that fits all symbols of a burst.
//!
//! A carrier that keeps its frequency but for a drift turns the phase along a parabola. It has three unknowns, which all
//! symbols of a burst tell together: better than they tell one state after the other of a carrier that may wander.

use std::f64::consts::TAU;

use num_complex::Complex32;

use crate::carrier::Carrier;

/// Rounds in which signs and phases are improved in turn: after three nothing moves any more.
const ROUNDS: usize = 4;
/// The largest change of a coefficient in a round, in radians: with signs that are wrong, it may be anything.
const MAX_CHANGE: f64 = 0.7;

/// A phase over the symbols of a burst, as a sum of the first Legendre polynomials: as these are orthogonal, each
/// coefficient is found by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Parabola {
    symbols: usize,
    /// Radians.
    coefficients: [f64; 3],
}

/// The values of the polynomials at a symbol.
fn legendre(symbol: usize, symbols: usize) -> [f64; 3] {
    let x = (2 * symbol + 1) as f64 / symbols as f64 - 1.0;
    [1.0, x, 1.5 * x * x - 0.5]
}

impl Parabola {
    /// The parabola nearest to the phases of these phasors, by least squares.
    pub(super) fn through(phasors: &[Complex32]) -> Self {
        let (mut sums, mut squares) = ([0.0; 3], [f64::MIN_POSITIVE; 3]);
        let (mut phase, mut before) = (0.0, Complex32::ONE);
        for (symbol, phasor) in phasors.iter().enumerate() {
            phase += f64::from((phasor * before.conj()).arg());
            before = *phasor;
            for (n, value) in legendre(symbol, phasors.len()).into_iter().enumerate() {
                sums[n] += phase * value;
                squares[n] += value * value;
            }
        }
        let coefficients = std::array::from_fn(|n| sums[n] / squares[n]);
        Self { symbols: phasors.len(), coefficients }
    }

    /// Improves it: the likeliest one, given the expected signs, and these again. `scaled` are the symbols as passes take
    /// them, the first of which have `known` signs (±1); without noise they would be `level` times these weights.
    pub(super) fn improve(
        &mut self,
        scaled: &[Complex32],
        (weights, level): (&[f32], f32),
        known: &[f64],
    ) {
        for _ in 0..ROUNDS {
            let (mut slopes, mut curvatures) = ([0.0; 3], [f64::MIN_POSITIVE; 3]);
            for (symbol, (scaled, weight)) in scaled.iter().zip(weights).enumerate() {
                let derotated = scaled * Complex32::cis(-self.phase_at(symbol) as f32);
                let sign = known.get(symbol).copied();
                let sign = sign.unwrap_or_else(|| derotated.re.tanh().into());
                for (n, value) in legendre(symbol, self.symbols).into_iter().enumerate() {
                    slopes[n] += f64::from(derotated.im) * sign * value;
                    curvatures[n] += f64::from(level * weight) * sign * sign * value * value;
                }
            }
            for (n, coefficient) in self.coefficients.iter_mut().enumerate() {
                *coefficient += (slopes[n] / curvatures[n]).clamp(-MAX_CHANGE, MAX_CHANGE);
            }
        }
    }

    fn phase_at(&self, symbol: usize) -> f64 {
        let values = legendre(symbol, self.symbols);
        self.coefficients.iter().zip(values).map(|(coefficient, value)| coefficient * value).sum()
    }

    /// A carrier whose phase goes on top of `carrier`'s, over symbols of `symbol_s` from `start_s` on, as this does.
    pub(super) fn added_to(&self, carrier: &Carrier, start_s: f64, symbol_s: f64) -> Carrier {
        let half_s = self.symbols as f64 * symbol_s / 2.0;
        let middle = carrier.described_at(start_s + half_s);
        let [_, slope, bend] = self.coefficients;
        Carrier {
            frequency_hz: middle.frequency_hz + slope / (TAU * half_s),
            // The second derivative of the last polynomial is 3.
            drift_hz_per_s: middle.drift_hz_per_s + 3.0 * bend / (TAU * half_s * half_s),
            ..middle
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYMBOL_S: f64 = 0.01;
    const SYMBOLS: usize = 200;

    /// Symbols of random signs on a carrier, in noise of up to a fifth of their amplitude, and these signs.
    fn symbols(carrier: &Carrier) -> (Vec<Complex32>, Vec<f64>) {
        let random = |n: usize| n.wrapping_mul(0x9E37_79B9) >> 7 & 0xFF;
        let place = |n: usize| {
            let sign = if random(n) & 1 == 1 { 1.0 } else { -1.0 };
            let phase = carrier.phase_at((n as f64 + 0.5) * SYMBOL_S);
            let noise = |n: usize| random(n) as f32 / 640.0 - 0.2;
            let noise = Complex32::new(noise(n + 999), noise(n + 77_777));
            (Complex32::cis(phase as f32) * sign as f32 + noise, sign)
        };
        (0..SYMBOLS).map(place).unzip()
    }

    #[test]
    fn the_carrier_is_found_that_symbols_are_on() {
        let sent = Carrier { time_s: 1.0, frequency_hz: 0.2, drift_hz_per_s: 0.3 };
        let (symbols, signs) = symbols(&sent);
        let scaled: Vec<Complex32> = symbols.iter().map(|symbol| symbol * 10.0).collect();
        let none = Carrier { time_s: 0.0, frequency_hz: 0.0, drift_hz_per_s: 0.0 };
        // Phases known to a quarter of a radian.
        let off = |n: usize| 0.25 * (n as f64 / 9.0).sin();
        let phase = |n: usize| sent.phase_at((n as f64 + 0.5) * SYMBOL_S) + off(n);
        let phasors: Vec<Complex32> =
            (0..SYMBOLS).map(|n| Complex32::cis(phase(n) as f32)).collect();
        let mut parabola = Parabola::through(&phasors);
        parabola.improve(&scaled, (&[1.0; SYMBOLS], 10.0), &signs[..33]);
        let found = parabola.added_to(&none, 0.0, SYMBOL_S);
        assert!((found.frequency_hz - 0.2).abs() < 0.02, "{found:?}");
        assert!((found.drift_hz_per_s - 0.3).abs() < 0.05, "{found:?}");
        assert!((found.time_s - 1.0).abs() < 1e-9);
    }

    #[test]
    fn nothing_has_no_phase() {
        let mut parabola = Parabola::through(&[]);
        parabola.improve(&[], (&[], 1.0), &[]);
        assert_eq!(parabola.coefficients, [0.0; 3]);
    }
}
