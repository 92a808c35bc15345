//! A receiver's driver in a process of its own: the hidden command `nap drive`.
//!
//! Drivers hang, crash, and print to standard output. In a process of their own they can be killed, and
//! what they held is free again.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use nap_io::live::soapy::Soapy;
use nap_io::live::{Isolated, LiveSource, Opener, Tuning, serve};
use serde::{Deserialize, Serialize};
use signal_hook::consts::SIGINT;

use crate::outcome::Outcome;

/// Serves a receiver to the process that has started this one.
#[derive(clap::Args)]
pub struct Args {
    /// Which receiver, and how it is set, in JSON.
    job: String,
    /// Where to connect to.
    address: String,
}

#[derive(Serialize, Deserialize)]
struct Job {
    arguments: String,
    tuning: Tuning,
}

/// Opens a receiver in a process of its own.
///
/// # Errors
/// If this program does not know where it is.
pub fn opener(arguments: &str, tuning: &Tuning) -> Result<Opener> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let job = Job { arguments: arguments.to_owned(), tuning: tuning.clone() };
    let (name, job) = (arguments.to_owned(), serde_json::to_string(&job)?);
    Ok(Arc::new(move |_| {
        let mut command = Command::new(&program);
        // What drivers chat of is not for the user, whom the supervisor tells what matters.
        command.args(["--quiet", "drive", &job]).stderr(std::process::Stdio::null());
        Ok(Box::new(Isolated::start(command, &name)?) as Box<dyn LiveSource>)
    }))
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Outcome> {
    // Ctrl-C reaches this process too, but the other one decides when to end.
    signal_hook::flag::register(SIGINT, Arc::new(AtomicBool::new(false)))?;
    let job: Job = serde_json::from_str(&args.job).context("the job")?;
    serve(&args.address, || Ok(Box::new(Soapy::open(&job.arguments, &job.tuning)?)))?;
    Ok(Outcome::Done)
}
