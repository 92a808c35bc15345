//! A recording with breaks as parts without.

use std::ops::Range;

use jiff::Timestamp;

use crate::stream_info::StreamInfo;

/// A part of a recording with one centre frequency and one clock. Samples may be missing in it.
///
/// Positions count on the recording's time line: samples from its start, missing ones included.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Stretch {
    /// The first sample to be read, counted in the samples that can be read.
    pub first_sample: u64,
    /// Where it begins, as a position.
    pub position: u64,
    /// How long it is on the time line; `None` if it is as long as the samples come: to the end of a
    /// recording that is read to its end, and of a pipe.
    pub length: Option<u64>,
    /// The centre frequency, in Hz.
    pub center_hz: Option<f64>,
    /// The time of its first sample.
    pub start: Option<Timestamp>,
    /// Where samples are missing, counted from the start of the stretch, in order.
    pub gaps: Vec<Range<u64>>,
}

impl Stretch {
    /// The sample at a place of the stretch, or the next one if it is missing, counted in those that can
    /// be read.
    pub fn sample_at(&self, place: u64) -> u64 {
        let before = self.gaps.iter().take_while(|gap| gap.start < place);
        let missing: u64 = before.map(|gap| gap.end.min(place) - gap.start).sum();
        self.first_sample.saturating_add(place - missing)
    }

    /// How many of `length` positions have samples.
    pub fn samples_in(&self, length: u64) -> u64 {
        self.sample_at(length) - self.first_sample
    }

    /// Where a sample after all gaps, counted in those that can be read, is in the stretch.
    fn place_of(&self, sample: u64) -> u64 {
        let missing: u64 = self.gaps.iter().map(|gap| gap.end - gap.start).sum();
        (sample - self.first_sample).saturating_add(missing)
    }

    /// Leaves out what is before a position and after another one; `None` if nothing is left.
    fn cut(mut self, wanted: &Range<u64>) -> Option<Self> {
        let end = self.position.saturating_add(self.length.unwrap_or(u64::MAX));
        let mut from = wanted.start.max(self.position) - self.position;
        if let Some(gap) = self.gaps.iter().find(|gap| gap.contains(&from)) {
            from = gap.end;
        }
        if self.position.saturating_add(from) >= end.min(wanted.end) {
            return None;
        }
        self.first_sample = self.sample_at(from);
        self.position += from;
        let length = wanted.end.min(end) - self.position;
        self.length = self.length.map(|_| length).or((wanted.end != u64::MAX).then_some(length));
        self.gaps.retain_mut(|gap| {
            *gap = gap.start.saturating_sub(from)..gap.end.saturating_sub(from).min(length);
            gap.start < length && !gap.is_empty()
        });
        Some(self)
    }
}

impl StreamInfo {
    /// The parts between the places where the centre changes or the clock was set, in order; mostly one.
    pub fn stretches(&self) -> Vec<Stretch> {
        let mut stretches = Vec::new();
        let mut current = Stretch {
            first_sample: 0,
            position: 0,
            length: None,
            center_hz: self.center_hz,
            start: self.start,
            gaps: Vec::new(),
        };
        for at in &self.breaks {
            let place = current.place_of(at.sample);
            if at.center_hz.is_none() && at.time.is_none() {
                current.gaps.push(place..place.saturating_add(at.lost_samples));
                continue;
            }
            let position = current.position.saturating_add(place).saturating_add(at.lost_samples);
            let counted = self.time_after(current.start, position - current.position);
            let next = Stretch {
                first_sample: at.sample,
                position,
                length: None,
                center_hz: at.center_hz.or(current.center_hz),
                start: at.time.or(counted),
                gaps: Vec::new(),
            };
            let before = std::mem::replace(&mut current, next);
            if place > 0 {
                stretches.push(Stretch { length: Some(place), ..before });
            }
        }
        stretches.push(current);
        stretches
    }

    /// The stretches in a part of the time line, which ends with the recording if `wanted` has no end.
    pub fn stretches_in(&self, wanted: Range<u64>) -> Vec<Stretch> {
        let cut = |stretch: Stretch| {
            let (position, start) = (stretch.position, stretch.start);
            let cut = stretch.cut(&wanted)?;
            let start = self.time_after(start, cut.position - position);
            Some(Stretch { start, ..cut })
        };
        self.stretches().into_iter().filter_map(cut).collect()
    }

    /// The sample at a position of the time line, or the next one if it is missing, counted in those that
    /// can be read.
    pub fn sample_at(&self, position: u64) -> u64 {
        let stretches = self.stretches();
        let within = stretches.iter().rev().find(|stretch| stretch.position <= position);
        let next = stretches.iter().find(|stretch| stretch.position > position);
        let sample = within.map_or(0, |stretch| stretch.sample_at(position - stretch.position));
        sample.min(next.map_or(u64::MAX, |stretch| stretch.first_sample))
    }

    /// Where a sample, counted in those that can be read, is on the time line.
    pub fn position_of(&self, sample: u64) -> u64 {
        let passed = self.breaks.iter().take_while(|at| at.sample <= sample);
        passed.map(|at| at.lost_samples).fold(sample, u64::saturating_add)
    }

    /// How long a stretch of the recording is, missing samples included; `None` if nobody knows.
    pub fn length_of(&self, stretch: &Stretch) -> Option<u64> {
        let left = self.time_line_samples().map(|total| total.saturating_sub(stretch.position));
        [stretch.length, left].into_iter().flatten().min()
    }

    /// How many samples the recording is long, missing ones included; `None` for a pipe.
    pub fn time_line_samples(&self) -> Option<u64> {
        let lost = self.breaks.iter().map(|at| at.lost_samples);
        self.total_samples.map(|total| lost.fold(total, u64::saturating_add))
    }
}
