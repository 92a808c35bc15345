//! What counts as a sample.

use num_complex::{Complex32, Complex64};

/// Samples further from full scale than this carry no information and would overflow the sums.
const LARGEST_SAMPLE: f32 = 1.0e6;

/// The sample, or `None` if it is not finite or absurdly large.
pub(crate) fn usable(sample: Complex32) -> Option<Complex32> {
    // Never true for a NaN.
    let usable = |part: f32| part.abs() <= LARGEST_SAMPLE;
    (usable(sample.re) && usable(sample.im)).then_some(sample)
}

/// The number in single precision, as samples are.
pub(crate) fn narrow(value: Complex64) -> Complex32 {
    Complex32::new(value.re as f32, value.im as f32)
}
