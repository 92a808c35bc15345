//! Messages that are reported of recordings in which there are none.
#![allow(clippy::print_stdout, reason = "a program that prints its results")]

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Parser;
use nap_benches::{ForeignAir, Relabelling, receive_foreign_air};
use nap_phy::{Level, Message};

/// Receives recordings of other systems, as they are and taken for recordings at other sample rates and
/// mirrored, and prints what is reported of them, all of which is false.
#[derive(Parser)]
struct Args {
    /// A folder with recordings, whose names tell format, rate and frequency (`g001_433.92M_250k.cu8`).
    folder: PathBuf,
    /// How many other sample rates.
    #[arg(long, default_value_t = 20)]
    rates: u32,
    /// False messages a day that a receiver may expect at most, in each of the ways. With many, all
    /// decisions are tried and the rules of time and carrier alone stand between interference and messages.
    #[arg(long, default_value_t = 1.0)]
    false_messages_per_day: f64,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let air = ForeignAir::in_folder(&args.folder)?;
    ensure!(!air.is_empty(), "{}: no recordings (*.cu8)", args.folder.display());
    let ways = Relabelling::all(args.rates);
    let findings = receive_foreign_air(&air, &ways, args.false_messages_per_day)?;
    for (name, way, message) in &findings.messages {
        let rate_hz = way.sample_rate_hz.map_or("as recorded".to_owned(), |hz| format!("{hz} Hz"));
        let mirrored = if way.is_conjugated { ", mirrored" } else { "" };
        println!("{name}, {rate_hz}{mirrored}: {}", text(message));
    }
    println!(
        "{} false messages in {:.0} s: {} recordings in {} ways; {} sets of frames decoded to what no \
         device sends",
        findings.messages.len(),
        findings.air_s,
        air.len(),
        ways.len(),
        findings.statistics.implausible_groups
    );
    Ok(())
}

fn text(message: &Message) -> String {
    let uplink = &message.uplink;
    let frames: Vec<String> = message
        .frames
        .iter()
        .map(|frame| {
            let signal = &frame.signal;
            let (Level::Dbm(level) | Level::Dbfs(level)) = signal.level;
            format!(
                "frame {} at {:.3} s, {:.1} Hz, {level:.1} dB, Eb/N0 {:.1} dB",
                frame.rank, signal.time_s, signal.frequency_hz, signal.snr_db
            )
        })
        .collect();
    format!(
        "{} #{} {:?} bidirectional {}, {} bit/s, {:?}; {}",
        uplink.device_id(),
        uplink.sequence_number().value(),
        uplink.content(),
        uplink.bidirectional(),
        message.bit_rate,
        message.decoder,
        frames.join("; ")
    )
}
