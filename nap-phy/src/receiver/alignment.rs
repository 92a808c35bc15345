//! When filter banks and detectors are in step.

/// The least common multiple of two numbers that are not 0.
pub(super) fn least_common_multiple(a: u64, b: u64) -> u64 {
    let (mut divisor, mut rest) = (a, b);
    while rest != 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    a / divisor * b
}
