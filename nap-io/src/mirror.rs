//! Samples whose I and Q are the wrong way round.

use num_complex::Complex32;

use crate::error::Error;
use crate::source::SampleSource;
use crate::stream_info::StreamInfo;

/// Swaps I and Q of samples, which mirrors their spectrum at the centre.
pub fn swap_iq(samples: &mut [Complex32]) {
    for sample in samples {
        *sample = Complex32::new(sample.im, sample.re);
    }
}

/// A recording whose I and Q are swapped on the way.
pub(crate) struct Mirror<S>(pub(crate) S);

impl<S: SampleSource> SampleSource for Mirror<S> {
    fn info(&self) -> &StreamInfo {
        self.0.info()
    }

    fn read(&mut self, block: &mut [Complex32]) -> Result<usize, Error> {
        let count = self.0.read(block)?;
        swap_iq(&mut block[..count]);
        Ok(count)
    }

    fn skip(&mut self, samples: u64) -> Result<u64, Error> {
        self.0.skip(samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_above_the_center_comes_below_it() {
        let quarter = [(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)];
        let mut tone = quarter.map(|(i, q)| Complex32::new(i, q));
        let turn = |samples: &[Complex32]| samples[1] * samples[0].conj();
        assert_eq!(turn(&tone), Complex32::new(0.0, 1.0));
        swap_iq(&mut tone);
        assert_eq!(turn(&tone), Complex32::new(0.0, -1.0));
    }
}
