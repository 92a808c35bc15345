//! The phase of a burst as a function of time.

use std::f64::consts::{PI, TAU};

use num_complex::Complex32;

use crate::carrier::Carrier;

/// Order of the differences that the smoother keeps small: with the third, what is left of a carrier as
/// the smoothing grows is its phase, frequency and drift.
const ORDER: usize = 3;
/// Weights of the differences' squares that are tried, from a phase that follows nearly every symbol to a
/// quadratic.
const SMOOTHINGS: [f64; 7] = [1e-1, 1e1, 1e3, 1e5, 1e7, 1e9, 1e12];

/// How much dearer what a smoothing uses up is than cross validation alone has it: that takes too rough a curve
/// now and then (Y. Kim, C. Gu: Smoothing spline Gaussian regression, 2004, who find 1.4 to be the best).
const USE: f64 = 1.4;

/// A carrier, and on top of it a correction for every symbol, with a smooth curve between them.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseTrack {
    /// Start of the first symbol, in seconds from the start of the recording.
    pub start_s: f64,
    /// From the start of the first symbol to the end of the last, in seconds.
    pub duration_s: f64,
    symbol_s: f64,
    carrier: Carrier,
    /// By symbol, at its middle, in radians.
    corrections: Vec<f64>,
}

impl PhaseTrack {
    /// What that of so many symbols takes beside itself, in bytes.
    #[must_use]
    pub fn memory_bytes(symbols: usize) -> usize {
        symbols * size_of::<f64>()
    }

    /// The track of a burst that was mixed down with `carrier`, and then had these phasors.
    pub(crate) fn new(
        carrier: Carrier,
        start_s: f64,
        symbol_s: f64,
        phasors: impl Iterator<Item = Complex32>,
    ) -> Self {
        let mut last = 0.0;
        let unwrap = |phasor: Complex32| {
            let change = f64::from(phasor.arg()) - last;
            last += change - TAU * (change / TAU).round();
            last
        };
        let corrections: Vec<f64> = phasors.map(unwrap).collect();
        let duration_s = corrections.len() as f64 * symbol_s;
        Self { start_s, duration_s, symbol_s, carrier, corrections }
    }

    /// How long a symbol lasts by the transmitter's own clock, in seconds.
    #[must_use]
    pub fn symbol_s(&self) -> f64 {
        self.symbol_s
    }

    /// The phase in radians at an instant as seen in a subband, relative to a constant of the
    /// subband. `center_hz` is the subband's centre.
    #[must_use]
    pub fn phase_at(&self, time_s: f64, center_hz: f64) -> f64 {
        let relative =
            Carrier { frequency_hz: self.carrier.frequency_hz - center_hz, ..self.carrier };
        relative.phase_at(time_s) + self.correction_at(time_s)
    }

    /// The frequency at an instant, in hertz from the centre of the recording.
    #[must_use]
    pub fn frequency_at(&self, time_s: f64) -> f64 {
        let half_s = self.symbol_s / 2.0;
        let change = self.correction_at(time_s + half_s) - self.correction_at(time_s - half_s);
        self.carrier.frequency_at(time_s) + change / (TAU * self.symbol_s)
    }

    /// What comes to the carrier's phase: between two symbols a cubic with the slopes of their neighbours
    /// (Catmull and Rom's spline), outside the burst a line.
    pub(super) fn correction_at(&self, time_s: f64) -> f64 {
        let last = self.corrections.len().saturating_sub(1);
        let value = |n: isize| {
            let clamped = n.clamp(0, last as isize);
            let near = |n: isize| self.corrections.get(n as usize).copied().unwrap_or_default();
            let inner = if n < 0 { 1.min(last as isize) } else { (last as isize - 1).max(0) };
            let slope = near(clamped) - near(inner);
            let beyond = (n - clamped).abs() as f64;
            near(clamped) + if n == clamped { 0.0 } else { slope * beyond }
        };
        let position = (time_s - self.start_s) / self.symbol_s - 0.5;
        let whole = position.floor();
        let (n, x) = (whole as isize, position - whole);
        let [a, b, c, d] = [value(n - 1), value(n), value(n + 1), value(n + 2)];
        let (slope_b, slope_c) = ((c - a) / 2.0, (d - b) / 2.0);
        let rest = c - b - slope_b;
        b + x
            * (slope_b
                + x * (3.0 * rest - slope_c + slope_b + x * (slope_c - slope_b - 2.0 * rest)))
    }

    /// Moves the corrections to what the symbols say, as smoothly as the symbols bear out: `errors` are the
    /// phases in radians that the symbols have beyond the track, `weights` how well each tells it.
    pub(super) fn refine(&mut self, errors: &[f64], weights: &[f64]) {
        let measured: Vec<f64> =
            self.corrections.iter().zip(errors).map(|(phase, error)| phase + error).collect();
        let smoothed = SMOOTHINGS.into_iter().map(|smoothing| {
            let smooth = smooth(&measured, weights, smoothing);
            (cross_validation(&measured, &smooth, weights, smoothing), smooth)
        });
        let best = smoothed.min_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((_, smooth)) = best {
            self.corrections = smooth;
        }
    }

    /// The carrier that comes nearest to the track: its phase as a parabola.
    pub(super) fn carrier_at_middle(&self, weights: &[f64]) -> Carrier {
        let middle_s = self.start_s + self.duration_s / 2.0;
        let parabola = smooth(&self.corrections, weights, SMOOTHINGS[SMOOTHINGS.len() - 1]);
        let count = parabola.len();
        let carrier = self.carrier.described_at(middle_s);
        if count < ORDER {
            return carrier;
        }
        let (first, middle, last) = (parabola[0], parabola[(count - 1) / 2], parabola[count - 1]);
        // From the middle one to the first and the last symbol, in seconds.
        let before_s = ((count - 1) / 2) as f64 * self.symbol_s;
        let after_s = (count - 1) as f64 * self.symbol_s - before_s;
        let (slope_before, slope_after) = ((middle - first) / before_s, (last - middle) / after_s);
        let bend = (slope_after - slope_before) / (before_s + after_s);
        // At the middle symbol, and from there to the middle of the burst.
        let slope = slope_before + bend * before_s;
        let to_middle_s = middle_s - (self.start_s + 0.5 * self.symbol_s + before_s);
        Carrier {
            frequency_hz: carrier.frequency_hz + (slope + 2.0 * bend * to_middle_s) / TAU,
            drift_hz_per_s: carrier.drift_hz_per_s + bend / PI,
            ..carrier
        }
    }
}

/// Smooths values of different weight: the least sum of the weighted squares of what is changed and of
/// `smoothing` times the squares of the third differences (Whittaker and Henderson's graduation).
fn smooth(values: &[f64], weights: &[f64], smoothing: f64) -> Vec<f64> {
    // A third difference.
    const BINOMIAL: [f64; ORDER + 1] = [-1.0, 3.0, -3.0, 1.0];
    let count = values.len();
    // 1. The normal equations (W + λ DᵀD) x = W y, the matrix by its diagonal and the bands beside it.
    let mut bands = vec![[0.0; ORDER + 1]; count];
    for (band, weight) in bands.iter_mut().zip(weights) {
        // Where nothing tells, a neighbour does.
        band[0] = weight.max(1e-6);
    }
    for start in 0..count.saturating_sub(ORDER) {
        for row in 0..=ORDER {
            for column in row..=ORDER {
                bands[start + row][column - row] += smoothing * BINOMIAL[row] * BINOMIAL[column];
            }
        }
    }
    let mut solution: Vec<f64> =
        values.iter().zip(weights).map(|(value, weight)| value * weight.max(1e-6)).collect();
    // 2. Elimination of what is below the diagonal, by bands.
    for n in 0..count {
        for below in 1..=ORDER.min(count - 1 - n) {
            let factor = bands[n][below] / bands[n][0];
            for column in below..=ORDER {
                if n + column < count {
                    let change = factor * bands[n][column];
                    bands[n + below][column - below] -= change;
                }
            }
            solution[n + below] -= factor * solution[n];
        }
    }
    // 3. Back substitution.
    for n in (0..count).rev() {
        for beside in 1..=ORDER.min(count - 1 - n) {
            solution[n] -= bands[n][beside] * solution[n + beside];
        }
        solution[n] /= bands[n][0];
    }
    solution
}

/// How badly a smoothing is expected to tell a value that it has not seen: the mean square of what it left
/// over the square of the share of the values that it did not use up (Craven and Wahba's generalized cross
/// validation).
fn cross_validation(values: &[f64], smooth: &[f64], weights: &[f64], smoothing: f64) -> f64 {
    let count = values.len() as f64;
    let total: f64 = weights.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    let weight = total / count;
    let squares = values.iter().zip(smooth).zip(weights);
    let left: f64 = squares.map(|((value, smooth), w)| w * (value - smooth).powi(2)).sum();
    // Of the differences' matrix, the eigenvalues are near the powers of these.
    let kept = |n: usize| {
        let squared = (PI * n as f64 / count).powi(2);
        1.0 / (1.0 + smoothing / weight * squared.powi(ORDER as i32))
    };
    let used = ORDER as f64 + (ORDER..values.len()).map(kept).sum::<f64>();
    let free = (1.0 - USE * used / count).max(1e-3);
    left / total / (free * free)
}
