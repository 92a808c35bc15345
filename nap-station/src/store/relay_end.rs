//! A relay's end of the queue, and what it holds in its hands.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::queue::QueueEnd;

/// A relay's end of the queue, shared by the relay and the one who writes.
#[derive(Debug, Clone)]
pub struct RelayEnd {
    /// Its name in the configuration.
    pub name: String,
    /// Which it is, and what it wants.
    pub end: QueueEnd,
    taken: Arc<Mutex<BTreeSet<i64>>>,
    /// Items that are not offered yet.
    kept_back: Arc<Mutex<BTreeSet<i64>>>,
}

impl RelayEnd {
    /// One that has taken nothing yet.
    #[must_use]
    pub fn new(name: String, end: QueueEnd) -> Self {
        Self { name, end, taken: Arc::default(), kept_back: Arc::default() }
    }

    /// The items that it is not offered yet: the times of their messages are not known.
    pub fn kept_back(&self) -> MutexGuard<'_, BTreeSet<i64>> {
        self.kept_back.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The items that it has taken, and that are not settled.
    pub fn taken(&self) -> MutexGuard<'_, BTreeSet<i64>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
