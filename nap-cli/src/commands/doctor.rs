//! `nap doctor`: what is right and wrong with a radio or a recording, and what to do about it.

use std::cell::RefCell;
use std::fmt;

use anstyle::{AnsiColor, Style};
use anyhow::Result;
use nap_io::StreamInfo;
use nap_io::live::OnError;
use nap_station::diagnosis::{Finding, Verdict, diagnose};
use serde_json::json;

use crate::args::channel::ChannelArgs;
use crate::args::devices::DevicesArg;
use crate::args::quantity;
use crate::args::source::{SourceArgs, Speed};
use crate::outcome::Outcome;
use crate::terminal::sample_bar;

/// What is wrong here.
///
/// Listens to a radio or a recording for a while and says what it finds: noise floor, DC spike,
/// images, clipping, impulses, lost samples, the true sample rate, the radio's crystal, the sensitivity to be
/// expected, with advice. Exit status 1 if something is wrong.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: SourceArgs,

    /// How long to listen, in seconds of signal.
    #[arg(long, value_name = "SECONDS", value_parser = quantity::duration, default_value = "10")]
    duration: f64,

    /// One JSON object a line.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    devices: DevicesArg,

    #[command(flatten)]
    channel: ChannelArgs,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Outcome> {
    let channel = args.source.channel(&args.channel);
    let devices = args.devices.load()?;
    let source = args.source.prepare(&channel, OnError::Quit, Speed::Max)?;
    let bar = RefCell::new(None);
    let configure = |info: &StreamInfo| {
        for warning in &info.warnings {
            tracing::warn!("{}: {warning}", source.name);
        }
        for note in &info.notes {
            tracing::debug!("{}: {note}", source.name);
        }
        let wanted = (args.duration * info.sample_rate_hz) as u64;
        if let Some(samples) = info.total_samples.filter(|&samples| samples > wanted) {
            let whole_s = samples as f64 / info.sample_rate_hz;
            let (name, part_s) = (&source.name, args.duration);
            tracing::info!("{name}: the first {part_s} s of {whole_s:.0} s; --duration takes more");
        }
        let total = info.total_samples.map_or(wanted, |samples| samples.min(wanted));
        *bar.borrow_mut() = Some(sample_bar(source.name.clone(), Some(total), info.sample_rate_hz));
        channel.receiver_config(&source.name, info, &devices)
    };
    let progress = |samples| {
        if let Some(bar) = &*bar.borrow() {
            bar.set_position(samples);
        }
    };
    let findings = diagnose(&source, args.duration, configure, progress);
    if let Some(bar) = bar.take() {
        bar.finish_and_clear();
    }
    let findings = findings?;
    for finding in &findings {
        let text = if args.json { json!(finding).to_string() } else { Line(finding).to_string() };
        anstream::println!("{text}");
    }
    let is_wrong = findings.iter().any(|finding| finding.verdict == Verdict::Bad);
    Ok(if is_wrong { Outcome::Failed } else { Outcome::Done })
}

/// A finding for the eye.
struct Line<'a>(&'a Finding);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(finding) = self;
        let (word, color) = match finding.verdict {
            Verdict::Good => ("good", AnsiColor::Green),
            Verdict::Note => ("note", AnsiColor::Yellow),
            Verdict::Bad => ("bad", AnsiColor::Red),
        };
        let style = Style::new().fg_color(Some(color.into()));
        write!(f, "{style}{word:<5}{style:#}{:<16}{}", finding.subject, finding.text)?;
        if finding.advice.is_empty() { Ok(()) } else { write!(f, "; {}", finding.advice) }
    }
}
