//! What relays know of their station.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;

use crate::relay::carrier::Fault;
use crate::relay::certificate_time::CertificateTime;

/// What relays know of their station.
#[derive(Debug, Clone)]
pub struct Context {
    /// The station's ID, 16 hexadecimal digits.
    pub station: String,
    /// Where relative paths start.
    pub folder: PathBuf,
    /// Every byte costs: fewer statuses, longer keep-alive, no discovery.
    pub is_metered: bool,
    /// The station's status as a JSON object, without `online`; its `clock` says whether the time is known.
    pub status: watch::Receiver<Value>,
    /// An answer that takes longer does not come.
    pub answer_timeout: Duration,
    /// The time of day that certificates are looked at with.
    pub certificate_time: CertificateTime,
    /// What an application has not acknowledged after so long is published again.
    pub acknowledged_within: Duration,
}

impl Context {
    /// What relays know of a station on a link that is not metered.
    #[must_use]
    pub fn new(station: &str, folder: &Path, status: watch::Receiver<Value>) -> Self {
        Self {
            station: station.into(),
            folder: folder.into(),
            is_metered: false,
            status,
            answer_timeout: Duration::from_secs(10),
            certificate_time: CertificateTime::default(),
            acknowledged_within: Duration::from_secs(600),
        }
    }

    /// The time of day that certificates are looked at with, where it is not known to be wrong.
    pub(super) fn known_time(&self) -> Option<Timestamp> {
        (!self.is_clock_wrong()).then(|| self.certificate_time.now())
    }

    fn is_clock_wrong(&self) -> bool {
        self.status.borrow()["clock"] == "none"
    }

    /// Certificates are looked at with the clock in hand: where that is wrong, so is what is said of them.
    #[must_use]
    pub(super) fn explained(&self, fault: Fault) -> Fault {
        let is_about_time = fault.reason.contains("certificate") && self.is_clock_wrong();
        let reason =
            format!("the clock is wrong, so that no certificate can be checked: {}", fault.reason);
        if is_about_time { Fault { reason, ..fault } } else { fault }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_wrong_clock_tells_no_time() {
        let (status, listener) = watch::channel(json!({"clock": "none"}));
        let context = Context::new("1", Path::new("."), listener);
        assert_eq!(context.known_time(), None);
        status.send_replace(json!({"clock": "ntp"}));
        assert!(context.known_time().is_some());
    }
}
