//! Says once what is wrong, and counts the rest.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use nap_io::live::{Fault, FaultKind, Outage};

/// A fault that comes again within so much time is only counted, and told of in one line afterwards.
const QUIET: Duration = Duration::from_secs(30);

/// Tells the user about faults.
#[derive(Default)]
pub struct FaultLog {
    told: BTreeMap<FaultKind, Told>,
    /// Whether an outage was told of, so that its end is told of too.
    is_down: bool,
}

struct Told {
    since: Instant,
    more: u64,
}

impl FaultLog {
    /// Tells about a fault, unless that was done a moment ago.
    pub fn fault(&mut self, name: &str, fault: &Fault, restarts: bool) {
        if let Some(told) = self.told.get_mut(&fault.kind) {
            told.more += 1;
            tracing::debug!("{name}: {fault}");
            return;
        }
        // What fails while the source is down follows from what was told.
        if self.is_down && fault.kind.is_fatal() {
            tracing::debug!("{name}: {fault}");
            return;
        }
        self.told.insert(fault.kind, Told { since: Instant::now(), more: 0 });
        let then = match (fault.kind.is_fatal(), restarts) {
            (true, true) => "; trying again until it works",
            (true, false) => "; giving up",
            (false, _) => "",
        };
        self.is_down |= fault.kind.is_fatal();
        tracing::warn!("{name}: {fault}{then}");
    }

    /// Tells that the source works again.
    pub fn recovered(&mut self, name: &str, outage: &Outage) {
        if std::mem::take(&mut self.is_down) {
            tracing::info!(
                "{name}: samples again, after {:.1} s and {} trials",
                outage.duration.as_secs_f64(),
                outage.trials
            );
        }
    }

    /// Tells how often a fault came again, when it has been quiet for long enough. Call it now and
    /// then.
    pub fn tick(&mut self, name: &str) {
        self.told.retain(|kind, told| {
            if told.since.elapsed() < QUIET {
                return true;
            }
            if told.more == 0 {
                return false;
            }
            tracing::warn!(
                "{name}: {} more of the kind \"{}\" in {} s",
                told.more,
                kind.name(),
                told.since.elapsed().as_secs()
            );
            *told = Told { since: Instant::now(), more: 0 };
            true
        });
    }
}
