//! The power of samples, block by block and cell by cell.

use bytemuck::cast_slice;
use multiversion::multiversion;
use num_complex::Complex32;

use crate::kernels::sums::{energy, larger};

/// Samples of a block, of whose energies the median is taken.
pub(super) const BLOCK: usize = 32;
/// Numbers that are worked on together.
const LANES: usize = 8;

/// Writes the energy of every block of samples, and returns the largest square of a real or imaginary part.
pub(super) fn measure(samples: &[Complex32], energies: &mut [f32]) -> f32 {
    let mut peaks = [0.0; LANES];
    let blocks = cast_slice::<_, f32>(samples).as_chunks::<{ 2 * BLOCK }>().0;
    measure_blocks(blocks, energies, &mut peaks);
    peaks.into_iter().fold(0.0, f32::max)
}

#[multiversion(targets("x86_64+avx2"))]
fn measure_blocks(blocks: &[[f32; 2 * BLOCK]], energies: &mut [f32], peaks: &mut [f32; LANES]) {
    for (energy, block) in energies.iter_mut().zip(blocks) {
        let mut sums = [0.0; LANES];
        for numbers in block.as_chunks::<LANES>().0 {
            for lane in 0..LANES {
                let square = numbers[lane] * numbers[lane];
                sums[lane] += square;
                peaks[lane] = larger(peaks[lane], square);
            }
        }
        *energy = sums.iter().sum();
    }
}

/// Writes the mean power of every cell of so many samples.
pub(super) fn write_powers(samples: &[Complex32], cell: usize, powers: &mut [f32]) {
    let share = (cell as f32).recip();
    for (power, cell) in powers.iter_mut().zip(samples.chunks_exact(cell)) {
        *power = share * energy(cell);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn energies_and_peak_are_those_of_the_samples(
            parts in prop::collection::vec((-2f32..2.0, -2f32..2.0), BLOCK..10 * BLOCK),
        ) {
            let samples: Vec<Complex32> =
                parts.into_iter().map(|(re, im)| Complex32::new(re, im)).collect();
            let samples = &samples[..samples.len() / BLOCK * BLOCK];
            let mut energies = vec![0.0; samples.len() / BLOCK];
            let peak = measure(samples, &mut energies);
            for (found, block) in energies.iter().zip(samples.chunks(BLOCK)) {
                let sum: f32 = block.iter().map(Complex32::norm_sqr).sum();
                prop_assert!((found - sum).abs() < 1e-4 * sum.max(1.0));
            }
            let squares = samples.iter().flat_map(|sample| [sample.re.powi(2), sample.im.powi(2)]);
            prop_assert_eq!(peak, squares.fold(0.0, f32::max));
        }
    }
}
