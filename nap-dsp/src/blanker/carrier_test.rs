//! What tells a short burst of a transmitter from an impulse.

use num_complex::{Complex32, Complex64};

use crate::blanker::tuning::Tuning;
use crate::kernels::sums::to_c64;

/// Whether samples that stand out are a burst of a transmitter: their frequency changes little from sample to
/// sample, as that of keyed carriers, chirps and slow FSK, or their envelope is even, as that of fast FSK.
/// Impulses are noise, or shorter than tells.
pub(super) fn is_carrier(samples: &[Complex32], tuning: &Tuning) -> bool {
    let powers = samples.iter().map(|&sample| to_c64(sample).norm_sqr());
    let (sum, squares) = powers.fold((0.0, 0.0), |(sum, squares), p| (sum + p, squares + p * p));
    // So many samples of equal power hold as much as these.
    let effective = sum * sum / squares.max(f64::MIN_POSITIVE);
    let is_even = effective >= tuning.min_even_samples
        && effective >= tuning.min_evenness * samples.len() as f64;
    is_even
        || (effective >= tuning.min_smooth_samples && smoothness(samples) >= tuning.min_smoothness)
}

/// How well the phasors from sample to sample agree with those before them: 1 for a carrier or a chirp.
fn smoothness(samples: &[Complex32]) -> f64 {
    let phasors = samples.windows(2).map(|pair| to_c64(pair[1]) * to_c64(pair[0]).conj());
    let changes =
        phasors.clone().skip(1).zip(phasors).map(|(phasor, before)| phasor * before.conj());
    let (sum, magnitudes) = changes
        .fold((Complex64::ZERO, 0.0), |(sum, all), change| (sum + change, all + change.norm()));
    sum.norm() / magnitudes.max(f64::MIN_POSITIVE)
}
