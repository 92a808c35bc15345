//! `nap decode`: recordings to messages.

mod annotate;
mod file;
mod in_order;
mod session;
mod silence;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use anyhow::{Context, Result, anyhow};
use nap_io::JoinRule;
use rayon::{ScopeFifo, ThreadPoolBuilder};

use crate::args::channel::ChannelArgs;
use crate::args::devices::DevicesArg;
use crate::args::input::InputArgs;
use crate::outcome::{Outcome, misuse};
use crate::output::printer::Format;
use annotate::Annotator;
use file::{Decoder, File};
use session::Session;

/// Recordings to messages.
///
/// Finds the messages in recordings: SigMF, WAV, and raw samples.
///
/// Each message is written once, with all its frames, in the order of time; those of a pipe as soon as no
/// more of their frames can come. Several recordings follow each other in the order given. Long
/// recordings are cut into pieces that are decoded side by side. Raw files tell their format, sample rate
/// and frequency in their names (`g001_868.13M_250k.cu8`) or through the flags.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  nap decode capture.sigmf-meta --devices devices.csv
  nap decode *.cu8 --format csv > messages.csv
  nap decode wide.sigmf-meta --radio-configuration RC1,RC7
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

    /// Take recordings whose names count (`a_001.cu8 a_002.cu8`), or whose times follow each other, for
    /// parts of one. SigMF recordings that say so themselves are joined anyway.
    #[arg(long)]
    join: bool,

    /// Write a copy of the SigMF metadata with the frames marked in it.
    #[arg(long, value_name = "OUT.sigmf-meta")]
    annotate: Option<PathBuf>,

    /// How many threads decode at most; if left out, as many as there are processors. They take one
    /// recording each, or share a long one if there are fewer recordings than threads.
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
    let threads = args.threads();
    let recordings = args.recordings()?;
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.context("cannot start the threads")?;
    let decoder = Decoder {
        input: &args.input,
        channel: &args.channel,
        devices: &devices,
        threads: if recordings.len() < threads { threads } else { 1 },
    };
    let stop = AtomicBool::new(false);
    let (senders, inboxes): (Vec<_>, Vec<_>) = recordings.iter().map(|_| channel()).unzip();
    pool.in_place_scope_fifo(|scope| {
        for (paths, sender) in recordings.iter().zip(senders) {
            let stop = &stop;
            scope.spawn_fifo(move |scope| work(scope, decoder, paths, &sender, stop));
        }
        let is_one_of_several = recordings.len() > 1;
        let mut session = Session::new(args.format, &devices, annotator, is_one_of_several, &stop);
        let paths = recordings.iter().filter_map(|paths| paths.first());
        let result = session.print(paths.zip(inboxes));
        // After an error nobody reads what the workers would still find.
        stop.store(true, Ordering::Relaxed);
        result?;
        session.finish()
    })
}

impl Args {
    fn threads(&self) -> usize {
        let processors = || thread::available_parallelism().map_or(1, usize::from);
        self.threads.map_or_else(processors, usize::from)
    }

    /// The files of each recording.
    ///
    /// # Errors
    /// A single one that is to be joined.
    fn recordings(&self) -> Result<Vec<Vec<PathBuf>>> {
        let rule = if self.join { JoinRule::Names } else { JoinRule::Offsets };
        let recordings = self.input.group(&self.files, rule);
        if self.join
            && let [only] = recordings.as_slice()
            && only.len() == 1
        {
            let advice =
                "--join: there is but one recording; name its other parts or leave that out";
            return Err(misuse(anyhow!(advice)));
        }
        self.tell_of_joining(&recordings);
        for parts in recordings.iter().filter(|parts| parts.len() > 1) {
            let names: Vec<String> = parts.iter().map(|path| path.display().to_string()).collect();
            tracing::info!("one recording in {} files: {}", parts.len(), names.join(", "));
        }
        Ok(recordings)
    }

    /// A message that goes over the end of a file is lost where the files are not joined.
    fn tell_of_joining(&self, recordings: &[Vec<PathBuf>]) {
        if recordings.len() < 2 {
            return;
        }
        if self.join {
            if recordings.iter().all(|parts| parts.len() == 1) {
                tracing::warn!("--join: none of these recordings goes on in another one");
            }
            return;
        }
        let parts = self.input.group(&self.files, JoinRule::Names);
        let longest = parts.iter().max_by_key(|parts| parts.len());
        if let Some([first, .., last]) =
            longest.filter(|_| parts.len() < recordings.len()).map(Vec::as_slice)
        {
            tracing::info!(
                "if {} to {} are parts of one recording, decode them as one with --join",
                first.display(),
                last.display()
            );
        }
    }

    fn annotator(&self) -> Result<Option<Annotator>> {
        self.annotate.as_ref().map(|out| Annotator::new(&self.files, out)).transpose()
    }
}

/// Opens a file and decodes its first piece; other threads take the others.
fn work<'scope>(
    scope: &ScopeFifo<'scope>,
    decoder: Decoder<'scope>,
    paths: &'scope [PathBuf],
    sender: &Sender<Result<File>>,
    stop: &'scope AtomicBool,
) {
    if stop.load(Ordering::Relaxed) {
        return;
    }
    // Sending fails when the other side has given up, and says so with `stop`.
    let (jobs, file) = match decoder.open(paths) {
        Ok(opened) => opened,
        Err(error) => return drop(sender.send(Err(error))),
    };
    drop(sender.send(Ok(file)));
    let mut jobs = jobs.into_iter();
    let first = jobs.next();
    for job in jobs {
        scope.spawn_fifo(|_| job.run(stop));
    }
    if let Some(first) = first {
        first.run(stop);
    }
}
