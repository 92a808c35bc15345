//! Recordings of several parts: the radio was tuned elsewhere for a while, or its clock was set.

use std::ops::Range;

use crate::error::Error;
use crate::message::{Message, MessageId};
use crate::receiver::config::{ReceiverConfig, common_sample_rate_hz};
use crate::receiver::pieces::plan::{self, Piece};
use crate::receiver::pieces::{Decoding, Ending, PieceJob, Recording, split};
use crate::receiver::statistics::Statistics;

/// A part of a recording with channels of its own.
#[derive(Debug, Clone)]
pub struct Part {
    /// Where it begins, in samples from the start of the recording, missing ones included.
    pub position: u64,
    /// How long it is, missing samples included; `None` if nobody knows, so that it is one piece.
    pub length: Option<u64>,
    /// Where samples are missing, counted from the start of the part, in order.
    pub gaps: Vec<Range<u64>>,
    /// What is listened to in it, a receiver for each channel.
    pub configs: Vec<ReceiverConfig>,
}

impl Part {
    /// How long its samples are together, in seconds; `None` if nobody knows.
    #[must_use]
    pub fn duration_s(&self) -> Option<f64> {
        let missing: u64 = self.gaps.iter().map(|gap| gap.end - gap.start).sum();
        let samples = self.length?.saturating_sub(missing);
        Some(samples as f64 / common_sample_rate_hz(&self.configs))
    }

    /// Cuts it into so many pieces; one whose length nobody knows stays whole.
    ///
    /// # Errors
    ///
    /// What [`Receiver::new`](crate::Receiver::new) says of a configuration.
    pub fn pieces(&self, count: usize) -> Result<Vec<Piece>, Error> {
        match self.length {
            Some(length) if count > 1 => plan::plan_over(length, &self.gaps, count, &self.configs),
            _ => Ok(plan::whole()),
        }
    }
}

/// What comes of the jobs of all parts.
#[derive(Debug)]
#[must_use = "messages come out of `finish`"]
pub struct PartsDecoding<E> {
    parts: Vec<(f64, Decoding<E>)>,
}

/// The jobs, and what puts their results together.
pub type Split<Open, Progress, E> = (Vec<PieceJob<Open, Progress, E>>, PartsDecoding<E>);

/// A message of a recording in parts.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PartMessage {
    /// The message, its times counted from the start of the recording; its number is that in the recording.
    pub message: Message,
    /// Which part it is of, from 0.
    pub part: usize,
    /// How long after the start of the part it begins, in seconds.
    pub time_in_part_s: f64,
}

/// Makes the jobs that decode the parts, each cut into pieces for so many threads, and what puts their
/// results together. `access` gives what opens a part at a place of it and what is told of the progress there,
/// as [`Recording`] has them.
///
/// # Errors
///
/// What [`Receiver::new`](crate::Receiver::new) says of a configuration.
pub fn split_parts<Open, Progress, E>(
    parts: Vec<Part>,
    threads: usize,
    mut access: impl FnMut(usize) -> (Open, Progress),
) -> Result<Split<Open, Progress, E>, Error> {
    let (mut jobs, mut decodings) = (Vec::new(), Vec::new());
    for (index, part) in parts.into_iter().enumerate() {
        let count = part.duration_s().map_or(1, |duration_s| plan::count(duration_s, threads));
        let pieces = part.pieces(count)?;
        let Part { position, gaps, configs, .. } = part;
        let start_s = position as f64 / common_sample_rate_hz(&configs);
        let (open, progress) = access(index);
        let (more, decoding) = split(Recording { pieces, gaps, configs, open, progress });
        jobs.extend(more);
        decodings.push((start_s, decoding));
    }
    Ok((jobs, PartsDecoding { parts: decodings }))
}

impl<E> PartsDecoding<E> {
    /// Reports the messages part by part, each as [`Decoding::finish`] does, until all jobs have run.
    ///
    /// # Errors
    ///
    /// What [`Receiver::new`](crate::Receiver::new) says of a configuration.
    pub fn finish(self, mut report: impl FnMut(PartMessage)) -> Result<Ending<E>, Error> {
        let mut ending = Ending { read: Ok(()), statistics: Statistics::default() };
        let mut newest = MessageId::default();
        for (part, (start_s, decoding)) in self.parts.into_iter().enumerate() {
            let before = newest;
            let Ending { read, statistics } = decoding.finish(|message| {
                newest = MessageId(before.0 + message.id.0);
                let time_in_part_s = message.signal.time_s;
                let message = Message { id: newest, ..message }.moved_by(start_s);
                report(PartMessage { message, part, time_in_part_s });
            })?;
            ending.statistics += statistics;
            ending.read = read;
            if ending.read.is_err() {
                // What comes after it could be read by chance only.
                break;
            }
        }
        Ok(ending)
    }
}
