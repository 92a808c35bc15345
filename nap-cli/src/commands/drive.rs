//! A radio's driver in a process of its own: the hidden command `nap drive`.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use nap_io::live::soapy;
use signal_hook::consts::SIGINT;

use crate::outcome::Outcome;

/// Serves a radio to the process that has started this one; without network where NAP_DRIVER_NETWORK=no says so.
#[derive(clap::Args)]
pub struct Args {
    /// Which radio, and how it is set, in JSON.
    request: String,
    /// Where to connect to.
    address: String,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Outcome> {
    // Ctrl-C reaches this process too, but the other one decides when to end.
    signal_hook::flag::register(SIGINT, Arc::new(AtomicBool::new(false)))?;
    let has_network = std::env::var_os("NAP_DRIVER_NETWORK").is_none_or(|value| value != "no");
    soapy::drive(&args.request, &args.address, has_network)?;
    Ok(Outcome::Done)
}
