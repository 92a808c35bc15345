//! The thread that reads a source: it numbers the samples and never waits for whoever listens to a
//! radio.

use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::{Duration, Instant};

use num_complex::Complex32;

use super::sample_clock::SampleClock;
use super::watchdog::{Finding, STUCK, Watchdog};
use crate::error::Error;
use crate::live::block::Block;
use crate::live::fault::{Fault, FaultKind};
use crate::live::source::{LiveSource, Loss, Opener, Reading};
use crate::stream_info::StreamInfo;

/// How long a read may wait.
const READ_TIMEOUT: Duration = Duration::from_millis(200);
/// Length of a block by the clock, in seconds.
const BLOCK_S: f64 = 0.02;
const LEAST_BLOCK: usize = 1024;
const LARGEST_BLOCK: usize = 1 << 16;
/// After a gap of unknown length, samples may come late at first: so long they are held back, to tell
/// by those that come with the least delay how long the gap was, and whether they are a signal at all.
const SETTLE: Duration = STUCK.saturating_add(Duration::from_millis(100));

/// What the thread says.
pub(super) enum Said {
    /// The source is open.
    Opened(Box<StreamInfo>),
    /// Samples.
    Block(Block),
    /// Nothing; the thread is well.
    Idle,
    /// Samples have come, and are held back.
    Held,
    /// Samples are missing, before the next block.
    Lost(Fault),
    /// The source has to be opened again.
    Failed(Fault),
    /// The source could not be opened.
    NotOpened(Error),
    /// The recording is over.
    End,
}

/// How the samples are to be taken.
#[derive(Clone)]
pub(super) struct Pump {
    /// How long the source may take for its first answer.
    pub(super) answer_within: Duration,
    pub(super) speed: Option<f64>,
    pub(super) watched: bool,
    /// The clock of the stream and the index of its next sample, once there is a stream.
    pub(super) progress: Option<(SampleClock, u64)>,
    pub(super) required_rate_hz: Option<f64>,
}

impl Pump {
    /// Opens the source and reads it until it fails or nobody listens any more.
    pub(super) fn run(self, opener: &Opener, to: &SyncSender<Said>) {
        let last = match opener(self.answer_within) {
            Ok(source) => self.drive(source, to),
            Err(error) => Some(Said::NotOpened(error)),
        };
        if let Some(last) = last {
            drop(to.send(last));
        }
    }

    fn drive(self, source: Box<dyn LiveSource>, to: &SyncSender<Said>) -> Option<Said> {
        let info = source.info().clone();
        if let Some(fault) = self.changed_rate(info.sample_rate_hz) {
            return Some(Said::Failed(fault));
        }
        let rate_hz = info.sample_rate_hz * self.speed.unwrap_or(1.0);
        to.send(Said::Opened(Box::new(info))).ok()?;
        let now = Instant::now();
        let resumed = self.progress.is_some();
        let (mut clock, next) =
            self.progress.unwrap_or_else(|| (SampleClock::new(rate_hz, now), 0));
        clock.restart(now);
        let running = Running {
            is_timed: self.speed.is_some(),
            rate_hz,
            clock,
            watchdog: self.watched.then(|| Watchdog::new(rate_hz)),
            next,
            lost: 0,
            pending: if resumed { Loss::Unknown } else { Loss::None },
            held: Vec::new(),
            is_overrun: false,
        };
        running.run(source, to)
    }

    /// The receiver cannot change its rate in flight.
    fn changed_rate(&self, found_hz: f64) -> Option<Fault> {
        let required_hz = self.required_rate_hz.filter(|&hz| (hz - found_hz).abs() > 1e-6 * hz)?;
        let text = format!(
            "the device came back with {found_hz} samples a second, where it had {required_hz}"
        );
        Some(Fault { kind: FaultKind::Rate, text })
    }
}

/// An open source.
struct Running {
    is_timed: bool,
    /// Samples a second by the clock.
    rate_hz: f64,
    clock: SampleClock,
    watchdog: Option<Watchdog>,
    /// Index of the next sample.
    next: u64,
    /// Samples lost since the last block that was taken.
    lost: u64,
    /// What the source has said about losses that is not in the index yet.
    pending: Loss,
    /// Blocks held back after a gap of unknown length, with their times of arrival.
    held: Vec<(Vec<Complex32>, Instant)>,
    /// Whether blocks are being dropped because nobody takes them.
    is_overrun: bool,
}

impl Running {
    fn run(mut self, mut source: Box<dyn LiveSource>, to: &SyncSender<Said>) -> Option<Said> {
        let wanted = ((self.rate_hz * BLOCK_S) as usize).clamp(LEAST_BLOCK, LARGEST_BLOCK);
        loop {
            let mut samples = Vec::with_capacity(wanted);
            match source.read(&mut samples, wanted, READ_TIMEOUT) {
                Ok(Reading::Samples(loss)) if !samples.is_empty() => {
                    let last = self.take(samples, loss, to)?;
                    if last.is_some() {
                        return last;
                    }
                }
                Ok(Reading::Samples(loss)) => self.note(loss, to)?,
                // Only who speaks notices that nobody listens any more.
                Ok(Reading::Nothing) => self.say(Said::Idle, to)?,
                Ok(Reading::End) if self.watchdog.is_none() => return Some(Said::End),
                Ok(Reading::End) => {
                    let text = "the source has ended".to_owned();
                    return Some(Said::Failed(Fault { kind: FaultKind::Ended, text }));
                }
                Err(error) => {
                    let fault = Fault { kind: FaultKind::Read, text: nameless(&error) };
                    return Some(Said::Failed(fault));
                }
            }
        }
    }

    /// Remembers a loss until the next sample comes. `None`: nobody listens.
    fn note(&mut self, loss: Loss, to: &SyncSender<Said>) -> Option<()> {
        if loss == Loss::None {
            return Some(());
        }
        self.pending = match (self.pending, loss) {
            (Loss::Samples(a), Loss::Samples(b)) => Loss::Samples(a + b),
            (Loss::None, loss) => loss,
            _ => Loss::Unknown,
        };
        let text = "the device was not read fast enough and has lost samples".to_owned();
        self.say(Said::Lost(Fault { kind: FaultKind::Overflow, text }), to)
    }

    /// Takes samples; returns what ends the stream, if anything. `None`: nobody listens.
    fn take(
        &mut self,
        samples: Vec<Complex32>,
        loss: Loss,
        to: &SyncSender<Said>,
    ) -> Option<Option<Said>> {
        let arrived = Instant::now();
        let stuck = self.watchdog.as_mut().and_then(|dog| dog.look(&samples, arrived));
        if let Some(fault) = stuck {
            return Some(Some(Said::Failed(fault)));
        }
        self.note(loss, to)?;
        let missing = match self.pending {
            Loss::None => 0,
            Loss::Samples(missing) => missing,
            Loss::Unknown if !self.is_timed => 0,
            Loss::Unknown => return self.hold(samples, arrived, to),
        };
        self.pending = Loss::None;
        self.hand_on(samples, missing, arrived, to)
    }

    /// Holds samples back until it is known how many are missing before them.
    fn hold(
        &mut self,
        samples: Vec<Complex32>,
        arrived: Instant,
        to: &SyncSender<Said>,
    ) -> Option<Option<Said>> {
        self.held.push((samples, arrived));
        let first = self.held.first().map_or(arrived, |(_, first)| *first);
        if arrived.duration_since(first) < SETTLE {
            self.say(Said::Held, to)?;
            return Some(None);
        }
        self.pending = Loss::None;
        let mut end = self.next;
        let missing = self.held.iter().map(|(samples, arrived)| {
            end += samples.len() as u64;
            self.clock.index_at(*arrived).saturating_sub(end)
        });
        let mut missing = missing.min().unwrap_or(0);
        for (samples, arrived) in std::mem::take(&mut self.held) {
            let last = self.hand_on(samples, std::mem::take(&mut missing), arrived, to)?;
            if last.is_some() {
                return Some(last);
            }
        }
        Some(None)
    }

    /// Numbers samples before which so many are missing and hands them on.
    fn hand_on(
        &mut self,
        samples: Vec<Complex32>,
        missing: u64,
        arrived: Instant,
        to: &SyncSender<Said>,
    ) -> Option<Option<Said>> {
        let count = samples.len() as u64;
        self.lose(missing);
        let found = self.watchdog.as_mut().and_then(|dog| dog.measure(count + missing, arrived));
        match found {
            Some(Finding::Fault(fault)) => return Some(Some(Said::Failed(fault))),
            Some(Finding::Gap(missing)) => {
                self.lose(missing);
                let text = format!(
                    "{missing} samples ({:.0} ms) are missing that the device said nothing about",
                    1e3 * missing as f64 / self.rate_hz
                );
                self.say(Said::Lost(Fault { kind: FaultKind::Gap, text }), to)?;
            }
            None => {}
        }
        let first_sample = self.next;
        self.next += count;
        self.clock.observe(self.next, arrived);
        let block = Block {
            samples,
            first_sample,
            lost_before: self.lost,
            taken: self.clock.instant_of(first_sample),
            arrived,
        };
        self.send(block, to)?;
        Some(None)
    }

    fn lose(&mut self, samples: u64) {
        self.next += samples;
        self.lost += samples;
    }

    /// Hands a block on; a radio's block that nobody takes in time is lost.
    fn send(&mut self, block: Block, to: &SyncSender<Said>) -> Option<()> {
        let count = block.samples.len() as u64;
        if !self.is_timed {
            to.send(Said::Block(block)).ok()?;
            self.lost = 0;
            return Some(());
        }
        if self.is_overrun {
            let text = "decoding was too slow and samples were lost".to_owned();
            let fault = Fault { kind: FaultKind::Overflow, text };
            match to.try_send(Said::Lost(fault)) {
                Ok(()) => self.is_overrun = false,
                Err(TrySendError::Disconnected(_)) => return None,
                Err(TrySendError::Full(_)) => {
                    self.lost += count;
                    return Some(());
                }
            }
        }
        match to.try_send(Said::Block(block)) {
            Ok(()) => self.lost = 0,
            Err(TrySendError::Disconnected(_)) => return None,
            Err(TrySendError::Full(_)) => {
                self.lost += count;
                self.is_overrun = true;
            }
        }
        Some(())
    }

    /// Says something short; what does not fit is not worth waiting for.
    fn say(&self, said: Said, to: &SyncSender<Said>) -> Option<()> {
        match to.try_send(said) {
            Err(TrySendError::Disconnected(_)) => None,
            _ => Some(()),
        }
    }
}

/// The text of an error without the name of the source, which whoever listens knows.
pub(super) fn nameless(error: &Error) -> String {
    let text = error.to_string();
    let name = format!("{}: ", error.path().display());
    text.strip_prefix(&name).map(str::to_owned).unwrap_or(text)
}
