//! Turning phasors whose phase is a polynomial of the step.

use std::f64::consts::TAU;

use multiversion::multiversion;
use num_complex::{Complex32, Complex64};

use crate::kernels::lanes::{LANES, Lanes};
use crate::kernels::sums::to_c32;

/// Hands out `exp(-i φ(n))` for n = 0, 1, ... without a sine for each: every difference of the phase
/// is a phasor that the next higher one turns. Of `N` differences, the last is constant.
#[derive(Debug, Clone)]
pub(crate) struct Oscillator<const N: usize> {
    phasors: [Complex64; N],
}

impl<const N: usize> Oscillator<N> {
    /// The oscillator whose phase and differences at n = 0 are these, in radians.
    pub(crate) fn new(differences: [f64; N]) -> Self {
        Self { phasors: differences.map(|phase| Complex64::from_polar(1.0, -phase)) }
    }
}

impl<const N: usize> Iterator for Oscillator<N> {
    type Item = Complex64;

    fn next(&mut self) -> Option<Complex64> {
        let value = self.phasors[0];
        for n in 1..N {
            self.phasors[n - 1] *= self.phasors[n];
        }
        Some(value)
    }
}

/// Phasors whose phase is a quadratic of the step, some at a time. Single precision is enough for some
/// hundred of them.
struct QuadraticPhasors {
    phasors: Lanes,
    /// What takes each of the phasors to the one that is as many steps on as there are lanes.
    strides: Lanes,
    /// What takes a stride to the next.
    change: Lanes,
}

impl QuadraticPhasors {
    /// From the phase of the first turn, the advance to the second and its change from step to step, in
    /// radians.
    fn new([phase, advance, change]: [f64; 3]) -> Self {
        let lanes = LANES as f64;
        // The phase at a step n is phase + n advance + n (n - 1) / 2 change.
        let stride = lanes * advance + lanes * (lanes - 1.0) / 2.0 * change;
        Self {
            phasors: Lanes::new(Oscillator::new([phase, advance, change]).map(to_c32)),
            strides: Lanes::new(Oscillator::new([stride, lanes * change]).map(to_c32)),
            change: Lanes::new(Oscillator::new([lanes * lanes * change]).map(to_c32)),
        }
    }
}

/// Mixes samples down with phasors of these differences of the phase.
#[multiversion(targets("x86_64+avx2"))]
fn mix(samples: &mut [Complex32], differences: [f64; 3]) {
    let QuadraticPhasors { mut phasors, mut strides, change } = QuadraticPhasors::new(differences);
    let (groups, rest) = samples.as_chunks_mut::<LANES>();
    for samples in groups {
        for (n, sample) in samples.iter_mut().enumerate() {
            *sample *= Complex32::new(phasors.re[n], phasors.im[n]);
        }
        phasors.rotate(&strides);
        strides.rotate(&change);
    }
    for (n, sample) in rest.iter_mut().enumerate() {
        *sample *= Complex32::new(phasors.re[n], phasors.im[n]);
    }
}

/// Samples over which a phase is taken as a quadratic.
const MIXED_AT_ONCE: usize = 512;

/// Mixes samples down by a phase, in radians; they lie `step_s` apart from `first_s` on. `frequency_hz`
/// is its derivative over a whole turn.
pub(crate) fn mix_down(
    samples: &mut [Complex32],
    (first_s, step_s): (f64, f64),
    phase: impl Fn(f64) -> f64,
    frequency_hz: impl Fn(f64) -> f64,
) {
    for (n, samples) in samples.chunks_mut(MIXED_AT_ONCE).enumerate() {
        let count = samples.len() as f64;
        let from_s = first_s + (n * MIXED_AT_ONCE) as f64 * step_s;
        let (at_start, at_end) = (frequency_hz(from_s), frequency_hz(from_s + count * step_s));
        let change = TAU * (at_end - at_start) / count * step_s;
        // Over one step the mean frequency is that of its middle.
        mix(samples, [phase(from_s), TAU * at_start * step_s + change / 2.0, change]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carrier::{Carrier, carrier_differences};
    use crate::kernels::sums::to_c64;

    fn assert_follows(phasors: impl Iterator<Item = Complex64>, phase: impl Fn(f64) -> f64) {
        for (n, phasor) in phasors.take(3_000).enumerate() {
            let expected = Complex64::from_polar(1.0, -phase(n as f64));
            assert!((phasor - expected).norm() < 1e-5, "{phasor} for {expected} at step {n}");
        }
    }

    #[test]
    fn phasors_advance_evenly() {
        let (phase, advance) = (0.3, -1.7);
        let mut phasors = [Complex32::ONE; 203];
        let steady = |n: f64| phase + n * advance;
        mix_down(&mut phasors, (0.0, 1.0), steady, |_| advance / TAU);
        assert_follows(phasors.into_iter().map(to_c64), steady);
        mix_down(&mut phasors, (0.0, 1.0), |n| -steady(n), |_| -advance / TAU);
        assert!(phasors.iter().all(|phasor| (phasor - 1.0).norm() < 1e-5));
    }

    #[test]
    fn a_phase_is_mixed_out_of_samples() {
        let (step_s, first_s) = (1e-3, 1.25);
        let carrier = Carrier { time_s: 2.0, frequency_hz: -123.4, drift_hz_per_s: 60.0 };
        for count in [0, 3, 8, 1_203] {
            let mut samples = vec![Complex32::ONE; count];
            let (phase, frequency) =
                (|time_s| carrier.phase_at(time_s), |time_s| carrier.frequency_at(time_s));
            mix_down(&mut samples, (first_s, step_s), phase, frequency);
            for (n, sample) in samples.iter().enumerate() {
                let phasor = Complex64::from_polar(1.0, -phase(first_s + n as f64 * step_s));
                assert!((sample - to_c32(phasor)).norm() < 2e-4, "{sample} for {phasor} at {n}");
            }
        }
    }

    #[test]
    fn it_follows_a_drifting_carrier() {
        let carrier = Carrier { time_s: 2.0, frequency_hz: 1_234.5, drift_hz_per_s: -40.0 };
        let phasors = Oscillator::new(carrier_differences(&carrier, 1.0, 1e-3));
        assert_follows(phasors, |n| carrier.phase_at(1.0 + n * 1e-3));
    }
}
