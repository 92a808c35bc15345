//! Whether all is well.

use std::time::{Duration, Instant};

use serde::Serialize;

/// Without samples for so long, something is wrong, whatever else is thought.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is known about the source.
#[derive(Debug, Default)]
pub struct Health {
    last_block: Option<Instant>,
    /// Since when the source is down, and why.
    down: Option<(Instant, String)>,
}

/// The answer to whoever asks.
#[derive(Debug, Serialize)]
pub struct HealthReport {
    /// Whether samples come.
    #[serde(skip)]
    pub is_well: bool,
    status: &'static str,
    /// How long ago samples came.
    last_samples_s: Option<f64>,
    /// How long the source has been down.
    down_s: Option<f64>,
    reason: Option<String>,
}

impl Health {
    /// Samples have come.
    pub fn receives(&mut self) {
        self.last_block = Some(Instant::now());
        self.down = None;
    }

    /// The source has failed.
    pub fn fails(&mut self, reason: String) {
        let since = self.down.take().map_or_else(Instant::now, |(since, _)| since);
        self.down = Some((since, reason));
    }

    /// How things are now.
    pub fn report(&self) -> HealthReport {
        let recent = self.last_block.is_some_and(|at| at.elapsed() < PATIENCE);
        let is_well = recent && self.down.is_none();
        HealthReport {
            is_well,
            status: match (is_well, self.last_block) {
                (true, _) => "receiving",
                (false, None) => "waiting",
                (false, Some(_)) => "down",
            },
            last_samples_s: self.last_block.map(|at| at.elapsed().as_secs_f64()),
            down_s: self.down.as_ref().map(|(since, _)| since.elapsed().as_secs_f64()),
            reason: self.down.as_ref().map(|(_, reason)| reason.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_why_the_source_is_down() {
        let mut health = Health::default();
        assert_eq!(health.report().status, "waiting");
        health.receives();
        assert!(health.report().is_well);
        health.fails("unplugged".into());
        let report = health.report();
        assert_eq!((report.is_well, report.status), (false, "down"));
        assert_eq!(report.reason.as_deref(), Some("unplugged"));
        health.receives();
        assert!(health.report().is_well);
    }
}
