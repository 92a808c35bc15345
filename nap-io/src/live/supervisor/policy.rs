//! How a source is run.

use std::time::Duration;

/// What to do when a source fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// End.
    Quit,
    /// Open it again.
    Restart,
}

/// How a source is run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// What to do when it fails.
    pub on_error: OnError,
    /// How many seconds of signal a second brings: 1 for a radio, more for a recording that plays
    /// faster; `None` for one that comes as fast as it is read.
    pub speed: Option<f64>,
    /// Whether to watch that samples keep coming, differ and come at the right rate, and to take the
    /// end for a fault. For receivers, not for recordings.
    pub watched: bool,
    /// The pause before the first new trial; it doubles from trial to trial.
    pub min_pause: Duration,
    /// The longest pause between two trials.
    pub longest_pause: Duration,
}

impl Policy {
    /// For a radio.
    #[must_use]
    pub fn radio(on_error: OnError, speed: f64) -> Self {
        Self {
            on_error,
            speed: Some(speed),
            watched: true,
            min_pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(20),
        }
    }

    /// For a recording.
    #[must_use]
    pub fn recording(speed: Option<f64>) -> Self {
        Self { speed, watched: false, ..Self::radio(OnError::Quit, 1.0) }
    }
}
