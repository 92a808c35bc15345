//! From what an operator has said to relays at work.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::error::Error;
use crate::relay::carrier::Carrier;
use crate::relay::context::Context;
use crate::relay::courier::Courier;
use crate::relay::file::{LinesFile, check_file};
use crate::relay::https::Https;
use crate::relay::mqtt::{Mqtt, check_mqtt};
use crate::relay::options::Options;
use crate::relay::outbox::Outbox;
use crate::relay::state::{Phase, RelayState, Told};

/// A relay at work.
#[derive(Debug)]
pub struct Handle {
    name: String,
    kind: &'static str,
    state: watch::Receiver<RelayState>,
    task: JoinHandle<()>,
}

impl Handle {
    /// What the operator calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its `type`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// How it is doing.
    #[must_use]
    pub fn state(&self) -> RelayState {
        self.state.borrow().clone()
    }

    /// How it is doing, for whoever wants to hear of changes.
    #[must_use]
    pub fn listen(&self) -> watch::Receiver<RelayState> {
        self.state.clone()
    }

    /// Waits until it has ended, after [`Phase::Stopping`].
    pub async fn ended(self) {
        // A relay that panicked has ended, too.
        let _ = self.task.await;
    }
}

/// Checks everything that can be checked without a connection: keys, templates, addresses, certificates, secrets.
///
/// # Errors
/// What is wrong, by its key or file.
pub fn check(options: &Options, context: &Context) -> Result<(), Error> {
    match options {
        Options::Https(https) => Https::new(https, context.clone()).map(drop),
        Options::Mqtt(mqtt) => check_mqtt(mqtt, context),
        Options::File(file) => check_file(file),
    }
}

/// Sets a relay to work on the runtime that this is called on.
///
/// What has a ticket by now is backlog. The relay ends after [`Phase::Stopping`], at once but for what is on its way.
///
/// # Errors
/// As [`check`].
pub fn spawn(
    name: &str,
    options: &Options,
    context: Context,
    outbox: Arc<dyn Outbox>,
    phase: watch::Receiver<Phase>,
) -> Result<Handle, Error> {
    let told = Told::default();
    let state = told.listen();
    let kind = options.kind();
    let of_carrier = context.clone();
    let task = match options {
        Options::Https(https) => {
            go(name, context, Https::new(https, of_carrier)?, outbox, phase, told)
        }
        Options::Mqtt(mqtt) => {
            let mqtt = Mqtt::new(mqtt.clone(), of_carrier, Arc::clone(&outbox))?;
            go(name, context, mqtt, outbox, phase, told)
        }
        Options::File(file) => {
            check_file(file)?;
            go(name, context, LinesFile::new(file, &of_carrier), outbox, phase, told)
        }
    };
    Ok(Handle { name: name.into(), kind, state, task })
}

fn go(
    name: &str,
    context: Context,
    carrier: impl Carrier,
    outbox: Arc<dyn Outbox>,
    phase: watch::Receiver<Phase>,
    told: Told,
) -> JoinHandle<()> {
    // The hasher's keys differ from process to process and from relay to relay: enough to spread stations in time.
    let seed = RandomState::new().build_hasher().finish();
    tokio::spawn(Courier::new(name, context, outbox, carrier, phase, told, seed).run())
}
