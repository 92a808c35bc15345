//! Complex numbers laid out for a processor that works on several at once.

use num_complex::Complex32;

/// Numbers that are worked on together.
pub(crate) const LANES: usize = 8;

/// Some complex numbers, real and imaginary parts by themselves.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Lanes {
    pub(crate) re: [f32; LANES],
    pub(crate) im: [f32; LANES],
}

impl Lanes {
    /// The first of these numbers, and zeros if there are fewer.
    pub(crate) fn new(numbers: impl Iterator<Item = Complex32>) -> Self {
        let mut lanes = Self::default();
        for ((re, im), number) in lanes.re.iter_mut().zip(&mut lanes.im).zip(numbers) {
            (*re, *im) = (number.re, number.im);
        }
        lanes
    }

    /// Multiplies each number by another.
    #[inline(always)]
    pub(crate) fn rotate(&mut self, by: &Self) {
        for n in 0..LANES {
            let (re, im) = (self.re[n], self.im[n]);
            self.re[n] = re * by.re[n] - im * by.im[n];
            self.im[n] = re * by.im[n] + im * by.re[n];
        }
    }
}
