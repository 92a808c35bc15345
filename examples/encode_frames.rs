//! Prints the three bitstreams of a message, as a device would send them.
//!
//! `cargo run -p nap-examples --example encode_frames`
#![allow(clippy::print_stdout, reason = "a program that prints its results")]

use nap_phy::{Content, Error, Key, MessageCounter, Payload, Rank, Uplink};

fn main() -> Result<(), Error> {
    for frame in frames()? {
        println!("{frame}");
    }
    Ok(())
}

/// Frames 1, 2 and 3 in hexadecimal. None of this needs `std` or an allocator but the text.
pub fn frames() -> Result<[String; 3], Error> {
    let key: Key = "0123456789ABCDEF0123456789ABCDEF".parse()?;
    let uplink = Uplink::new(
        "FEDCBA98".parse()?,
        MessageCounter::new(0x123)?,
        Content::Bytes(Payload::new(b"@ABC")?),
    );
    let container = uplink.container(&key);
    Ok(Rank::ALL
        .map(|rank| container.bitstream(rank).iter().map(|byte| format!("{byte:02x}")).collect()))
}
