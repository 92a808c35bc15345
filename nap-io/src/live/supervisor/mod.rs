//! Keeps a source running.
//!
//! What is to be done is decided without a clock ; here are the thread, the
//! channel and the clock.

mod balance;
#[cfg(test)]
mod delivery;
mod lifecycle;
mod numbering;
pub(super) mod policy;
mod reader_thread;
mod sample_clock;
mod watchdog;
mod worker_message;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::event::LiveEvent;
use super::source::Opener;
use lifecycle::{Due, Lifecycle};
use policy::Policy;
use reader_thread::ReaderThread;
use worker_message::WorkerMessage;

/// Blocks that may wait for whoever listens: some seconds.
const QUEUE: usize = 128;
/// How long to wait for a source to close.
const CLOSING: Duration = Duration::from_millis(500);

/// Runs a source in a thread of its own, so that a call that never returns costs that thread and no
/// more, and opens it again when it fails.
pub struct Supervisor {
    opener: Opener,
    lifecycle: Lifecycle,
    /// What the thread reports, while it is wanted.
    messages: Option<Receiver<WorkerMessage>>,
    thread: Option<JoinHandle<()>>,
}

/// The thread has ended without saying why.
struct Vanished;

impl Supervisor {
    /// Starts to open the source.
    #[must_use]
    pub fn new(opener: Opener, policy: Policy) -> Self {
        let now = Instant::now();
        let lifecycle = Lifecycle::new(policy, now);
        let mut supervisor = Self { opener, lifecycle, messages: None, thread: None };
        if let Some(Due::Open(reader_thread)) = supervisor.lifecycle.poll(now) {
            supervisor.open(reader_thread);
        }
        supervisor
    }

    /// What happens next; `None` if nothing happens within `timeout`.
    pub fn next(&mut self, timeout: Duration) -> Option<LiveEvent> {
        let event = self.next_until(Instant::now() + timeout);
        if !self.lifecycle.is_open() {
            self.messages = None;
        }
        event
    }

    fn next_until(&mut self, deadline: Instant) -> Option<LiveEvent> {
        if let Some(event) = self.lifecycle.first_block() {
            return Some(event);
        }
        loop {
            let now = Instant::now();
            // What has come already comes before what is due because nothing came.
            let mut message = self.receive(now);
            if message.is_none() {
                match self.lifecycle.poll(now) {
                    Some(Due::Event(event)) => return Some(event),
                    Some(Due::Open(reader_thread)) => self.open(reader_thread),
                    None if now >= deadline => return None,
                    None => {}
                }
                let due = self.lifecycle.poll_at();
                message = self.receive(due.map_or(deadline, |due| due.min(deadline)));
            }
            let event = match message {
                Some(Ok(message)) => self.lifecycle.handle(message, Instant::now()),
                Some(Err(Vanished)) => Some(self.lifecycle.vanished(Instant::now())),
                None => None,
            };
            if event.is_some() {
                return event;
            }
        }
    }

    /// Waits for a message, but not longer than until then.
    fn receive(&mut self, until: Instant) -> Option<Result<WorkerMessage, Vanished>> {
        let wait = until.saturating_duration_since(Instant::now());
        let Some(messages) = &self.messages else {
            thread::sleep(wait);
            return None;
        };
        match messages.recv_timeout(wait) {
            Ok(message) => Some(Ok(message)),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Err(Vanished)),
        }
    }

    fn open(&mut self, reader_thread: ReaderThread) {
        let (to, messages) = sync_channel(QUEUE);
        let opener = Arc::clone(&self.opener);
        // The thread ends by itself when nobody listens; one that hangs is left behind.
        self.thread = Some(thread::spawn(move || reader_thread.run(&opener, &to)));
        self.messages = Some(messages);
    }
}

impl Drop for Supervisor {
    /// Lets the thread close the source, unless it hangs.
    fn drop(&mut self) {
        self.messages = None;
        let deadline = Instant::now() + CLOSING;
        let is_running =
            |thread: &mut Option<JoinHandle<()>>| thread.as_ref().is_some_and(|t| !t.is_finished());
        while is_running(&mut self.thread) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
    }
}
