//! What is told of a recording, by its name, by a file beside it, or by the user.

use std::fmt;

use jiff::Timestamp;

use crate::format::SampleFormat;

/// What a file name tells.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FileName {
    /// The sample format.
    pub format: Option<SampleFormat>,
    /// The sample rate, as written: it may be out of range.
    pub sample_rate_hz: Option<f64>,
    /// The centre frequency, as written: it may be out of range.
    pub center_hz: Option<f64>,
    /// The time of the first sample.
    pub start: Option<Timestamp>,
}

impl FileName {
    /// What this name tells, and what `other` tells where this one is silent.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            format: self.format.or(other.format),
            sample_rate_hz: self.sample_rate_hz.or(other.sample_rate_hz),
            center_hz: self.center_hz.or(other.center_hz),
            start: self.start.or(other.start),
        }
    }

    /// A note on what was taken from where, if anything was.
    pub(crate) fn taken_from(self, place: &str) -> Option<String> {
        (self != Self::default()).then(|| format!("taken from {place}: {self}"))
    }

    /// What this name tells and `other` does not.
    pub(crate) fn without(self, other: Self) -> Self {
        Self {
            format: self.format.filter(|_| other.format.is_none()),
            sample_rate_hz: self.sample_rate_hz.filter(|_| other.sample_rate_hz.is_none()),
            center_hz: self.center_hz.filter(|_| other.center_hz.is_none()),
            start: self.start.filter(|_| other.start.is_none()),
        }
    }
}

impl fmt::Display for FileName {
    /// What is told: `format cs16, 250000 S/s, center 868.130000 MHz, start 2026-01-19T09:30:05Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.format.map(|format| format!("format {format}")),
            self.sample_rate_hz.map(|rate_hz| format!("{rate_hz} S/s")),
            self.center_hz.map(|center_hz| format!("centre {:.6} MHz", center_hz / 1e6)),
            self.start.map(|start| format!("start {start}")),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}
