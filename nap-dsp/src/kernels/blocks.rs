//! Samples in half the memory: blocks of them with an exponent in common.

use std::ops::Range;

use bytemuck::{cast_slice, cast_slice_mut, zeroed_vec};
use multiversion::multiversion;
use num_complex::Complex32;

/// Samples that share an exponent.
pub(crate) const BLOCK_COLUMNS: usize = 16;

/// Real and imaginary parts in turn, in units of the block.
type Parts = [i16; 2 * BLOCK_COLUMNS];

/// Added to a number below 2^22 it leaves the nearest integer in the lowest bits.
const ROUNDER: f32 = 12_582_912.0;
const SIGN: u32 = 1 << 31;
/// Samples below 2^-100 are silence.
const MIN_PART: f32 = 7.9e-31;
/// No sample is that strong.
const MAX_PART: f32 = 1e30;
/// So much above the largest part it is still below 2^15 units: a part below 32 767.496 units is rounded to
/// 32 767 at most, which has the same unit when it is written back.
const ROOM: f32 = 1.0 + 1.0 / 65_000.0;

/// Blocks of samples. A unit is a power of two, so that what is read and written back stays as it is.
pub(crate) struct Blocks {
    units: Vec<f32>,
    parts: Vec<Parts>,
}

impl Blocks {
    /// So many blocks of silence, in memory that is taken only as far as it fills.
    pub(crate) fn new(count: usize) -> Self {
        Self { units: zeroed_vec(count), parts: zeroed_vec(count) }
    }

    /// The memory that so many blocks take.
    pub(crate) fn memory_bytes(count: usize) -> usize {
        count * (size_of::<f32>() + size_of::<Parts>())
    }

    /// Writes blocks that lie so far apart, beginning with `first`.
    pub(crate) fn pack(
        &mut self,
        first: usize,
        apart: usize,
        blocks: &[[Complex32; BLOCK_COLUMNS]],
    ) {
        let units = self.units[first..].iter_mut().step_by(apart);
        let parts = self.parts[first..].iter_mut().step_by(apart);
        for ((unit, parts), samples) in units.zip(parts).zip(blocks) {
            *unit = pack(parts, samples);
        }
    }

    /// Appends the samples of blocks that lie side by side.
    pub(crate) fn unpack(&self, blocks: Range<usize>, samples: &mut Vec<Complex32>) {
        let before = samples.len();
        samples.resize(before + blocks.len() * BLOCK_COLUMNS, Complex32::ZERO);
        let numbers = cast_slice_mut(&mut samples[before..]);
        unpack(numbers, &self.units[blocks.clone()], &self.parts[blocks]);
    }

    /// Writes some samples of a block anew.
    pub(crate) fn replace(&mut self, block: usize, within: Range<usize>, samples: &[Complex32]) {
        let mut all = self.samples(block);
        all[within].copy_from_slice(samples);
        self.pack(block, 1, &[all]);
    }

    /// The samples of a block.
    pub(crate) fn samples(&self, block: usize) -> [Complex32; BLOCK_COLUMNS] {
        let mut samples = [Complex32::ZERO; BLOCK_COLUMNS];
        let (units, parts) = (&self.units[block..=block], &self.parts[block..=block]);
        unpack(cast_slice_mut(&mut samples), units, parts);
        samples
    }
}

/// Writes the parts of samples and returns their unit.
#[multiversion(targets("x86_64+avx2"))]
fn pack(parts: &mut Parts, samples: &[Complex32; BLOCK_COLUMNS]) -> f32 {
    let numbers: &[f32] = cast_slice(samples);
    // Numbers without their sign are in the order of their bits.
    let mut largest = MIN_PART.to_bits();
    for number in numbers {
        largest = largest.max(number.to_bits() & !SIGN);
    }
    let unit = unit(f32::from_bits(largest.min(MAX_PART.to_bits())));
    let per_unit = unit.recip();
    for (part, number) in parts.iter_mut().zip(numbers) {
        *part = (number * per_unit + ROUNDER).to_bits() as i16;
    }
    unit
}

/// Writes the real and imaginary parts of blocks.
#[multiversion(targets("x86_64+avx2"))]
fn unpack(numbers: &mut [f32], units: &[f32], parts: &[Parts]) {
    let blocks = numbers.as_chunks_mut::<{ 2 * BLOCK_COLUMNS }>().0;
    for ((numbers, unit), parts) in blocks.iter_mut().zip(units).zip(parts) {
        for (number, part) in numbers.iter_mut().zip(parts) {
            *number = f32::from(*part) * unit;
        }
    }
}

/// The unit in which a block's largest part has between 2^14 and 2^15.
fn unit(largest: f32) -> f32 {
    /// The bits of a number's exponent.
    const EXPONENT: u32 = 0x7F80_0000;
    f32::from_bits((largest * ROOM).to_bits() & EXPONENT) / 16_384.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packed(samples: &[Complex32; BLOCK_COLUMNS]) -> Blocks {
        let mut blocks = Blocks::new(2);
        blocks.pack(1, 1, std::slice::from_ref(samples));
        blocks
    }

    #[test]
    fn what_is_no_number_does_no_harm() {
        for odd in [f32::NAN, f32::INFINITY, 1e-42, 0.0] {
            let blocks = packed(&[Complex32::new(odd, -odd); BLOCK_COLUMNS]);
            assert_eq!(blocks.samples(1), [Complex32::ZERO; BLOCK_COLUMNS], "{odd}");
        }
    }

    proptest! {
        #[test]
        fn a_sample_is_off_by_little_of_the_strongest(
            parts in prop::array::uniform32(-1.0f32..=1.0),
            decades in -20i32..5,
        ) {
            let samples: [Complex32; BLOCK_COLUMNS] = std::array::from_fn(|n| {
                Complex32::new(parts[2 * n], parts[2 * n + 1]) * 10f32.powi(decades)
            });
            let blocks = packed(&samples);
            let largest = parts.iter().fold(0.0, |largest: f32, part| largest.max(part.abs()));
            let tolerance = largest * 10f32.powi(decades) * 2f32.powi(-15) * 1.001;
            for (sample, kept) in samples.iter().zip(blocks.samples(1)) {
                let error = sample - kept;
                prop_assert!(error.re.abs().max(error.im.abs()) <= tolerance, "{sample}: {kept}");
            }
        }

        #[test]
        fn what_is_written_back_stays_as_it_is(
            parts in prop::array::uniform32(-1.0f32..=1.0),
            (first, count) in (0..BLOCK_COLUMNS, 0..=BLOCK_COLUMNS),
        ) {
            let samples: [Complex32; BLOCK_COLUMNS] =
                std::array::from_fn(|n| Complex32::new(parts[2 * n], parts[2 * n + 1]));
            let mut blocks = packed(&samples);
            let before = blocks.samples(1);
            let within = first..(first + count).min(BLOCK_COLUMNS);
            // Weaker than before, so that the unit may become smaller.
            let halves = before.map(|sample| sample * 0.5);
            blocks.replace(1, within.clone(), &halves[within.clone()]);
            let after = blocks.samples(1);
            for n in 0..BLOCK_COLUMNS {
                let expected = if within.contains(&n) { halves[n] } else { before[n] };
                let error = (after[n] - expected).norm();
                prop_assert!(error <= if within.contains(&n) { 4.4e-5 } else { 0.0 }, "{n}: {error}");
            }
            prop_assert_eq!(blocks.samples(0), [Complex32::ZERO; BLOCK_COLUMNS]);
        }
    }
}
