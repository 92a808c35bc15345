//! Going on after samples that were lost.

use num_complex::Complex32;

use super::Receiver;
use super::event::Event;

/// A gap up to this long is filled with silence, so that a message whose frames come before and after
/// it stays one message; in a longer one all frames of a message fit. Seconds.
const LONGEST_FILLED_S: f64 = 10.0;
/// Silence is pushed in pieces of so many samples.
const PIECE: usize = 1 << 12;

impl Receiver {
    /// Tells that so many samples were lost before the next ones. Times count on over them, and what
    /// was on the air meanwhile is not heard: a frame that the gap cuts is lost, all others are not.
    /// Returns what had to wait for the samples that are missing.
    pub fn skip(&mut self, samples: u64) -> Vec<Event> {
        self.pipeline.context.statistics.lost_samples += samples;
        if samples as f64 > LONGEST_FILLED_S * self.sample_rate_hz {
            self.jump(samples)
        } else {
            self.fill(samples)
        }
    }

    fn fill(&mut self, samples: u64) -> Vec<Event> {
        let silence = [Complex32::ZERO; PIECE];
        let pipeline = &mut self.pipeline;
        let mut left = usize::try_from(samples).unwrap_or(usize::MAX);
        while left > 0 {
            let count = left.min(PIECE);
            self.channelizer.push(&silence[..count], |column| pipeline.take(column));
            left -= count;
        }
        self.take_events()
    }

    fn jump(&mut self, samples: u64) -> Vec<Event> {
        let events = self.flush();
        // The end was silence too.
        let missing = samples.saturating_sub(self.closing_silence() as u64);
        self.skipped_s += missing as f64 / self.sample_rate_hz;
        events
    }

    /// The events since the last call, their times counted from the first sample ever.
    pub(super) fn take_events(&mut self) -> Vec<Event> {
        let events = std::mem::take(&mut self.pipeline.events);
        if self.skipped_s == 0.0 {
            return events;
        }
        events.into_iter().map(|event| event.delayed_by(self.skipped_s)).collect()
    }
}
