//! The thread that writes.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::http::Server;
use crate::monitor::Monitor;
use crate::rules::utc::Utc;
use crate::rules::verdict::Reason;
use crate::station::clock::{StationClock, now};
use crate::station::keeper::{Command, Committed, Keeper};
use crate::station::remark::{Judged, Remark, Say};
use crate::store::retention::Limits;

/// Rows may share a commit, but wait for it no longer than so.
const LONGEST_WAIT: Duration = Duration::from_millis(50);
/// What is to happen by the clock is looked at so often.
const TICK: Duration = Duration::from_secs(1);

/// What is too old or too much is looked for so often.
const RETENTION_TICK: Duration = Duration::from_secs(10);

/// The thread that writes, before it is started.
#[derive(Debug)]
pub struct Desk {
    /// What it does.
    pub keeper: Keeper,
    /// Who tells it to.
    pub commands: Receiver<Command>,
    /// The clock, if messages come by it.
    pub clock: Option<Arc<StationClock>>,
    /// How long rows are kept.
    pub limits: Limits,
    /// Where others listen in, if they can.
    pub server: Option<Arc<Server>>,
    /// Where is counted.
    pub monitor: Monitor,
    /// Who is told.
    pub say: Say,
    /// How often messages were judged in each way.
    pub judged: Judged,
}

impl Desk {
    /// Starts the thread; it ends, with all written, when nobody can ask it for anything any more.
    pub fn start(mut self) -> JoinHandle<()> {
        thread::spawn(move || self.run())
    }

    fn run(&mut self) {
        if self.server.is_some() {
            self.keeper.tell();
        }
        let mut retention_tick = Instant::now();
        let mut next_try = Instant::now();
        loop {
            let is_over = match self.commands.recv_timeout(TICK) {
                Ok(command) => {
                    self.keeper.command(command, self.now());
                    self.collect();
                    false
                }
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => true,
            };
            if self.clock.is_some() {
                self.keeper.release(self.now());
                self.keeper.lift(self.now());
            }
            if retention_tick.elapsed() > RETENTION_TICK {
                retention_tick = Instant::now();
                self.keep_within();
            }
            // A disk that does not take what waits is not asked with every message.
            if is_over || !self.keeper.is_failing() || Instant::now() >= next_try {
                self.commit();
                next_try = Instant::now() + TICK;
            }
            if is_over {
                self.say.say(Remark::Judged(std::mem::take(&mut self.judged)));
                return;
            }
        }
    }

    /// Now, in running time where nobody knows the time of day.
    fn now(&self) -> Utc {
        self.clock.as_ref().map_or_else(now, |clock| clock.ago(0.0).at)
    }

    fn commit(&mut self) {
        let committed = self.keeper.commit(self.now());
        for verdict in self.keeper.take_judged() {
            let labels = [verdict.name(), verdict.reason().map_or("", Reason::name)];
            self.monitor.metrics().judged_messages.with_label_values(&labels).inc();
            *self.judged.0.entry(labels).or_default() += 1;
        }
        for event in self.keeper.take_noted() {
            self.say.say(Remark::Event(event));
        }
        if let Some(server) = &self.server {
            self.keeper.take_told().into_iter().for_each(|told| server.publish(told));
        }
        if matches!(committed, Committed::Failed(_) | Committed::StillFailing) {
            self.monitor.metrics().failed_writes.inc();
        }
        match committed {
            Committed::Failed(error) => self.say.say(Remark::NotStored(error)),
            Committed::Recovered { lost } => self.say.say(Remark::StoredAgain { lost }),
            Committed::Done | Committed::StillFailing => {}
        }
    }

    fn keep_within(&mut self) {
        // A disk that cannot be written to is told of by the commits.
        let removed = self.keeper.keep_within(self.limits, self.now()).unwrap_or_default();
        if removed.undelivered > 0 {
            self.say.say(Remark::Dropped(removed.undelivered));
        }
    }

    /// Takes what else is there already, for the same commit.
    fn collect(&mut self) {
        let start = Instant::now();
        while start.elapsed() < LONGEST_WAIT {
            let Ok(command) = self.commands.try_recv() else { break };
            self.keeper.command(command, self.now());
        }
    }
}
