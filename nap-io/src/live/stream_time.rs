//! From the time of the samples to the time of day.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use crate::live::block::Block;
use crate::utc::utc_text;

/// Now, by the computer's two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// By the one that never jumps.
    pub instant: Instant,
    /// By the one that is set from time to time.
    pub utc: Timestamp,
}

impl Moment {
    /// What the clocks say.
    #[must_use]
    pub fn now() -> Self {
        Self { instant: Instant::now(), utc: Timestamp::now() }
    }

    /// The time of day at another instant.
    #[must_use]
    pub fn utc_at(&self, instant: Instant) -> Timestamp {
        let age = self.instant.saturating_duration_since(instant);
        let age = SignedDuration::try_from(age).unwrap_or_default();
        self.utc.checked_sub(age).unwrap_or(self.utc)
    }
}

/// Says when something was received. A radio's samples are placed by the computer's clock, which is set
/// from time to time; a recording's by the time that it tells.
#[derive(Debug, Clone)]
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
    #[must_use]
    pub fn new(
        start: Option<Timestamp>,
        sample_rate_hz: f64,
        speed: Option<f64>,
        is_live: bool,
    ) -> Self {
        Self { start, sample_rate_hz, speed, is_live, anchor: None }
    }

    /// Takes note of a block.
    pub fn follow(&mut self, block: &Block, now: &Moment) {
        let taken = now.utc_at(block.taken);
        self.anchor = Some((block.first_sample, block.arrived, taken));
        if self.is_live && self.speed != Some(1.0) && self.start.is_none() {
            // It passes faster than the computer's time; that of its start has to do.
            let since =
                SignedDuration::from_secs_f64(block.first_sample as f64 / self.sample_rate_hz);
            self.start = taken.checked_sub(since).ok();
        }
    }

    /// The time of day at `time_s` seconds of the stream, RFC 3339 in UTC.
    #[must_use]
    pub fn text(&self, time_s: f64) -> Option<String> {
        if let Some(start) = self.start {
            return utc_text(start, time_s);
        }
        let (sample, _, taken) = self.anchor.filter(|_| self.is_live)?;
        utc_text(taken, time_s - sample as f64 / self.sample_rate_hz)
    }

    /// How long before `now` it was `time_s`, given that the samples up to `end` have just been worked on,
    /// in seconds; `None` where samples come as fast as they are read.
    #[must_use]
    pub fn age_s(&self, time_s: f64, end: u64, now: Instant) -> Option<f64> {
        let (_, arrived, _) = self.anchor?;
        let behind_s = end as f64 / self.sample_rate_hz - time_s;
        Some(behind_s / self.speed? + now.saturating_duration_since(arrived).as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use num_complex::Complex32;

    use super::*;

    fn block(first_sample: u64, taken: Instant) -> Block {
        let samples = vec![Complex32::ZERO; 10];
        Block { samples, first_sample, lost_before: 0, taken, arrived: taken }
    }

    fn moment(instant: Instant) -> Moment {
        Moment { instant, utc: "2026-11-23T06:16:10Z".parse().unwrap() }
    }

    #[test]
    fn a_radio_goes_by_the_clock_of_the_computer() {
        let mut time = StreamTime::new(None, 1000.0, Some(1.0), true);
        assert_eq!(time.text(0.0), None);
        let taken = Instant::now();
        // It is worked on half a second after it was taken.
        let now = taken + Duration::from_millis(500);
        time.follow(&block(10_000, taken), &moment(now));
        assert_eq!(time.text(9.0).unwrap(), "2026-11-23T06:16:08.500000Z");
        let age_s = time.age_s(9.0, 10_010, now).unwrap();
        assert!((age_s - 1.51).abs() < 1e-9, "{age_s}");
    }

    #[test]
    fn what_plays_faster_counts_from_its_start() {
        let mut time = StreamTime::new(None, 1000.0, Some(10.0), true);
        let taken = Instant::now();
        time.follow(&block(5_000, taken), &moment(taken));
        // Half a second later, five of the stream have passed.
        time.follow(&block(10_000, taken), &moment(taken + Duration::from_millis(500)));
        assert_eq!(time.text(9.0).unwrap(), "2026-11-23T06:16:14.000000Z");
    }

    #[test]
    fn a_recording_goes_by_its_own() {
        let start: Timestamp = "2026-11-23T06:16:00Z".parse().unwrap();
        let mut time = StreamTime::new(Some(start), 1000.0, None, false);
        let taken = Instant::now();
        time.follow(&block(0, taken), &moment(taken));
        assert_eq!(time.text(1.5).unwrap(), "2026-11-23T06:16:01.500000Z");
        assert_eq!(time.age_s(1.5, 10, taken), None);
    }
}
