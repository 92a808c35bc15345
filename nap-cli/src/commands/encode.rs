//! `nap encode`: fields to bitstreams.

use std::str::FromStr;

use anyhow::{Context, Result, anyhow};
use nap_phy::schema::{ControlFields, UplinkRecord};
use nap_phy::{Content, DeviceId, DeviceTable, Key, Kind, MessageCounter, Rank, Uplink};
use serde::Serialize;

use crate::args::devices::DevicesArg;
use crate::outcome::{Outcome, misuse};
use crate::output::json_lines::{Place, stdin_lines};
use crate::output::printer::{Format, Printer};

/// Holds the key where nothing else tells it.
const KEY_VARIABLE: &str = "NAP_KEY";

/// What every control message tells.
const TELEMETRY: [&str; 3] = ["voltage_idle_mv", "voltage_tx_mv", "temperature_decidegree_c"];

const COLUMNS: &[&str] = &[
    "kind",
    "device_id",
    "sequence_number",
    "payload",
    "bidirectional",
    "voltage_idle_mv",
    "voltage_tx_mv",
    "temperature_decidegree_c",
    "rssi_dbm_at_device",
    "frames",
];

/// Fields to bitstreams.
///
/// Makes the bitstreams of messages.
///
/// The key comes from the message (JSON only), from --key, from --devices or from the environment
/// variable NAP_KEY, whichever is there first. It is never printed.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  nap encode --device-id 4d33db --sequence-number 416 --payload abad1dea --devices devices.csv
  nap encode --device-id 4d33db --sequence-number 417 --bit 1 --rank 1 --devices devices.csv
  nap encode - < messages.jsonl")]
pub struct Args {
    /// `-` reads messages from standard input, one JSON object a line with the fields `kind`,
    /// `device_id`, `sequence_number` and, as the kind needs them, `key`, `payload`,
    /// `bidirectional` and those of the flags below.
    #[arg(value_name = "-", value_parser = ["-"], hide_possible_values = true)]
    stdin: Option<String>,

    /// The device's key, 32 hexadecimal digits. Others on this machine may see command lines:
    /// prefer --devices or NAP_KEY.
    #[arg(long, value_name = "HEX")]
    key: Option<String>,

    #[command(flatten)]
    devices: DevicesArg,

    /// Which frames to make.
    #[arg(long, value_name = "1|2|3|all", default_value = "all")]
    rank: RankChoice,

    /// How results are written; log is one bitstream a line. [default: log, with `-` json]
    #[arg(long, value_enum)]
    format: Option<Format>,

    #[command(flatten)]
    message: MessageArgs,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Message")]
struct MessageArgs {
    /// The sender, 1 to 8 hexadecimal digits.
    #[arg(long, value_name = "HEX", required_unless_present = "stdin", conflicts_with = "stdin")]
    device_id: Option<DeviceId>,

    /// The message counter, 0 to 4095.
    #[arg(long, value_name = "N", required_unless_present = "stdin", conflicts_with = "stdin",
        value_parser = counter)]
    sequence_number: Option<MessageCounter>,

    /// A payload of 1 to 12 bytes.
    #[arg(long, value_name = "HEX", group = "content", conflicts_with = "stdin")]
    payload: Option<String>,

    /// A message of one bit.
    #[arg(long, value_name = "0|1", group = "content", conflicts_with = "stdin",
        value_parser = clap::value_parser!(u8).range(0..=1))]
    bit: Option<u8>,

    /// A message without content.
    #[arg(long, group = "content", conflicts_with = "stdin")]
    empty: bool,

    /// A control message: a sign of life. Needs voltages and temperature.
    #[arg(long, groups = ["content", "control"], conflicts_with = "stdin",
        requires_all = TELEMETRY)]
    keep_alive: bool,

    /// A control message: a downlink was received. Needs voltages, temperature and level.
    #[arg(long, groups = ["content", "control"], conflicts_with = "stdin",
        requires_all = TELEMETRY, requires = "rssi_dbm_at_device")]
    dl_confirmation: bool,

    /// The device listens for a downlink.
    #[arg(long, conflicts_with = "stdin")]
    bidirectional: bool,

    /// Control messages: supply voltage while idle.
    #[arg(long, value_name = "MV", conflicts_with = "stdin", requires = "control")]
    voltage_idle_mv: Option<u16>,

    /// Control messages: supply voltage while sending.
    #[arg(long, value_name = "MV", conflicts_with = "stdin", requires = "control")]
    voltage_tx_mv: Option<u16>,

    /// Control messages: temperature in tenths of a degree.
    #[arg(
        long,
        value_name = "N",
        conflicts_with = "stdin",
        requires = "control",
        allow_negative_numbers = true
    )]
    temperature_decidegree_c: Option<i16>,

    /// Downlink confirmations: level of the downlink at the device.
    #[arg(
        long,
        value_name = "DBM",
        conflicts_with = "stdin",
        requires = "dl_confirmation",
        allow_negative_numbers = true
    )]
    rssi_dbm_at_device: Option<i16>,
}

/// The frames to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RankChoice {
    All,
    Only(Rank),
}

impl FromStr for RankChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::All);
        }
        let number: u8 = text.parse().map_err(|_| "give 1, 2, 3 or all".to_owned())?;
        Rank::try_from(number).map(Self::Only).map_err(|error| error.to_string())
    }
}

fn counter(text: &str) -> Result<MessageCounter, String> {
    let number: u16 = text.parse().map_err(|_| "a sequence number is 0 to 4095".to_owned())?;
    MessageCounter::new(number).map_err(|error| error.to_string())
}

/// A message and its bitstreams.
#[derive(Serialize)]
struct EncodedRecord {
    kind: Kind,
    device_id: DeviceId,
    sequence_number: MessageCounter,
    payload: String,
    bidirectional: bool,
    #[serde(flatten)]
    control: ControlFields,
    /// Frames 1, 2 and 3; null where not asked for.
    frames: [Option<String>; 3],
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Outcome> {
    let encoder = Encoder::new(args)?;
    if args.stdin.is_some() {
        return encoder.encode_lines(args.format.unwrap_or(Format::Json));
    }
    let record = args.message.record()?;
    let encoded = encoder.encode(&record).map_err(misuse)?;
    let mut printer = Printer::new(args.format.unwrap_or(Format::Log), COLUMNS);
    encoded.print(&mut printer)?;
    Ok(Outcome::Done)
}

/// Makes bitstreams with the keys that are known.
struct Encoder {
    rank: RankChoice,
    given: Option<Key>,
    devices: DeviceTable,
    fallback: Option<Key>,
}

impl Encoder {
    fn new(args: &Args) -> Result<Self> {
        let parse = |text: &str, place: &'static str| text.trim().parse::<Key>().context(place);
        let given = args.key.as_deref().map(|text| parse(text, "--key")).transpose()?;
        let fallback = std::env::var(KEY_VARIABLE).ok();
        let fallback = fallback.as_deref().map(|text| parse(text, KEY_VARIABLE)).transpose()?;
        Ok(Self { rank: args.rank, given, devices: args.devices.load()?, fallback })
    }

    fn encode_lines(&self, format: Format) -> Result<Outcome> {
        let mut printer = Printer::new(format, COLUMNS);
        let mut outcome = Outcome::Done;
        for line in stdin_lines() {
            let (number, text) = line?;
            match self.encode_line(&text) {
                Ok(encoded) => encoded.print(&mut printer)?,
                Err(error) => outcome = printer.error(Place::Line(number), &error)?,
            }
        }
        printer.finish()?;
        Ok(outcome)
    }

    fn encode_line(&self, text: &str) -> Result<EncodedRecord> {
        self.encode(&serde_json::from_str(text)?)
    }

    fn encode(&self, record: &UplinkRecord) -> Result<EncodedRecord> {
        let uplink = record.uplink()?;
        let container = uplink.container(self.key(record)?);
        let frames = Rank::ALL.map(|rank| {
            let wanted = [RankChoice::All, RankChoice::Only(rank)].contains(&self.rank);
            wanted.then(|| hex::encode(container.bitstream(rank)))
        });
        Ok(EncodedRecord::new(&uplink, frames))
    }

    fn key<'a>(&'a self, record: &'a UplinkRecord) -> Result<&'a Key> {
        record
            .key
            .as_ref()
            .or(self.given.as_ref())
            .or_else(|| self.devices.key(record.device_id))
            .or(self.fallback.as_ref())
            .ok_or_else(|| {
                anyhow!(
                    "the key of device {} is not known; give it with --devices, {KEY_VARIABLE} or \
                     --key",
                    record.device_id
                )
            })
    }
}

impl MessageArgs {
    fn record(&self) -> Result<UplinkRecord> {
        let missing = |flag: &str| misuse(anyhow!("give {flag}"));
        Ok(UplinkRecord {
            kind: self.kind().ok_or_else(|| {
                missing("--payload, --bit, --empty, --keep-alive or --dl-confirmation")
            })?,
            device_id: self.device_id.ok_or_else(|| missing("--device-id"))?,
            key: None,
            sequence_number: self.sequence_number.ok_or_else(|| missing("--sequence-number"))?,
            payload: self.payload.clone().unwrap_or_default(),
            bidirectional: self.bidirectional,
            voltage_idle_mv: self.voltage_idle_mv,
            voltage_tx_mv: self.voltage_tx_mv,
            temperature_decidegree_c: self.temperature_decidegree_c,
            rssi_dbm_at_device: self.rssi_dbm_at_device,
        })
    }

    fn kind(&self) -> Option<Kind> {
        let choices = [
            (self.payload.is_some(), Kind::Bytes),
            (self.bit == Some(0), Kind::Bit0),
            (self.bit == Some(1), Kind::Bit1),
            (self.empty, Kind::Empty),
            (self.keep_alive, Kind::KeepAlive),
            (self.dl_confirmation, Kind::DlConfirmation),
        ];
        choices.into_iter().find_map(|(given, kind)| given.then_some(kind))
    }
}

impl EncodedRecord {
    fn new(uplink: &Uplink, frames: [Option<String>; 3]) -> Self {
        Self {
            kind: uplink.content().kind(),
            device_id: uplink.device_id(),
            sequence_number: uplink.sequence_number(),
            payload: match uplink.content() {
                Content::Bytes(payload) => payload.to_string(),
                Content::Empty | Content::Bit(_) | Content::Control(_) => String::new(),
            },
            bidirectional: uplink.bidirectional(),
            control: ControlFields::of(uplink.content()),
            frames,
        }
    }

    fn print(&self, printer: &mut Printer) -> Result<()> {
        let bitstreams = || self.frames.iter().flatten().cloned().collect::<Vec<_>>().join("\n");
        printer.record(self, bitstreams)
    }
}
