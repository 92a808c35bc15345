//! The envelope of a burst over its symbols.
//!
//! Shaped transmitters turn the phase while their amplitude is low, so that the envelope has a notch
//! around each reversal. A matched filter that takes it for steady gathers noise in the notches and expects more
//! energy than there is; one that knows the notches is nearly as good as with a steady envelope, for the
//! signal tells by its amplitude, too, whether the phase has reversed.

use num_complex::{Complex32, Complex64};

use crate::kernels::sums::to_c64;

/// Parts of a symbol in which the envelope is measured.
pub(crate) const PARTS: usize = 8;
/// Those on one side of a reversal.
const SIDE: usize = PARTS / 2;

/// The means over the parts of a symbol, turned so that the data lies on the real axis.
pub(crate) type Parts = [Complex32; PARTS];

/// What a phase reversal takes out of a burst's envelope.
///
/// With an amplitude `a` and noise of variance `v` in the real part of a symbol, a symbol of the sign `s`
/// of weight `w` has the log likelihood `s * w * symbol.re * a / v`, up to a constant; if the phase
/// reverses at its start, `(s * missing + a * energy) * a / v` is to be added.
#[derive(Debug, Clone, PartialEq)]
pub struct Notches {
    /// Amplitude where the phase does not reverse.
    pub amplitude: f64,
    /// By symbol, the part of the signal around its start that a reversal there takes away: what was received
    /// before it less what came after it, times the weights of the symbols on both sides.
    pub missing_signal: Vec<f32>,
    /// By symbol, half the share of a symbol's energy that a reversal at its start takes away, times
    /// the weights of the symbols on both sides.
    pub missing_energy: Vec<f32>,
}

impl Notches {
    /// Measures the notches over symbols whose `signs` are expected (-1 to 1), and of which each has
    /// its weight (0 to 1).
    pub(crate) fn measure(symbols: &[Parts], signs: &[f32], weights: &[f32]) -> Self {
        let Remains { amplitude, remaining } = Remains::measure(symbols, signs, weights);
        let energy = lost_energy(&remaining);
        let missing = |symbols: &[Parts], weights: &[f32]| -> f32 {
            let lost = remaining.iter().enumerate().map(|(distance, remaining)| {
                let [before, after] = beside(symbols, distance);
                (1.0 - remaining) * (before.re * weights[0] - after.re * weights[1])
            });
            lost.sum::<f32>() / PARTS as f32
        };
        let places = symbols.windows(2).zip(weights.windows(2));
        // Before the first symbol there is none.
        let missing_signal =
            std::iter::once(0.0).chain(places.map(|(symbols, weight)| missing(symbols, weight)));
        let pair_weights = weights.windows(2).map(|weight| f32::midpoint(weight[0], weight[1]));
        let missing_energy = std::iter::once(0.0).chain(pair_weights.map(|weight| weight * energy));
        Self {
            amplitude: amplitude.into(),
            missing_signal: missing_signal.take(symbols.len()).collect(),
            missing_energy: missing_energy.take(symbols.len()).collect(),
        }
    }
}

/// What is left of the envelope beside a reversal.
struct Remains {
    /// Amplitude where the phase does not reverse.
    amplitude: f32,
    /// Of that, by the distance from a reversal.
    remaining: [f32; SIDE],
}

impl Remains {
    /// See [`Notches::measure`].
    fn measure(symbols: &[Parts], signs: &[f32], weights: &[f32]) -> Self {
        let (mut reversals, mut stays) = (f32::MIN_POSITIVE, f32::MIN_POSITIVE);
        let (mut at_reversals, mut steady) = ([0.0; SIDE], 0.0);
        let places = symbols.windows(2).zip(signs.windows(2)).zip(weights.windows(2));
        for ((symbols, signs), weights) in places {
            let weight = weights[0] * weights[1];
            // Twice the expected share of a reversal, and of none.
            reversals += weight * (1.0 - signs[0] * signs[1]);
            stays += weight * (1.0 + signs[0] * signs[1]);
            for (distance, at_reversals) in at_reversals.iter_mut().enumerate() {
                let [before, after] = beside(symbols, distance);
                *at_reversals += weight * (signs[1] - signs[0]) * (after.re - before.re);
                steady += weight * (signs[1] + signs[0]) * (after.re + before.re);
            }
        }
        let amplitude = (steady / (2.0 * stays * SIDE as f32)).max(0.0);
        let whole = 2.0 * reversals * amplitude;
        // Where nothing tells, nothing is taken away.
        let remaining = at_reversals
            .map(|sum| if whole > f32::MIN_POSITIVE { (sum / whole).clamp(0.0, 1.0) } else { 1.0 });
        Self { amplitude, remaining }
    }
}

/// Half the share of a symbol's energy that a reversal takes away.
fn lost_energy(remaining: &[f32; SIDE]) -> f32 {
    remaining.iter().map(|share| 1.0 - share * share).sum::<f32>() / PARTS as f32
}

/// The share of a symbol's energy that is missing around a phase reversal, measured as the notches are.
pub(crate) fn loss(symbols: &[Parts], signs: &[f32], weights: &[f32]) -> f64 {
    f64::from(2.0 * lost_energy(&Remains::measure(symbols, signs, weights).remaining))
}

/// The parts at this distance before and after the boundary between two symbols.
fn beside(symbols: &[Parts], distance: usize) -> [Complex32; 2] {
    [symbols[0][PARTS - 1 - distance], symbols[1][distance]]
}

/// Mean power of the signal whose symbols have these signs (±1). The envelope is averaged over the
/// symbols in parts of a symbol, separately by whether a phase reversal lies before and after, so that the
/// notches of shaped transmitters are seen and the noise is not.
pub(crate) fn power(symbols: &[Parts], signs: &[f64]) -> f64 {
    let mut sums = [[Complex64::default(); PARTS]; 4];
    let mut squares = [[0.0; PARTS]; 4];
    let mut counts = [0.0; 4];
    for (parts, signs) in symbols.iter().skip(1).zip(signs.windows(3)) {
        let (before, own, after) = (signs[0], signs[1], signs[2]);
        let group = usize::from(own != before) * 2 + usize::from(own != after);
        counts[group] += 1.0;
        for (part, mean) in parts.iter().enumerate() {
            let value = to_c64(*mean) * own;
            sums[group][part] += value;
            squares[group][part] += value.norm_sqr();
        }
    }
    let mut power = 0.0;
    for group in 0..4 {
        let n: f64 = counts[group];
        if n < 2.0 {
            continue;
        }
        for (sum, squares) in sums[group].iter().zip(&squares[group]) {
            let mean = sum.norm_sqr() / (n * n);
            // Noise lifts the square of a mean by its variance over n.
            let variance = (squares / n - mean).max(0.0) * n / (n - 1.0);
            power += (mean - variance / n) * n;
        }
    }
    let n: f64 = counts.iter().filter(|&&n| n >= 2.0).sum();
    (power / (n * PARTS as f64)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modulator::dbpsk::Waveform;
    use crate::modulator::pulse_shape::PulseShape;

    /// Signs of the symbols of some bits, and these in parts as a transmitter of this shape sends them.
    fn sent(shape: PulseShape) -> (Vec<f32>, Vec<Parts>) {
        let bits: Vec<bool> =
            (0..200u32).map(|n| n.wrapping_mul(2_654_435_761) >> 31 == 1).collect();
        let waveform = Waveform::new(bits.iter().copied(), 100.0, shape).unwrap();
        // The ST's symbols lie half a bit later.
        let delay = if shape == PulseShape::StPolar { 0.5 } else { 0.0 };
        let reversal = |sign: &mut f32, bit: &bool| {
            *sign = if *bit { *sign } else { -*sign };
            Some(*sign)
        };
        let signs = std::iter::once(1.0).chain(bits.iter().scan(1.0, reversal)).collect();
        let fine = 10;
        let part = |n: usize| {
            let middle = |i: usize| (n as f64 + (i as f64 + 0.5) / f64::from(fine)) / PARTS as f64;
            let samples = (0..fine as usize).map(|i| waveform.at((middle(i) + delay) / 100.0));
            samples.sum::<Complex32>() / fine as f32
        };
        let means: Vec<Complex32> = (0..PARTS * (bits.len() + 1)).map(part).collect();
        (signs, means.as_chunks().0.to_vec())
    }

    fn notches(symbols: &[Parts], signs: &[f32]) -> Notches {
        Notches::measure(symbols, signs, &vec![1.0; signs.len()])
    }

    #[test]
    fn a_steady_envelope_has_no_notches() {
        let (signs, symbols) = sent(PulseShape::Rectangular);
        let notches = notches(&symbols, &signs);
        assert!((notches.amplitude - 1.0).abs() < 1e-6);
        assert!(
            notches
                .missing_signal
                .iter()
                .chain(&notches.missing_energy)
                .all(|value| value.abs() < 1e-6)
        );
    }

    #[test]
    fn the_notches_of_a_polar_transmitter_are_matched() {
        let (signs, symbols) = sent(PulseShape::StPolar);
        let notches = notches(&symbols, &signs);
        // By the amplifier's codes, 44 % of a symbol's energy are missing around a reversal; those of a part
        // taken together, a little more.
        assert!(
            (0.44..0.46).contains(&(2.0 * notches.missing_energy[1])),
            "{}",
            notches.missing_energy[1]
        );
        // What a matched filter gathers is the amplitude times the energy that is there.
        let (mut gathered, mut energy) = (0.0, 0.0);
        for (k, parts) in symbols.iter().enumerate() {
            let is_reversal = f32::from(u8::from(k > 0 && signs[k] != signs[k - 1]));
            let mean = parts.iter().sum::<Complex32>().re / PARTS as f32;
            gathered += signs[k] * (mean + is_reversal * notches.missing_signal[k]);
            energy += 1.0 - is_reversal * 2.0 * notches.missing_energy[k];
        }
        let share = gathered / (notches.amplitude as f32 * energy);
        assert!((share - 1.0).abs() < 0.01, "{share}");
    }

    /// Against the likelihood of all parts, each by itself.
    #[test]
    fn likelihoods_are_those_of_the_parts() {
        let (signs, symbols) = sent(PulseShape::StPolar);
        let notches = notches(&symbols, &signs);
        let variance = 0.2;
        let is_reversal = |signs: &[f32], k: usize| k > 0 && signs[k] != signs[k - 1];
        // The envelope at the reversals is what is left of the amplitude, over both sides of all of them.
        let reversals: Vec<usize> = (1..signs.len()).filter(|&k| is_reversal(&signs, k)).collect();
        let remaining = [0, 1, 2, 3].map(|distance| {
            let sides = reversals.iter().map(|&k| {
                let [before, after] = beside(&symbols[k - 1..], distance);
                (after.re - before.re) * signs[k] / 2.0
            });
            f64::from(sides.sum::<f32>()) / reversals.len() as f64
        });
        let of_parts = |signs: &[f32]| -> f64 {
            let mut sum = 0.0;
            for (k, parts) in symbols.iter().enumerate() {
                for (n, part) in parts.iter().enumerate() {
                    let (boundary, distance) =
                        if n < SIDE { (k, n) } else { (k + 1, PARTS - 1 - n) };
                    let reversals = boundary < signs.len() && is_reversal(signs, boundary);
                    let envelope = if reversals { remaining[distance] } else { notches.amplitude };
                    let error = f64::from(part.re) - f64::from(signs[k]) * envelope;
                    sum -= error * error / (2.0 * variance * PARTS as f64);
                }
            }
            sum
        };
        let of_notches = |signs: &[f32]| -> f64 {
            let terms = signs.iter().enumerate().map(|(k, &sign)| {
                let mean = symbols[k].iter().sum::<Complex32>().re / PARTS as f32;
                let steady = f64::from(sign * mean);
                let reversal = f64::from(sign * notches.missing_signal[k])
                    + notches.amplitude * f64::from(notches.missing_energy[k]);
                (steady + if is_reversal(signs, k) { reversal } else { 0.0 }) * notches.amplitude
                    / variance
            });
            terms.sum()
        };
        for wrong in [17, 40, 120, signs.len() - 1] {
            let mut other = signs.clone();
            other[wrong] = -other[wrong];
            let (expected, found) =
                (of_parts(&signs) - of_parts(&other), of_notches(&signs) - of_notches(&other));
            assert!((found - expected).abs() < 1e-3 * expected.abs(), "{found} for {expected}");
        }
    }

    #[test]
    fn what_is_not_believed_does_not_count() {
        let (signs, mut symbols) = sent(PulseShape::StPolar);
        let clean = notches(&symbols, &signs);
        let mut weights = vec![1.0; signs.len()];
        symbols[50..60].fill([Complex32::new(30.0, 0.0); PARTS]);
        weights[50..60].fill(1e-6);
        let notches = Notches::measure(&symbols, &signs, &weights);
        assert!((notches.amplitude - clean.amplitude).abs() < 0.01);
        assert!(
            notches.missing_energy[55] < 1e-5
                && (notches.missing_energy[40] - clean.missing_energy[40]).abs() < 0.01
        );
        assert!(notches.missing_signal[55].abs() < 1e-3);
    }

    #[test]
    fn silence_has_neither_notches_nor_power() {
        for count in 0..4 {
            let symbols = vec![Parts::default(); count];
            let notches = notches(&symbols, &vec![1.0; count]);
            let nothing = vec![0.0; count];
            assert_eq!(
                notches,
                Notches {
                    amplitude: 0.0,
                    missing_signal: nothing.clone(),
                    missing_energy: nothing
                }
            );
        }
        assert_eq!(power(&[Parts::default(); 9], &[1.0; 9]), 0.0);
    }
}
