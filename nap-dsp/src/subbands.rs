//! The subbands of a channel: where they lie, and the last seconds of each.

use std::fmt;
use std::ops::Range;

use bytemuck::zeroed_vec;
#[cfg(feature = "ndarray")]
use ndarray::{Array2, Axis};
use num_complex::Complex32;

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
    pub first_centre_hz: f64,
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
    pub fn centre_hz(&self, b: usize) -> f64 {
        self.first_centre_hz + b as f64 * self.spacing_hz
    }

    /// The subband whose centre is nearest to `frequency_hz`.
    #[must_use]
    pub fn nearest(&self, frequency_hz: f64) -> usize {
        let index = ((frequency_hz - self.first_centre_hz) / self.spacing_hz).round();
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
pub struct SubbandHistory {
    capacity: usize,
    samples: Vec<Complex32>,
    /// Where the columns begin.
    first: u64,
    columns: u64,
}

impl SubbandHistory {
    /// Room for `capacity` columns (one at least) of `subbands` samples each.
    #[must_use]
    pub fn new(subbands: usize, capacity: usize) -> Self {
        let capacity = capacity.max(1);
        // Memory that is taken only as far as it fills.
        Self { capacity, samples: zeroed_vec(subbands * capacity), first: 0, columns: 0 }
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
        let at = (self.columns % self.capacity as u64) as usize;
        let places = self.samples[at..].iter_mut().step_by(self.capacity);
        places.zip(column).for_each(|(place, &sample)| *place = sample);
        self.columns += 1;
    }

    /// The samples of subband `b` from column `start` on, as the two parts of the ring, `count` in
    /// all. What lies before the oldest or after the newest column is left out.
    #[must_use]
    pub fn range(&self, b: usize, start: u64, count: usize) -> (&[Complex32], &[Complex32]) {
        let (head, tail) = self.places(start, count);
        let ring = &self.samples[b * self.capacity..(b + 1) * self.capacity];
        (&ring[head], &ring[tail])
    }

    /// The same samples as [`SubbandHistory::range`], to be changed.
    pub fn range_mut(
        &mut self,
        b: usize,
        start: u64,
        count: usize,
    ) -> (&mut [Complex32], &mut [Complex32]) {
        let (head, tail) = self.places(start, count);
        let ring = &mut self.samples[b * self.capacity..(b + 1) * self.capacity];
        let (wrapped, rest) = ring.split_at_mut(head.start);
        (&mut rest[..head.len()], &mut wrapped[tail])
    }

    /// The columns that are there, the oldest first: a row of subbands for each.
    #[cfg(feature = "ndarray")]
    #[must_use]
    pub fn to_array(&self) -> Array2<Complex32> {
        /// So few columns stay in the cache while each subband writes to all of them.
        const COPIED_AT_ONCE: usize = 512;
        let count = (self.columns - self.oldest()) as usize;
        let mut array = Array2::zeros((count, self.subbands()));
        let mut first = self.oldest();
        for mut rows in array.axis_chunks_iter_mut(Axis(0), COPIED_AT_ONCE) {
            for (b, mut samples) in rows.columns_mut().into_iter().enumerate() {
                let (head, tail) = self.range(b, first, samples.len());
                let both = head.iter().chain(tail);
                samples.iter_mut().zip(both).for_each(|(to, from)| *to = *from);
            }
            first += COPIED_AT_ONCE as u64;
        }
        array
    }

    fn subbands(&self) -> usize {
        self.samples.len() / self.capacity
    }

    /// Where a ring keeps these columns: up to its end, and from its beginning on.
    fn places(&self, start: u64, count: usize) -> (Range<usize>, Range<usize>) {
        let from = start.clamp(self.oldest(), self.columns);
        let to = start.saturating_add(count as u64).clamp(from, self.columns);
        let first = (from % self.capacity as u64) as usize;
        let count = (to - from) as usize;
        let head = count.min(self.capacity - first);
        (first..first + head, 0..count - head)
    }
}

impl fmt::Debug for SubbandHistory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubbandHistory")
            .field("subbands", &self.subbands())
            .field("capacity", &self.capacity)
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

/// The `count` samples of a subband from a column on, which may lie before the first, with zeros for
/// those that the history no longer or not yet has. They are copied only if they do not lie together.
pub(crate) fn stretch<'a>(
    history: &'a SubbandHistory,
    b: usize,
    (first, count): (i64, usize),
    copy: &'a mut Vec<Complex32>,
) -> &'a [Complex32] {
    let start = first.max(history.oldest() as i64);
    let missing = ((start - first) as usize).min(count);
    let (head, tail) = history.range(b, start as u64, count - missing);
    if head.len() == count {
        return head;
    }
    copy.clear();
    copy.resize(missing, Complex32::default());
    copy.extend_from_slice(head);
    copy.extend_from_slice(tail);
    copy.resize(count, Complex32::default());
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_keeps_the_newest_columns() {
        let mut history = SubbandHistory::new(2, 4);
        for n in 0..10u8 {
            let value = f32::from(n);
            history.push(&[Complex32::new(value, 0.0), Complex32::new(-value, 0.0)]);
        }
        let (head, tail) = history.range(1, 7, 3);
        let values: Vec<f32> = head.iter().chain(tail).map(|sample| sample.re).collect();
        assert_eq!(values, [-7.0, -8.0, -9.0]);
        let (head, tail) = history.range(0, 0, 100);
        assert_eq!(head.len() + tail.len(), 4);
        assert_eq!(history.range(0, 20, 5), (&[][..], &[][..]));
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
