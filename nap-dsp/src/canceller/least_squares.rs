//! The pulses of a burst by least squares: sums over its samples, and equations from these.

use num_complex::Complex32;

/// Regressors that meet at a knot: the pulses of a symbol and both its neighbours, and of a reversal.
pub(super) const REGRESSORS: usize = 4;
/// What is added to the pivots of normal equations, little beside the samples' own.
const MIN_PIVOT: f32 = 1e-3;

/// Numbers by polyphase branch and step in it: the level at the start of each step, and what the slope over the
/// step adds, or has as a weight.
#[derive(Debug, Default)]
pub(super) struct Branches<T> {
    pub(super) level: Vec<T>,
    pub(super) slope: Vec<T>,
}

impl<T: Copy + Default> Branches<T> {
    pub(super) fn reset(&mut self, count: usize) {
        for values in [&mut self.level, &mut self.slope] {
            values.clear();
            values.resize(count, T::default());
        }
    }
}

/// The matrix of the normal equations of the values that meet at one knot.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Equations {
    /// Above the diagonal and on it what elimination leaves, below it the factors of the rows taken off.
    matrix: [[f32; REGRESSORS]; REGRESSORS],
}

impl Equations {
    /// Adds samples of the same regressors: the sum of the powers of their gains and weights.
    pub(super) fn add(&mut self, regressors: &[f32; REGRESSORS], power: f32) {
        for (row, a) in self.matrix.iter_mut().zip(regressors) {
            for (sum, b) in row.iter_mut().zip(regressors) {
                *sum += power * a * b;
            }
        }
    }

    /// Gauss elimination. The little that is added to the diagonal makes what no sample tells zero.
    pub(super) fn eliminate(&mut self) {
        for (i, row) in self.matrix.iter_mut().enumerate() {
            row[i] += MIN_PIVOT;
        }
        for i in 0..REGRESSORS {
            let (above, below) = self.matrix.split_at_mut(i + 1);
            let pivots = &above[i];
            for row in below {
                let factor = row[i] / pivots[i];
                row.iter_mut().zip(pivots).skip(i).for_each(|(a, pivot)| *a -= factor * pivot);
                row[i] = factor;
            }
        }
    }

    /// Turns the right side of the equations into their solution.
    pub(super) fn solve(&self, right: &mut [Complex32; REGRESSORS]) {
        // 1. Forward substitution by the factors below the diagonal.
        for i in 0..REGRESSORS {
            for j in 0..i {
                right[i] -= right[j] * self.matrix[i][j];
            }
        }
        // 2. Back substitution.
        for i in (0..REGRESSORS).rev() {
            for j in i + 1..REGRESSORS {
                right[i] -= right[j] * self.matrix[i][j];
            }
            right[i] /= self.matrix[i][i];
        }
    }
}

/// Adds a sum of values to the right side of the equations that their regressors belong to.
pub(super) fn add_to_right_side(
    right: &mut [Complex32; REGRESSORS],
    regressors: &[f32; REGRESSORS],
    value: Complex32,
) {
    right.iter_mut().zip(regressors).for_each(|(sum, regressor)| *sum += value * regressor);
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_complex::Complex64;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// What the equations say, summed plainly: both sides for a solution.
    fn both_sides(
        samples: &[([f32; REGRESSORS], f32, f32)],
        solution: &[Complex32; REGRESSORS],
        row: usize,
    ) -> (Complex64, Complex64) {
        let wide = |value: Complex32| Complex64::new(value.re.into(), value.im.into());
        let mut left = wide(solution[row]) * f64::from(MIN_PIVOT);
        let mut right = Complex64::default();
        for (regressors, re, im) in samples {
            let regressor = f64::from(regressors[row]);
            for (a, &value) in regressors.iter().zip(solution) {
                left += wide(value) * f64::from(*a) * regressor;
            }
            right += Complex64::new((*re).into(), (*im).into()) * regressor;
        }
        (left, right)
    }

    proptest! {
        #[test]
        fn a_solution_fulfills_the_equations(
            samples in vec((prop::array::uniform4(-1.0f32..1.0), -1.0f32..1.0, -1.0f32..1.0), 0..40),
        ) {
            let mut equations = Equations::default();
            let mut solution = [Complex32::default(); REGRESSORS];
            for (regressors, re, im) in &samples {
                equations.add(regressors, 1.0);
                add_to_right_side(&mut solution, regressors, Complex32::new(*re, *im));
            }
            equations.eliminate();
            equations.solve(&mut solution);
            let largest = solution.iter().map(|value| value.norm()).fold(1.0, f32::max);
            for row in 0..REGRESSORS {
                let (left, right) = both_sides(&samples, &solution, row);
                let error = (left - right).norm();
                // Sums of forty samples, each rounded to 24 bits.
                prop_assert!(error < 1e-4 * f64::from(largest), "{error} in row {row}");
            }
        }
    }
}
