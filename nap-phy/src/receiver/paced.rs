//! A receiver whose work is spread over time.

use std::collections::VecDeque;

use num_complex::Complex32;

use crate::device::table::DeviceTable;
use crate::error::Error;
use crate::receiver::Receiver;
use crate::receiver::config::ReceiverConfig;
use crate::receiver::event::Event;
use crate::receiver::statistics::Statistics;

/// Silence is worked on in pieces of so many samples at most.
const MAX_HOP: usize = 1 << 10;

/// Samples that were dropped because the work was too far behind.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Overrun {
    /// Time of the first of them, from the first sample, s.
    pub time_s: f64,
    /// How many in a row.
    pub samples: u64,
}

/// What a [`PacedReceiver`] tells.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum PacedEvent<'a> {
    /// What the receiver has found.
    Received(&'a Event),
    /// Samples were dropped because [`work_while`](PacedReceiver::work_while) was too far behind. Times
    /// count on over them.
    Overrun(Overrun),
}

/// A receiver that takes samples at once and works on them later, a little at a time.
///
/// A burst's end, where it is decoded, takes some ten times as long as the samples before it: a driver's
/// thread that is held so long loses samples. Here [`push`](Self::push) only keeps samples, in room that was
/// made beforehand, and [`work_while`](Self::work_while) does the work in small parts, for as long as the
/// caller has time. The events are those of a [`Receiver`], in the same order.
///
/// ```
/// use nap_phy::ReceiverConfig;
/// use nap_phy::receiver::paced::PacedReceiver;
/// use num_complex::Complex32;
///
/// # fn main() -> Result<(), nap_phy::Error> {
/// let config = ReceiverConfig::new(250_000.0, 868_130_000.0);
/// let mut receiver = PacedReceiver::new(config, 500_000)?;
/// receiver.push(&vec![Complex32::default(); 4096]);
/// let mut parts = 0..10;
/// let is_behind = receiver.work_while(|| parts.next().is_some(), |event| println!("{event:?}"));
/// assert!(is_behind);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct PacedReceiver {
    receiver: Receiver,
    max_backlog: usize,
    backlog: VecDeque<Complex32>,
    /// What came out of the blanker, which hands out a segment at a time, and how much of it was worked on.
    clean: Vec<Complex32>,
    clean_done: usize,
    /// What comes between samples of the backlog, and after how many of all samples kept.
    marks: VecDeque<(u64, Mark)>,
    /// What is at work before the backlog goes on.
    tasks: VecDeque<Task>,
    /// Samples kept so far, and those of them that were worked on.
    kept: u64,
    done: u64,
    /// Samples that were lost, or dropped, before those worked on.
    missing: u64,
    overrun_samples: u64,
}

/// What happens between two samples.
#[derive(Debug)]
enum Mark {
    /// So many samples are missing; of these, so many because the work was behind.
    Gap {
        samples: u64,
        dropped: u64,
    },
    Devices(DeviceTable),
    End,
}

/// A part of what a mark asks for.
#[derive(Debug, Clone, Copy)]
enum Task {
    Silence(u64),
    Finish,
    /// Let times count on over a gap.
    LeaveOut(u64),
}

impl PacedReceiver {
    /// A receiver at the start of a stream that keeps at most so many samples to be worked on, one at least.
    ///
    /// # Errors
    ///
    /// What [`Receiver::new`] says of the configuration.
    pub fn new(config: ReceiverConfig, max_backlog: usize) -> Result<Self, Error> {
        let max_backlog = max_backlog.max(1);
        let receiver = Receiver::new(config)?;
        Ok(Self {
            clean: Vec::with_capacity(receiver.blanker.latency_samples()),
            clean_done: 0,
            receiver,
            max_backlog,
            backlog: VecDeque::with_capacity(max_backlog),
            marks: VecDeque::new(),
            tasks: VecDeque::new(),
            kept: 0,
            done: 0,
            missing: 0,
            overrun_samples: 0,
        })
    }

    /// Keeps samples to be worked on. Those for which there is no room are dropped, and an
    /// [`Overrun`] tells of them when the work has come to them.
    pub fn push(&mut self, samples: &[Complex32]) {
        let room = self.room();
        let (kept, dropped) = samples.split_at(room.min(samples.len()));
        self.backlog.extend(kept);
        self.kept += kept.len() as u64;
        let dropped = dropped.len() as u64;
        self.overrun_samples += dropped;
        self.mark_gap(dropped, dropped);
    }

    /// How many samples can be kept before any are dropped.
    #[must_use]
    pub fn room(&self) -> usize {
        self.max_backlog.saturating_sub(self.backlog.len())
    }

    /// How many samples wait to be worked on.
    #[must_use]
    pub fn backlog(&self) -> usize {
        self.backlog.len()
    }

    /// How many samples were dropped so far because the work was behind.
    #[must_use]
    pub fn overrun_samples(&self) -> u64 {
        self.overrun_samples
    }

    /// The same as [`Receiver::skip`], after the samples that were pushed.
    pub fn skip(&mut self, samples: u64) {
        self.mark_gap(samples, 0);
    }

    /// The same as [`Receiver::flush`], after the samples that were pushed.
    pub fn flush(&mut self) {
        if !matches!(self.marks.back(), Some((at, Mark::End)) if *at == self.kept) {
            self.marks.push_back((self.kept, Mark::End));
        }
    }

    /// The same as [`Receiver::set_devices`], after the samples that were pushed.
    pub fn set_devices(&mut self, devices: DeviceTable) {
        match self.marks.back_mut() {
            Some((at, Mark::Devices(last))) if *at == self.kept => *last = devices,
            _ => self.marks.push_back((self.kept, Mark::Devices(devices))),
        }
    }

    /// Works while `go_on` says so, which is asked before each small part of the work, and hands the
    /// events that come of it to `sink`. Returns whether something is left to do.
    ///
    /// A part is one candidate, one burst or the samples of a tenth of a millisecond: most take
    /// microseconds, the longest, a burst that is decoded with others, some milliseconds.
    pub fn work_while(
        &mut self,
        mut go_on: impl FnMut() -> bool,
        mut sink: impl FnMut(PacedEvent<'_>),
    ) -> bool {
        while self.has_work() {
            if !go_on() {
                return true;
            }
            if !self.receiver.pipeline.step() && !self.take_clean() {
                self.begin_next(&mut sink);
            }
            self.receiver.hand_out(|event| sink(PacedEvent::Received(event)));
        }
        false
    }

    /// Counters since the start, of what was worked on.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.receiver.statistics()
    }

    /// The receiver, whose figures are those of what was worked on.
    #[must_use]
    pub fn receiver(&self) -> &Receiver {
        &self.receiver
    }

    fn has_work(&self) -> bool {
        self.receiver.pipeline.is_busy()
            || self.clean_done < self.clean.len()
            || !(self.tasks.is_empty() && self.marks.is_empty() && self.backlog.is_empty())
    }

    /// Takes the next samples, or what comes before them.
    fn begin_next(&mut self, sink: &mut impl FnMut(PacedEvent<'_>)) {
        if let Some(task) = self.tasks.pop_front() {
            self.begin(task);
        } else if self.marks.front().is_some_and(|(at, _)| *at == self.done) {
            if let Some((_, mark)) = self.marks.pop_front() {
                self.pass(mark, sink);
            }
        } else {
            self.take_hop();
        }
    }

    fn begin(&mut self, task: Task) {
        match task {
            Task::Silence(samples) => {
                let silence = [Complex32::ZERO; MAX_HOP];
                let hop = samples.min(self.hop_samples() as u64);
                blank(&mut self.receiver, &silence[..hop as usize], &mut self.clean);
                if samples > hop {
                    self.tasks.push_front(Task::Silence(samples - hop));
                }
            }
            Task::Finish => self.receiver.pipeline.finish(),
            Task::LeaveOut(samples) => self.receiver.leave_out(samples),
        }
    }

    /// Lays out what a mark asks for.
    fn pass(&mut self, mark: Mark, sink: &mut impl FnMut(PacedEvent<'_>)) {
        let closing = Task::Silence(self.receiver.closing_silence());
        match mark {
            Mark::Devices(devices) => self.receiver.set_devices(devices),
            Mark::End => self.tasks.extend([closing, Task::Finish]),
            Mark::Gap { samples, dropped } => {
                if dropped > 0 {
                    let time_s = self.done.saturating_add(self.missing) as f64
                        / self.receiver.sample_rate_hz;
                    sink(PacedEvent::Overrun(Overrun { time_s, samples: dropped }));
                }
                self.missing = self.missing.saturating_add(samples);
                self.receiver.count_lost(samples);
                if self.receiver.is_filled(samples) {
                    self.tasks.push_back(Task::Silence(samples));
                } else {
                    self.tasks.extend([closing, Task::Finish, Task::LeaveOut(samples)]);
                }
            }
        }
    }

    /// Works on samples that came out of the blanker, so many that they complete one column at most. Whether
    /// there were any.
    fn take_clean(&mut self) -> bool {
        let hop = self.hop_samples().min(self.clean.len() - self.clean_done);
        let samples = &self.clean[self.clean_done..self.clean_done + hop];
        let Receiver { channelizer, pipeline, .. } = &mut self.receiver;
        channelizer.push(samples, |column| pipeline.take(column));
        self.clean_done += hop;
        if self.clean_done == self.clean.len() {
            self.clean.clear();
            self.clean_done = 0;
        }
        hop > 0
    }

    /// Hands samples of the backlog to the blanker, no more at a time than complete one column.
    fn take_hop(&mut self) {
        let until_mark = self.marks.front().map_or(u64::MAX, |(at, _)| at - self.done);
        let most = usize::try_from(until_mark).unwrap_or(usize::MAX).min(self.hop_samples());
        let (samples, _) = self.backlog.as_slices();
        let samples = &samples[..samples.len().min(most)];
        let count = samples.len();
        blank(&mut self.receiver, samples, &mut self.clean);
        self.receiver.count(count);
        self.done += count as u64;
        self.backlog.drain(..count);
    }

    fn hop_samples(&self) -> usize {
        self.receiver.channelizer.hop_samples().min(MAX_HOP)
    }

    /// Marks that samples are missing after those kept.
    fn mark_gap(&mut self, more: u64, more_dropped: u64) {
        if more == 0 {
            return;
        }
        match self.marks.back_mut() {
            Some((at, Mark::Gap { samples, dropped })) if *at == self.kept => {
                *samples = samples.saturating_add(more);
                *dropped += more_dropped;
            }
            _ => self
                .marks
                .push_back((self.kept, Mark::Gap { samples: more, dropped: more_dropped })),
        }
    }
}

/// Hands samples to the blanker and keeps what comes out of it.
fn blank(receiver: &mut Receiver, samples: &[Complex32], clean: &mut Vec<Complex32>) {
    receiver.blanker.push(samples, |part| clean.extend_from_slice(part));
}
