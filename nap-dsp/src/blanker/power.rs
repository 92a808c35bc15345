//! The power of samples, block by block and cell by cell.

use bytemuck::cast_slice;
use multiversion::multiversion;
use num_complex::Complex32;

use crate::kernels::sums::{energy, larger};

/// Samples of a block, of whose energies the median is taken.
pub(super) const METER_BLOCK: usize = 32;
/// Numbers that are worked on together.
const LANES: usize = 8;

/// What was found in a block, some numbers side by side.
#[derive(Debug, Clone, Copy, Default)]
struct Lanes {
    energy: [f32; LANES],
    peak: [f32; LANES],
}

/// Measures samples block by block.
#[derive(Debug, Default)]
pub(super) struct Meter {
    lanes: Vec<Lanes>,
    energies: Vec<f32>,
}

impl Meter {
    /// Measures so many samples at a time.
    pub(super) fn new(samples: usize) -> Self {
        let blocks = samples / METER_BLOCK;
        Self { lanes: vec![Lanes::default(); blocks], energies: vec![0.0; blocks] }
    }

    /// The energy of every block, and the largest square of a real or imaginary part.
    pub(super) fn measure(&mut self, samples: &[Complex32]) -> (&[f32], f32) {
        let blocks = cast_slice::<_, f32>(samples).as_chunks::<{ 2 * METER_BLOCK }>().0;
        measure_blocks(blocks, &mut self.lanes);
        let mut peak = 0.0;
        for (energy, lanes) in self.energies.iter_mut().zip(&self.lanes) {
            *energy = lanes.energy.iter().sum();
            peak = lanes.peak.iter().fold(peak, |peak, &square| larger(peak, square));
        }
        (&self.energies, peak)
    }
}

/// Squares, their sums and the largest of them. These are put together elsewhere: together with that the
/// compiler no longer sees that they are alike.
#[multiversion(targets("x86_64+avx2"))]
fn measure_blocks(blocks: &[[f32; 2 * METER_BLOCK]], found: &mut [Lanes]) {
    for (found, block) in found.iter_mut().zip(blocks) {
        let (mut energy, mut peak) = ([0.0; LANES], [0.0; LANES]);
        for numbers in block.as_chunks::<LANES>().0 {
            for n in 0..LANES {
                let square = numbers[n] * numbers[n];
                energy[n] += square;
                peak[n] = larger(peak[n], square);
            }
        }
        *found = Lanes { energy, peak };
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
            parts in prop::collection::vec((-2f32..2.0, -2f32..2.0), METER_BLOCK..10 * METER_BLOCK),
        ) {
            let samples: Vec<Complex32> =
                parts.into_iter().map(|(re, im)| Complex32::new(re, im)).collect();
            let samples = &samples[..samples.len() / METER_BLOCK * METER_BLOCK];
            let mut meter = Meter::new(samples.len());
            let (energies, peak) = meter.measure(samples);
            for (found, block) in energies.iter().zip(samples.chunks(METER_BLOCK)) {
                let sum: f32 = block.iter().map(Complex32::norm_sqr).sum();
                prop_assert!((found - sum).abs() < 1e-4 * sum.max(1.0));
            }
            let squares = samples.iter().flat_map(|sample| [sample.re.powi(2), sample.im.powi(2)]);
            prop_assert_eq!(peak, squares.fold(0.0, f32::max));
        }
    }
}
