//! Whether more is refused than usual.

use std::collections::{BTreeMap, BTreeSet};

use crate::rules::utc::Utc;
use crate::rules::verdict::Reason;

/// What is watched.
pub const WATCHED: [Reason; 4] =
    [Reason::NotListed, Reason::AuthFailed, Reason::Replayed, Reason::OutOfSequence];
/// So much of the past is compared with, in hours.
const WEEK_HOURS: i64 = 7 * 24;
/// Fewer in an hour are never an anomaly.
const LEAST: f64 = 20.0;
/// Fewer in an hour are none while the station does not know a whole day.
const MIN_WHILE_NEW: f64 = 200.0;
/// An anomaly is so many standard deviations above the mean, as if what is refused came independently.
const DEVIATIONS: f64 = 6.0;

/// Counts by the hour what is refused, and says when it is far more than in the week before.
#[derive(Debug, Clone, Default)]
pub struct Anomalies {
    counts: BTreeMap<(i64, Reason), u32>,
    /// The hour that the station knows first.
    first_hour: Option<i64>,
    /// What was told in which hour.
    told: BTreeSet<(i64, Reason)>,
}

/// More than usual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Excess {
    /// In this hour so far.
    pub count: u32,
    /// In an hour of the week before, on the average.
    pub usual: f64,
}

impl Anomalies {
    /// Goes on from the counts of former hours.
    #[must_use]
    pub fn new(counts: impl IntoIterator<Item = (i64, Reason, u32)>) -> Self {
        let counts: BTreeMap<_, _> =
            counts.into_iter().map(|(hour, reason, count)| ((hour, reason), count)).collect();
        let first_hour = counts.keys().next().map(|(hour, _)| *hour);
        Self { counts, first_hour, told: BTreeSet::new() }
    }

    /// Something was heard at `now`, whatever became of it: the station knows this hour.
    pub fn hears(&mut self, now: Utc) {
        self.first_hour = Some(self.first_hour.map_or(now.hour(), |first| first.min(now.hour())));
    }

    /// A message was refused; tells an excess once an hour.
    pub fn refused(&mut self, reason: Reason, now: Utc) -> Option<Excess> {
        if !WATCHED.contains(&reason) {
            return None;
        }
        let hour = now.hour();
        self.forget_before(hour - WEEK_HOURS);
        let count = self.counts.entry((hour, reason)).or_default();
        *count = count.saturating_add(1);
        let count = *count;
        let (usual, known_hours) = self.usual(reason, hour);
        let least = if known_hours < 24 { MIN_WHILE_NEW } else { LEAST };
        let limit = least.max(usual + DEVIATIONS * usual.sqrt());
        let is_news = f64::from(count) > limit && self.told.insert((hour, reason));
        is_news.then_some(Excess { count, usual })
    }

    /// Forgets what was counted from an hour on: those hours were none. Returns what that was.
    pub fn forget_from(&mut self, hour: i64) -> Vec<(i64, Reason)> {
        let gone: Vec<_> =
            self.counts.range((hour, Reason::ALL[0])..).map(|(key, _)| *key).collect();
        self.counts.retain(|(of, _), _| *of < hour);
        self.told.retain(|(of, _)| *of < hour);
        gone
    }

    /// Whether this hour has told of an excess of it.
    #[must_use]
    pub fn is_excessive(&self, reason: Reason, now: Utc) -> bool {
        self.told.contains(&(now.hour(), reason))
    }

    /// The count of an hour.
    #[must_use]
    pub fn count(&self, hour: i64, reason: Reason) -> u32 {
        self.counts.get(&(hour, reason)).copied().unwrap_or(0)
    }

    /// The mean of the hours before, and how many are known.
    fn usual(&self, reason: Reason, hour: i64) -> (f64, i64) {
        let first = self.first_hour.unwrap_or(hour).max(hour - WEEK_HOURS);
        let known_hours = (hour - first).max(0);
        let sum: u32 = (first..hour).map(|hour| self.count(hour, reason)).sum();
        (f64::from(sum) / known_hours.max(1) as f64, known_hours)
    }

    fn forget_before(&mut self, hour: i64) {
        self.counts.retain(|(of, _), _| *of >= hour);
        self.told.retain(|(of, _)| *of >= hour);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Utc {
        Utc(hour * 3_600_000_000)
    }

    /// How many in this hour until an excess is told.
    fn until_told(anomalies: &mut Anomalies, hour: i64) -> Option<usize> {
        (1..1000).find(|_| anomalies.refused(Reason::AuthFailed, at(hour)).is_some())
    }

    #[test]
    fn far_more_than_in_the_week_before_is_told_once_an_hour() {
        let mut anomalies = Anomalies::default();
        anomalies.hears(at(0));
        for hour in 0..48 {
            for _ in 0..9 {
                assert_eq!(anomalies.refused(Reason::AuthFailed, at(hour)), None);
            }
        }
        // 9 + 6 · 3 is 27.
        assert_eq!(until_told(&mut anomalies, 48), Some(28));
        assert!(anomalies.is_excessive(Reason::AuthFailed, at(48)));
        assert_eq!(until_told(&mut anomalies, 48), None);
        assert!(!anomalies.is_excessive(Reason::AuthFailed, at(49)));
    }

    #[test]
    fn a_station_that_knows_nothing_yet_is_patient() {
        let mut anomalies = Anomalies::default();
        anomalies.hears(at(100));
        assert_eq!(until_told(&mut anomalies, 100), Some(201));
        assert_eq!(anomalies.refused(Reason::OverRate, at(100)), None, "not watched");
    }

    #[test]
    fn counts_go_on_after_a_restart() {
        let week = (0..168).map(|hour| (hour, Reason::AuthFailed, 100));
        let mut anomalies = Anomalies::new(week);
        assert_eq!(until_told(&mut anomalies, 168), Some(161));
    }
}
