//! What counts as a sample, and sums over samples.

use bytemuck::cast_slice;
use multiversion::multiversion;
use num_complex::{Complex32, Complex64};

/// Samples further from full scale than this carry no information and would overflow the sums.
const LARGEST_SAMPLE: f32 = 1.0e6;

/// The sample, or `None` if it is not finite or absurdly large.
pub(crate) fn usable(sample: Complex32) -> Option<Complex32> {
    // Never true for a NaN.
    let usable = |part: f32| part.abs() <= LARGEST_SAMPLE;
    (usable(sample.re) & usable(sample.im)).then_some(sample)
}

/// The number in single precision, as samples are.
pub(crate) fn narrow(value: Complex64) -> Complex32 {
    Complex32::new(value.re as f32, value.im as f32)
}

/// The sample in double precision.
pub(crate) fn wide(sample: Complex32) -> Complex64 {
    Complex64::new(sample.re.into(), sample.im.into())
}

/// The smaller of two numbers that are some: without the care for those that are none, it is a single
/// instruction.
pub(crate) fn smaller(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

/// The larger of two such numbers.
pub(crate) fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// Sums that do not wait for each other.
const LANES: usize = 4;

/// The sum of a few samples.
pub(crate) fn sum(samples: &[Complex32]) -> Complex32 {
    let (pairs, rest) = samples.as_chunks::<2>();
    let mut sums = [Complex32::default(); 2];
    for pair in pairs {
        for (sum, sample) in sums.iter_mut().zip(pair) {
            *sum += sample;
        }
    }
    sums.iter().chain(rest).sum()
}

/// The energy of samples.
#[multiversion(targets("x86_64+avx2"))]
pub(crate) fn energy(samples: &[Complex32]) -> f32 {
    let (numbers, rest) = cast_slice::<_, f32>(samples).as_chunks::<{ 2 * LANES }>();
    let mut sums = [0.0; 2 * LANES];
    for numbers in numbers {
        for lane in 0..2 * LANES {
            sums[lane] += numbers[lane] * numbers[lane];
        }
    }
    sums.into_iter().chain(rest.iter().map(|number| number * number)).sum()
}

/// The sum of samples times the conjugates of others.
pub(crate) fn inner_product(samples: &[Complex32], others: &[Complex32]) -> Complex32 {
    let (samples, rest) = samples.as_chunks::<LANES>();
    let (others, others_rest) = others.as_chunks::<LANES>();
    let mut sums = [Complex32::default(); LANES];
    for (samples, others) in samples.iter().zip(others) {
        for lane in 0..LANES {
            sums[lane] += samples[lane] * others[lane].conj();
        }
    }
    let rest = rest.iter().zip(others_rest).map(|(sample, other)| sample * other.conj());
    sums.into_iter().chain(rest).sum()
}

/// How many numbers reach another.
#[multiversion(targets("x86_64+avx2"))]
pub(crate) fn count_from(numbers: &[f32], least: f32) -> u32 {
    numbers.iter().map(|&number| u32::from(number >= least)).sum()
}
