//! Long recordings on all cores: cut into pieces that are decoded side by side.
//!
//! [`plan::plan`] says where to cut, [`start`] decodes the pieces on the threads of a pool, one receiver
//! each, and [`Decoding::finish`] puts their messages together: the same messages at the same times as
//! from one receiver, in the same order, each once. What differs, rarely, is the end of a list of likely
//! decisions: of the false messages that may be expected, each piece has its share by time.
//!
//! ```
//! use std::convert::Infallible;
//! use std::sync::atomic::AtomicBool;
//!
//! use nap_phy::ReceiverConfig;
//! use nap_phy::receiver::pieces::{Recording, plan, start};
//! use num_complex::Complex32;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let recording = vec![Complex32::default(); 1_000_000];
//! let configs = [ReceiverConfig::new(250_000.0, 868_130_000.0)];
//! let pieces = plan::plan(1_000_000, 2, &configs)?;
//! let open = |first: u64| {
//!     let mut rest = &recording[first as usize..];
//!     Ok::<_, Infallible>(move |block: &mut [Complex32]| {
//!         let count = block.len().min(rest.len());
//!         block[..count].copy_from_slice(&rest[..count]);
//!         rest = &rest[count..];
//!         Ok(count)
//!     })
//! };
//! let (stop, progress) = (AtomicBool::new(false), |_| ());
//! let recording = Recording { pieces: &pieces, configs: &configs, open: &open, progress: &progress };
//! let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build()?;
//! let ending = pool.in_place_scope_fifo(|scope| {
//!     start(scope, recording, &stop).finish(|message| println!("{message:?}"))
//! })?;
//! assert_eq!(ending.statistics.samples, 1_000_000);
//! # Ok(())
//! # }
//! ```

mod decode;
pub mod plan;
mod seams;

use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver as Inbox, Sender, channel};

use num_complex::Complex32;
use rayon::ScopeFifo;

use crate::error::Error;
use crate::message::Message;
use crate::receiver::config::ReceiverConfig;
use crate::receiver::pieces::decode::{Found, PieceEnding};
use crate::receiver::pieces::plan::Piece;
use crate::receiver::pieces::seams::Seams;
use crate::receiver::statistics::Statistics;

/// A recording that is decoded in pieces.
#[derive(Debug)]
pub struct Recording<'a, Open, Progress> {
    /// The pieces, as [`plan::plan`] cuts them.
    pub pieces: &'a [Piece],
    /// What the receivers of a piece listen to, one for each channel.
    pub configs: &'a [ReceiverConfig],
    /// Opens the recording at a sample: gives a function that fills a buffer with the samples from there
    /// on and says how many there were, 0 at the end.
    pub open: &'a Open,
    /// Told how many more samples have been decoded; none is counted twice.
    pub progress: &'a Progress,
}

impl<Open, Progress> Clone for Recording<'_, Open, Progress> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Open, Progress> Copy for Recording<'_, Open, Progress> {}

/// What a piece's thread has to say.
enum Item<E> {
    Found(Box<Found>),
    End(Result<Box<PieceEnding<E>>, Error>),
}

/// A recording whose pieces are being decoded.
#[derive(Debug)]
#[must_use = "messages come out of `finish`"]
pub struct Decoding<'a, E> {
    pieces: &'a [Piece],
    configs: &'a [ReceiverConfig],
    inboxes: Vec<Inbox<Item<E>>>,
}

/// How a recording ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct Ending<E> {
    /// What stopped the reading before the end; all that was read before has been decoded.
    pub read: Result<(), E>,
    /// What was counted, as if every sample had been read once.
    pub statistics: Statistics,
}

/// Starts to decode the pieces of a recording, in their order, on the threads of the pool that the scope
/// belongs to. Until [`Decoding::finish`] takes them, messages wait.
///
/// `stop` ends the work early; what has been read until then is decoded.
pub fn start<'scope, E, Open, Read, Progress>(
    scope: &ScopeFifo<'scope>,
    recording: Recording<'scope, Open, Progress>,
    stop: &'scope AtomicBool,
) -> Decoding<'scope, E>
where
    E: Send + 'scope,
    Open: Fn(u64) -> Result<Read, E> + Sync,
    Read: FnMut(&mut [Complex32]) -> Result<usize, E>,
    Progress: Fn(u64) + Sync,
{
    let Recording { pieces, configs, .. } = recording;
    let decode = |piece: &'scope Piece| {
        let (sender, inbox) = channel();
        scope.spawn_fifo(move |_| {
            let result = decode_piece(piece, recording, stop, &sender);
            // If nobody listens any more, nobody wants to know.
            drop(sender.send(Item::End(result.map(Box::new))));
        });
        inbox
    };
    Decoding { pieces, configs, inboxes: pieces.iter().map(decode).collect() }
}

fn decode_piece<E, Open, Read, Progress>(
    piece: &Piece,
    recording: Recording<'_, Open, Progress>,
    stop: &AtomicBool,
    sender: &Sender<Item<E>>,
) -> Result<PieceEnding<E>, Error>
where
    Open: Fn(u64) -> Result<Read, E>,
    Read: FnMut(&mut [Complex32]) -> Result<usize, E>,
    Progress: Fn(u64),
{
    let read = match (recording.open)(piece.read.start) {
        Ok(read) => read,
        Err(error) => {
            return Ok(PieceEnding { read: Err(error), statistics: Statistics::default() });
        }
    };
    let report = |found| sender.send(Item::Found(Box::new(found))).is_ok();
    decode::decode(piece, recording.configs, read, stop, recording.progress, report)
}

impl<E> Decoding<'_, E> {
    /// Waits for the pieces and reports their messages. Call it on a thread that is none of the pool's.
    ///
    /// # Errors
    ///
    /// What [`Receiver::new`](crate::Receiver::new) says of the configuration.
    pub fn finish(self, mut report: impl FnMut(Message)) -> Result<Ending<E>, Error> {
        let sample_rate_hz = self.configs.first().map_or(1.0, |config| config.sample_rate_hz);
        let before_s = plan::before_s(self.configs);
        let mut seams = Seams::new(self.pieces, sample_rate_hz, before_s);
        let mut ending = Ending { read: Ok(()), statistics: Statistics::default() };
        for inbox in self.inboxes {
            for item in inbox {
                match item {
                    Item::Found(found) => seams.add(*found, &mut report),
                    Item::End(end) => {
                        let PieceEnding { read, statistics } = *end?;
                        ending.read = read;
                        ending.statistics = ending.statistics.plus(statistics);
                    }
                }
            }
            seams.end_piece(&mut report);
            if ending.read.is_err() {
                // What comes after it could only be read by chance.
                break;
            }
        }
        seams.finish(&mut report);
        Ok(ending)
    }
}
