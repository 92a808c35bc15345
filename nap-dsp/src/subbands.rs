//! The subbands of a channel: where they lie, and the last seconds of each.

use std::fmt;
use std::ops::Range;

#[cfg(feature = "ndarray")]
use ndarray::{Array2, Axis};
use num_complex::Complex32;

use crate::kernels::blocks::{BLOCK_COLUMNS, Blocks};

/// Where the subbands lie in time and frequency.
///
/// Frequencies are in hertz from the centre of the recording, times in seconds from its first
/// sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SubbandGrid {
    /// The number of subbands.
    pub subbands: usize,
    /// Distance between neighbouring subbands.
    pub spacing_hz: f64,
    /// Centre of subband 0, the lowest.
    pub first_center_hz: f64,
    /// Time of column 0: the middle of the filter's span.
    pub first_column_s: f64,
}

impl SubbandGrid {
    /// Samples per second of each subband: they are twice oversampled.
    #[must_use]
    pub fn rate_hz(&self) -> f64 {
        2.0 * self.spacing_hz
    }

    /// Centre of subband `b`.
    #[must_use]
    pub fn center_hz(&self, b: usize) -> f64 {
        self.first_center_hz + b as f64 * self.spacing_hz
    }

    /// The subband whose centre is nearest to `frequency_hz`.
    #[must_use]
    pub fn nearest(&self, frequency_hz: f64) -> usize {
        let index = ((frequency_hz - self.first_center_hz) / self.spacing_hz).round();
        (index.max(0.0) as usize).min(self.subbands - 1)
    }

    /// Time of a column.
    #[must_use]
    pub fn time_s(&self, column: u64) -> f64 {
        self.first_column_s + column as f64 / self.rate_hz()
    }

    /// The first column at or after `time_s`.
    #[must_use]
    pub fn column_at(&self, time_s: f64) -> u64 {
        ((time_s - self.first_column_s) * self.rate_hz()).ceil().max(0.0) as u64
    }
}

/// The last seconds of every subband, addressed by column number.
///
/// They take half the memory of [`Complex32`]: a block of a subband shares its exponent. Parts
/// are off by 2^-15 of the strongest in their block at most, so that the noise that comes of it is 92 dB below a
/// carrier or more, and spread over the subband.
pub struct SubbandHistory {
    subbands: usize,
    capacity: usize,
    /// Complete blocks: for each subband a ring of them.
    ring: Blocks,
    /// The block that is being filled, of every subband, as it came.
    newest: Vec<[Complex32; BLOCK_COLUMNS]>,
    /// Where the columns begin.
    first: u64,
    columns: u64,
}

impl SubbandHistory {
    /// Room for `capacity` columns (one at least) of `subbands` samples each.
    #[must_use]
    pub fn new(subbands: usize, capacity: usize) -> Self {
        let capacity = capacity.max(1);
        Self {
            subbands,
            capacity,
            ring: Blocks::new(subbands * ring_blocks(capacity)),
            newest: vec![[Complex32::ZERO; BLOCK_COLUMNS]; subbands],
            first: 0,
            columns: 0,
        }
    }

    /// The memory that room for so many columns takes, in bytes.
    #[must_use]
    pub fn memory_bytes(subbands: usize, capacity: usize) -> usize {
        let newest = subbands * size_of::<[Complex32; BLOCK_COLUMNS]>();
        Blocks::memory_bytes(subbands * ring_blocks(capacity.max(1))) + newest
    }

    /// Makes `column` the number of the next column, so that columns of a stretch of a longer stream
    /// have the numbers and times that they have there. Call it before the first one.
    pub fn begin_at(&mut self, column: u64) {
        (self.first, self.columns) = (column, column);
    }

    /// Columns written so far; the next one has this number.
    #[must_use]
    pub fn columns(&self) -> u64 {
        self.columns
    }

    /// The oldest column that is still there.
    #[must_use]
    pub fn oldest(&self) -> u64 {
        self.columns.saturating_sub(self.capacity as u64).max(self.first)
    }

    /// Appends one sample of every subband, dropping the oldest column when full.
    pub fn push(&mut self, column: &[Complex32]) {
        let at = (self.columns % BLOCK_COLUMNS as u64) as usize;
        let places = self.newest.iter_mut().map(|block| &mut block[at]);
        places.zip(column).for_each(|(place, &sample)| *place = sample);
        if at + 1 == BLOCK_COLUMNS {
            let first = self.place(0, self.columns);
            self.ring.pack(first, ring_blocks(self.capacity), &self.newest);
        }
        self.columns += 1;
    }

    /// Appends the samples of subband `b` from column `start` on to `samples`, `count` in all. What
    /// lies before the oldest or after the newest column is left out.
    pub fn read(&self, b: usize, start: u64, count: usize, samples: &mut Vec<Complex32>) {
        let columns = self.clamped(start, count);
        samples.reserve((columns.end - columns.start) as usize);
        let part = |first, within, samples: &mut Vec<Complex32>| {
            if self.is_newest(first) {
                samples.extend_from_slice(&self.newest[b][within]);
            } else {
                samples.extend_from_slice(&self.ring.samples(self.place(b, first))[within]);
            }
        };
        let whole = whole_blocks(&columns);
        for_each_block(columns.start..whole.start, |first, within| part(first, within, samples));
        self.read_blocks(b, &whole, samples);
        for_each_block(whole.end..columns.end, |first, within| part(first, within, samples));
    }

    /// Appends the samples of a subband from complete blocks, which may go on at the ring's beginning.
    fn read_blocks(&self, b: usize, columns: &Range<u64>, samples: &mut Vec<Complex32>) {
        let count = ((columns.end - columns.start) / BLOCK_COLUMNS as u64) as usize;
        let (begin, from) = (self.place(b, 0), self.place(b, columns.start));
        let head = count.min(begin + ring_blocks(self.capacity) - from);
        self.ring.unpack(from..from + head, samples);
        self.ring.unpack(begin..begin + count - head, samples);
    }

    /// Writes `samples` over those of subband `b` from column `start` on. What lies before the oldest
    /// or after the newest column is left out. Other samples stay as they are.
    pub fn write(&mut self, b: usize, start: u64, samples: &[Complex32]) {
        for_each_block(self.clamped(start, samples.len()), |first, within| {
            let from = (first + within.start as u64 - start) as usize;
            let samples = &samples[from..from + within.len()];
            if self.is_newest(first) {
                self.newest[b][within].copy_from_slice(samples);
            } else {
                self.ring.replace(self.place(b, first), within, samples);
            }
        });
    }

    /// The columns that are there, the oldest first: a row of subbands for each.
    #[cfg(feature = "ndarray")]
    #[must_use]
    pub fn to_array(&self) -> Array2<Complex32> {
        /// So few columns stay in the cache while each subband writes to all of them.
        const COPIED_AT_ONCE: usize = 512;
        let count = (self.columns - self.oldest()) as usize;
        let mut array = Array2::zeros((count, self.subbands));
        let mut first = self.oldest();
        let mut copy = Vec::with_capacity(COPIED_AT_ONCE);
        for mut rows in array.axis_chunks_iter_mut(Axis(0), COPIED_AT_ONCE) {
            for (b, mut samples) in rows.columns_mut().into_iter().enumerate() {
                copy.clear();
                self.read(b, first, samples.len(), &mut copy);
                samples.iter_mut().zip(&copy).for_each(|(to, from)| *to = *from);
            }
            first += COPIED_AT_ONCE as u64;
        }
        array
    }

    /// The columns that are there of `count` from `start` on.
    fn clamped(&self, start: u64, count: usize) -> Range<u64> {
        let from = start.clamp(self.oldest(), self.columns);
        from..start.saturating_add(count as u64).clamp(from, self.columns)
    }

    /// Whether the block with this column is still being filled.
    fn is_newest(&self, column: u64) -> bool {
        column / BLOCK_COLUMNS as u64 == self.columns / BLOCK_COLUMNS as u64
    }

    /// Where the ring of a subband keeps the block with this column.
    fn place(&self, b: usize, column: u64) -> usize {
        let blocks = ring_blocks(self.capacity);
        b * blocks + (column / BLOCK_COLUMNS as u64 % blocks as u64) as usize
    }
}

/// Blocks that hold so many columns, wherever the first of them lies in its block: those of the block that is
/// being filled are elsewhere.
fn ring_blocks(capacity: usize) -> usize {
    capacity.div_ceil(BLOCK_COLUMNS)
}

/// The columns among these whose blocks lie among them as a whole; none at their end if there is no such block.
fn whole_blocks(columns: &Range<u64>) -> Range<u64> {
    let end = columns.end - columns.end % BLOCK_COLUMNS as u64;
    let start = columns.start.next_multiple_of(BLOCK_COLUMNS as u64);
    if start < end { start..end } else { columns.end..columns.end }
}

/// Calls `visit` for each block that columns lie in, with the block's first column and the columns in it.
fn for_each_block(columns: Range<u64>, mut visit: impl FnMut(u64, Range<usize>)) {
    let mut from = columns.start;
    while from < columns.end {
        let first = from - from % BLOCK_COLUMNS as u64;
        let end = columns.end.min(first + BLOCK_COLUMNS as u64);
        visit(first, (from - first) as usize..(end - first) as usize);
        from = end;
    }
}

impl fmt::Debug for SubbandHistory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubbandHistory")
            .field("subbands", &self.subbands)
            .field("capacity", &self.capacity)
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

/// Reads the `count` samples of a subband from a column on, which may lie before the first, with zeros for
/// those that the history no longer or not yet has.
pub(crate) fn read_stretch(
    history: &SubbandHistory,
    b: usize,
    (first, count): (i64, usize),
    samples: &mut Vec<Complex32>,
) {
    let start = first.max(history.oldest() as i64);
    let missing = ((start - first) as usize).min(count);
    samples.clear();
    samples.resize(missing, Complex32::ZERO);
    history.read(b, start as u64, count - missing, samples);
    samples.resize(count, Complex32::ZERO);
}

#[cfg(test)]
mod tests {
    use num_complex::Complex64;

    use super::*;
    use crate::kernels::sums::to_c32;

    fn samples(history: &SubbandHistory, b: usize, start: u64, count: usize) -> Vec<Complex32> {
        let mut samples = Vec::new();
        history.read(b, start, count, &mut samples);
        samples
    }

    #[test]
    fn history_keeps_the_newest_columns() {
        let mut history = SubbandHistory::new(2, 4);
        for n in 0..40u8 {
            let value = f32::from(n);
            history.push(&[Complex32::new(value, 0.0), Complex32::new(-value, 0.0)]);
            let kept: Vec<f32> = samples(&history, 1, 0, 100).iter().map(|s| s.re).collect();
            let expected = (n.saturating_sub(3)..=n).map(|n| -f32::from(n));
            // The whole numbers up to here are kept exactly.
            assert_eq!(kept, expected.collect::<Vec<f32>>());
        }
        let values: Vec<f32> = samples(&history, 0, 37, 2).iter().map(|s| s.re).collect();
        assert_eq!(values, [37.0, 38.0]);
        assert_eq!(samples(&history, 0, 40, 5), []);
        assert_eq!(samples(&history, 0, u64::MAX, usize::MAX), []);
    }

    #[test]
    fn what_is_written_is_there_and_the_rest_stays() {
        let (begin, end) = (1_003u64, 1_090);
        for (start, count) in [(1_000, 20), (1_040, 7), (1_070, 30), (1_080, 5), (0, 2_000)] {
            let mut history = SubbandHistory::new(2, 60);
            history.begin_at(begin);
            let mut expected = Vec::new();
            for column in begin..end {
                expected.push(Complex32::new(column as f32, -1.0));
                history.push(&[Complex32::I, Complex32::new(column as f32, -1.0)]);
            }
            let oldest = history.oldest();
            assert_eq!(oldest, end - 60);
            let zeros = vec![Complex32::ZERO; count];
            history.write(1, start, &zeros);
            for (column, sample) in (begin..end).zip(&mut expected) {
                if (start..start + count as u64).contains(&column) {
                    *sample = Complex32::ZERO;
                }
            }
            let expected = &expected[(oldest - begin) as usize..];
            assert_eq!(samples(&history, 1, 0, usize::MAX), expected, "{count} from {start} on");
            assert_eq!(samples(&history, 0, 0, usize::MAX), [Complex32::I; 60]);
        }
    }

    #[test]
    fn a_weak_carrier_stays_clear_of_a_strong_ones_rounding() {
        let mut history = SubbandHistory::new(1, 4_096);
        let tone = |cycles: f64, n: u64| {
            to_c32(Complex64::from_polar(1.0, std::f64::consts::TAU * cycles * n as f64))
        };
        for n in 0..4_096 {
            history.push(&[tone(0.137, n)]);
        }
        let kept = samples(&history, 0, 0, 4_096);
        let error: f32 = (0..).zip(&kept).map(|(n, kept)| (kept - tone(0.137, n)).norm_sqr()).sum();
        let error_db = 10.0 * (error / 4_096.0).log10();
        assert!(error_db < -92.0, "{error_db} dB");
    }

    #[cfg(feature = "ndarray")]
    #[test]
    fn an_array_has_a_row_of_subbands_for_each_column() {
        let sample = |b: usize, column: usize| Complex32::new(b as f32, column as f32);
        // Before the ring is full, and after, over the end of a copied piece and of the ring.
        for columns in [0, 3, 700, 1_300, 2_000] {
            let mut history = SubbandHistory::new(3, 1_000);
            for column in 0..columns {
                history.push(&[0, 1, 2].map(|b| sample(b, column)));
            }
            let array = history.to_array();
            let oldest = columns.saturating_sub(1_000);
            assert_eq!(array.dim(), (columns - oldest, 3));
            for ((row, b), &found) in array.indexed_iter() {
                assert_eq!(found, sample(b, oldest + row));
            }
        }
    }
}
