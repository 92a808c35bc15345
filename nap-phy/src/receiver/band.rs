//! The subbands and what was taken out of them.

use std::collections::VecDeque;

use nap_dsp::canceller::{Canceller, KnownBurst};
use nap_dsp::subbands::{SubbandGrid, SubbandHistory};
use num_complex::Complex32;

use super::masking::{Cancelled, Cover};

/// The last seconds of the channel, without the bursts that were decoded.
pub(super) struct Band {
    pub(super) grid: SubbandGrid,
    pub(super) history: SubbandHistory,
    canceller: Canceller,
    cancelled: VecDeque<Cancelled>,
}

impl Band {
    /// A band that remembers so many columns.
    pub(super) fn new(grid: SubbandGrid, columns: usize) -> Self {
        Self {
            grid,
            history: SubbandHistory::new(grid.subbands, columns),
            canceller: Canceller::default(),
            cancelled: VecDeque::new(),
        }
    }

    /// Appends one sample of every subband.
    pub(super) fn push(&mut self, column: &[Complex32]) {
        self.history.push(column);
    }

    /// The time up to which there are samples.
    pub(super) fn now_s(&self) -> f64 {
        self.grid.time_s(self.history.columns())
    }

    /// Takes a burst of which all is known, and what it covers, out of what is remembered, if it can be
    /// told apart from what else is there.
    pub(super) fn cancel(&mut self, burst: &KnownBurst<'_>, cover: Cover) {
        if cover.to_s > self.grid.time_s(self.history.oldest())
            && self.canceller.cancel(&mut self.history, &self.grid, burst)
        {
            let subbands = burst.subbands(&self.grid);
            self.cancelled.push_back(Cancelled { subbands, cover });
        }
    }

    /// Whether bursts were taken out whose places were not asked for yet.
    pub(super) fn has_changed(&self) -> bool {
        !self.cancelled.is_empty()
    }

    /// The next place of a burst that was taken out, in the order in which they were.
    pub(super) fn next_cancelled(&mut self) -> Option<Cancelled> {
        self.cancelled.pop_front()
    }
}
