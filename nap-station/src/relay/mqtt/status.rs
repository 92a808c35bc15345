//! When the station's status is published.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

/// How often a status may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusPace {
    /// After a change of anything but lags.
    change: Duration,
    /// After a change of lags alone, which come with each message.
    lag: Duration,
}

/// Where every byte costs.
const METERED: StatusPace =
    StatusPace { change: Duration::from_secs(900), lag: Duration::from_secs(900) };
const NORMAL: StatusPace =
    StatusPace { change: Duration::from_secs(1), lag: Duration::from_secs(60) };

/// What the broker knows of the station's status.
#[derive(Debug)]
pub struct PublishedStatus {
    pace: StatusPace,
    last: Option<(Value, Instant)>,
}

impl PublishedStatus {
    /// Nothing was published.
    #[must_use]
    pub fn new(is_metered: bool) -> Self {
        Self { pace: if is_metered { METERED } else { NORMAL }, last: None }
    }

    /// A status was published.
    pub fn went(&mut self, status: Value, now: Instant) {
        self.last = Some((status, now));
    }

    /// Whether a status is to be published.
    #[must_use]
    pub fn is_due(&self, status: &Value, now: Instant) -> bool {
        let Some((last, at)) = &self.last else { return true };
        let age = now.saturating_duration_since(*at);
        match (last == status, without_lag(last) == without_lag(status)) {
            (true, _) => false,
            (_, true) => age >= self.pace.lag,
            _ => age >= self.pace.change,
        }
    }
}

fn without_lag(status: &Value) -> Value {
    let mut status = status.clone();
    status.as_object_mut().map(|status| status.remove("lag"));
    status
}

/// The station's status, with whether it is there.
#[must_use]
pub fn with_online(status: &Value, is_online: bool) -> Value {
    let mut status = status.clone();
    status.as_object_mut().map(|status| status.insert("online".into(), is_online.into()));
    status
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_metered_link_has_a_status_each_quarter_of_an_hour_at_most() {
        let now = Instant::now();
        let after = |seconds| now + Duration::from_secs(seconds);
        let (first, lags, muted) = (
            json!({"state": "active", "lag": {"a": 0}}),
            json!({"state": "active", "lag": {"a": 1}}),
            json!({"state": "muted"}),
        );
        for (is_metered, change, lag) in [(false, 1, 60), (true, 900, 900)] {
            let mut status = PublishedStatus::new(is_metered);
            assert!(status.is_due(&first, now));
            status.went(first.clone(), now);
            assert!(!status.is_due(&first, after(10_000)));
            assert!(!status.is_due(&lags, after(lag - 1)) && status.is_due(&lags, after(lag)));
            assert!(!status.is_due(&muted, now) && status.is_due(&muted, after(change)));
        }
    }
}
