//! The time of day that certificates are looked at with.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

/// The time of day that certificates are looked at with: a station may know it better than the computer's clock.
#[derive(Clone)]
pub struct CertificateTime(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl CertificateTime {
    /// The time that this returns whenever it is asked.
    #[must_use]
    pub fn of(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl Default for CertificateTime {
    fn default() -> Self {
        Self::of(Timestamp::now)
    }
}

impl fmt::Debug for CertificateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CertificateTime").field(&self.now()).finish()
    }
}

impl TimeProvider for CertificateTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.now().as_second()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}
