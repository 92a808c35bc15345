//! `nap decode`: recordings to messages.

mod annotate;
mod file;
mod session;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::Result;
use nap_phy::DeviceTable;

use crate::args::channel::ChannelArgs;
use crate::args::devices::DevicesArg;
use crate::args::input::InputArgs;
use crate::outcome::Outcome;
use crate::output::printer::Format;
use annotate::Annotator;
use session::{Item, Session};

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
