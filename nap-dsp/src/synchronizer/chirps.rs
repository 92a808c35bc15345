//! Carriers whose frequency changes steadily over a sync word, as the changes of the phase show them.

use std::f32::consts::FRAC_PI_4;

use num_complex::Complex32;

/// Neighbouring products over which the phase changes by nearly the same, and sums of as many.
pub(super) const LOCAL_PRODUCTS: usize = 8;
pub(super) const LOCAL_SUMS: usize = 4;
/// Chirps that are tried on each side, in eighths of a turn from one of these sums to the next: 156 Hz/s at 100 Bd. The
/// third is that of a carrier that settles from 60 Hz in 100 ms.
pub(super) const MAX_CHIRP: i32 = 3;

/// The sums of neighbouring products, freed of a sync word's signs.
pub(super) type LocalSums = [Complex32; LOCAL_SUMS];

/// The sum to which a product belongs.
pub(super) fn local_sum(product: usize) -> usize {
    (product / LOCAL_PRODUCTS).min(LOCAL_SUMS - 1)
}

/// By chirp from the lowest on, what takes it out of the local sums.
#[derive(Debug)]
pub(super) struct Chirps([LocalSums; 2 * MAX_CHIRP as usize + 1]);

impl Chirps {
    pub(super) fn new() -> Self {
        let middle = (LOCAL_SUMS - 1) as f32 / 2.0;
        let turn = |sum: usize, chirp: i32| (middle - sum as f32) * chirp as f32 * FRAC_PI_4;
        Self(std::array::from_fn(|n| {
            let chirp = n as i32 - MAX_CHIRP;
            std::array::from_fn(|sum| Complex32::cis(turn(sum, chirp)))
        }))
    }

    /// The chirp without which the local sums add up to most, and that sum; of none if all add up to nothing.
    pub(super) fn best(&self, local: &LocalSums) -> (i32, Complex32) {
        let sum = |phasors: &LocalSums| -> Complex32 {
            local.iter().zip(phasors).map(|(sum, phasor)| sum * phasor).sum()
        };
        (-MAX_CHIRP..).zip(self.0.iter().map(sum)).fold((0, Complex32::ZERO), |best, other| {
            if other.1.norm_sqr() > best.1.norm_sqr() { other } else { best }
        })
    }
}
