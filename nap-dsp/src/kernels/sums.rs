//! What counts as a sample, and sums over samples.

use bytemuck::cast_slice;
use multiversion::multiversion;
use num_complex::{Complex32, Complex64};

/// Samples further from full scale than this carry no information and would overflow the sums.
const MAX_SAMPLE: f32 = 1.0e6;

/// The sample, or `None` if it is not finite or absurdly large.
pub(crate) fn usable(sample: Complex32) -> Option<Complex32> {
    (is_usable(sample.re) & is_usable(sample.im)).then_some(sample)
}

/// Makes samples zero that cannot be any, and returns how many there were.
pub(crate) fn silence_unusable(samples: &mut [Complex32]) -> u64 {
    // Mostly all are usable, which is seen faster for many at once.
    if are_usable(cast_slice(samples)) {
        return 0;
    }
    let mut unusable = 0;
    for sample in samples {
        unusable += u64::from(usable(*sample).is_none());
        *sample = usable(*sample).unwrap_or_default();
    }
    unusable
}

/// Whether all numbers can be parts of samples.
#[multiversion(targets("x86_64+avx2"))]
fn are_usable(numbers: &[f32]) -> bool {
    let (groups, rest) = numbers.as_chunks::<{ 2 * LANES }>();
    let mut unusable = [0; 2 * LANES];
    for group in groups {
        for lane in 0..2 * LANES {
            unusable[lane] |= u32::from(!is_usable(group[lane]));
        }
    }
    unusable == [0; 2 * LANES] && rest.iter().all(|&part| is_usable(part))
}

/// Whether a number can be a part of a sample; never for one that is none.
fn is_usable(part: f32) -> bool {
    part.abs() <= MAX_SAMPLE
}

/// The number in single precision, as samples are.
pub(crate) fn to_c32(value: Complex64) -> Complex32 {
    Complex32::new(value.re as f32, value.im as f32)
}

/// The sample in double precision.
pub(crate) fn to_c64(sample: Complex32) -> Complex64 {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample() -> impl Strategy<Value = Complex32> {
        (-2.0f32..2.0, -2.0f32..2.0).prop_map(|(re, im)| Complex32::new(re, im))
    }

    /// Two lists of equal length, whole groups of lanes or not.
    fn samples() -> impl Strategy<Value = (Vec<Complex32>, Vec<Complex32>)> {
        (0usize..70).prop_flat_map(|count| {
            let list = || prop::collection::vec(sample(), count);
            (list(), list())
        })
    }

    proptest! {
        /// Each sum one by one, in double precision.
        #[test]
        fn sums_are_those_of_plain_loops((samples, others) in samples()) {
            let wide: Vec<Complex64> = samples.iter().copied().map(to_c64).collect();
            let plain: Complex64 = wide.iter().sum();
            prop_assert!((to_c64(sum(&samples)) - plain).norm() < 1e-4);
            let plain: f64 = wide.iter().map(Complex64::norm_sqr).sum();
            prop_assert!((f64::from(energy(&samples)) - plain).abs() < 1e-4 * (1.0 + plain));
            let pairs = wide.iter().zip(&others);
            let plain: Complex64 = pairs.map(|(a, b)| a * to_c64(*b).conj()).sum();
            prop_assert!((to_c64(inner_product(&samples, &others)) - plain).norm() < 1e-3);
        }

        #[test]
        fn what_is_no_sample_is_counted_one_by_one(
            mut samples in prop::collection::vec(
                prop_oneof![
                    8 => sample(),
                    1 => Just(Complex32::new(f32::NAN, 0.0)),
                    1 => Just(Complex32::new(1.0, -2e6)),
                ],
                0..40,
            ),
        ) {
            let is_sample = |z: &Complex32| z.re.abs() <= MAX_SAMPLE && z.im.abs() <= MAX_SAMPLE;
            let keep = |z: &Complex32| if is_sample(z) { *z } else { Complex32::ZERO };
            let plain: Vec<Complex32> = samples.iter().map(keep).collect();
            let unusable = samples.iter().filter(|z| !is_sample(z)).count();
            prop_assert_eq!(silence_unusable(&mut samples), unusable as u64);
            prop_assert_eq!(samples, plain);
        }

        #[test]
        fn numbers_are_counted_one_by_one(
            numbers in prop::collection::vec(0u8..20, 0..70),
            least in 0u8..20,
        ) {
            let plain = numbers.iter().filter(|&&number| number >= least).count();
            let numbers: Vec<f32> = numbers.into_iter().map(f32::from).collect();
            prop_assert_eq!(count_from(&numbers, least.into()) as usize, plain);
        }
    }
}
