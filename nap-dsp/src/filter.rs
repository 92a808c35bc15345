//! Window functions and low-pass prototypes.

use std::f64::consts::PI;

/// Zeroth-order modified Bessel function of the first kind, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..64 {
        term *= quarter / (k * k) as f64;
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    sum
}

/// `length` taps of a low-pass filter with unit gain at 0 Hz.
///
/// `cutoff` is the -6 dB point in cycles per sample, `attenuation_db` the stop-band attenuation
/// of the Kaiser window, whose shape factor follows J. F. Kaiser, "Nonrecursive digital filter
/// design using the I0-sinh window function", ISCAS 1974. The transition band is
/// `(attenuation_db - 7.95) / (14.36 * (length - 1))` cycles per sample wide.
pub(crate) fn low_pass(length: usize, cutoff: f64, attenuation_db: f64) -> Vec<f32> {
    let beta = if attenuation_db > 50.0 {
        0.1102 * (attenuation_db - 8.7)
    } else if attenuation_db > 21.0 {
        0.5842 * (attenuation_db - 21.0).powf(0.4) + 0.07886 * (attenuation_db - 21.0)
    } else {
        0.0
    };
    let center = (length as f64 - 1.0) / 2.0;
    let taps: Vec<f64> = (0..length)
        .map(|n| {
            let t = n as f64 - center;
            let sinc = if t.abs() < 1e-9 {
                2.0 * cutoff
            } else {
                (2.0 * PI * cutoff * t).sin() / (PI * t)
            };
            let edge = if center > 0.0 { t / center } else { 0.0 };
            sinc * bessel_i0(beta * (1.0 - edge * edge).max(0.0).sqrt())
        })
        .collect();
    let gain: f64 = taps.iter().sum();
    taps.iter().map(|tap| (tap / gain) as f32).collect()
}

/// A periodic Hann window of `length` points.
pub(crate) fn hann(length: usize) -> Vec<f32> {
    (0..length).map(|n| (0.5 - 0.5 * (2.0 * PI * n as f64 / length as f64).cos()) as f32).collect()
}

/// The number nearest to `target` (2 or more) that has no prime factor above 5 and is a multiple
/// of `step`: a length for which the FFT is fast.
pub(crate) fn fast_length(target: f64, step: usize) -> usize {
    nearest_smooth(target, step, &[2, 3, 5])
}

/// The same without the factor 5, for short transforms, where it is slow.
pub(crate) fn fastest_length(target: f64, step: usize) -> usize {
    nearest_smooth(target, step, &[2, 3])
}

fn nearest_smooth(target: f64, step: usize, primes: &[usize]) -> usize {
    let step = step.max(1);
    let first = ((target / step as f64).round() as usize).max(1);
    (0..first)
        .flat_map(|distance| [first - distance, first + distance])
        .map(|multiple| multiple * step)
        .find(|&length| is_smooth(length, primes))
        .unwrap_or(step)
}

fn is_smooth(mut n: usize, primes: &[usize]) -> bool {
    for &prime in primes {
        while n.is_multiple_of(prime) && n > 0 {
            n /= prime;
        }
    }
    n == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gain_db(taps: &[f32], frequency: f64) -> f64 {
        let (re, im) = taps.iter().enumerate().fold((0.0, 0.0), |(re, im), (n, &tap)| {
            let phase = 2.0 * PI * frequency * n as f64;
            (re + f64::from(tap) * phase.cos(), im + f64::from(tap) * phase.sin())
        });
        10.0 * (re * re + im * im).log10()
    }

    #[test]
    fn low_pass_is_flat_inside_and_deep_outside() {
        let taps = low_pass(600, 1.0 / 50.0, 70.0);
        assert!((taps.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert!(gain_db(&taps, 0.8 / 50.0).abs() < 0.01);
        for step in 0..200 {
            let frequency = 1.21 / 50.0 + f64::from(step) * 0.001;
            assert!(gain_db(&taps, frequency) < -68.0, "at {frequency}");
        }
    }

    #[test]
    fn fast_lengths_are_near_and_smooth() {
        assert_eq!(fast_length(50.0, 2), 50);
        assert_eq!(fast_length(409.6, 2), 400);
        assert_eq!(fast_length(45.35, 2), 48);
        assert_eq!(fast_length(2000.0, 4), 2000);
        assert_eq!(fast_length(0.0, 2), 2);
        assert_eq!(fastest_length(50.0, 4), 48);
        assert_eq!(fastest_length(480.0, 4), 512);
    }
}
