//! The place of samples in the stream: what is missing before them counts.
//!
//! Knows no clock: times of arrival are handed in.

use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::{Duration, Instant};

use num_complex::Complex32;

use super::balance::Imbalance;
use super::sample_clock::SampleClock;
use super::watchdog::{STUCK, Watchdog};
use super::worker_message::WorkerMessage;
use crate::live::block::Block;
use crate::live::fault::{Fault, FaultKind};
use crate::live::source::Loss;

/// After a gap of unknown length, samples may come late at first: so long they are held back, to tell
/// by those that come with the least delay how long the gap was, and whether they are a signal at all.
const SETTLE: Duration = STUCK.saturating_add(Duration::from_millis(100));

/// Why a source is not read any more.
pub(super) enum Stop {
    /// Nobody listens.
    Unheard,
    /// It has to be reported.
    Report(WorkerMessage),
}

/// Where a stream is.
#[derive(Clone)]
pub(super) struct Progress {
    /// Relates its samples to the computer's clock.
    pub(super) clock: SampleClock,
    /// The index of its next sample.
    pub(super) next: u64,
}

/// Numbers the samples of an open source and hands them on; never waits for whoever listens to a radio.
pub(super) struct Numbering {
    to: SyncSender<WorkerMessage>,
    is_timed: bool,
    /// Samples a second by the clock.
    rate_hz: f64,
    progress: Progress,
    watchdog: Option<Watchdog>,
    /// Samples lost since the last block that was taken.
    lost: u64,
    /// What the source has said about losses that is not in the index yet.
    pending: Loss,
    /// Blocks held back after a gap of unknown length, with their times of arrival.
    held: Vec<(Vec<Complex32>, Instant)>,
    /// Whether blocks are being dropped because nobody takes them.
    is_overrun: bool,
}

impl Numbering {
    /// Numbers the samples of a source that was opened at this time and gives `rate_hz` samples a second
    /// by the clock. It goes on where `progress` says that the stream was before an outage.
    pub(super) fn new(
        to: SyncSender<WorkerMessage>,
        rate_hz: f64,
        is_timed: bool,
        is_watched: bool,
        progress: Option<Progress>,
        opened: Instant,
    ) -> Self {
        let pending = if progress.is_some() { Loss::Unknown } else { Loss::None };
        let start = || Progress { clock: SampleClock::new(rate_hz, opened), next: 0 };
        let mut progress = progress.unwrap_or_else(start);
        progress.clock.restart(opened);
        Self {
            to,
            is_timed,
            rate_hz,
            progress,
            watchdog: is_watched.then(|| Watchdog::new(rate_hz, opened)),
            lost: 0,
            pending,
            held: Vec::new(),
            is_overrun: false,
        }
    }

    /// Remembers a loss until the next sample comes.
    pub(super) fn note(&mut self, loss: Loss) -> Result<(), Stop> {
        if loss == Loss::None {
            return Ok(());
        }
        self.pending = match (self.pending, loss) {
            (Loss::Samples(a), Loss::Samples(b)) => Loss::Samples(a + b),
            (Loss::None, loss) => loss,
            _ => Loss::Unknown,
        };
        // What a recording lacks it was not recorded with, and it says so when it is opened.
        if self.watchdog.is_none() {
            return Ok(());
        }
        let text = "the source was not read fast enough and has lost samples".to_owned();
        self.report(WorkerMessage::Lost(Fault { kind: FaultKind::Overflow, text }))
    }

    /// Takes samples that have arrived at this time, and what was lost before them.
    pub(super) fn take(
        &mut self,
        samples: Vec<Complex32>,
        loss: Loss,
        arrived: Instant,
    ) -> Result<(), Stop> {
        let stuck = self.watchdog.as_mut().and_then(|dog| dog.look(&samples, arrived));
        if let Some(fault) = stuck {
            return Err(Stop::Report(WorkerMessage::Failed(fault)));
        }
        self.note(loss)?;
        let missing = match self.pending {
            Loss::None => 0,
            Loss::Samples(missing) => missing,
            Loss::Unknown if !self.is_timed => 0,
            Loss::Unknown => return self.hold(samples, arrived),
        };
        self.pending = Loss::None;
        self.hand_on(samples, missing, arrived)
    }

    /// Holds samples back until it is known how many are missing before them.
    fn hold(&mut self, samples: Vec<Complex32>, arrived: Instant) -> Result<(), Stop> {
        self.held.push((samples, arrived));
        let first = self.held.first().map_or(arrived, |(_, first)| *first);
        if arrived.duration_since(first) < SETTLE {
            return self.report(WorkerMessage::Held);
        }
        self.pending = Loss::None;
        let mut missing = self.missing_before_held();
        for (samples, arrived) in std::mem::take(&mut self.held) {
            self.hand_on(samples, std::mem::take(&mut missing), arrived)?;
        }
        Ok(())
    }

    /// How many samples are missing by those that came with the least delay.
    fn missing_before_held(&self) -> u64 {
        let mut end = self.progress.next;
        let missing = self.held.iter().map(|(samples, arrived)| {
            end += samples.len() as u64;
            self.progress.clock.index_at(*arrived).saturating_sub(end)
        });
        missing.min().unwrap_or(0)
    }

    /// Numbers samples before which so many are missing and hands them on.
    fn hand_on(
        &mut self,
        samples: Vec<Complex32>,
        missing: u64,
        arrived: Instant,
    ) -> Result<(), Stop> {
        let count = samples.len() as u64;
        self.lose(missing);
        let found = self.watchdog.as_mut().and_then(|dog| dog.measure(count, missing, arrived));
        match found {
            Some(Imbalance::Rate(fault)) => {
                return Err(Stop::Report(WorkerMessage::Failed(fault)));
            }
            Some(Imbalance::Missing(missing)) => {
                self.lose(missing);
                let text = format!(
                    "{missing} samples ({:.0} ms) are missing that the source said nothing about",
                    1e3 * missing as f64 / self.rate_hz
                );
                self.report(WorkerMessage::Lost(Fault { kind: FaultKind::Gap, text }))?;
            }
            None => {}
        }
        let Progress { clock, next } = &mut self.progress;
        let first_sample = *next;
        *next += count;
        clock.observe(*next, arrived);
        let taken = clock.instant_of(first_sample);
        self.send(Block { samples, first_sample, lost_before: self.lost, taken, arrived })
    }

    fn lose(&mut self, samples: u64) {
        self.progress.next += samples;
        self.lost += samples;
    }

    /// Hands a block on; a radio's block that nobody takes in time is lost.
    fn send(&mut self, block: Block) -> Result<(), Stop> {
        let count = block.samples.len() as u64;
        if !self.is_timed {
            self.to.send(WorkerMessage::Block(block)).map_err(|_| Stop::Unheard)?;
            self.lost = 0;
            return Ok(());
        }
        if self.is_overrun {
            let text = "decoding was too slow and samples were lost".to_owned();
            let fault = Fault { kind: FaultKind::Overflow, text };
            self.is_overrun = !self.has_room_for(WorkerMessage::Lost(fault))?;
        }
        if !self.is_overrun {
            self.is_overrun = !self.has_room_for(WorkerMessage::Block(block))?;
        }
        self.lost = if self.is_overrun { self.lost + count } else { 0 };
        Ok(())
    }

    /// Reports something short; what does not fit is not worth waiting for.
    pub(super) fn report(&self, message: WorkerMessage) -> Result<(), Stop> {
        self.has_room_for(message).map(drop)
    }

    /// Sends a message if there is room for it; returns whether there was.
    fn has_room_for(&self, message: WorkerMessage) -> Result<bool, Stop> {
        match self.to.try_send(message) {
            Ok(()) => Ok(true),
            Err(TrySendError::Full(_)) => Ok(false),
            Err(TrySendError::Disconnected(_)) => Err(Stop::Unheard),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, sync_channel};

    use super::super::delivery::{Arrival, Delivery, Pause, RATE_HZ};
    use super::*;

    /// Noise, as far as the watchdog can tell.
    fn samples(count: u64) -> Vec<Complex32> {
        (0..count).map(|n| Complex32::new((n % 2) as f32, 0.0)).collect()
    }

    fn numbering(
        opened: Instant,
        progress: Option<Progress>,
    ) -> (Numbering, Receiver<WorkerMessage>) {
        let (to, messages) = sync_channel(100_000);
        (Numbering::new(to, RATE_HZ, true, true, progress, opened), messages)
    }

    /// Takes in all that arrives; returns what ended it.
    fn take_all(numbering: &mut Numbering, arrivals: &[Arrival]) -> Result<(), Stop> {
        arrivals.iter().try_for_each(|a| numbering.take(samples(a.samples), Loss::None, a.at))
    }

    /// The blocks and the faults that were reported.
    fn reported(messages: &Receiver<WorkerMessage>) -> (Vec<Block>, Vec<Fault>) {
        let (mut blocks, mut faults) = (Vec::new(), Vec::new());
        for message in messages.try_iter() {
            match message {
                WorkerMessage::Block(block) => blocks.push(block),
                WorkerMessage::Lost(fault) => faults.push(fault),
                _ => {}
            }
        }
        (blocks, faults)
    }

    #[test]
    fn a_stream_that_catches_up_is_numbered_without_a_gap() {
        let opened = Instant::now();
        let pauses = vec![Pause::held_back(2.0, 0.8, 1.2); 3];
        let arrivals = Delivery { pauses, ..Delivery::default() }.run(opened, 30.0);
        let (mut numbering, messages) = numbering(opened, None);
        assert!(take_all(&mut numbering, &arrivals).is_ok());
        let (blocks, faults) = reported(&messages);
        assert_eq!(faults, []);
        assert_eq!(blocks.len(), arrivals.len());
        let mut next = 0;
        for (block, arrival) in blocks.iter().zip(&arrivals) {
            assert_eq!((block.first_sample, block.lost_before), (next, 0));
            next = block.end();
            // Two hundredths of a second are the delay of the way.
            let expected = arrival.first + Duration::from_millis(20);
            let off = expected.max(block.taken) - expected.min(block.taken);
            assert!(off < Duration::from_micros(1), "{off:?}");
        }
    }

    #[test]
    fn what_is_lost_on_the_way_is_counted_within_seconds() {
        let opened = Instant::now();
        let pauses = vec![Pause::held_back(5.0, 1.0, 1.5), Pause::lost(10.0, 0.5)];
        let arrivals = Delivery { pauses, ..Delivery::default() }.run(opened, 30.0);
        let (mut numbering, messages) = numbering(opened, None);
        assert!(take_all(&mut numbering, &arrivals).is_ok());
        let (blocks, faults) = reported(&messages);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(
            faults[0].text,
            "50000 samples (500 ms) are missing that the source said nothing about"
        );
        let lost = blocks.iter().map(|block| block.lost_before).sum::<u64>();
        assert_eq!(lost, 50_000);
        assert_eq!(blocks.last().map(Block::end), Some(30 * RATE_HZ as u64));
    }

    #[test]
    fn an_outage_is_counted_by_the_clock() {
        let opened = Instant::now();
        let (mut first, messages) = numbering(opened, None);
        assert!(take_all(&mut first, &Delivery::default().run(opened, 10.0)).is_ok());
        let (blocks, _) = reported(&messages);
        let progress = first.progress.clone();
        assert_eq!(progress.next, blocks.last().map_or(0, Block::end));
        // Opened again after three seconds; the first samples take two more, which is no fault of its rate.
        let opened_again = opened + Duration::from_secs(13);
        let pauses = vec![Pause::lost(0.0, 2.01)];
        let arrivals = Delivery { pauses, ..Delivery::default() }.run(opened_again, 20.0);
        let (mut second, messages) = numbering(opened_again, Some(progress));
        assert!(take_all(&mut second, &arrivals).is_ok());
        let (blocks, faults) = reported(&messages);
        assert_eq!(faults, []);
        assert_eq!(blocks[0].lost_before, 5 * RATE_HZ as u64);
        assert_eq!(blocks.last().map(Block::end), Some(33 * RATE_HZ as u64));
    }

    #[test]
    fn blocks_that_nobody_takes_are_lost_and_told() {
        let opened = Instant::now();
        let (to, messages) = sync_channel(2);
        let mut numbering = Numbering::new(to, RATE_HZ, true, true, None, opened);
        let arrivals = Delivery::default().run(opened, 1.0);
        let (before, after) = arrivals.split_at(5);
        assert!(take_all(&mut numbering, before).is_ok());
        assert_eq!(reported(&messages).0.len(), 2);
        assert!(take_all(&mut numbering, &after[..1]).is_ok());
        let (blocks, faults) = reported(&messages);
        assert_eq!(faults[0].kind, FaultKind::Overflow);
        assert_eq!((blocks[0].first_sample, blocks[0].lost_before), (10_000, 6_000));
        drop(messages);
        assert!(matches!(take_all(&mut numbering, &after[1..2]), Err(Stop::Unheard)));
    }
}
