//! What captures say about time and frequency: where samples are missing, the radio was tuned elsewhere
//! or the clock was set.

use jiff::{SignedDuration, Timestamp};

use super::metadata::Capture;
use crate::open_options::SAME_CENTER_HZ;
use crate::stream_info::Break;

/// Clocks of recorders jitter by less than this, in seconds; more is samples lost or a pause.
const JITTER_S: f64 = 0.01;
/// Clocks of recorders and of receivers differ by less than this: quartz, not tuned.
const CLOCK_ERROR: f64 = 1e-4;
/// Nothing is missing for longer than this, in seconds: a clock that jumps further was set, and a count began
/// anew.
const LONGEST_PAUSE_S: f64 = 1e8;

/// A recorder with a squelch makes thousands of captures.
const MAX_WARNINGS: usize = 10;

/// What the captures say.
#[derive(Debug, Default)]
pub(super) struct CaptureBreaks {
    /// The centre frequency at the start.
    pub(super) center_hz: Option<f64>,
    /// The time of the first sample.
    pub(super) start: Option<Timestamp>,
    pub(super) breaks: Vec<Break>,
    pub(super) warnings: Vec<String>,
}

/// How far two clocks may part in `elapsed_s` seconds; times in whole seconds are rounded.
pub(crate) fn clock_tolerance_s(elapsed_s: f64, is_whole_seconds: bool) -> f64 {
    let rounding_s = if is_whole_seconds { 1.0 } else { JITTER_S };
    rounding_s + CLOCK_ERROR * elapsed_s.abs()
}

/// Reads the captures, which are in order.
pub(super) fn of(captures: &[Capture], sample_rate_hz: f64) -> CaptureBreaks {
    let mut clock = Clock { sample_rate_hz, ..Clock::default() };
    let mut tuning = Tuning::default();
    let mut found = CaptureBreaks::default();
    for (index, capture) in captures.iter().enumerate() {
        let place = format!("at sample {} (captures[{index}])", capture.sample_start);
        if clock.counts_backwards(capture) {
            found.warnings.push(format!(
                "core:global_index counts back {place}; it is taken to begin anew there"
            ));
        } else if clock.counts_too_far(capture) {
            found.warnings.push(format!(
                "core:global_index goes further {place} than anything is missing; nothing is taken to be missing there"
            ));
        }
        let step = clock.step(capture);
        let retuned = tuning.step(capture);
        if let Some((from_hz, to_hz)) = retuned {
            let change =
                format!("the centre frequency changes from {from_hz} Hz to {to_hz} Hz {place}");
            found.warnings.push(change);
        }
        if step.time.is_some() {
            found
                .warnings
                .push(format!("the clock was set {place}: it does not go on from before"));
        }
        if step.lost_samples > 0 || step.time.is_some() || retuned.is_some() {
            found.breaks.push(Break {
                sample: capture.sample_start,
                lost_samples: step.lost_samples,
                center_hz: retuned.map(|(_, to_hz)| to_hz),
                time: step.time,
            });
        }
    }
    found.center_hz = tuning.first_hz;
    found.start = clock.start;
    found.warnings.truncate(MAX_WARNINGS);
    found.warnings.extend(missing(&found.breaks, sample_rate_hz));
    found
}

/// Says how much is missing.
pub(crate) fn missing(breaks: &[Break], sample_rate_hz: f64) -> Option<String> {
    let gaps: Vec<u64> = breaks.iter().map(|at| at.lost_samples).filter(|&lost| lost > 0).collect();
    let lost_s = gaps.iter().map(|&lost| lost as f64).sum::<f64>() / sample_rate_hz;
    let places = match gaps.len() {
        0 => return None,
        1 => "one place".to_owned(),
        count => format!("{count} places"),
    };
    Some(format!("samples are missing in {places}, {lost_s:.3} s in all; times count on over them"))
}

/// The centre frequency from capture to capture.
#[derive(Default)]
struct Tuning {
    first_hz: Option<f64>,
    now_hz: Option<f64>,
}

impl Tuning {
    /// Goes on to a capture; returns the centre before and after if it changes.
    fn step(&mut self, capture: &Capture) -> Option<(f64, f64)> {
        let to_hz = capture.center_hz?;
        let Some(from_hz) = self.now_hz else {
            (self.first_hz, self.now_hz) = (Some(to_hz), Some(to_hz));
            return None;
        };
        // Small steps stay small: it is the centre in use that counts.
        if (to_hz - from_hz).abs() <= SAME_CENTER_HZ {
            return None;
        }
        self.now_hz = Some(to_hz);
        Some((from_hz, to_hz))
    }
}

/// The time of day and the receiver's own count from capture to capture.
#[derive(Default)]
struct Clock {
    sample_rate_hz: f64,
    /// The time of the first sample.
    start: Option<Timestamp>,
    /// Where the time was known last: the sample, and its time.
    known: Option<(u64, Timestamp)>,
    /// Where the receiver's count was known last: the sample, and its number.
    numbered: Option<(u64, u64)>,
}

/// What changes with a capture.
#[derive(Debug, Default)]
struct Step {
    lost_samples: u64,
    /// The time of its first sample, if it is not what the samples come to.
    time: Option<Timestamp>,
}

impl Clock {
    fn step(&mut self, capture: &Capture) -> Step {
        let sample = capture.sample_start;
        let numbered = self.lost_by_number(capture);
        let lost_samples = numbered.or_else(|| self.lost_by_time(capture)).unwrap_or(0);
        let counted = self.known.and_then(|(known, time)| {
            time.checked_add(self.duration((sample - known).saturating_add(lost_samples))?).ok()
        });
        let time = match (capture.time, counted) {
            (Some(time), Some(counted)) => {
                Some(time).filter(|_| !self.agree(capture, time, counted))
            }
            _ => None,
        };
        let now = time.or(counted).or(capture.time);
        if self.known.is_none() {
            let lead = self.duration(sample.saturating_add(lost_samples));
            self.start = now.zip(lead).and_then(|(time, lead)| time.checked_sub(lead).ok());
        }
        if let Some(now) = now.filter(|_| counted.is_none() || lost_samples > 0 || time.is_some()) {
            self.known = Some((sample, now));
        }
        Step { lost_samples, time }
    }

    /// Whether the receiver's own count is less than it would be had nothing been lost.
    fn counts_backwards(&self, capture: &Capture) -> bool {
        let numbered = self.numbered.zip(capture.global_index);
        numbered.is_some_and(|((sample, before), number)| {
            number < before.saturating_add(capture.sample_start - sample)
        })
    }

    /// Whether more would be lost by the receiver's own count than anything is missing for.
    fn counts_too_far(&self, capture: &Capture) -> bool {
        let numbered = self.numbered.zip(capture.global_index);
        numbered.is_some_and(|((_, before), number)| {
            number.saturating_sub(before) as f64 >= LONGEST_PAUSE_S * self.sample_rate_hz
        })
    }

    /// How many samples were lost by the receiver's own count, if there is one.
    fn lost_by_number(&mut self, capture: &Capture) -> Option<u64> {
        let number = capture.global_index?;
        let before = self.numbered.replace((capture.sample_start, number));
        let (sample, before) = before?;
        let lost = number.checked_sub(before)?.checked_sub(capture.sample_start - sample)?;
        let most = LONGEST_PAUSE_S * self.sample_rate_hz;
        Some(lost).filter(|&lost| lost > 0 && (lost as f64) < most)
    }

    /// How many samples were lost by the time of day.
    fn lost_by_time(&self, capture: &Capture) -> Option<u64> {
        let (sample, time) = self.known?;
        let counted = time.checked_add(self.duration(capture.sample_start - sample)?).ok()?;
        if self.agree(capture, capture.time?, counted) {
            return None;
        }
        let lost_s = capture.time?.duration_since(counted).as_secs_f64();
        (0.0..LONGEST_PAUSE_S)
            .contains(&lost_s)
            .then(|| (lost_s * self.sample_rate_hz).round() as u64)
    }

    /// Whether a time is what was counted, as far as clocks are good.
    fn agree(&self, capture: &Capture, time: Timestamp, counted: Timestamp) -> bool {
        let known = self.known.map_or(0, |(sample, _)| sample);
        let elapsed_s = (capture.sample_start - known) as f64 / self.sample_rate_hz;
        let tolerance_s = clock_tolerance_s(elapsed_s, capture.is_whole_seconds);
        time.duration_since(counted).as_secs_f64().abs() <= tolerance_s
    }

    fn duration(&self, samples: u64) -> Option<SignedDuration> {
        SignedDuration::try_from_secs_f64(samples as f64 / self.sample_rate_hz).ok()
    }
}
