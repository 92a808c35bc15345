//! `nap decode`: recordings to messages.

mod annotate;
pub mod file;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::Result;
use nap_phy::DeviceTable;
use nap_phy::schema::columns::MESSAGE_COLUMNS;
use nap_phy::schema::{MessageRecord, MessageRecordType};

use crate::channel::ChannelArgs;
use crate::devices::DevicesArg;
use crate::input::InputArgs;
use crate::outcome::{self, Outcome};
use crate::output::{Format, Names, Printer, log};
use annotate::Annotator;
use file::{Ending, Received};

/// Recordings to messages.
///
/// Finds the messages in recordings: SigMF, WAV, and raw samples.
///
/// Each message is written once, with all its frames, as soon as no more can come; several
/// recordings follow each other in the order given. Raw files tell their format, sample rate and frequency in
/// their names (`g001_868.13M_250k.cu8`) or through the flags.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  nap decode capture.sigmf-meta --devices devices.csv
  nap decode *.cu8 --format csv > messages.csv
  rtl_sdr -f 868130000 -s 250000 - |
    nap decode - --sample-format cu8 --sample-rate 250k --center-frequency 868.13M")]
pub struct Args {
    /// The recordings; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// How results are written.
    #[arg(long, value_enum, default_value = "log")]
    format: Format,

    #[command(flatten)]
    devices: DevicesArg,

    /// Write a copy of the SigMF metadata with the frames marked in it.
    #[arg(long, value_name = "OUT.sigmf-meta")]
    annotate: Option<PathBuf>,

    /// How many recordings are decoded at once; if left out, as many as there are processors.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,

    #[command(flatten)]
    input: InputArgs,

    #[command(flatten)]
    channel: ChannelArgs,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Outcome> {
    let devices = args.devices.load()?;
    let annotator = args.annotator()?;
    let stop = AtomicBool::new(false);
    let (senders, receivers): (Vec<_>, Vec<_>) = args.files.iter().map(|_| channel()).unzip();
    let jobs = Mutex::new(args.files.iter().zip(senders).collect());
    thread::scope(|scope| {
        for _ in 0..args.threads() {
            scope.spawn(|| work(args, &devices, &jobs, &stop));
        }
        let mut session = Session::new(args.format, &devices, annotator);
        let result = session.print(args.files.iter().zip(receivers));
        // After an error nobody reads what the workers would still find.
        stop.store(true, Ordering::Relaxed);
        result?;
        session.finish()
    })
}

impl Args {
    fn threads(&self) -> usize {
        let processors = || thread::available_parallelism().map_or(1, usize::from);
        self.threads.map_or_else(processors, usize::from).min(self.files.len())
    }

    fn annotator(&self) -> Result<Option<Annotator>> {
        self.annotate.as_ref().map(|out| Annotator::new(&self.files, out)).transpose()
    }
}

/// What a worker says about a file.
enum Item {
    Message(Box<Received>),
    End(Result<Box<Ending>>),
}

/// Files to decode, and where to say what is in them.
type Jobs<'a> = Mutex<VecDeque<(&'a PathBuf, Sender<Item>)>>;

/// Decodes files until there are no more.
fn work(args: &Args, devices: &DeviceTable, jobs: &Jobs<'_>, stop: &AtomicBool) {
    let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    while !stop.load(Ordering::Relaxed)
        && let Some((path, sender)) = next()
    {
        // Sending fails when the other side has given up, and says so with `stop`.
        let report = |received| drop(sender.send(Item::Message(Box::new(received))));
        let result = file::decode(path, &args.input, &args.channel, devices, stop, report);
        drop(sender.send(Item::End(result.map(Box::new))));
    }
}

/// The results of all files, on their way to the user.
struct Session<'a> {
    printer: Printer,
    names: Names<'a>,
    annotator: Option<Annotator>,
    outcome: Outcome,
    started: Instant,
    messages: usize,
    frames: usize,
    signal_s: f64,
}

impl<'a> Session<'a> {
    fn new(format: Format, devices: &'a DeviceTable, annotator: Option<Annotator>) -> Self {
        Self {
            printer: Printer::new(format, MESSAGE_COLUMNS),
            names: Names::new(devices),
            annotator,
            outcome: Outcome::Done,
            started: Instant::now(),
            messages: 0,
            frames: 0,
            signal_s: 0.0,
        }
    }

    /// Prints the results file by file.
    fn print<'f>(
        &mut self,
        files: impl Iterator<Item = (&'f PathBuf, Receiver<Item>)>,
    ) -> Result<()> {
        for (path, items) in files {
            let mut messages = Vec::new();
            for item in items {
                match item {
                    Item::Message(received) => {
                        self.message(&received)?;
                        if self.annotator.is_some() {
                            messages.push(received.message);
                        }
                    }
                    Item::End(Ok(ending)) => {
                        self.end(path, &ending);
                        if let Some(annotator) = &self.annotator {
                            annotator.write(&messages, ending.sample_rate_hz)?;
                        }
                    }
                    Item::End(Err(error)) => self.worsen(outcome::report(&error)),
                }
            }
        }
        Ok(())
    }

    fn message(&mut self, received: &Received) -> Result<()> {
        let message = &received.message;
        self.messages += 1;
        self.frames += message.frames.len();
        let time = received.time.clone();
        let record = MessageRecord::new(MessageRecordType::Message, message, time);
        let name = self.names.padded(message);
        self.printer.record(&record, || log::message(&record, &name))
    }

    /// Tells what was wrong with a recording, now that its messages are printed.
    fn end(&mut self, path: &Path, ending: &Ending) {
        self.signal_s += ending.signal_s();
        let statistics = &ending.statistics;
        tracing::debug!("{}: {statistics:?}", path.display());
        let dropped = statistics.dropped_candidates + statistics.dropped_bursts;
        if dropped > 0 {
            tracing::warn!("{}: {dropped} weak signals dropped, too many at once", path.display());
        }
        if statistics.unusable_samples > 0 {
            tracing::error!(
                "{}: {} of {} samples are no finite numbers or absurdly large and counted as \
                 silence; check the sample format",
                path.display(),
                statistics.unusable_samples,
                statistics.samples
            );
            self.worsen(Outcome::Failed);
        }
        if let Err(error) = &ending.read {
            tracing::error!("{error}");
            self.worsen(Outcome::Failed);
        }
    }

    fn worsen(&mut self, outcome: Outcome) {
        self.outcome = self.outcome.max(outcome);
    }

    fn finish(self) -> Result<Outcome> {
        self.printer.finish()?;
        if self.signal_s == 0.0 {
            return Ok(self.outcome);
        }
        let elapsed_s = self.started.elapsed().as_secs_f64();
        tracing::info!(
            "{} messages, {} frames in {:.1} s of signal, {:.1} × real time",
            self.messages,
            self.frames,
            self.signal_s,
            self.signal_s / elapsed_s
        );
        Ok(self.outcome)
    }
}
