//! Whether all is well.

use std::time::{Duration, Instant};

use serde::Serialize;

/// Without samples for so long, something is wrong, whatever else is thought.
const MAX_SILENCE: Duration = Duration::from_secs(3);

/// What is known about the source.
#[derive(Debug, Default)]
pub struct Health {
    last_samples: Option<Instant>,
    outage: Option<Outage>,
}

/// Since when the source is down, and why.
#[derive(Debug)]
struct Outage {
    since: Instant,
    reason: String,
}

/// The answer to whoever asks.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct HealthReport {
    /// Whether samples come.
    #[serde(skip)]
    pub is_well: bool,
    /// `waiting` for the first samples, `receiving`, or `down`.
    pub status: &'static str,
    /// How long ago samples came.
    pub last_samples_s: Option<f64>,
    /// How long the source has been down.
    pub down_s: Option<f64>,
    /// Why it is down.
    pub reason: Option<String>,
}

impl Health {
    /// Samples have come.
    pub fn receives(&mut self, now: Instant) {
        self.last_samples = Some(now);
        self.outage = None;
    }

    /// The source has failed.
    pub fn fails(&mut self, reason: String, now: Instant) {
        let since = self.outage.take().map_or(now, |outage| outage.since);
        self.outage = Some(Outage { since, reason });
    }

    /// How things are.
    #[must_use]
    pub fn report(&self, now: Instant) -> HealthReport {
        let age = |at: Instant| now.saturating_duration_since(at);
        let is_recent = self.last_samples.is_some_and(|at| age(at) < MAX_SILENCE);
        let is_well = is_recent && self.outage.is_none();
        HealthReport {
            is_well,
            status: match (is_well, self.last_samples) {
                (true, _) => "receiving",
                (false, None) => "waiting",
                (false, Some(_)) => "down",
            },
            last_samples_s: self.last_samples.map(|at| age(at).as_secs_f64()),
            down_s: self.outage.as_ref().map(|outage| age(outage.since).as_secs_f64()),
            reason: self.outage.as_ref().map(|outage| outage.reason.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_why_the_source_is_down() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut health = Health::default();
        assert_eq!(health.report(at(0)).status, "waiting");
        health.receives(at(1));
        assert!(health.report(at(1)).is_well);
        health.fails("unplugged".into(), at(2));
        health.fails("still unplugged".into(), at(5));
        let report = health.report(at(6));
        assert_eq!((report.is_well, report.status), (false, "down"));
        assert_eq!((report.last_samples_s, report.down_s), (Some(5.0), Some(4.0)));
        assert_eq!(report.reason.as_deref(), Some("still unplugged"));
        health.receives(at(7));
        assert!(health.report(at(7)).is_well);
    }

    #[test]
    fn silence_is_not_well_though_nobody_complains() {
        let start = Instant::now();
        let mut health = Health::default();
        health.receives(start);
        let report = health.report(start + MAX_SILENCE);
        assert_eq!((report.is_well, report.status, report.down_s), (false, "down", None));
    }
}
