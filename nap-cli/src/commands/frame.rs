//! `nap frame`: bitstreams to their fields.

use anyhow::{Context, Result};
use nap_phy::DeviceTable;
use nap_phy::schema::FrameRecord;
use nap_phy::schema::columns::FRAME_COLUMNS;

use crate::args::devices::DevicesArg;
use crate::outcome::Outcome;
use crate::output::json_lines::stdin_lines;
use crate::output::log;
use crate::output::printer::{Format, Printer};

/// Bitstreams to their fields.
///
/// Takes bitstreams apart, one result each, in their order.
///
/// A bitstream that is no frame gives a record of the type `error` in its place, and the exit
/// status 1 at the end.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  nap frame aaaaa35f01a0db334d00abad1deadc32758a
  nap frame --devices devices.csv --format log - < bitstreams.txt")]
pub struct Args {
    /// Whole frames in hexadecimal, preamble included; `-` reads them from standard input, one a
    /// line.
    #[arg(required = true, value_name = "HEX")]
    bitstreams: Vec<String>,

    #[command(flatten)]
    devices: DevicesArg,

    /// How results are written.
    #[arg(long, value_enum, default_value = "json")]
    format: Format,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Outcome> {
    let devices = args.devices.load()?;
    let mut printer = Printer::new(args.format, FRAME_COLUMNS);
    let mut outcome = Outcome::Done;
    for bitstream in args.bitstreams() {
        let (number, digits) = bitstream?;
        match parse(&digits, &devices) {
            Ok(record) => printer.record(&record, || log::frame(&record))?,
            Err(error) => outcome = printer.error(number, &error)?,
        }
    }
    printer.finish()?;
    Ok(outcome)
}

impl Args {
    /// The bitstreams with their numbers from 1.
    fn bitstreams(&self) -> Box<dyn Iterator<Item = Result<(usize, String)>> + '_> {
        match self.bitstreams.as_slice() {
            [dash] if dash == "-" => Box::new(stdin_lines()),
            given => Box::new(given.iter().cloned().enumerate().map(|(i, text)| Ok((i + 1, text)))),
        }
    }
}

fn parse(digits: &str, devices: &DeviceTable) -> Result<FrameRecord> {
    let bitstream = hex::decode(digits).context("not hexadecimal")?;
    Ok(FrameRecord::parse(&bitstream, |device_id| devices.key(device_id))?)
}
