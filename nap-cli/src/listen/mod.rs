//! `nap listen`: messages as they come, from a receiver or whatever else goes on and on.

#[cfg(feature = "soapy")]
pub mod drive;
mod fault_log;
mod health;
mod http;
mod metrics;
mod noise;
mod recorder;
mod session;
pub mod source;
mod stream_time;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result};
use nap_io::live::OnError;
use nap_phy::schema::columns::MESSAGE_COLUMNS;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::channel::ChannelArgs;
use crate::devices::DevicesArg;
use crate::outcome::Outcome;
use crate::output::{Format, Printer, Rotation};
use crate::quantity;
use recorder::RecorderArgs;
use session::Session;
use source::SourceArgs;

/// Live signals to messages.
///
/// Listens to a receiver, day and night: when it stalls, goes away or does something else that it should
/// not, that is said once, counted, and the receiver is opened again.
///
/// A message is written as soon as one of its frames is decoded, and again, as an `update`, with each
/// frame that follows.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  nap listen --device driver=rtlsdr --gain 40 --radio-configuration RC1
  nap listen --device driver=hackrf --gain LNA=24,VGA=20 --format json --http 127.0.0.1:9868
  nap listen rtl_tcp://radio.local:1234 --gain 40
  nap listen capture.sigmf-meta --replay 10")]
pub struct Args {
    #[command(flatten)]
    source: SourceArgs,

    /// How results are written.
    #[arg(long, value_enum, default_value = "log")]
    format: Format,

    /// Which of a message's frames are reported.
    #[arg(long, value_enum, default_value = "every")]
    report: Report,

    #[command(flatten)]
    devices: DevicesArg,

    /// What to do when the receiver fails.
    #[arg(long, value_enum, default_value = "restart")]
    on_error: OnErrorArg,

    /// End after so many seconds of signal.
    #[arg(long, value_name = "SECONDS", value_parser = quantity::seconds)]
    duration: Option<f64>,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    recorder: RecorderArgs,

    #[command(flatten)]
    channel: ChannelArgs,
}

/// Where results go.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Outputs")]
struct OutputArgs {
    /// Write results to this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Rename the file to FILE.1 and start anew when it has so many megabytes.
    #[arg(long, value_name = "MB", value_parser = quantity::number, default_value = "100", requires = "output")]
    rotate_size: f64,

    /// How many renamed files are kept.
    #[arg(long, value_name = "N", default_value = "7", requires = "output")]
    rotate_count: u32,

    /// Answer over HTTP: /metrics for Prometheus, /events as server-sent events, /health.
    #[arg(long, value_name = "ADDRESS:PORT")]
    http: Option<SocketAddr>,
}

impl OutputArgs {
    fn printer(&self, format: Format) -> Result<Printer> {
        let rotation = Rotation { bytes: (self.rotate_size * 1e6) as u64, kept: self.rotate_count };
        match &self.output {
            Some(path) => Printer::to_file(path, rotation, format, MESSAGE_COLUMNS),
            None => Ok(Printer::new(format, MESSAGE_COLUMNS)),
        }
    }
}

/// Which of a message's frames are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Report {
    /// The message with its first frame.
    First,
    /// The message with its first frame, and an update with each that follows.
    Every,
    /// The message once, when no more frames can come.
    Complete,
}

/// What to do when the receiver fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum OnErrorArg {
    /// End with exit status 1.
    Quit,
    /// Open it again, after pauses that grow to 20 s.
    Restart,
}

impl From<OnErrorArg> for OnError {
    fn from(arg: OnErrorArg) -> Self {
        match arg {
            OnErrorArg::Quit => Self::Quit,
            OnErrorArg::Restart => Self::Restart,
        }
    }
}

/// How often to look whether to stop.
const TICK: Duration = Duration::from_millis(100);

/// Runs the command.
pub fn run(args: &Args) -> Result<Outcome> {
    let devices = args.devices.load()?;
    let stop = stop_on_signals()?;
    let printer = args.output.printer(args.format)?;
    let channel = args.source.channel(&args.channel);
    let source = args.source.prepare(&channel, args.on_error.into())?;
    let mut session = Session::new(args, &channel, &source, &devices, printer)?;
    session.run(&stop)?;
    session.finish()
}

/// A flag that SIGINT and SIGTERM set. The second signal ends the program at once.
fn stop_on_signals() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&stop))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stop)))
            .context("cannot wait for signals")?;
    }
    Ok(stop)
}
