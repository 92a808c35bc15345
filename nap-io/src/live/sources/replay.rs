//! Recordings as live sources.

use std::path::Path;
use std::time::{Duration, Instant};

use num_complex::Complex32;

use crate::error::Error;
use crate::live::source::{LiveSource, Loss, Reading};
use crate::source::SampleSource;
use crate::stream_info::{Break, StreamInfo};

/// A recording, or anything else that is read sample by sample, given out by the clock.
pub struct Replay<S> {
    source: S,
    /// Samples a second; `None` for as fast as they are read.
    rate_hz: Option<f64>,
    started: Option<Instant>,
    given: u64,
    /// What ended the recording early: its samples come first.
    is_over: bool,
}

impl<S: SampleSource> Replay<S> {
    /// Plays at `speed` times the recording's own; `None` plays as fast as it is read.
    pub fn new(source: S, speed: Option<f64>) -> Self {
        let rate_hz = speed.map(|speed| speed * source.info().sample_rate_hz);
        Self { source, rate_hz, started: None, given: 0, is_over: false }
    }

    /// Waits until the samples up to `end` have passed. Returns whether that was within `timeout`.
    fn wait(&mut self, end: u64, timeout: Duration) -> bool {
        let Some(rate_hz) = self.rate_hz else { return true };
        let started = *self.started.get_or_insert_with(Instant::now);
        // At a speed of next to nothing it is more than there is.
        let due = Duration::try_from_secs_f64(end as f64 / rate_hz).unwrap_or(Duration::MAX);
        let wait = due.saturating_sub(started.elapsed());
        std::thread::sleep(wait.min(timeout));
        wait <= timeout
    }
}

impl<S: SampleSource> LiveSource for Replay<S> {
    fn info(&self) -> &StreamInfo {
        self.source.info()
    }

    fn read(
        &mut self,
        samples: &mut Vec<Complex32>,
        count: usize,
        timeout: Duration,
    ) -> Result<Reading, Error> {
        samples.clear();
        if self.is_over {
            return Ok(Reading::End);
        }
        if !self.wait(self.given + count as u64, timeout) {
            return Ok(Reading::Nothing);
        }
        // Samples that are missing are missing before those of a read, not among them.
        let given = self.given;
        let (passed, coming) = split_at(&self.source.info().breaks, given);
        let lost = passed.filter(|at| at.sample == given).map_or(0, |at| at.lost_samples);
        let most = coming.map_or(u64::MAX, |at| at.sample - given);
        let count = count.min(usize::try_from(most).unwrap_or(usize::MAX));
        samples.resize(count, Complex32::ZERO);
        let result = self.source.read(samples);
        samples.truncate(*result.as_ref().unwrap_or(&0));
        self.given += samples.len() as u64;
        self.is_over = !matches!(result, Ok(1..));
        match result? {
            0 => Ok(Reading::End),
            _ if lost > 0 => Ok(Reading::Samples(Loss::Samples(lost))),
            _ => Ok(Reading::Samples(Loss::None)),
        }
    }
}

/// A live source stays where it is tuned.
pub(crate) fn check_one_center(path: &Path, info: &StreamInfo) -> Result<(), Error> {
    if !info.breaks.iter().any(|at| at.center_hz.is_some()) {
        return Ok(());
    }
    let what = "a recording whose centre frequency changes, as a live source,";
    Err(Error::unsupported(path, what, "decode it as a file"))
}

/// The last break up to a sample and the next one after it.
fn split_at(breaks: &[Break], sample: u64) -> (Option<Break>, Option<Break>) {
    let (passed, coming) = breaks.split_at(breaks.partition_point(|at| at.sample <= sample));
    (passed.last().copied(), coming.first().copied())
}
