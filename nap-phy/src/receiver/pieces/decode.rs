//! One piece of a recording to its messages, here or in another process than the other pieces.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use num_complex::Complex32;

use crate::error::Error;
use crate::message::Message;
use crate::receiver::channels::ChannelReceivers;
use crate::receiver::config::{ReceiverConfig, common_sample_rate_hz};
use crate::receiver::event::Event;
use crate::receiver::pieces::plan::Piece;
use crate::receiver::statistics::Statistics;

/// Samples that are pushed at once. The blocks of all pieces lie on one raster.
const READ_SAMPLES: u64 = 1 << 16;

/// A complete message of a piece, as it is or as its record.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Found<M = Message> {
    /// Where its first received frame starts, in samples from the start of the recording.
    pub(super) start: u64,
    /// The end of the block that completed it.
    pub(super) completed_at: u64,
    /// The message, its times counted from the start of the recording.
    pub(super) message: M,
}

impl<M> Found<M> {
    /// The same, told otherwise.
    pub fn map<N>(self, tell: impl FnOnce(M) -> N) -> Found<N> {
        let Self { start, completed_at, message } = self;
        Found { start, completed_at, message: tell(message) }
    }
}

/// How a piece ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct PieceEnding<E> {
    /// What stopped the reading.
    pub read: Result<(), E>,
    /// What was counted in the piece's own samples.
    pub statistics: Statistics,
}

impl<E> PieceEnding<E> {
    /// The end of a piece of which nothing could be read.
    pub(super) fn unread(error: E) -> Self {
        Self { read: Err(error), statistics: Statistics::default() }
    }
}

/// Decodes a piece. `read` fills a buffer and says how much of it, 0 at the end; `progress` is told how
/// many of the piece's own samples have been read, and `report` says whether anybody still listens. `gaps` is
/// where samples are missing in the whole recording, in order, and `stop` ends the work early.
///
/// Where all pieces are decoded in one process, [`split`](super::split) does this and what belongs to it;
/// where they are not, [`sew`](super::seams::sew) puts together what this reports.
///
/// # Errors
///
/// What [`Receiver::new`](crate::Receiver::new) says of a configuration.
pub fn decode<E>(
    piece: &Piece,
    gaps: &[Range<u64>],
    configs: &[ReceiverConfig],
    mut read: impl FnMut(&mut [Complex32]) -> Result<usize, E>,
    stop: &AtomicBool,
    progress: impl Fn(u64),
    report: impl FnMut(Found) -> bool,
) -> Result<PieceEnding<E>, Error> {
    let mut run = Run::new(piece, gaps, configs, report)?;
    let mut block = vec![Complex32::default(); READ_SAMPLES as usize];
    let read = loop {
        if run.is_over() || stop.load(Ordering::Relaxed) {
            break Ok(());
        }
        let end = run.next_bound();
        if run.is_in_gap() {
            run.skip(end);
            continue;
        }
        match read(&mut block[..(end - run.position) as usize]) {
            Ok(0) => break Ok(()),
            Ok(count) => progress(run.push(&block[..count], end)),
            // The next piece meets it too.
            Err(_) if run.position >= piece.own.end && !piece.is_last => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    Ok(PieceEnding { read, statistics: run.finish() })
}

/// A piece on its way through its receivers.
struct Run<'a, Report> {
    piece: &'a Piece,
    /// Where samples are missing, from its position on.
    gaps: &'a [Range<u64>],
    sample_rate_hz: f64,
    receivers: ChannelReceivers,
    /// How far it is, in samples of the recording.
    position: u64,
    /// The counters where the piece's own samples begin.
    before: Statistics,
    /// The counters where they end.
    after: Statistics,
    /// Bursts that began in them and did not decode. They are told of so much later that the counters
    /// have others, too, whose messages began before what is read.
    undecoded_bursts: u64,
    report: Report,
    /// Whether anybody still listens.
    is_wanted: bool,
}

impl<'a, Report: FnMut(Found) -> bool> Run<'a, Report> {
    fn new(
        piece: &'a Piece,
        gaps: &'a [Range<u64>],
        configs: &[ReceiverConfig],
        report: Report,
    ) -> Result<Self, Error> {
        let config = |config: &ReceiverConfig| ReceiverConfig {
            budget_share: piece.budget_share,
            ..config.clone()
        };
        let configs: Vec<ReceiverConfig> = configs.iter().map(config).collect();
        let passed = gaps.partition_point(|gap| gap.end <= piece.read.start);
        Ok(Self {
            piece,
            gaps: &gaps[passed..],
            sample_rate_hz: common_sample_rate_hz(&configs),
            receivers: ChannelReceivers::starting_at(piece.read.start, configs)?,
            position: piece.read.start,
            before: Statistics::default(),
            after: Statistics::default(),
            undecoded_bursts: 0,
            report,
            is_wanted: true,
        })
    }

    fn is_over(&self) -> bool {
        self.position >= self.piece.read.end || !self.is_wanted
    }

    /// Whether the next samples are missing.
    fn is_in_gap(&self) -> bool {
        self.gaps.first().is_some_and(|gap| gap.start <= self.position)
    }

    /// Where the next block ends: on the raster, where the piece's own samples begin or end, or where a gap
    /// begins. A gap is passed in one step, but for the piece's bounds.
    fn next_bound(&self) -> u64 {
        let raster = (self.position / READ_SAMPLES + 1).saturating_mul(READ_SAMPLES);
        let first = match self.gaps.first() {
            Some(gap) if self.is_in_gap() => gap.end,
            Some(gap) => raster.min(gap.start),
            None => raster,
        };
        let bounds = [self.piece.own.start, self.piece.own.end, self.piece.read.end];
        bounds.into_iter().filter(|&bound| bound > self.position).fold(first, u64::min)
    }

    /// Passes over missing samples.
    fn skip(&mut self, end: u64) {
        let events = self.receivers.skip(end - self.position);
        self.position = end;
        if self.gaps.first().is_some_and(|gap| gap.end <= end) {
            self.gaps = &self.gaps[1..];
        }
        self.count();
        self.report(events, end);
    }

    /// Takes samples of the block that ends at `end`. Returns how many are the piece's own.
    fn push(&mut self, samples: &[Complex32], end: u64) -> u64 {
        let (own, first) = (self.piece.own.clone(), self.position);
        let events = self.receivers.push(samples);
        self.position += samples.len() as u64;
        self.count();
        let count = self.position.min(own.end).saturating_sub(first.max(own.start));
        self.report(events, end);
        count
    }

    /// Keeps the counters of the piece's own samples.
    fn count(&mut self) {
        if self.position <= self.piece.own.start {
            self.before = self.receivers.statistics();
        }
        if self.position <= self.piece.own.end {
            self.after = self.receivers.statistics();
        }
    }

    /// Ends the recording, if it ends with the piece; what follows belongs to the next one otherwise.
    fn finish(mut self) -> Statistics {
        if self.piece.is_last || self.position < self.piece.read.end {
            let events = self.receivers.flush();
            self.report(events, self.position);
        }
        if self.piece.is_last || self.position < self.piece.own.end {
            self.after = self.receivers.statistics();
        }
        let counted = self.after.since(self.before);
        Statistics { undecoded_bursts: self.undecoded_bursts, ..counted }
    }

    /// Whether an instant lies in the piece's own samples.
    fn has(&self, time_s: f64) -> bool {
        let Piece { own, is_last, .. } = self.piece;
        let sample = self.sample_at(time_s);
        own.start <= sample && (sample < own.end || *is_last)
    }

    /// Where an instant is, in samples.
    fn sample_at(&self, time_s: f64) -> u64 {
        (time_s * self.sample_rate_hz).max(0.0) as u64
    }

    fn report(&mut self, events: Vec<Event>, completed_at: u64) {
        for event in events {
            let burst = event.undecoded();
            let is_own = burst.is_some_and(|burst| self.has(burst.signal.time_s));
            self.undecoded_bursts += u64::from(is_own);
            if let Some(message) = event.complete() {
                let start = self.sample_at(message.signal.time_s);
                self.is_wanted &= (self.report)(Found { start, completed_at, message });
            }
        }
    }
}
