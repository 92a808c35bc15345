//! What counts as a sample.

use num_complex::Complex32;

/// Samples further from full scale than this carry no information and would overflow the sums.
const LARGEST_SAMPLE: f32 = 1.0e6;

/// The sample, or `None` if it is not finite or absurdly large.
pub(crate) fn usable(sample: Complex32) -> Option<Complex32> {
    // Never true for a NaN.
    let usable = |part: f32| part.abs() <= LARGEST_SAMPLE;
    (usable(sample.re) && usable(sample.im)).then_some(sample)
}
