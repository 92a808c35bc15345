//! How long the computer has been on.

use std::fs;
use std::time::Instant;

/// Seconds since the computer was started: they pass evenly, whatever happens to the time of day.
#[derive(Debug, Clone, Copy)]
pub struct Uptime {
    read_at: Instant,
    read_s: f64,
}

impl Uptime {
    /// Reads it once; it goes on by itself.
    #[must_use]
    pub fn read() -> Self {
        let text = fs::read_to_string("/proc/uptime").unwrap_or_default();
        let read_s = text.split_whitespace().next().and_then(|text| text.parse().ok());
        Self { read_at: Instant::now(), read_s: read_s.unwrap_or(0.0) }
    }

    /// What it is now.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.read_s + self.read_at.elapsed().as_secs_f64()
    }
}
