//! The subbands and what was taken out of them.

use std::f64::consts::PI;
use std::ops::Range;

use nap_dsp::canceller::{Canceller, KnownBurst};
use nap_dsp::channelizer::{SubbandGrid, SubbandHistory};
use num_complex::Complex32;

/// The last seconds of the channel, without the bursts that were decoded.
pub(super) struct Band {
    pub(super) grid: SubbandGrid,
    pub(super) history: SubbandHistory,
    canceller: Canceller,
    cancelled: Vec<Cancelled>,
}

/// Where a burst was taken out.
#[derive(Debug, Clone)]
pub(super) struct Cancelled {
    pub(super) subbands: Range<usize>,
    pub(super) cover: Cover,
}

/// A burst that is on the air or has just been.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cover {
    pub(super) from_s: f64,
    pub(super) to_s: f64,
    pub(super) frequency_hz: f64,
    pub(super) symbol_s: f64,
    pub(super) power: f64,
}

impl Cover {
    /// Whether the burst has more than some power at a frequency within a window.
    pub(super) fn hides(&self, window_s: &Range<f64>, frequency_hz: f64, power: f64) -> bool {
        let distance = (frequency_hz - self.frequency_hz) * self.symbol_s;
        window_s.end > self.from_s
            && window_s.start < self.to_s
            && self.power / (PI * distance).powi(2).max(1.0) > power
    }
}

impl Band {
    /// A band that remembers `lookback_s` seconds.
    pub(super) fn new(grid: SubbandGrid, lookback_s: f64) -> Self {
        let columns = (lookback_s * grid.rate_hz()) as usize;
        Self {
            grid,
            history: SubbandHistory::new(grid.subbands, columns),
            canceller: Canceller::default(),
            cancelled: Vec::new(),
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

    /// Takes a burst of this power of which all is known out of what is remembered.
    pub(super) fn cancel(&mut self, burst: &KnownBurst<'_>, power: f64) {
        let from_s = burst.track.start_s;
        let to_s = from_s + burst.track.duration_s;
        if to_s <= self.grid.time_s(self.history.oldest()) {
            return;
        }
        self.canceller.cancel(&mut self.history, &self.grid, burst);
        self.cancelled.push(Cancelled {
            subbands: burst.subbands(&self.grid),
            cover: Cover {
                from_s,
                to_s,
                frequency_hz: burst.track.frequency_at((from_s + to_s) / 2.0),
                symbol_s: burst.symbol_s,
                power,
            },
        });
    }

    /// The places of the bursts taken out since the last call.
    pub(super) fn take_cancelled(&mut self) -> Vec<Cancelled> {
        std::mem::take(&mut self.cancelled)
    }
}
