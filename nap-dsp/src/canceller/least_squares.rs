//! The pulses of a burst by least squares: sums over its samples, and equations from these.

use num_complex::Complex32;

/// Values that meet at an instant: the pulses of a symbol and both its neighbours, and of a flip.
pub(super) const TERMS: usize = 4;
/// What is added to the pivots of normal equations, little beside the samples' own.
const LEAST_PIVOT: f32 = 1e-3;

/// Numbers by row and step in it, and what belongs to the end of each step rather than to its start.
#[derive(Debug, Default)]
pub(super) struct Rows<T> {
    pub(super) early: Vec<T>,
    pub(super) late: Vec<T>,
}

impl<T: Copy + Default> Rows<T> {
    pub(super) fn reset(&mut self, count: usize) {
        for values in [&mut self.early, &mut self.late] {
            values.clear();
            values.resize(count, T::default());
        }
    }
}

/// The matrix of the normal equations of the values that meet at one instant.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Equations {
    /// Above the diagonal and on it what elimination leaves, below it the factors of the rows taken off.
    matrix: [[f32; TERMS]; TERMS],
}

impl Equations {
    /// Adds samples of the same terms: the sum of the powers of their gains and weights.
    pub(super) fn add(&mut self, terms: &[f32; TERMS], power: f32) {
        for (row, a) in self.matrix.iter_mut().zip(terms) {
            for (sum, b) in row.iter_mut().zip(terms) {
                *sum += power * a * b;
            }
        }
    }

    /// Gauss elimination. The little that is added to the diagonal makes what no sample tells zero.
    pub(super) fn eliminate(&mut self) {
        for (i, row) in self.matrix.iter_mut().enumerate() {
            row[i] += LEAST_PIVOT;
        }
        for i in 0..TERMS {
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
    pub(super) fn solve(&self, right: &mut [Complex32; TERMS]) {
        for i in 0..TERMS {
            for j in 0..i {
                right[i] -= right[j] * self.matrix[i][j];
            }
        }
        for i in (0..TERMS).rev() {
            for j in i + 1..TERMS {
                right[i] -= right[j] * self.matrix[i][j];
            }
            right[i] /= self.matrix[i][i];
        }
    }
}

/// Adds a sum of values to the right side of the equations that their terms belong to.
pub(super) fn add_terms(right: &mut [Complex32; TERMS], terms: &[f32; TERMS], value: Complex32) {
    right.iter_mut().zip(terms).for_each(|(sum, term)| *sum += value * term);
}
