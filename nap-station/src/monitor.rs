//! What is shared with those who watch.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Error;
use crate::health::Health;
use crate::metrics::Metrics;

/// Counters and health, in one hand with all that keep and show them.
#[derive(Debug, Clone)]
pub struct Monitor {
    metrics: Arc<Metrics>,
    health: Arc<Mutex<Health>>,
}

impl Monitor {
    /// All at zero, nothing received.
    ///
    /// # Errors
    /// [`Error::Metrics`] if two counters have the same name.
    pub fn new() -> Result<Self, Error> {
        Ok(Self { metrics: Arc::new(Metrics::new()?), health: Arc::default() })
    }

    /// The counters.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The health, which others wait for while it is held.
    pub fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
