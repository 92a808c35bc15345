//! A carrier and its phase.

use std::f64::consts::TAU;

/// A carrier whose frequency changes linearly with time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Carrier {
    /// The instant at which the frequency holds, in seconds from the start of the recording.
    pub time_s: f64,
    /// Frequency at that instant, in hertz from the centre of the recording.
    pub frequency_hz: f64,
    /// Change of the frequency.
    pub drift_hz_per_s: f64,
}

impl Carrier {
    /// The frequency at another instant.
    #[must_use]
    pub fn frequency_at(&self, time_s: f64) -> f64 {
        self.frequency_hz + self.drift_hz_per_s * (time_s - self.time_s)
    }

    /// The phase at another instant, in radians, relative to that at `time_s`.
    #[must_use]
    pub fn phase_at(&self, time_s: f64) -> f64 {
        let elapsed_s = time_s - self.time_s;
        TAU * elapsed_s * (self.frequency_hz + self.drift_hz_per_s * elapsed_s / 2.0)
    }

    /// The same carrier, described at another instant.
    #[must_use]
    pub fn described_at(&self, time_s: f64) -> Self {
        Self { time_s, frequency_hz: self.frequency_at(time_s), ..*self }
    }
}

/// Phase of a carrier at an instant and its differences from step to step, in radians.
pub(crate) fn carrier_differences(carrier: &Carrier, first_s: f64, step_s: f64) -> [f64; 3] {
    [
        carrier.phase_at(first_s),
        // Over one step the mean frequency is that of its middle.
        TAU * carrier.frequency_at(first_s + 0.5 * step_s) * step_s,
        TAU * carrier.drift_hz_per_s * step_s * step_s,
    ]
}
