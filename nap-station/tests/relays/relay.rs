//! A relay of the test.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nap_station::relay::context::Context;
use nap_station::relay::options::Options;
use nap_station::relay::state::{Phase, RelayState};
use nap_station::relay::{Handle, spawn};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::outbox::{MemoryOutbox, STATION};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

pub struct Relay {
    handle: Handle,
    phase: watch::Sender<Phase>,
    pub status: watch::Sender<Value>,
}

impl Relay {
    pub fn start(outbox: &Arc<MemoryOutbox>, folder: &Path, options: &Options) -> Self {
        Self::with(outbox, folder, options, |_| {})
    }

    /// One that does not wait long for an answer: a machine that is busy may give none in time either.
    pub fn hasty(outbox: &Arc<MemoryOutbox>, folder: &Path, options: &Options) -> Self {
        Self::with(outbox, folder, options, |context| {
            context.answer_timeout = Duration::from_secs(1)
        })
    }

    pub fn with(
        outbox: &Arc<MemoryOutbox>,
        folder: &Path,
        options: &Options,
        change: impl FnOnce(&mut Context),
    ) -> Self {
        let (phase, phases) = watch::channel(Phase::Running);
        let (status, statuses) =
            watch::channel(json!({"state": "active", "boot_id": "b007", "clock": "ntp"}));
        let mut context = Context::new(STATION, folder, statuses);
        change(&mut context);
        let handle = spawn("cloud", options, context, Arc::clone(outbox) as _, phases).unwrap();
        Self { handle, phase, status }
    }

    pub fn state(&self) -> RelayState {
        self.handle.state()
    }

    /// Waits until the relay says something of itself.
    pub async fn until(&self, is: impl Fn(&RelayState) -> bool) -> RelayState {
        let mut states = self.handle.listen();
        let state = tokio::time::timeout(LONG, states.wait_for(is)).await;
        state.unwrap_or_else(|_| panic!("the relay stays {:?}", self.state())).unwrap().clone()
    }

    pub async fn stop(self) -> RelayState {
        self.phase.send_replace(Phase::Stopping);
        let states = self.handle.listen();
        tokio::time::timeout(LONG, self.handle.ended()).await.unwrap();
        states.borrow().clone()
    }
}

/// Waits until something is so.
pub async fn until(what: &str, is: impl Fn() -> bool) {
    let wait = async {
        while !is() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LONG, wait).await.unwrap_or_else(|_| panic!("not so: {what}"));
}

pub fn options<T: DeserializeOwned>(toml: &str) -> T {
    toml::from_str(toml).unwrap()
}
