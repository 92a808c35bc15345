//! Prints the messages of a recording, one a line.
//!
//! `cargo run --release -p nap-examples --example decode_file -- RECORDING`
#![allow(clippy::print_stdout, reason = "a program that prints its results")]

use std::error::Error;
use std::path::Path;

use nap_io::{OpenOptions, SampleSource};
use nap_phy::{Event, Message, Receiver, ReceiverConfig};
use num_complex::Complex32;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("give the path of a recording")?;
    for message in decode(path.as_ref())? {
        println!(
            "{:9.3} s  {}  #{:<4}  {:?}  {:.1} Hz  Eb/N0 {:.1} dB",
            message.signal.time_s,
            message.uplink.device_id(),
            message.uplink.sequence_number().value(),
            message.uplink.content(),
            message.signal.frequency_hz,
            message.signal.snr_db,
        );
    }
    Ok(())
}

/// All messages of a recording, each with all its frames.
pub fn decode(path: &Path) -> Result<Vec<Message>, Box<dyn Error>> {
    let mut source = nap_io::open(path, &OpenOptions::default())?;
    let info = source.info();
    // Without a known centre, frequencies count from the middle of the recording.
    let config = ReceiverConfig::new(info.sample_rate_hz, info.center_hz.unwrap_or(0.0));
    let mut receiver = Receiver::new(config)?;
    // Complete messages, to which no more frames can come. `Event::Message` would tell sooner, when the
    // first frame is decoded.
    let mut messages = Vec::new();
    // Any size will do: the receiver's events do not depend on it.
    let mut block = vec![Complex32::ZERO; 1 << 16];
    loop {
        let count = source.read(&mut block)?;
        if count == 0 {
            break;
        }
        messages.extend(receiver.push(&block[..count]).into_iter().filter_map(Event::complete));
    }
    messages.extend(receiver.flush().into_iter().filter_map(Event::complete));
    Ok(messages)
}
