//! What the handlers share.

use tokio::sync::broadcast;

use crate::http::published::Sent;
use crate::monitor::Monitor;

/// What each handler sees.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) monitor: Monitor,
    pub(crate) events: broadcast::Sender<Sent>,
}
