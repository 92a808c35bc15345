//! Samples that a receiver loses on their way.

use std::ops::Range;

use crate::error::Error;

/// The latest instant of a loss, in seconds.
const LATEST_S: f64 = 1e9;

/// Samples that are lost, as by a driver whose buffer has run over.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(deny_unknown_fields))]
pub struct Gap {
    /// When the first of them was taken, in seconds from the first sample of all.
    pub time_s: f64,
    /// How long the loss lasts.
    pub duration_s: f64,
    /// Whether the driver says so; `marked` in files, not if left out.
    #[cfg_attr(feature = "serde", serde(rename = "marked", default))]
    pub is_marked: bool,
}

impl Gap {
    /// Indices of the samples that are lost, counted from the first sample of all.
    pub fn samples(&self, sample_rate_hz: f64) -> Range<u64> {
        let index = |t_s: f64| (t_s * sample_rate_hz).round() as u64;
        index(self.time_s)..index(self.time_s + self.duration_s)
    }
}

/// The gaps that are still to come, the next one last.
#[derive(Debug, Default)]
pub(super) struct Gaps(Vec<Gap>);

impl Gaps {
    /// Adds a gap after the first `reached_s` seconds, which meets no other.
    pub(super) fn add(&mut self, gap: Gap, reached_s: f64) -> Result<(), Error> {
        let place = self.0.partition_point(|other| other.time_s > gap.time_s);
        let before = self.0.get(place);
        let free_s = before.map_or(reached_s, |other| other.time_s + other.duration_s);
        let after = place.checked_sub(1).and_then(|place| self.0.get(place));
        let room_s = after.map_or(LATEST_S, |other| other.time_s - gap.time_s);
        Error::check_range("lost_samples.time_s", gap.time_s, free_s, LATEST_S)?;
        Error::check_range("lost_samples.duration_s", gap.duration_s, 0.0, room_s)?;
        self.0.insert(place, gap);
        Ok(())
    }

    /// Samples from a position to the next gap.
    pub(super) fn samples_before(&self, position: u64, sample_rate_hz: f64) -> u64 {
        let next = self.0.last().map(|next| next.samples(sample_rate_hz).start);
        next.map_or(u64::MAX, |next| next.saturating_sub(position))
    }

    /// How many samples are lost at a position, and whether the driver says so.
    pub(super) fn pass(&mut self, position: u64, sample_rate_hz: f64) -> Option<(u64, bool)> {
        let next = self.0.pop_if(|next| next.samples(sample_rate_hz).start <= position)?;
        Some((next.samples(sample_rate_hz).end.saturating_sub(position), next.is_marked))
    }
}
