//! The relays at work.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::config::places::Places;
use crate::error::Error;
use crate::relay::context::Context;
use crate::relay::options::Options;
use crate::relay::spawn::{Handle, spawn};
use crate::relay::state::{Phase, RelayState};
use crate::station::outbox::LedgerOutbox;

/// A relay, before it is at work.
#[derive(Debug)]
pub struct Relay {
    /// What the operator calls it.
    pub name: String,
    /// What the operator says about it.
    pub options: Options,
    /// Where it takes messages from.
    pub outbox: Arc<LedgerOutbox>,
}

/// The relays' thread, until it is told to stop.
#[derive(Debug)]
pub struct Relays {
    phase: watch::Sender<Phase>,
    states: Vec<(String, watch::Receiver<RelayState>)>,
    thread: JoinHandle<()>,
}

impl Relays {
    /// Starts them.
    ///
    /// # Errors
    /// What is wrong with the options of one.
    pub(crate) fn start(
        relays: Vec<Relay>,
        context: &Context,
        places: &Places,
    ) -> Result<Self, Error> {
        let runtime = runtime().map_err(|source| Error::Thread { source })?;
        let phase = watch::Sender::new(Phase::Running);
        let inside = runtime.enter();
        let spawned = relays.into_iter().map(|relay| {
            let Relay { name, options, outbox } = relay;
            spawn(&name, &options, context.clone(), outbox, phase.subscribe())
                .map_err(|error| places.blame(&name, error))
        });
        let handles: Vec<Handle> = spawned.collect::<Result<_, _>>()?;
        drop(inside);
        let states = handles.iter().map(|one| (one.name().to_owned(), one.listen())).collect();
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                for handle in handles {
                    handle.ended().await;
                }
            });
        });
        Ok(Self { phase, states, thread })
    }

    /// How each is doing.
    #[must_use]
    pub fn states(&self) -> Vec<(&str, RelayState)> {
        self.states.iter().map(|(name, state)| (name.as_str(), state.borrow().clone())).collect()
    }

    /// Nothing more comes: they are to deliver what is there.
    pub fn drain(&self) {
        self.phase.send_replace(Phase::Draining);
    }

    /// Stops them, and waits for that.
    pub fn stop(self) {
        self.phase.send_replace(Phase::Stopping);
        // A panic in the thread has been reported.
        let _panicked = self.thread.join();
    }
}

fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
