//! `nap doctor`: what is right and wrong with a receiver or a recording, and what to do about it.

mod carriers;
mod examination;
mod findings;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use nap_io::live::{LiveEvent, OnError, Supervisor};
use serde_json::json;

use crate::channel::ChannelArgs;
use crate::devices::DevicesArg;
use crate::listen::source::SourceArgs;
use crate::outcome::Outcome;
use crate::quantity;
use examination::Examination;
use findings::{Finding, Verdict};

/// What is wrong here.
///
/// Listens to a receiver or a recording for a while and says what it finds: noise floor, DC spike,
/// images, clipping, lost samples, the true sample rate, the receiver's crystal, the sensitivity to be
/// expected, with advice. Exit status 1 if something is wrong.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: SourceArgs,

    /// How long to listen, in seconds of signal.
    #[arg(long, value_name = "SECONDS", value_parser = quantity::seconds, default_value = "10")]
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
    let source = args.source.prepare(&channel, OnError::Quit)?;
    let mut live = Supervisor::new(Arc::clone(&source.opener), source.policy);
    let mut examination = None;
    let mut faults = Vec::new();
    loop {
        match live.next(Duration::from_secs(1)) {
            Some(LiveEvent::Started(info)) => {
                let config = channel.receiver_config(&source.name, &info, &devices)?;
                let new = Examination::new(&info, config, source.policy.watched);
                examination = Some(new.with_context(|| source.name.clone())?);
            }
            Some(LiveEvent::Block(block)) => {
                let Some(examination) = &mut examination else { continue };
                examination.take(&block);
                if examination.duration_s() >= args.duration {
                    break;
                }
            }
            Some(LiveEvent::Fault(fault)) => faults.push(fault),
            Some(LiveEvent::Ended) => break,
            Some(LiveEvent::Recovered(_)) | None => {}
        }
    }
    let mut findings: Vec<Finding> = faults.iter().map(findings::of_fault).collect();
    if let Some(examination) = examination {
        findings.extend(findings::of(&examination.finish()));
    }
    print(&findings, args.json);
    let is_wrong = findings.iter().any(|finding| finding.verdict == Verdict::Bad);
    Ok(if is_wrong { Outcome::Failed } else { Outcome::Done })
}

fn print(findings: &[Finding], as_json: bool) {
    for finding in findings {
        let text = if as_json { json!(finding).to_string() } else { finding.to_string() };
        anstream::println!("{text}");
    }
}
