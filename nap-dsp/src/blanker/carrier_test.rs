//! What tells a short burst of a transmitter from an impulse.

use num_complex::{Complex32, Complex64};

use crate::kernels::sums::wide;

/// A carrier's second differences of phase add up to at least this share of their magnitudes; those of noise
/// cancel.
const LEAST_SMOOTHNESS: f64 = 0.75;
/// So many samples tell: the few of a very short impulse are smooth by chance, or by the receiver's filter.
const LEAST_SMOOTH: f64 = 8.0;
/// Of an even envelope, as much of its length holds the energy; of noise, half.
const LEAST_EVENNESS: f64 = 0.75;
/// So many samples of noise are never that even.
const LEAST_EVEN: f64 = 12.0;

/// Whether samples that stand out are a burst of a transmitter: their frequency changes little from sample to
/// sample, as that of keyed carriers, chirps and slow FSK, or their envelope is even, as that of fast FSK.
/// Impulses are noise, or shorter than tells.
pub(super) fn is_carrier(samples: &[Complex32]) -> bool {
    let powers = samples.iter().map(|&sample| wide(sample).norm_sqr());
    let (sum, squares) = powers.fold((0.0, 0.0), |(sum, squares), p| (sum + p, squares + p * p));
    // So many samples of equal power hold as much as these.
    let effective = sum * sum / squares.max(f64::MIN_POSITIVE);
    let is_even = effective >= LEAST_EVEN && effective >= LEAST_EVENNESS * samples.len() as f64;
    is_even || (effective >= LEAST_SMOOTH && smoothness(samples) >= LEAST_SMOOTHNESS)
}

/// How well the turns from sample to sample agree with the turns before them: 1 for a carrier or a chirp.
fn smoothness(samples: &[Complex32]) -> f64 {
    let turns = samples.windows(2).map(|pair| wide(pair[1]) * wide(pair[0]).conj());
    let changes = turns.clone().skip(1).zip(turns).map(|(turn, before)| turn * before.conj());
    let (sum, magnitudes) = changes
        .fold((Complex64::ZERO, 0.0), |(sum, all), change| (sum + change, all + change.norm()));
    sum.norm() / magnitudes.max(f64::MIN_POSITIVE)
}
