//! From the time of the samples to the time of day.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use nap_io::live::Block;

use nap_io::utc_text;

/// Says when something was received. A radio's samples are placed by the computer's clock, which is set
/// from time to time; a recording's by the time that it tells.
pub struct StreamTime {
    start: Option<Timestamp>,
    sample_rate_hz: f64,
    speed: Option<f64>,
    is_live: bool,
    /// A sample and when it was taken.
    anchor: Option<(u64, Instant, Timestamp)>,
}

impl StreamTime {
    /// The time of a stream that plays at `speed` times its own; `start` is when its first sample was
    /// taken, if it tells; if it does not and `is_live`, the computer's clock does.
    pub fn new(
        start: Option<Timestamp>,
        sample_rate_hz: f64,
        speed: Option<f64>,
        is_live: bool,
    ) -> Self {
        Self { start, sample_rate_hz, speed, is_live, anchor: None }
    }

    /// Takes note of a block.
    pub fn follow(&mut self, block: &Block) {
        let now = Timestamp::now();
        let age = SignedDuration::try_from(block.taken.elapsed()).unwrap_or_default();
        let taken = now.checked_sub(age).unwrap_or(now);
        self.anchor = Some((block.first_sample, block.arrived, taken));
        if self.is_live && self.speed != Some(1.0) && self.start.is_none() {
            // It passes faster than the computer's time; that of its start has to do.
            let since =
                SignedDuration::from_secs_f64(block.first_sample as f64 / self.sample_rate_hz);
            self.start = taken.checked_sub(since).ok();
        }
    }

    /// The time of day at `time_s` seconds of the stream, RFC 3339 in UTC.
    pub fn text(&self, time_s: f64) -> Option<String> {
        if let Some(start) = self.start {
            return utc_text(start, time_s);
        }
        let (sample, _, taken) = self.anchor.filter(|_| self.is_live)?;
        utc_text(taken, time_s - sample as f64 / self.sample_rate_hz)
    }

    /// How long ago the clock said `time_s`, given that the samples up to `end` have just been worked on,
    /// in seconds; `None` where samples come as fast as they are read.
    pub fn age_s(&self, time_s: f64, end: u64) -> Option<f64> {
        let (_, arrived, _) = self.anchor?;
        let behind_s = end as f64 / self.sample_rate_hz - time_s;
        Some(behind_s / self.speed? + arrived.elapsed().as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_complex::Complex32;

    fn block(first_sample: u64, taken: Instant) -> Block {
        let samples = vec![Complex32::ZERO; 10];
        Block { samples, first_sample, lost_before: 0, taken, arrived: taken }
    }

    #[test]
    fn a_radio_goes_by_the_clock_of_the_computer() {
        let mut time = StreamTime::new(None, 1000.0, Some(1.0), true);
        assert_eq!(time.text(0.0), None);
        time.follow(&block(10_000, Instant::now()));
        let text = time.text(9.0).unwrap();
        let found: Timestamp = text.parse().unwrap();
        let age_s = Timestamp::now().duration_since(found).as_secs_f64();
        assert!((0.99..1.2).contains(&age_s), "{age_s}");
        let age_s = time.age_s(9.0, 10_010).unwrap();
        assert!((1.01..1.2).contains(&age_s), "{age_s}");
    }

    #[test]
    fn a_recording_goes_by_its_own() {
        let start: Timestamp = "2026-11-23T06:16:00Z".parse().unwrap();
        let mut time = StreamTime::new(Some(start), 1000.0, None, false);
        time.follow(&block(0, Instant::now()));
        assert_eq!(time.text(1.5).unwrap(), "2026-11-23T06:16:01.500000Z");
        assert_eq!(time.age_s(1.5, 10), None);
    }
}
