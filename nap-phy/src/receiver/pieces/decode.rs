//! One piece of a recording to its messages.

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
const BLOCK: u64 = 1 << 16;

/// A complete message of a piece.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// The end of the block that completed it, in samples from the start of the recording.
    pub(super) completed_at: u64,
    /// The message, its times counted from the start of the recording.
    pub(super) message: Message,
}

/// How a piece ended.
#[derive(Debug)]
pub(super) struct PieceEnding<E> {
    /// What stopped the reading.
    pub(super) read: Result<(), E>,
    /// What was counted in the piece's own samples.
    pub(super) statistics: Statistics,
}

impl<E> PieceEnding<E> {
    /// The end of a piece of which nothing could be read.
    pub(super) fn unread(error: E) -> Self {
        Self { read: Err(error), statistics: Statistics::default() }
    }
}

/// Decodes a piece. `read` fills a buffer and says how much of it, 0 at the end; `progress` is told how
/// many of the piece's own samples have been read, and `report` says whether anybody still listens.
pub(super) fn decode<E>(
    piece: &Piece,
    configs: &[ReceiverConfig],
    mut read: impl FnMut(&mut [Complex32]) -> Result<usize, E>,
    stop: &AtomicBool,
    progress: impl Fn(u64),
    mut report: impl FnMut(Found) -> bool,
) -> Result<PieceEnding<E>, Error> {
    let start_s = piece.read.start as f64 / common_sample_rate_hz(configs);
    let mut receivers = piece.receivers(configs)?;
    let mut block = vec![Complex32::default(); BLOCK as usize];
    let mut counted = Counted::default();
    let mut position = piece.read.start;
    let mut result = Ok(());
    let mut report_all = |events: Vec<Event>, completed_at: u64| {
        events.into_iter().all(|event| match event {
            Event::Complete(message) => {
                report(Found { completed_at, message: message.moved_by(start_s) })
            }
            _ => true,
        })
    };
    while position < piece.read.end && !stop.load(Ordering::Relaxed) {
        if position <= piece.own.start {
            counted.before = receivers.statistics();
        }
        let end = next_bound(position, piece);
        let count = match read(&mut block[..(end - position) as usize]) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) => {
                result = Err(error);
                break;
            }
        };
        let is_wanted = report_all(receivers.push(&block[..count]), end);
        let before = position;
        position += count as u64;
        progress(overlap(&(before..position), &piece.own));
        if position <= piece.own.end {
            counted.after = receivers.statistics();
        }
        if !is_wanted {
            break;
        }
    }
    // What follows in the recording belongs to the next piece.
    if piece.is_last || position < piece.read.end {
        report_all(receivers.flush(), position);
    }
    if piece.is_last {
        counted.after = receivers.statistics();
    }
    Ok(PieceEnding { read: result, statistics: counted.after.since(counted.before) })
}

impl Piece {
    /// The receivers of the piece.
    fn receivers(&self, configs: &[ReceiverConfig]) -> Result<ChannelReceivers, Error> {
        let config = |config: &ReceiverConfig| ReceiverConfig {
            budget_share: self.budget_share,
            ..config.clone()
        };
        ChannelReceivers::starting_at(self.read.start, configs.iter().map(config).collect())
    }
}

/// The receivers' counters where the piece's own samples begin and end.
#[derive(Default)]
struct Counted {
    before: Statistics,
    after: Statistics,
}

/// Where the block ends that begins at `position`: on the raster, or where the piece's own samples begin
/// or end.
fn next_bound(position: u64, piece: &Piece) -> u64 {
    let raster = (position / BLOCK + 1).saturating_mul(BLOCK);
    let bounds = [piece.own.start, piece.own.end, piece.read.end];
    bounds.into_iter().filter(|&bound| bound > position).fold(raster, u64::min)
}

fn overlap(a: &Range<u64>, b: &Range<u64>) -> u64 {
    a.end.min(b.end).saturating_sub(a.start.max(b.start))
}
