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

/// Makes samples zero that cannot be any, and returns how many there were.
pub(crate) fn silence_unusable(samples: &mut [Complex32]) -> u64 {
    // Mostly all are usable, which is seen faster without a branch for each.
    let unusable = count_unusable(samples);
    if unusable > 0 {
        samples.iter_mut().for_each(|sample| *sample = usable(*sample).unwrap_or_default());
    }
    u64::from(unusable)
}

/// How many samples cannot be any.
#[multiversion(targets("x86_64+avx2"))]
fn count_unusable(samples: &[Complex32]) -> u32 {
    samples.iter().map(|&sample| u32::from(usable(sample).is_none())).sum()
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
    let [straight, crossed] = sum_products(samples, others);
    let whole = samples.len() / LANES * LANES;
    let rest = samples[whole..].iter().zip(&others[whole..]);
    let rest: Complex32 = rest.map(|(sample, other)| sample * other.conj()).sum();
    let [re, im] = [straight, crossed].map(|lanes| lanes.iter().sum::<f32>());
    Complex32::new(re, im) + rest
}

/// What adds up to the real and to the imaginary part of an inner product, some side by side.
#[multiversion(targets("x86_64+avx2"))]
fn sum_products(samples: &[Complex32], others: &[Complex32]) -> [[f32; 2 * LANES]; 2] {
    let (mut straight, mut crossed) = ([0.0; 2 * LANES], [0.0; 2 * LANES]);
    let (samples, others) = (cast_slice::<_, f32>(samples), cast_slice::<_, f32>(others));
    let groups = samples.as_chunks::<{ 2 * LANES }>().0.iter().zip(others.as_chunks().0);
    for (a, b) in groups {
        let b: &[f32; 2 * LANES] = b;
        for n in 0..2 * LANES {
            straight[n] += a[n] * b[n];
            let sign = if n % 2 == 0 { -1.0 } else { 1.0 };
            crossed[n] += a[n] * (sign * b[n ^ 1]);
        }
    }
    [straight, crossed]
}

/// How many numbers reach another.
#[multiversion(targets("x86_64+avx2"))]
pub(crate) fn count_from(numbers: &[f32], least: f32) -> u32 {
    numbers.iter().map(|&number| u32::from(number >= least)).sum()
}
