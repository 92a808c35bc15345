//! Decoding one recording.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use jiff::Timestamp;
use nap_phy::Message;
use nap_phy::receiver::Statistics;
use nap_phy::receiver::pieces::plan::{self, Piece};
use nap_phy::receiver::pieces::{self, Decoding, PieceJob};
use nap_phy::{DeviceTable, ReceiverConfig};
use num_complex::Complex32;

use crate::args::channel::ChannelArgs;
use crate::args::input::{InputArgs, Recording};

/// A complete message.
pub struct Received {
    /// The message, its times counted from the start of the recording.
    pub message: Message,
    /// When it started, RFC 3339 in UTC, if the recording has a start time.
    pub time: Option<String>,
}

/// How a recording ended.
pub struct Ending {
    /// What stopped the reading before its end, after which all that was read has been decoded.
    pub read: Result<(), nap_io::Error>,
    /// The receivers' counters.
    pub statistics: Statistics,
    /// Samples a second.
    pub sample_rate_hz: f64,
}

impl Ending {
    /// How much was decoded, in seconds.
    pub fn signal_s(&self) -> f64 {
        self.statistics.samples as f64 / self.sample_rate_hz
    }
}

/// How recordings are decoded.
#[derive(Clone, Copy)]
pub struct Decoder<'a> {
    pub input: &'a InputArgs,
    pub channel: &'a ChannelArgs,
    pub devices: &'a DeviceTable,
    /// How many threads work on a recording at most.
    pub threads: usize,
}

/// A recording that is being decoded.
pub struct File {
    decoding: Decoding<nap_io::Error>,
    name: String,
    bar: ProgressBar,
    start: Option<Timestamp>,
    start_s: f64,
    sample_rate_hz: f64,
    is_pipe: bool,
}

/// Opens a recording at a sample.
type Open<'a> = Box<dyn Fn(u64) -> Result<Read, nap_io::Error> + Send + Sync + 'a>;

/// Reads the next samples.
type Read = Box<dyn FnMut(&mut [Complex32]) -> Result<usize, nap_io::Error>>;

/// Told how many samples have been decoded.
type Progress = Box<dyn Fn(u64) + Send + Sync>;

/// The work on a part of a recording.
pub type Job<'a> = PieceJob<Open<'a>, Progress, nap_io::Error>;

impl<'a> Decoder<'a> {
    /// Opens a recording: gives the work on it, and what comes of that.
    ///
    /// # Errors
    /// What keeps the recording from being decoded at all; what happens later is in the [`Ending`].
    pub fn open(self, path: &'a Path) -> Result<(Vec<Job<'a>>, File)> {
        let recording = self.input.open(path)?;
        let name = path.display().to_string();
        let info = recording.info();
        let configs = self.channel.receiver_configs(&name, info, self.devices)?;
        let pieces = self.pieces(&recording, &configs).with_context(|| name.clone())?;
        let (start, start_s) = (info.start, recording.start_s());
        let is_pipe = recording.is_pipe();
        let (sample_rate_hz, bar) = (info.sample_rate_hz, recording.bar());
        let told = bar.clone();
        let (jobs, decoding) = pieces::split(pieces::Recording {
            pieces,
            configs,
            open: self.opener(path, recording),
            progress: Box::new(move |samples| told.inc(samples)) as Progress,
        });
        Ok((jobs, File { decoding, name, bar, start, start_s, sample_rate_hz, is_pipe }))
    }

    /// A recording is cut where there are threads for the pieces; a pipe cannot be.
    fn pieces(
        self,
        recording: &Recording,
        configs: &[ReceiverConfig],
    ) -> Result<Vec<Piece>, nap_phy::Error> {
        let info = recording.info();
        let samples = info.total_samples.and(recording.samples_left());
        let Some(samples) = samples else { return Ok(plan::whole()) };
        let duration_s = samples as f64 / info.sample_rate_hz;
        match plan::count(duration_s, self.threads) {
            1 => Ok(plan::whole()),
            count => plan::plan(samples, count, configs),
        }
    }

    /// The first piece goes on where the recording is open; a pipe has no other.
    fn opener(self, path: &'a Path, recording: Recording) -> Open<'a> {
        let opened = Mutex::new(Some(recording));
        let input = self.input;
        Box::new(move |sample| {
            let opened = match sample {
                0 => opened.lock().unwrap_or_else(PoisonError::into_inner).take(),
                _ => None,
            };
            let mut recording = opened.map_or_else(|| input.open_at(path, sample), Ok)?;
            Ok(Box::new(move |block: &mut [Complex32]| recording.read(block)))
        })
    }
}

impl File {
    /// Whether the samples come when they come.
    pub fn is_pipe(&self) -> bool {
        self.is_pipe
    }

    /// Reports the messages one by one, to the end of the recording.
    ///
    /// # Errors
    /// A configuration that no receiver takes.
    pub fn finish(self, mut report: impl FnMut(Received)) -> Result<Ending> {
        let Self { decoding, name, bar, start, start_s, sample_rate_hz, .. } = self;
        let ending = decoding.finish(|message| report(Received::new(message, start_s, start)));
        bar.finish_and_clear();
        let pieces::Ending { read, statistics, .. } = ending.context(name)?;
        Ok(Ending { read, statistics, sample_rate_hz })
    }
}

impl Received {
    /// Moves the message's times, which count from the first sample decoded, by `start_s`.
    fn new(message: Message, start_s: f64, start: Option<Timestamp>) -> Self {
        let message = message.moved_by(start_s);
        let time = start.and_then(|start| nap_io::utc_text(start, message.signal.time_s));
        Self { message, time }
    }
}
