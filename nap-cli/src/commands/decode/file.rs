//! Decoding one recording.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use jiff::Timestamp;
use nap_io::{StreamInfo, Stretch};
use nap_phy::receiver::Statistics;
use nap_phy::receiver::pieces::parts::{self, Part, PartMessage, PartsDecoding};
use nap_phy::receiver::pieces::{self, PieceJob};
use nap_phy::{DeviceTable, Message, ReceiverConfig};
use num_complex::Complex32;

use super::silence::{Assumed, SharedLook};
use crate::args::channel::ChannelArgs;
use crate::args::input::{InputArgs, Recording};
use crate::outcome::text;

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
    /// What was known of the recording.
    pub info: StreamInfo,
    /// What was assumed.
    pub assumed: Assumed,
}

impl Ending {
    /// How much was decoded, in seconds.
    pub fn signal_s(&self) -> f64 {
        self.statistics.samples as f64 / self.info.sample_rate_hz
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
    decoding: PartsDecoding<nap_io::Error>,
    /// The time of the first sample of each part.
    starts: Vec<Option<Timestamp>>,
    name: String,
    bar: ProgressBar,
    info: StreamInfo,
    assumed: Assumed,
}

/// Opens a stretch at a place.
type Open<'a> = Box<dyn Fn(u64) -> Result<Read, nap_io::Error> + Send + Sync + 'a>;

/// Reads the next samples.
type Read = Box<dyn FnMut(&mut [Complex32]) -> Result<usize, nap_io::Error>>;

/// Told how many samples have been decoded.
type Progress = Box<dyn Fn(u64) + Send + Sync>;

/// The work on a part of a recording.
pub type Job<'a> = PieceJob<Open<'a>, Progress, nap_io::Error>;

impl<'a> Decoder<'a> {
    /// Opens a recording, which may be in several files: gives the work on it, and what comes of that.
    ///
    /// # Errors
    /// What keeps the recording from being decoded at all; what happens later is in the [`Ending`].
    pub fn open(self, paths: &'a [PathBuf]) -> Result<(Vec<Job<'a>>, File)> {
        let recording = self.input.open(paths)?;
        let (name, info) = (recording.name().to_owned(), recording.info().clone());
        let bar = recording.bar();
        let tuned = self.tuned(&recording)?;
        let first = tuned.first().map(|(stretch, _)| stretch.position);
        let is_open = recording.stretches().first().map(|stretch| stretch.position) == first;
        let mut parts = Vec::new();
        for (stretch, configs) in &tuned {
            parts.push(Part {
                position: stretch.position,
                // A pipe cannot be cut, whatever part of it is wanted.
                length: info.total_samples.and_then(|_| info.length_of(stretch)),
                gaps: stretch.gaps.clone(),
                configs: configs.clone(),
            });
        }
        let configs = tuned.first().map(|(_, configs)| &configs[..]).unwrap_or_default();
        let assumed = Assumed::new(&info, configs);
        let mut opened = is_open.then_some(recording);
        let access = |index: usize| {
            let (stretch, told) = (tuned[index].0.clone(), bar.clone());
            let progress = Box::new(move |samples| told.inc(samples)) as Progress;
            (self.opener(paths, stretch, opened.take(), assumed.look()), progress)
        };
        let split = parts::split_parts(parts, self.threads, access);
        let (jobs, decoding) = split.with_context(|| name.clone())?;
        let starts = tuned.into_iter().map(|(stretch, _)| stretch.start).collect();
        Ok((jobs, File { decoding, starts, name, bar, info, assumed }))
    }

    /// The stretches to decode, each with what its receivers listen to. Where the radio was tuned to other
    /// channels for a while, that part is left out.
    fn tuned(self, recording: &Recording) -> Result<Vec<(Stretch, Vec<ReceiverConfig>)>> {
        let stretches = recording.stretches();
        let (mut tuned, mut problem) = (Vec::new(), None);
        for stretch in stretches {
            let info = StreamInfo { center_hz: stretch.center_hz, ..recording.info().clone() };
            match self.channel.receiver_configs(recording.name(), &info, self.devices) {
                Ok(configs) => tuned.push((stretch.clone(), configs)),
                Err(error) if stretches.len() == 1 => return Err(error),
                Err(error) => {
                    let start_s = stretch.position as f64 / info.sample_rate_hz;
                    tracing::warn!("the part from {start_s:.3} s on is left out: {}", text(&error));
                    problem.get_or_insert(error);
                }
            }
        }
        match problem {
            Some(error) if tuned.is_empty() => Err(error),
            _ => Ok(tuned),
        }
    }

    /// The first piece of a stretch that is open goes on where that is; a pipe has no other.
    fn opener(
        self,
        paths: &'a [PathBuf],
        stretch: Stretch,
        opened: Option<Recording>,
        look: SharedLook,
    ) -> Open<'a> {
        let opened = Mutex::new(opened.map(Recording::into_reader));
        let input = self.input;
        Box::new(move |place| {
            let opened = match place {
                0 => opened.lock().unwrap_or_else(PoisonError::into_inner).take(),
                _ => None,
            };
            let mut reader = opened.map_or_else(|| input.open_at(paths, &stretch, place), Ok)?;
            let look = look.clone();
            Ok(Box::new(move |block: &mut [Complex32]| {
                let index = reader.next_sample();
                let count = reader.read(block)?;
                look.take(index, &block[..count]);
                Ok(count)
            }))
        })
    }
}

impl File {
    /// Whether the samples come when they come.
    pub fn is_pipe(&self) -> bool {
        self.info.total_samples.is_none()
    }

    /// Reports the messages one by one, to the end of the recording.
    ///
    /// # Errors
    /// A configuration that no receiver takes.
    pub fn finish(self, mut report: impl FnMut(Received)) -> Result<Ending> {
        let Self { decoding, starts, name, bar, info, assumed } = self;
        let end = decoding.finish(|PartMessage { message, part, time_in_part_s, .. }| {
            let time = starts[part].and_then(|start| nap_io::utc_text(start, time_in_part_s));
            report(Received { message, time });
        });
        bar.finish_and_clear();
        let pieces::Ending { read, statistics, .. } = end.with_context(|| name)?;
        Ok(Ending { read, statistics, info, assumed })
    }
}
