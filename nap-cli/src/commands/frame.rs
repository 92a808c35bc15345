//! `nap frame`: bitstreams to their fields.

use anyhow::{Context, Result};
use nap_phy::DeviceTable;
use nap_phy::schema::FrameRecord;
use nap_phy::schema::columns::FRAME_COLUMNS;

use crate::args::devices::DevicesArg;
use crate::outcome::Outcome;
use crate::output::json_lines::{Place, stdin_lines};
use crate::output::log;
use crate::output::printer::{Format, Printer};

/// Bitstreams to their fields.
///
/// Takes bitstreams apart, one result each, in their order.
///
/// A bitstream is written in hexadecimal, in upper or lower case, with or without `0x`, spaces, colons and
/// the preamble. Bytes that are arguments of their own are one bitstream.
///
/// A bitstream that is no frame gives a record of the type `error` in its place, and the exit
/// status 1 at the end.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  nap frame aaaaa35f01a0db334d00abad1deadc32758a
  nap frame '0x35F 01A0DB334D00ABAD1DEADC32758A'
  nap frame --devices devices.csv --format log - < bitstreams.txt")]
pub struct Args {
    /// Whole frames in hexadecimal; `-` reads them from standard input, one a line.
    #[arg(required = true, value_name = "HEX")]
    bitstreams: Vec<String>,

    #[command(flatten)]
    devices: DevicesArg,

    /// How results are written.
    #[arg(long, value_enum, default_value = "json")]
    format: Format,
}

/// The preamble as far as it is whole digits; the frame type of 13 bits is written as three digits after it,
/// since its first bit is 0.
const PREAMBLE_DIGITS: &str = "aaaaa";
/// Arguments of so few digits cannot be frames: they are the bytes or words of one.
const MAX_PART_DIGITS: usize = 8;

/// Runs the command.
pub fn run(args: &Args) -> Result<Outcome> {
    let devices = args.devices.load()?;
    let mut printer = Printer::new(args.format, FRAME_COLUMNS);
    let mut outcome = Outcome::Done;
    for bitstream in args.bitstreams() {
        let (place, text) = bitstream?;
        match parse(&text, &devices) {
            Ok(record) => printer.record(&record, || log::frame(&record))?,
            Err(error) => outcome = printer.error(place, &error)?,
        }
    }
    printer.finish()?;
    Ok(outcome)
}

impl Args {
    /// The bitstreams with their places.
    fn bitstreams(&self) -> Box<dyn Iterator<Item = Result<(Place, String)>> + '_> {
        let given = &self.bitstreams;
        if given.as_slice() == ["-"] {
            let lines = stdin_lines();
            return Box::new(lines.map(|line| line.map(|(line, text)| (Place::Line(line), text))));
        }
        if given.len() > 1 && given.iter().all(|part| digits(part).len() <= MAX_PART_DIGITS) {
            return Box::new(std::iter::once(Ok((Place::Argument(1), given.join(" ")))));
        }
        let arguments = given.iter().cloned().zip(1..);
        Box::new(arguments.map(|(text, number)| Ok((Place::Argument(number), text))))
    }
}

fn parse(text: &str, devices: &DeviceTable) -> Result<FrameRecord> {
    let bitstream = hex::decode(with_preamble(digits(text))).context("not hexadecimal")?;
    Ok(FrameRecord::parse(&bitstream, None, devices)?)
}

/// The text in lower case without `0x` and what separates bytes.
fn digits(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let parts = lower.split(|c: char| c.is_whitespace() || ":,;-_".contains(c));
    parts.map(|part| part.strip_prefix("0x").unwrap_or(part)).collect()
}

/// Completes a preamble that is missing in part or as a whole. What follows it has an odd number of digits; one
/// more is a 0 before the frame type. Anything else is left as it is.
fn with_preamble(digits: String) -> String {
    let rest = digits.trim_start_matches('a');
    let rest = match rest.strip_prefix('0') {
        Some(shorter) if rest.len().is_multiple_of(2) => shorter,
        _ => rest,
    };
    let is_frame = rest.len() % 2 == 1 && rest.bytes().all(|digit| digit.is_ascii_hexdigit());
    if is_frame { format!("{PREAMBLE_DIGITS}{rest}") } else { digits }
}
