//! The subbands, and the bursts that were cancelled in them.

use std::collections::VecDeque;

use nap_dsp::canceller::{Canceller, KnownBurst, MAX_SUBBANDS};
use nap_dsp::demodulator::PhaseTrack;
use nap_dsp::subbands::{SubbandGrid, SubbandHistory};
use num_complex::Complex32;

use super::decoder::symbols::symbol_count;
use super::masking::{Cancelled, Mask};
use super::tuning::Tuning;
use crate::uplink::frame_type::FrameType;

/// More bursts than ever wait to be cancelled; the oldest goes first.
const MAX_REMAINING: usize = 64;

/// The last seconds of the channel, without the bursts that were decoded.
pub(super) struct Band {
    pub(super) grid: SubbandGrid,
    pub(super) history: SubbandHistory,
    canceller: Canceller,
    cancelled: VecDeque<Cancelled>,
    /// Decoded bursts that are still there.
    remaining: VecDeque<Remaining>,
}

/// A decoded burst that something stronger masks so far that it cannot be cancelled.
struct Remaining {
    signs: Vec<f64>,
    track: PhaseTrack,
    es_over_n0: f64,
    mask: Mask,
    /// Where it is left.
    subbands: Vec<usize>,
}

impl Remaining {
    /// What one of a frame of so many symbols takes with all that it holds, in bytes at most.
    fn memory_bytes(symbols: usize) -> usize {
        let subbands = MAX_SUBBANDS * size_of::<usize>();
        size_of::<Self>()
            + symbols * size_of::<f64>()
            + PhaseTrack::memory_bytes(symbols)
            + subbands
    }

    fn known(&self) -> KnownBurst<'_> {
        let Self { signs, track, es_over_n0, .. } = self;
        KnownBurst { signs, track, es_over_n0: *es_over_n0 }
    }

    /// Whether a burst that was cancelled masked this one.
    fn was_masked_by(&self, cancelled: &Cancelled) -> bool {
        cancelled.mask.power > self.mask.power
            && cancelled.mask.overlaps(&self.mask)
            && self.subbands.iter().any(|subband| cancelled.subbands.contains(subband))
    }
}

impl Band {
    /// A band that remembers so many columns.
    pub(super) fn new(grid: SubbandGrid, columns: usize, tuning: &Tuning) -> Self {
        Self {
            grid,
            history: SubbandHistory::new(grid.subbands, columns),
            canceller: Canceller::new(tuning.canceller),
            cancelled: VecDeque::new(),
            remaining: VecDeque::with_capacity(MAX_REMAINING),
        }
    }

    /// What the decoded bursts that are still there take, in bytes at most.
    pub(super) fn remaining_bytes() -> usize {
        let max_symbols = FrameType::ALL.into_iter().map(symbol_count).max();
        MAX_REMAINING * Remaining::memory_bytes(max_symbols.unwrap_or_default())
    }

    /// Appends one sample of every subband.
    pub(super) fn push(&mut self, column: &[Complex32]) {
        self.history.push(column);
    }

    /// The time up to which there are samples.
    pub(super) fn now_s(&self) -> f64 {
        self.grid.time_s(self.history.columns())
    }

    /// Cancels a burst of which all is known in what is remembered; `mask` is what it masks. Where it cannot be
    /// told apart yet from what else is there, it is tried again when that has been cancelled.
    pub(super) fn cancel(&mut self, burst: &KnownBurst<'_>, mask: Mask) {
        if mask.to_s <= self.grid.time_s(self.history.oldest())
            || self.remaining.iter().any(|other| other.mask.is_same(&mask))
        {
            return;
        }
        let mut subbands = self.canceller.subbands(&self.grid, burst).collect();
        self.subtract(burst, mask, &mut subbands);
        if subbands.is_empty() {
            return;
        }
        if self.remaining.len() == MAX_REMAINING {
            self.remaining.pop_front();
        }
        self.remaining.push_back(Remaining {
            signs: burst.signs.to_vec(),
            track: burst.track.clone(),
            es_over_n0: burst.es_over_n0,
            mask,
            subbands,
        });
    }

    /// Subtracts a burst in those of some subbands in which it can be told apart; the others stay in the list.
    fn subtract(&mut self, burst: &KnownBurst<'_>, mask: Mask, subbands: &mut Vec<usize>) {
        if self.canceller.cancel(&mut self.history, &self.grid, burst, subbands) {
            let subbands = self.canceller.subbands(&self.grid, burst);
            self.cancelled.push_back(Cancelled { subbands, mask });
        }
    }

    /// Forgets bursts that remain and that nothing can come to mask any more that begins after `time_s`.
    pub(super) fn forget(&mut self, time_s: f64) {
        self.remaining.retain(|burst| burst.mask.to_s >= time_s);
    }

    /// Whether bursts were cancelled whose regions were not asked for yet.
    pub(super) fn has_changed(&self) -> bool {
        !self.cancelled.is_empty()
    }

    /// The next burst that was cancelled, in the order in which they were. What it masked goes
    /// with it.
    pub(super) fn next_cancelled(&mut self) -> Option<Cancelled> {
        let cancelled = self.cancelled.pop_front()?;
        let mut remaining = std::mem::take(&mut self.remaining);
        remaining.retain_mut(|burst| {
            if burst.was_masked_by(&cancelled) {
                let mut subbands = std::mem::take(&mut burst.subbands);
                self.subtract(&burst.known(), burst.mask, &mut subbands);
                burst.subbands = subbands;
            }
            !burst.subbands.is_empty()
        });
        self.remaining = remaining;
        Some(cancelled)
    }

    /// What bursts mask that were decoded and are still there.
    pub(super) fn remaining(&self) -> impl Iterator<Item = Mask> {
        let is_there = |burst: &&Remaining| {
            burst.subbands.contains(&self.grid.nearest(burst.mask.frequency_hz))
        };
        self.remaining.iter().filter(is_there).map(|burst| burst.mask)
    }
}

#[cfg(test)]
mod tests {
    use nap_dsp::carrier::Carrier;
    use nap_dsp::demodulator::Demodulator;

    use super::*;

    const SYMBOL_S: f64 = 0.01;
    const GRID: SubbandGrid = SubbandGrid {
        subbands: 3,
        spacing_hz: 500.0,
        first_center_hz: -500.0,
        first_column_s: 0.0,
    };

    /// The track of a burst at 0 Hz that begins after 0.1 s, and then there is nothing.
    fn track(signs: &[f64]) -> PhaseTrack {
        let mut history = SubbandHistory::new(GRID.subbands, 10_000);
        for column in 0..3_000 {
            let symbol = (GRID.time_s(column) - 0.1) / SYMBOL_S;
            let sign = signs.get(symbol.floor() as isize as usize).copied().unwrap_or_default();
            history.push(&[Complex32::ZERO, Complex32::from(sign as f32), Complex32::ZERO]);
        }
        let carrier = Carrier { time_s: 1.0, frequency_hz: 0.0, drift_hz_per_s: 0.0 };
        let mut demodulator = Demodulator::new(SYMBOL_S.recip(), 60.0);
        let frame =
            demodulator.demodulate(&history, &GRID, (0.1, carrier), &signs[..33], signs.len());
        frame.unwrap().measure(signs).track
    }

    #[test]
    fn bursts_that_remain_take_what_is_counted_for_them() {
        let longest = FrameType::ALL.into_iter().map(symbol_count).max().unwrap();
        let signs: Vec<f64> =
            (0..longest).map(|n| if n / 3 % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let track = track(&signs);
        // Where there is nothing, nothing can be cancelled. The reach is that of a strong burst.
        let burst = KnownBurst { signs: &signs, track: &track, es_over_n0: 1e3 };
        let mut band = Band::new(GRID, 10_000, &Tuning::default());
        assert_eq!(band.canceller.subbands(&GRID, &burst).len(), MAX_SUBBANDS);
        (0..3_000).for_each(|_| band.push(&[Complex32::ZERO; 3]));
        for n in 0..MAX_REMAINING + 10 {
            let shift_s = 2.0 * n as f64 * SYMBOL_S;
            let mut mask = Mask::of_track(&track, SYMBOL_S, 1.0);
            (mask.from_s, mask.to_s) = (mask.from_s + shift_s, mask.to_s + shift_s);
            band.cancel(&burst, mask);
        }
        assert_eq!(band.remaining.len(), MAX_REMAINING);
        let taken = allocation_counter::measure(|| drop(std::mem::take(&mut band.remaining)));
        assert_eq!(-taken.bytes_current, Band::remaining_bytes() as i64);
    }
}
