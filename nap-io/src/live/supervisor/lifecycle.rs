//! What state a source is in, and what is due.
//!
//! Knows no clock and no thread: times and messages are handed in, what is to be done comes out, with the
//! time at which to look again.

use std::time::{Duration, Instant};

use super::numbering::Progress;
use super::policy::{OnError, Policy};
use super::reader_thread::ReaderThread;
use super::sample_clock::SampleClock;
use super::worker_message::WorkerMessage;
use crate::live::block::Block;
use crate::live::event::{LiveEvent, Outage};
use crate::live::fault::{Fault, FaultKind};

/// Opening may mean to load firmware; after so long it counts as hung.
const OPENING: Duration = Duration::from_secs(40);
/// Some receivers take seconds until they answer first, servers on small machines too.
const FIRST_ANSWER: Duration = Duration::from_secs(10);
/// The longest wait for an answer; with that for a connection, it is shorter than [`OPENING`].
const LONGEST_FIRST_ANSWER: Duration = Duration::from_secs(30);
/// A source that has given samples has stalled when none come for so long.
const STALL: Duration = Duration::from_millis(1200);
/// A source that ran so long is well again.
const HEALTHY: Duration = Duration::from_secs(3);

/// What is due.
pub(super) enum Due {
    /// The source is to be opened and read.
    Open(ReaderThread),
    /// Something has happened.
    Event(LiveEvent),
}

/// The life of a source: it is opened, runs, fails, and is opened again after a pause.
pub(super) struct Lifecycle {
    policy: Policy,
    state: State,
    /// Where the stream is, for the next thread.
    progress: Option<Progress>,
    required_rate_hz: Option<f64>,
    pause: Duration,
    /// Trials in a row that brought no samples.
    fruitless: u32,
    /// Whether the source has run well once: then what it asks for and gets has been right.
    is_proven: bool,
    /// Since when there have been no samples, and how often the source was opened since.
    down: Option<(Instant, u32)>,
    /// The first block after an interruption, which is told of first.
    first_block: Option<Block>,
}

enum State {
    Opening {
        until: Instant,
        answer_within: Duration,
    },
    Running {
        since: Instant,
        /// By when samples have to come.
        until: Instant,
        /// How long they may take.
        within: Duration,
        has_samples: bool,
    },
    Pausing {
        until: Instant,
    },
    Ended,
}

impl Lifecycle {
    /// A source that is to be opened at this time.
    pub(super) fn new(policy: Policy, now: Instant) -> Self {
        Self {
            policy,
            state: State::Pausing { until: now },
            progress: None,
            required_rate_hz: None,
            pause: policy.min_pause,
            fruitless: 0,
            is_proven: false,
            down: None,
            first_block: None,
        }
    }

    /// Whether a thread reads the source; what one of before still reports is not wanted.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Opening { .. } | State::Running { .. })
    }

    /// The block with which an outage ended, once that was told: it comes before all messages that were not
    /// handed in yet.
    pub(super) fn first_block(&mut self) -> Option<LiveEvent> {
        self.first_block.take().map(LiveEvent::Block)
    }

    /// What is due by now. All messages that have come should be handed in before.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Due> {
        if let Some(event) = self.first_block() {
            return Some(Due::Event(event));
        }
        match self.state {
            State::Ended => Some(Due::Event(LiveEvent::Ended)),
            State::Pausing { until } if now >= until => Some(Due::Open(self.open(now))),
            State::Opening { until, .. } if now >= until => {
                let text = "opening the source has not come to an end";
                let text = format!("{text} within {} s", OPENING.as_secs());
                Some(Due::Event(self.fail(Fault { kind: FaultKind::Stall, text }, now)))
            }
            State::Running { until, within, has_samples, .. }
                if self.policy.watched && now >= until =>
            {
                let fault = stalled(within, has_samples);
                Some(Due::Event(self.fail(fault, now)))
            }
            _ => None,
        }
    }

    /// When to look again if no message comes before; `None` if nothing will be due.
    pub(super) fn poll_at(&self) -> Option<Instant> {
        match self.state {
            State::Pausing { until } | State::Opening { until, .. } => Some(until),
            State::Running { until, .. } => Some(until).filter(|_| self.policy.watched),
            State::Ended => None,
        }
    }

    fn open(&mut self, now: Instant) -> ReaderThread {
        let answer_within =
            FIRST_ANSWER.saturating_mul(self.fruitless + 1).min(LONGEST_FIRST_ANSWER);
        self.fruitless = self.fruitless.saturating_add(1);
        if let Some((_, trials)) = &mut self.down {
            *trials += 1;
        }
        self.state = State::Opening { until: now + OPENING, answer_within };
        ReaderThread {
            answer_within,
            speed: self.policy.speed,
            is_watched: self.policy.watched,
            progress: self.progress.clone(),
            required_rate_hz: self.required_rate_hz,
        }
    }

    /// Takes in what the thread reports.
    pub(super) fn handle(&mut self, message: WorkerMessage, now: Instant) -> Option<LiveEvent> {
        match message {
            WorkerMessage::Opened(info) => {
                self.required_rate_hz = Some(info.sample_rate_hz);
                if let State::Opening { answer_within, .. } = self.state {
                    self.state = State::Running {
                        since: now,
                        until: now + answer_within,
                        within: answer_within,
                        has_samples: false,
                    };
                }
                Some(LiveEvent::Started(info))
            }
            WorkerMessage::Block(block) => Some(self.block(block, now)),
            WorkerMessage::Held => {
                self.samples_came(now);
                None
            }
            WorkerMessage::Idle => None,
            WorkerMessage::Lost(fault) => Some(LiveEvent::Fault(fault)),
            WorkerMessage::Failed(fault) => Some(self.fail(fault, now)),
            WorkerMessage::NotOpened(error) => {
                Some(self.fail(Fault::of(&error, FaultKind::Open), now))
            }
            WorkerMessage::End => {
                self.state = State::Ended;
                Some(LiveEvent::Ended)
            }
        }
    }

    /// Takes in that the thread has gone without a word.
    pub(super) fn vanished(&mut self, now: Instant) -> LiveEvent {
        let text = "the thread that reads the source has ended unexpectedly".to_owned();
        self.fail(Fault { kind: FaultKind::Read, text }, now)
    }

    fn block(&mut self, block: Block, now: Instant) -> LiveEvent {
        self.follow(&block);
        self.samples_came(now);
        let Some((since, trials)) = self.down.take() else {
            return LiveEvent::Block(block);
        };
        self.first_block = Some(block);
        LiveEvent::Recovered(Outage { duration: now.duration_since(since), trials })
    }

    fn samples_came(&mut self, now: Instant) {
        self.fruitless = 0;
        if let State::Running { since, until, within, has_samples } = &mut self.state {
            (*until, *within, *has_samples) = (now + STALL, STALL, true);
            if now.duration_since(*since) > HEALTHY {
                self.pause = self.policy.min_pause;
                self.is_proven = true;
            }
        }
    }

    /// Keeps the stream's clock, so that its index can go on after an interruption.
    fn follow(&mut self, block: &Block) {
        let rate_hz = self.required_rate_hz.unwrap_or(1.0) * self.policy.speed.unwrap_or(1.0);
        let start = || Progress { clock: SampleClock::new(rate_hz, block.taken), next: 0 };
        let progress = self.progress.get_or_insert_with(start);
        progress.next = block.end();
        progress.clock.observe(progress.next, block.arrived);
    }

    fn fail(&mut self, fault: Fault, now: Instant) -> LiveEvent {
        self.down.get_or_insert((now, 0));
        let is_hopeless = fault.kind == FaultKind::Refused && !self.is_proven;
        if is_hopeless || self.policy.on_error == OnError::Quit {
            self.state = State::Ended;
        } else {
            self.state = State::Pausing { until: now + self.pause };
            self.pause = (2 * self.pause).min(self.policy.longest_pause);
        }
        LiveEvent::Fault(fault)
    }
}

fn stalled(within: Duration, has_samples: bool) -> Fault {
    let text = if has_samples {
        format!("no samples for {:.1} s", within.as_secs_f64())
    } else {
        format!("no samples within {} s after opening", within.as_secs())
    };
    Fault { kind: FaultKind::Stall, text }
}

#[cfg(test)]
mod tests {
    use num_complex::Complex32;

    use super::*;
    use crate::error::Error;
    use crate::format::SampleFormat;
    use crate::stream_info::StreamInfo;

    /// A life with a clock that is set by hand.
    struct Life {
        lifecycle: Lifecycle,
        start: Instant,
        now: Instant,
    }

    impl Life {
        fn new(on_error: OnError) -> Self {
            let start = Instant::now();
            let lifecycle = Lifecycle::new(Policy::radio(on_error, 1.0), start);
            Self { lifecycle, start, now: start }
        }

        fn wait(&mut self, seconds: f64) {
            self.now += Duration::from_secs_f64(seconds);
        }

        /// Lets time pass until something is due.
        fn due(&mut self) -> Due {
            self.now = self.lifecycle.poll_at().map_or(self.now, |at| at.max(self.now));
            self.lifecycle.poll(self.now).unwrap()
        }

        /// Waits until the source is to be opened; returns how long that was and what it is told.
        fn open(&mut self) -> (f64, ReaderThread) {
            let before = self.now;
            let Due::Open(reader_thread) = self.due() else { panic!("not opened") };
            (self.now.duration_since(before).as_secs_f64(), reader_thread)
        }

        fn fault(&mut self) -> String {
            let Due::Event(LiveEvent::Fault(fault)) = self.due() else { panic!("no fault") };
            fault.text
        }

        fn handle(&mut self, message: WorkerMessage) -> Option<LiveEvent> {
            self.lifecycle.handle(message, self.now)
        }

        fn opened(&mut self) {
            let info = StreamInfo::new(1000.0, SampleFormat::Cu8);
            let event = self.handle(WorkerMessage::Opened(Box::new(info)));
            assert!(matches!(event, Some(LiveEvent::Started(_))));
        }

        fn block(&mut self) -> Option<LiveEvent> {
            let samples = vec![Complex32::ZERO; 10];
            let (taken, arrived) = (self.now, self.now);
            let block = Block { samples, first_sample: 0, lost_before: 0, taken, arrived };
            let event = self.handle(WorkerMessage::Block(block));
            if matches!(event, Some(LiveEvent::Recovered(_))) {
                let next = self.lifecycle.poll(self.now);
                assert!(matches!(next, Some(Due::Event(LiveEvent::Block(_)))));
            }
            event
        }
    }

    #[test]
    fn the_first_samples_may_take_longer_from_trial_to_trial() {
        let mut life = Life::new(OnError::Restart);
        for (trial, within_s) in [10.0, 20.0, 30.0, 30.0].into_iter().enumerate() {
            let (pause_s, reader_thread) = life.open();
            // The pauses between trials double.
            let expected_s =
                if trial == 0 { 0.0 } else { 0.125 * f64::from(2_u32.pow(trial as u32)) };
            assert_eq!(
                (pause_s, reader_thread.answer_within.as_secs_f64()),
                (expected_s, within_s)
            );
            life.opened();
            // The thread is well, but has nothing.
            life.wait(within_s - 0.1);
            assert!(life.handle(WorkerMessage::Idle).is_none());
            assert!(life.lifecycle.poll(life.now).is_none());
            assert_eq!(life.fault(), format!("no samples within {within_s} s after opening"));
        }
        // Who has given samples is given the first wait again.
        life.open();
        life.opened();
        life.wait(29.0);
        let recovered = life.block();
        let Some(LiveEvent::Recovered(outage)) = recovered else { panic!("{recovered:?}") };
        let down = life.now.duration_since(life.start) - FIRST_ANSWER;
        assert_eq!((outage.duration, outage.trials), (down, 4));
        assert_eq!(life.fault(), "no samples for 1.2 s");
        assert_eq!(life.open().1.answer_within, FIRST_ANSWER);
    }

    #[test]
    fn a_source_that_has_given_samples_may_pause_for_a_second() {
        let mut life = Life::new(OnError::Restart);
        life.open();
        life.opened();
        life.wait(9.9);
        for _ in 0..100 {
            assert!(matches!(life.block(), Some(LiveEvent::Block(_))));
            life.wait(1.15);
            assert!(life.lifecycle.poll(life.now).is_none());
        }
        // Samples that are held back are samples too.
        life.handle(WorkerMessage::Held);
        life.wait(1.15);
        assert!(life.lifecycle.poll(life.now).is_none());
        assert_eq!(life.fault(), "no samples for 1.2 s");
        assert!(!life.lifecycle.is_open());
    }

    #[test]
    fn the_pause_is_short_again_after_a_healthy_run() {
        let mut life = Life::new(OnError::Restart);
        for _ in 0..12 {
            life.open();
            let error = Error::radio("radio", "the radio is unplugged");
            let event = life.handle(WorkerMessage::NotOpened(error));
            let Some(LiveEvent::Fault(fault)) = event else { panic!("{event:?}") };
            assert_eq!(
                (fault.kind, fault.text.as_str()),
                (FaultKind::Open, "the radio is unplugged")
            );
        }
        assert_eq!(life.open().0, 20.0);
        life.opened();
        for _ in 0..10 {
            life.block();
            life.wait(0.5);
        }
        life.fault();
        assert_eq!(life.open().0, 0.25);
        // What runs for a moment only is not well yet.
        life.opened();
        life.block();
        life.fault();
        assert_eq!(life.open().0, 0.5);
    }

    #[test]
    fn opening_that_hangs_is_given_up() {
        let mut life = Life::new(OnError::Restart);
        life.open();
        assert_eq!(life.fault(), "opening the source has not come to an end within 40 s");
        assert_eq!(life.now.duration_since(life.start), OPENING);
        life.open();
        let LiveEvent::Fault(fault) = life.lifecycle.vanished(life.now) else { panic!("no fault") };
        assert_eq!(fault.kind, FaultKind::Read);
        life.open();
    }

    #[test]
    fn who_wants_to_quit_is_at_the_end_after_a_fault() {
        let mut life = Life::new(OnError::Quit);
        life.open();
        life.opened();
        let fault = Fault { kind: FaultKind::Overflow, text: String::new() };
        assert!(life.handle(WorkerMessage::Lost(fault)).is_some());
        assert!(life.lifecycle.is_open());
        life.fault();
        assert!(matches!(life.due(), Due::Event(LiveEvent::Ended)));
        assert_eq!(life.lifecycle.poll_at(), None);
    }

    #[test]
    fn what_can_never_work_is_not_tried_again() {
        let mut life = Life::new(OnError::Restart);
        life.open();
        let refused = || WorkerMessage::NotOpened(Error::refused("radio", "it has no such rate"));
        let event = life.handle(refused());
        let Some(LiveEvent::Fault(fault)) = event else { panic!("{event:?}") };
        assert_eq!((fault.kind, fault.text.as_str()), (FaultKind::Refused, "it has no such rate"));
        assert!(matches!(life.due(), Due::Event(LiveEvent::Ended)));
        // What has worked may work again: somebody has put another radio into its place for a while.
        let mut life = Life::new(OnError::Restart);
        life.open();
        life.opened();
        for _ in 0..10 {
            life.block();
            life.wait(0.5);
        }
        life.fault();
        life.open();
        life.handle(refused());
        life.open();
    }

    #[test]
    fn a_recording_takes_its_time() {
        let now = Instant::now();
        let mut lifecycle = Lifecycle::new(Policy::recording(Some(1.0)), now);
        assert!(matches!(lifecycle.poll(now), Some(Due::Open(_))));
        let info = StreamInfo::new(1000.0, SampleFormat::Cu8);
        lifecycle.handle(WorkerMessage::Opened(Box::new(info)), now);
        assert_eq!(lifecycle.poll_at(), None);
        assert!(lifecycle.poll(now + Duration::from_secs(1000)).is_none());
        assert!(matches!(lifecycle.handle(WorkerMessage::End, now), Some(LiveEvent::Ended)));
    }
}
