//! The subbands and what was taken out of them.

use std::collections::VecDeque;

use nap_dsp::canceller::{Canceller, KnownBurst};
use nap_dsp::demodulator::PhaseTrack;
use nap_dsp::subbands::{SubbandGrid, SubbandHistory};
use num_complex::Complex32;

use super::masking::{Cancelled, Cover};

/// More bursts than ever wait to be taken out; the oldest goes first.
const MOST_REMAINING: usize = 64;

/// The last seconds of the channel, without the bursts that were decoded.
pub(super) struct Band {
    pub(super) grid: SubbandGrid,
    pub(super) history: SubbandHistory,
    canceller: Canceller,
    cancelled: VecDeque<Cancelled>,
    /// Decoded bursts that are still there.
    remaining: VecDeque<Remaining>,
}

/// A decoded burst that something stronger hides so far that it cannot be taken out.
struct Remaining {
    signs: Vec<f64>,
    track: PhaseTrack,
    es_over_n0: f64,
    cover: Cover,
    /// Where it is left.
    subbands: Vec<usize>,
}

impl Remaining {
    fn known(&self) -> KnownBurst<'_> {
        let Self { signs, track, es_over_n0, .. } = self;
        KnownBurst { signs, track, symbol_s: self.cover.symbol_s, es_over_n0: *es_over_n0 }
    }

    /// Whether a burst that was taken out hid this one.
    fn was_hidden_by(&self, place: &Cancelled) -> bool {
        place.cover.power > self.cover.power
            && place.cover.overlaps(&self.cover)
            && self.subbands.iter().any(|subband| place.subbands.contains(subband))
    }
}

impl Band {
    /// A band that remembers so many columns.
    pub(super) fn new(grid: SubbandGrid, columns: usize) -> Self {
        Self {
            grid,
            history: SubbandHistory::new(grid.subbands, columns),
            canceller: Canceller::default(),
            cancelled: VecDeque::new(),
            remaining: VecDeque::with_capacity(MOST_REMAINING),
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

    /// Takes a burst of which all is known, and what it covers, out of what is remembered. Where it cannot be
    /// told apart yet from what else is there, it is tried again when that has been taken out.
    pub(super) fn cancel(&mut self, burst: &KnownBurst<'_>, cover: Cover) {
        if cover.to_s <= self.grid.time_s(self.history.oldest())
            || self.remaining.iter().any(|other| other.cover.is_same(&cover))
        {
            return;
        }
        let mut subbands = burst.subbands(&self.grid).collect();
        self.take_out(burst, cover, &mut subbands);
        if subbands.is_empty() {
            return;
        }
        if self.remaining.len() == MOST_REMAINING {
            self.remaining.pop_front();
        }
        self.remaining.push_back(Remaining {
            signs: burst.signs.to_vec(),
            track: burst.track.clone(),
            es_over_n0: burst.es_over_n0,
            cover,
            subbands,
        });
    }

    /// Takes a burst out of those of some subbands in which it can be told apart; the others stay in the list.
    fn take_out(&mut self, burst: &KnownBurst<'_>, cover: Cover, subbands: &mut Vec<usize>) {
        if self.canceller.cancel(&mut self.history, &self.grid, burst, subbands) {
            self.cancelled.push_back(Cancelled { subbands: burst.subbands(&self.grid), cover });
        }
    }

    /// Forgets bursts that remain and that nothing can come to hide any more that begins after `time_s`.
    pub(super) fn forget(&mut self, time_s: f64) {
        self.remaining.retain(|burst| burst.cover.to_s >= time_s);
    }

    /// Whether bursts were taken out whose places were not asked for yet.
    pub(super) fn has_changed(&self) -> bool {
        !self.cancelled.is_empty()
    }

    /// The next place of a burst that was taken out, in the order in which they were. What it hid goes
    /// with it.
    pub(super) fn next_cancelled(&mut self) -> Option<Cancelled> {
        let place = self.cancelled.pop_front()?;
        let mut remaining = std::mem::take(&mut self.remaining);
        remaining.retain_mut(|burst| {
            if burst.was_hidden_by(&place) {
                let mut subbands = std::mem::take(&mut burst.subbands);
                self.take_out(&burst.known(), burst.cover, &mut subbands);
                burst.subbands = subbands;
            }
            !burst.subbands.is_empty()
        });
        self.remaining = remaining;
        Some(place)
    }

    /// What bursts cover that were decoded and are still there.
    pub(super) fn remaining(&self) -> impl Iterator<Item = Cover> {
        let is_there = |burst: &&Remaining| {
            burst.subbands.contains(&self.grid.nearest(burst.cover.frequency_hz))
        };
        self.remaining.iter().filter(is_there).map(|burst| burst.cover)
    }
}
