//! Bessel functions.

/// The logarithm of the modified Bessel function of the first kind and order 0, for arguments that are not
/// negative, to 2e-7: M. Abramowitz, I. A. Stegun: Handbook of Mathematical Functions, 9.8.1 and 9.8.2.
pub(crate) fn ln_i0(x: f64) -> f64 {
    // Where the one polynomial ends and the other begins, and their coefficients as printed there.
    const CHANGE: f64 = 3.75;
    const SMALL: [f64; 7] =
        [1.0, 3.515_622_9, 3.089_942_4, 1.206_749_2, 0.265_973_2, 0.036_076_8, 0.004_581_3];
    const LARGE: [f64; 9] = [
        0.398_942_28,
        0.013_285_92,
        0.002_253_19,
        -0.001_575_65,
        0.009_162_81,
        -0.020_577_06,
        0.026_355_37,
        -0.016_476_33,
        0.003_923_77,
    ];
    let polynomial = |t: f64, coefficients: &[f64]| {
        coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * t + coefficient)
    };
    if x < CHANGE {
        polynomial((x / CHANGE).powi(2), &SMALL).ln()
    } else {
        x + (polynomial(CHANGE / x, &LARGE) / x.sqrt()).ln()
    }
}
