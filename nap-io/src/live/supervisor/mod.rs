//! Keeps a source running.

pub(super) mod policy;
mod pump;
mod sample_clock;
mod watchdog;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::block::Block;
use super::event::{LiveEvent, Outage};
use super::fault::{Fault, FaultKind};
use super::source::Opener;
use policy::{OnError, Policy};
use pump::{Pump, Said, nameless};
use sample_clock::SampleClock;
use watchdog::STALL;

/// Blocks that may wait for whoever listens: some seconds.
const QUEUE: usize = 128;
/// Opening may mean to load firmware; after so long it counts as hung.
const OPENING: Duration = Duration::from_secs(40);
/// Some receivers take seconds until they answer first, servers on small machines too.
const FIRST_ANSWER: Duration = Duration::from_secs(10);
/// The longest wait for an answer; with that for a connection, it is shorter than [`OPENING`].
const LONGEST_FIRST_ANSWER: Duration = Duration::from_secs(30);
/// How long to wait for a source to close.
const CLOSING: Duration = Duration::from_millis(500);
/// A source that ran so long is well again.
const HEALTHY: Duration = Duration::from_secs(3);

/// Runs a source in a thread of its own, so that a call that never returns costs that thread and no
/// more, and opens it again when it fails.
pub struct Supervisor {
    opener: Opener,
    policy: Policy,
    state: State,
    /// Where the stream is, for the next thread.
    progress: Option<(SampleClock, u64)>,
    required_rate_hz: Option<f64>,
    pause: Duration,
    /// Trials in a row that brought no samples.
    fruitless: u32,
    /// Since when there have been no samples, and how often the source was opened since.
    down: Option<(Instant, u32)>,
    /// The first block after an interruption, which is told of first.
    first_block: Option<Block>,
    thread: Option<JoinHandle<()>>,
}

enum State {
    Opening { said: Receiver<Said>, since: Instant },
    Running { said: Receiver<Said>, since: Instant, last_block: Instant },
    Pausing { until: Instant },
    Ended,
}

impl Supervisor {
    /// Starts to open the source.
    #[must_use]
    pub fn new(opener: Opener, policy: Policy) -> Self {
        let mut supervisor = Self {
            opener,
            policy,
            state: State::Ended,
            progress: None,
            required_rate_hz: None,
            pause: policy.least_pause,
            fruitless: 0,
            down: None,
            first_block: None,
            thread: None,
        };
        supervisor.open();
        supervisor
    }

    /// What happens next; `None` if nothing happens within `timeout`.
    pub fn next(&mut self, timeout: Duration) -> Option<LiveEvent> {
        if let Some(block) = self.first_block.take() {
            return Some(LiveEvent::Block(block));
        }
        let deadline = Instant::now() + timeout;
        loop {
            let now = Instant::now();
            let left = deadline.saturating_duration_since(now);
            let event = match &self.state {
                State::Ended => return Some(LiveEvent::Ended),
                State::Pausing { until } => {
                    let pause = until.saturating_duration_since(now);
                    thread::sleep(pause.min(left));
                    if pause <= left {
                        self.open();
                    }
                    None
                }
                State::Opening { said, since } => {
                    let patience = OPENING.saturating_sub(now.duration_since(*since));
                    match said.recv_timeout(patience.min(left)) {
                        Ok(said) => self.hear(said),
                        Err(RecvTimeoutError::Timeout) if patience <= left => {
                            Some(self.fail(hung("opening the source", OPENING)))
                        }
                        Err(RecvTimeoutError::Timeout) => None,
                        Err(RecvTimeoutError::Disconnected) => Some(self.fail(vanished())),
                    }
                }
                State::Running { said, last_block, .. } => {
                    let patience = if self.policy.watched {
                        STALL.saturating_sub(now.duration_since(*last_block))
                    } else {
                        Duration::MAX
                    };
                    match said.recv_timeout(patience.min(left)) {
                        Ok(said) => self.hear(said),
                        Err(RecvTimeoutError::Timeout) if patience <= left => {
                            Some(self.fail(stalled()))
                        }
                        Err(RecvTimeoutError::Timeout) => None,
                        Err(RecvTimeoutError::Disconnected) => Some(self.fail(vanished())),
                    }
                }
            };
            if event.is_some() || Instant::now() >= deadline {
                return event;
            }
        }
    }

    fn open(&mut self) {
        let (to, said) = sync_channel(QUEUE);
        let pump = Pump {
            answer_within: first_answer(self.fruitless),
            speed: self.policy.speed,
            watched: self.policy.watched,
            progress: self.progress.clone(),
            required_rate_hz: self.required_rate_hz,
        };
        self.fruitless += 1;
        let opener = Arc::clone(&self.opener);
        if let Some((_, trials)) = &mut self.down {
            *trials += 1;
        }
        // The thread ends by itself when nobody listens; one that hangs is left behind.
        self.thread = Some(thread::spawn(move || pump.run(&opener, &to)));
        self.state = State::Opening { said, since: Instant::now() };
    }

    fn hear(&mut self, said: Said) -> Option<LiveEvent> {
        let now = Instant::now();
        match said {
            Said::Opened(info) => {
                self.required_rate_hz = Some(info.sample_rate_hz);
                if let State::Opening { said, .. } =
                    std::mem::replace(&mut self.state, State::Ended)
                {
                    self.state = State::Running { said, since: now, last_block: now };
                }
                Some(LiveEvent::Started(info))
            }
            Said::Block(block) => {
                self.follow(&block);
                self.fruitless = 0;
                if let State::Running { since, last_block, .. } = &mut self.state {
                    *last_block = now;
                    if now.duration_since(*since) > HEALTHY {
                        self.pause = self.policy.least_pause;
                    }
                }
                let Some((since, trials)) = self.down.take() else {
                    return Some(LiveEvent::Block(block));
                };
                self.first_block = Some(block);
                let duration = now.duration_since(since);
                Some(LiveEvent::Recovered(Outage { duration, trials }))
            }
            Said::Held => {
                if let State::Running { last_block, .. } = &mut self.state {
                    *last_block = now;
                }
                None
            }
            Said::Idle => None,
            Said::Lost(fault) => Some(LiveEvent::Fault(fault)),
            Said::Failed(fault) => Some(self.fail(fault)),
            Said::NotOpened(error) => {
                Some(self.fail(Fault { kind: FaultKind::Open, text: nameless(&error) }))
            }
            Said::End => {
                self.state = State::Ended;
                Some(LiveEvent::Ended)
            }
        }
    }

    /// Keeps the stream's clock, so that its index can go on after an interruption.
    fn follow(&mut self, block: &Block) {
        let rate_hz = self.required_rate_hz.unwrap_or(1.0) * self.policy.speed.unwrap_or(1.0);
        let (clock, next) =
            self.progress.get_or_insert_with(|| (SampleClock::new(rate_hz, block.taken), 0));
        *next = block.end();
        clock.observe(*next, block.arrived);
    }

    fn fail(&mut self, fault: Fault) -> LiveEvent {
        let now = Instant::now();
        self.down.get_or_insert((now, 0));
        if self.policy.on_error == OnError::Quit {
            self.state = State::Ended;
        } else {
            self.state = State::Pausing { until: now + self.pause };
            self.pause = (2 * self.pause).min(self.policy.longest_pause);
        }
        LiveEvent::Fault(fault)
    }
}

impl Drop for Supervisor {
    /// Lets the thread close the source, unless it hangs.
    fn drop(&mut self) {
        self.state = State::Ended;
        let deadline = Instant::now() + CLOSING;
        let is_running =
            |thread: &mut Option<JoinHandle<()>>| thread.as_ref().is_some_and(|t| !t.is_finished());
        while is_running(&mut self.thread) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// How long a source may take for its first answer after so many trials without samples.
fn first_answer(fruitless: u32) -> Duration {
    FIRST_ANSWER.saturating_mul(fruitless + 1).min(LONGEST_FIRST_ANSWER)
}

fn stalled() -> Fault {
    let text = format!("no samples for {:.1} s", STALL.as_secs_f64());
    Fault { kind: FaultKind::Stall, text }
}

fn hung(what: &str, after: Duration) -> Fault {
    let text = format!("{what} has not come to an end within {} s", after.as_secs());
    Fault { kind: FaultKind::Stall, text }
}

fn vanished() -> Fault {
    let text = "the thread that reads the source has ended unexpectedly".to_owned();
    Fault { kind: FaultKind::Read, text }
}
