//! Turning phasors whose phase is a polynomial of the step.

use std::f64::consts::TAU;

use multiversion::multiversion;
use num_complex::{Complex32, Complex64};

use crate::down_converter::Carrier;
use crate::sample::narrow;

/// Hands out `exp(-i φ(n))` for n = 0, 1, ... without a sine for each: every difference of the phase
/// is a phasor that the next higher one turns. Of `N` differences, the last is constant.
#[derive(Debug, Clone)]
pub(crate) struct Oscillator<const N: usize> {
    turns: [Complex64; N],
}

impl<const N: usize> Oscillator<N> {
    /// The oscillator whose phase and differences at n = 0 are these, in radians.
    pub(crate) fn new(differences: [f64; N]) -> Self {
        Self { turns: differences.map(|phase| Complex64::from_polar(1.0, -phase)) }
    }

    /// One that follows a polynomial of degree N - 1 that is a few radians at most: the differences
    /// are taken from its values.
    pub(crate) fn following(phase: impl Fn(f64) -> f64) -> Self {
        let mut differences = std::array::from_fn(|n| phase(n as f64));
        for order in 1..N {
            for n in (order..N).rev() {
                differences[n] -= differences[n - 1];
            }
        }
        Self::new(differences)
    }
}

impl<const N: usize> Iterator for Oscillator<N> {
    type Item = Complex64;

    fn next(&mut self) -> Option<Complex64> {
        let value = self.turns[0];
        for n in 1..N {
            self.turns[n - 1] *= self.turns[n];
        }
        Some(value)
    }
}

/// Turns of a carrier of constant frequency, some at a time: real and imaginary parts by themselves, so
/// that the processor works on all at once. Single precision is enough for some hundred turns.
struct Lanes {
    re: [f32; LANES],
    im: [f32; LANES],
    stride: Complex32,
}

const LANES: usize = 8;

impl Lanes {
    /// From the phase of the first turn and the advance from one to the next, in radians.
    fn new(phase: f64, advance: f64) -> Self {
        let step = Complex64::from_polar(1.0, advance);
        let mut turn = Complex64::from_polar(1.0, phase);
        let (mut re, mut im) = ([0.0; LANES], [0.0; LANES]);
        for (re, im) in re.iter_mut().zip(&mut im) {
            (*re, *im) = (turn.re as f32, turn.im as f32);
            turn *= step;
        }
        Self { re, im, stride: narrow(step.powu(LANES as u32)) }
    }

    #[inline(always)]
    fn advance(&mut self) {
        let Complex32 { re: u, im: v } = self.stride;
        for n in 0..LANES {
            let (re, im) = (self.re[n], self.im[n]);
            (self.re[n], self.im[n]) = (re * u - im * v, re * v + im * u);
        }
    }
}

/// Takes a carrier of constant frequency out of samples, from its phase at the first of them and its
/// advance from one to the next, in radians.
#[multiversion(targets("x86_64+avx2"))]
pub(crate) fn mix(samples: &mut [Complex32], phase: f64, advance: f64) {
    let mut lanes = Lanes::new(phase, advance);
    let (groups, rest) = samples.as_chunks_mut::<LANES>();
    for samples in groups {
        for (n, sample) in samples.iter_mut().enumerate() {
            *sample *= Complex32::new(lanes.re[n], -lanes.im[n]);
        }
        lanes.advance();
    }
    for (n, sample) in rest.iter_mut().enumerate() {
        *sample *= Complex32::new(lanes.re[n], -lanes.im[n]);
    }
}

/// Fills in the turns of such a carrier.
pub(crate) fn fill_turns(turns: &mut [Complex32], phase: f64, advance: f64) {
    turns.fill(Complex32::ONE);
    mix(turns, -phase, -advance);
}

/// Phase of a carrier at an instant and its differences from step to step, in radians.
pub(crate) fn carrier_differences(carrier: &Carrier, first_s: f64, step_s: f64) -> [f64; 3] {
    [
        carrier.phase_at(first_s),
        // Over one step the mean frequency is that of its middle.
        TAU * carrier.frequency_at(first_s + 0.5 * step_s) * step_s,
        TAU * carrier.drift_hz_per_s * step_s * step_s,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_follows(turns: impl Iterator<Item = Complex64>, phase: impl Fn(f64) -> f64) {
        for (n, turn) in turns.take(3_000).enumerate() {
            let expected = Complex64::from_polar(1.0, -phase(n as f64));
            assert!((turn - expected).norm() < 1e-5, "{turn} for {expected} at step {n}");
        }
    }

    #[test]
    fn it_follows_a_cubic() {
        let cubic = |n: f64| {
            let x = n / 1_500.0 - 1.0;
            0.4 - 1.2 * x + 0.7 * x * x + 2.0 * x.powi(3)
        };
        assert_follows(Oscillator::<4>::following(cubic), cubic);
    }

    #[test]
    fn turns_advance_evenly() {
        let (phase, advance) = (0.3, -1.7);
        let mut turns = [Complex32::default(); 203];
        fill_turns(&mut turns, phase, advance);
        assert_follows(
            turns.iter().map(|turn| Complex64::new(turn.re.into(), turn.im.into())),
            |n| -phase - n * advance,
        );
        mix(&mut turns, phase, advance);
        assert!(turns.iter().all(|turn| (turn - 1.0).norm() < 1e-5));
    }

    #[test]
    fn it_follows_a_drifting_carrier() {
        let carrier = Carrier { time_s: 2.0, frequency_hz: 1_234.5, drift_hz_per_s: -40.0 };
        let turns = Oscillator::new(carrier_differences(&carrier, 1.0, 1e-3));
        assert_follows(turns, |n| carrier.phase_at(1.0 + n * 1e-3));
    }
}
