//! Questions that may wait for a disk, from tasks that may not.

use std::sync::Arc;

use crate::error::Error;
use crate::relay::carrier::Fault;
use crate::relay::outbox::Outbox;

/// Asks the outbox on a thread that may wait.
pub async fn ask<T: Send + 'static>(
    outbox: Arc<dyn Outbox>,
    question: impl FnOnce(&dyn Outbox) -> Result<T, Error> + Send + 'static,
) -> Result<T, Fault> {
    on_disk(move || question(&*outbox)).await
}

/// Does what may wait for a disk on a thread that may.
pub async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Fault> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|error| Fault::new(format!("the disk's thread has ended: {error}")))?;
    done.map_err(Fault::of_disk)
}
