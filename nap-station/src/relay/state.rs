//! How a relay is doing, and what is wanted of it.

use serde::Serialize;
use tokio::sync::watch;

/// What the station is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Nothing in particular.
    Running,
    /// To end when the relays have delivered what waits: they wait less long after faults.
    Draining,
    /// To end at once.
    Stopping,
}

/// How a relay is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RelayState {
    /// Whether the other side was well when it was last heard of.
    pub is_connected: bool,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// Deliveries that the other side has taken since the start.
    pub delivered: u64,
    /// Tries that the other side has refused since the start.
    pub refused: u64,
    /// Deliveries that were given up since the start.
    pub dead: u64,
    /// Faults since the start.
    pub faults: u64,
}

/// Where a relay says how it is doing.
#[derive(Debug, Clone)]
pub struct Told(watch::Sender<RelayState>);

impl Default for Told {
    fn default() -> Self {
        Self(watch::Sender::new(RelayState::default()))
    }
}

impl Told {
    /// Changes what is said.
    pub fn change(&self, change: impl FnOnce(&mut RelayState)) {
        self.0.send_modify(change);
    }

    /// Where it can be read.
    #[must_use]
    pub fn listen(&self) -> watch::Receiver<RelayState> {
        self.0.subscribe()
    }
}
