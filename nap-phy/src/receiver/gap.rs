//! Going on after samples that were lost.

use super::Receiver;
use super::event::Event;

/// A gap up to this long is filled with silence, so that a message whose frames come before and after
/// it stays one message; in a longer one all frames of a message fit. Seconds.
const LONGEST_FILLED_S: f64 = 10.0;

impl Receiver {
    /// Tells that so many samples were lost before the next ones. Times count on over them, and what
    /// was on the air meanwhile is not heard: a frame that the gap cuts is lost, all others are not.
    /// Returns what had to wait for the samples that are missing.
    pub fn skip(&mut self, samples: u64) -> Vec<Event> {
        let mut events = Vec::new();
        self.skip_with(samples, |event| events.push(event.clone()));
        events
    }

    /// The same as [`skip`](Self::skip), the events handed to `sink` one after the other.
    pub fn skip_with(&mut self, samples: u64, sink: impl FnMut(&Event)) {
        self.count_lost(samples);
        if self.is_filled(samples) {
            self.take_silence(samples);
            self.hand_out(sink);
        } else {
            self.flush_with(sink);
            self.leave_out(samples);
        }
    }

    /// Counts samples that were lost.
    pub(super) fn count_lost(&mut self, samples: u64) {
        let lost = &mut self.pipeline.context.statistics.lost_samples;
        *lost = lost.saturating_add(samples);
    }

    /// Whether a gap of so many samples is filled with silence.
    pub(super) fn is_filled(&self, samples: u64) -> bool {
        samples as f64 <= LONGEST_FILLED_S * self.sample_rate_hz
    }

    /// Lets times count on over a gap of so many samples, of which the end was taken in as silence.
    pub(super) fn leave_out(&mut self, samples: u64) {
        let missing = samples.saturating_sub(self.closing_silence());
        self.skipped_s += missing as f64 / self.sample_rate_hz;
    }
}
