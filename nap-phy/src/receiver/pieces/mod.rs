//! Long recordings on all cores: cut into pieces that are decoded side by side.
//!
//! [`plan::plan`] says where to cut. [`split`] makes a [`PieceJob`] of each piece, for the caller's
//! threads, and a [`Decoding`], which puts the pieces' messages together: the same messages at the same
//! times as from one receiver, in the same order, each once. What differs, rarely, is the end of a list of
//! likely decisions: of the false messages that may be expected, each piece has its share by time.
//!
//! Where samples are missing in a recording, times count on over the gap: all numbers of samples here count
//! those too. Of a recording in which the radio was tuned elsewhere, [`parts::split_parts`] makes jobs part by
//! part.
//!
//! Where the pieces are decoded in several processes, each does [`decode::decode`], and [`seams::sew`] puts together
//! what they have found.
//!
//! Memory is that of one receiver a thread: a job makes its receiver when it runs.
//!
//! ```
//! use std::convert::Infallible;
//! use std::sync::atomic::AtomicBool;
//!
//! use nap_phy::ReceiverConfig;
//! use nap_phy::receiver::pieces::{Recording, plan, split};
//! use num_complex::Complex32;
//!
//! # fn main() -> Result<(), nap_phy::Error> {
//! let samples = vec![Complex32::default(); 1_000_000];
//! let configs = vec![ReceiverConfig::new(250_000.0, 868_130_000.0)];
//! let recording = Recording {
//!     pieces: plan::plan(1_000_000, 2, &configs)?,
//!     gaps: Vec::new(),
//!     configs,
//!     open: |first: u64| {
//!         let mut rest = &samples[first as usize..];
//!         Ok::<_, Infallible>(move |block: &mut [Complex32]| {
//!             let count = block.len().min(rest.len());
//!             block[..count].copy_from_slice(&rest[..count]);
//!             rest = &rest[count..];
//!             Ok(count)
//!         })
//!     },
//!     progress: |_| (),
//! };
//! let (jobs, decoding) = split(recording);
//! let stop = AtomicBool::new(false);
//! let ending = std::thread::scope(|scope| {
//!     for job in jobs {
//!         scope.spawn(|| job.run(&stop));
//!     }
//!     decoding.finish(|message| println!("{message:?}"))
//! })?;
//! assert_eq!(ending.statistics.samples, 1_000_000);
//! # Ok(())
//! # }
//! ```

pub mod decode;
pub mod parts;
pub mod plan;
pub mod seams;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{self, Sender};

use num_complex::Complex32;

use crate::error::Error;
use crate::message::{Message, MessageId};
use crate::receiver::config::ReceiverConfig;
use crate::receiver::pieces::decode::{Found, PieceEnding};
use crate::receiver::pieces::plan::Piece;
use crate::receiver::pieces::seams::Seams;
use crate::receiver::statistics::Statistics;

/// A recording to decode in pieces.
#[derive(Debug)]
pub struct Recording<Open, Progress> {
    /// The pieces, as [`plan::plan`] cuts them.
    pub pieces: Vec<Piece>,
    /// Where samples are missing, in order: the receivers skip them.
    pub gaps: Vec<Range<u64>>,
    /// What the receivers of a piece listen to, one for each channel.
    pub configs: Vec<ReceiverConfig>,
    /// Opens the recording at a sample, or at the next one if it is missing: gives a function that fills a
    /// buffer with the samples from there on and says how many there were, 0 at the end.
    pub open: Open,
    /// Told how many more samples have been decoded; none is counted twice.
    pub progress: Progress,
}

/// The work on one piece.
#[derive(Debug)]
pub struct PieceJob<Open, Progress, E> {
    recording: Arc<Recording<Open, Progress>>,
    index: usize,
    sender: Sender<Item<E>>,
}

/// What comes of the jobs of a recording.
#[derive(Debug)]
#[must_use = "messages come out of `finish`"]
pub struct Decoding<E> {
    pieces: Vec<Piece>,
    inboxes: Vec<mpsc::Receiver<Item<E>>>,
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

/// What a job has to say.
#[derive(Debug)]
enum Item<E> {
    Found(Box<Found>),
    End(Result<Box<PieceEnding<E>>, Error>),
}

/// Makes the jobs that decode a recording, which are best run in their order, and what puts their results
/// together.
pub fn split<Open, Progress, E>(
    recording: Recording<Open, Progress>,
) -> (Vec<PieceJob<Open, Progress, E>>, Decoding<E>) {
    let recording = Arc::new(recording);
    let job = |index| {
        let (sender, inbox) = mpsc::channel();
        (PieceJob { recording: Arc::clone(&recording), index, sender }, inbox)
    };
    let (jobs, inboxes) = (0..recording.pieces.len()).map(job).unzip();
    let decoding = Decoding { pieces: recording.pieces.clone(), inboxes };
    (jobs, decoding)
}

impl<Open, Progress, Read, E> PieceJob<Open, Progress, E>
where
    Open: Fn(u64) -> Result<Read, E>,
    Read: FnMut(&mut [Complex32]) -> Result<usize, E>,
    Progress: Fn(u64),
{
    /// Decodes the piece. `stop` ends the work early; what has been read until then is decoded.
    pub fn run(self, stop: &AtomicBool) {
        let result = self.decode(stop);
        // If nobody listens any more, nobody wants to know.
        drop(self.sender.send(Item::End(result.map(Box::new))));
    }

    fn decode(&self, stop: &AtomicBool) -> Result<PieceEnding<E>, Error> {
        let Recording { pieces, gaps, configs, open, progress } = &*self.recording;
        let piece = &pieces[self.index];
        let read = match open(piece.read.start) {
            Ok(read) => read,
            Err(error) => return Ok(PieceEnding::unread(error)),
        };
        let report = |found| self.sender.send(Item::Found(Box::new(found))).is_ok();
        decode::decode(piece, gaps, configs, read, stop, progress, report)
    }
}

impl<E> Decoding<E> {
    /// Reports the messages as the jobs find them, until all jobs have run. What was found in a piece
    /// waits for the pieces before it.
    ///
    /// # Errors
    ///
    /// What [`Receiver::new`](crate::Receiver::new) says of a configuration.
    pub fn finish(self, mut report: impl FnMut(Message)) -> Result<Ending<E>, Error> {
        let mut seams = Seams::new(&self.pieces, MessageId::default());
        let mut ending = Ending { read: Ok(()), statistics: Statistics::default() };
        for inbox in self.inboxes {
            for item in inbox {
                match item {
                    Item::Found(found) => seams.add(*found, &mut report),
                    Item::End(end) => {
                        let PieceEnding { read, statistics } = *end?;
                        ending.read = read;
                        ending.statistics += statistics;
                    }
                }
            }
            seams.end_piece(&mut report);
            if ending.read.is_err() {
                // What comes after it could be read by chance only.
                break;
            }
        }
        seams.finish(&mut report);
        Ok(ending)
    }
}
