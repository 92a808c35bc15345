//! The channel's last seconds.

use std::collections::VecDeque;

use nap_dsp::decimator::Decimator;
use nap_io::{SampleFormat, convert};
use num_complex::Complex32;

/// The rate to come down to at most: the channel's 192 kHz and room for the filter.
const MIN_RATE_HZ: f64 = 240_000.0;
const PASSED_HZ: f64 = 98_000.0;
/// Samples are remembered as they will be stored, in half the memory.
pub(crate) const FORMAT: SampleFormat = SampleFormat::Cs16Le;
const BYTES_PER_SAMPLE: usize = 4;
/// What is missing is remembered as silence, in seconds; after more than that memory begins anew.
const MAX_SILENCE_S: f64 = 2.0;

/// A channel's last seconds at a lower sample rate.
#[derive(Debug)]
pub(crate) struct Memory {
    decimator: Decimator,
    samples: VecDeque<[u8; BYTES_PER_SAMPLE]>,
    /// The index of the first sample that is remembered.
    first: u64,
}

/// A part of what is remembered.
pub(crate) struct Excerpt {
    /// The time of its first sample, in seconds of the stream.
    pub(crate) start_s: f64,
    pub(crate) samples: Vec<Complex32>,
}

impl Memory {
    /// For samples of this rate, with the channel so far from their centre.
    ///
    /// # Errors
    /// A rate that is too high or too low.
    pub(crate) fn new(sample_rate_hz: f64, offset_hz: f64) -> Result<Self, nap_dsp::Error> {
        let decimator = Decimator::new(sample_rate_hz, offset_hz, PASSED_HZ, MIN_RATE_HZ)?;
        Ok(Self { decimator, samples: VecDeque::new(), first: 0 })
    }

    /// Samples a second that are remembered.
    pub(crate) fn rate_hz(&self) -> f64 {
        self.decimator.rate_hz()
    }

    /// Where the centre of what is remembered is, from the centre of what comes in.
    pub(crate) fn offset_hz(&self) -> f64 {
        self.decimator.offset_hz()
    }

    /// Where what is remembered ends, in seconds of the stream.
    pub(crate) fn end_s(&self) -> f64 {
        (self.first + self.samples.len() as u64) as f64 / self.rate_hz()
    }

    /// Remembers samples.
    pub(crate) fn push(&mut self, samples: &[Complex32]) {
        let mut bytes = Vec::new();
        // What is beyond full scale is clipped, as in the file.
        convert::encode(FORMAT, &self.decimator.push(samples), &mut bytes);
        self.samples.extend(bytes.as_chunks().0);
    }

    /// Whether so much is missing, in seconds, that what was before will be forgotten.
    pub(crate) fn is_broken_by(lost_s: f64) -> bool {
        lost_s >= MAX_SILENCE_S
    }

    /// Goes on after samples that are missing.
    pub(crate) fn skip(&mut self, lost: u64) {
        let missing = self.decimator.skip(lost);
        if Self::is_broken_by(missing as f64 / self.rate_hz()) {
            self.first += self.samples.len() as u64 + missing;
            self.samples.clear();
        } else {
            self.samples.extend(std::iter::repeat_n([0; BYTES_PER_SAMPLE], missing as usize));
        }
    }

    /// Forgets what was before a time.
    pub(crate) fn forget_before(&mut self, time_s: f64) {
        let old = self.index(time_s).saturating_sub(self.first).min(self.samples.len() as u64);
        self.samples.drain(..old as usize);
        self.first += old;
    }

    /// What is remembered of a part of the stream, if anything.
    pub(crate) fn excerpt(&self, from_s: f64, to_s: f64) -> Option<Excerpt> {
        let from = self.index(from_s).max(self.first);
        let to = self.index(to_s).min(self.first + self.samples.len() as u64);
        if to <= from {
            return None;
        }
        let range = (from - self.first) as usize..(to - self.first) as usize;
        let mut samples = vec![Complex32::ZERO; range.len()];
        let bytes: Vec<u8> = self.samples.range(range).flatten().copied().collect();
        convert::decode(FORMAT, &bytes, &mut samples);
        Some(Excerpt { start_s: from as f64 / self.rate_hz(), samples })
    }

    fn index(&self, time_s: f64) -> u64 {
        (time_s.max(0.0) * self.rate_hz()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE_HZ: f64 = 250e3;

    /// A tenth of a second of one value.
    fn block(value: f32) -> Vec<Complex32> {
        vec![Complex32::new(value, -value); 25_000]
    }

    fn values(memory: &Memory, from_s: f64, to_s: f64) -> Option<(f64, f32, f32, usize)> {
        let excerpt = memory.excerpt(from_s, to_s)?;
        let (first, last) = (excerpt.samples.first()?.re, excerpt.samples.last()?.re);
        Some((excerpt.start_s, first, last, excerpt.samples.len()))
    }

    #[test]
    fn an_excerpt_is_what_was_there() {
        let mut memory = Memory::new(RATE_HZ, 0.0).unwrap();
        for value in [0.125, 0.25, 0.5] {
            memory.push(&block(value));
        }
        assert_eq!(values(&memory, 0.05, 0.15), Some((0.05, 0.125, 0.25, 25_000)));
        assert_eq!(values(&memory, -1.0, 9.0), Some((0.0, 0.125, 0.5, 75_000)));
        memory.forget_before(0.2);
        assert_eq!(values(&memory, 0.0, 9.0), Some((0.2, 0.5, 0.5, 25_000)));
        assert_eq!(values(&memory, 0.0, 0.1), None);
    }

    #[test]
    fn short_gaps_are_silence_and_long_ones_break_it() {
        let mut memory = Memory::new(RATE_HZ, 0.0).unwrap();
        memory.push(&block(0.5));
        memory.skip(25_000);
        memory.push(&block(0.25));
        assert_eq!(values(&memory, 0.0, 9.0), Some((0.0, 0.5, 0.25, 75_000)));
        assert_eq!(values(&memory, 0.1, 0.2), Some((0.1, 0.0, 0.0, 25_000)));
        memory.skip(500_000);
        memory.push(&block(0.125));
        assert_eq!(values(&memory, 0.0, 9.0), Some((2.3, 0.125, 0.125, 25_000)));
        assert!((memory.end_s() - 2.4).abs() < 1e-9);
    }
}
