//! Records as lines for the eye.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};
use nap_phy::schema::{ControlFields, FrameRecord, MessageRecord, SignalFields};
use nap_phy::{Authentication, Decoder, Kind, Message};

const STRONG: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const CONTENT: Style = AnsiColor::Cyan.on_default();

/// Digits of the longest payload.
const CONTENT_WIDTH: usize = 24;

/// A message; `name` is what its device is called, padded to the same width for all.
pub fn message(record: &MessageRecord, name: &str) -> String {
    let fields = [
        start(record.time.as_deref(), record.time_s),
        styled(STRONG, record.device_id) + name,
        counter(record.sequence_number.value(), record.bidirectional),
        content(record.kind, &record.payload, &record.control),
        auth(record.auth),
        signal(&record.signal),
        format!("{} bit/s", record.bit_rate),
        format!("{:<5}", ranks(record)),
        record.radio_configuration.map_or("-", |rc| rc.name()).to_owned(),
        decoder(record.decoder).to_owned(),
    ];
    fields.join("  ").trim_end().to_owned()
}

/// A message that was shown and turned out wrong.
pub fn retracted(message: &Message, time: Option<&str>, name: &str) -> String {
    let uplink = &message.uplink;
    let fields = [
        start(time, message.signal.time_s),
        styled(STRONG, uplink.device_id()) + name,
        counter(uplink.sequence_number().value(), uplink.bidirectional()),
        styled(BAD, "retracted: it was never sent"),
    ];
    fields.join("  ")
}

/// A bitstream's fields.
pub fn frame(record: &FrameRecord) -> String {
    let fields = [
        styled(STRONG, record.device_id),
        counter(record.sequence_number.value(), record.bidirectional),
        content(record.kind, &record.payload, &record.control),
        auth(record.auth),
        format!("frame {}", record.rank),
        format!("type {}", record.frame_type),
        format!("tag {:<10}", record.auth_tag),
        if record.crc_ok { styled(GOOD, "CRC right") } else { styled(BAD, "CRC wrong") },
        if record.repeated { "repeated".to_owned() } else { String::new() },
    ];
    fields.join("  ").trim_end().to_owned()
}

/// The names of devices come from a file: no control character of them reaches the terminal.
pub fn harmless(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).collect()
}

fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// When a message started: the time of day if it is known, else that of the stream.
fn start(time: Option<&str>, time_s: f64) -> String {
    let text = time.map_or_else(|| format!("{time_s:.6} s"), str::to_owned);
    styled(DIM, format!("{text:<27}"))
}

/// The sequence number, with an arrow if the device listens for a downlink.
fn counter(sequence_number: u16, bidirectional: bool) -> String {
    let arrow = if bidirectional { '↓' } else { ' ' };
    format!("{:>5}{arrow}", format!("#{sequence_number}"))
}

fn content(kind: Kind, payload: &str, control: &ControlFields) -> String {
    let text = match kind {
        Kind::Bytes => payload.to_owned(),
        kind => [Some(kind.to_string()), telemetry(control), downlink(control)]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" "),
    };
    styled(CONTENT, format!("{text:<CONTENT_WIDTH$}"))
}

fn telemetry(control: &ControlFields) -> Option<String> {
    let (idle_mv, tx_mv) = (control.voltage_idle_mv?, control.voltage_tx_mv?);
    let temperature_c = f64::from(control.temperature_decidegree_c?) / 10.0;
    Some(format!("{idle_mv}/{tx_mv} mV {temperature_c:.1} °C"))
}

fn downlink(control: &ControlFields) -> Option<String> {
    control.rssi_dbm_at_device.map(|level| format!("heard at {level} dBm"))
}

fn auth(auth: Authentication) -> String {
    match auth {
        Authentication::Verified => styled(GOOD, "verified "),
        Authentication::Failed => styled(BAD, "failed   "),
        Authentication::Unchecked => styled(DIM, "unchecked"),
    }
}

fn signal(signal: &SignalFields) -> String {
    let level = match (signal.rssi_dbm, signal.rssi_dbfs) {
        (Some(dbm), _) => format!("{dbm:>6.1} dBm"),
        (None, dbfs) => format!("{:>6.1} dBFS", dbfs.unwrap_or(f64::NAN)),
    };
    format!(
        "{level}  Eb/N0 {:>5.1} dB  {:.6} MHz  {:>+5.1} Hz/s",
        signal.snr_db,
        signal.frequency_hz / 1e6,
        signal.drift_hz_per_s
    )
}

/// The frames that were received: `1·3`.
fn ranks(record: &MessageRecord) -> String {
    record.frames.iter().map(|frame| frame.rank.to_string()).collect::<Vec<_>>().join("·")
}

/// The usual way goes without saying.
fn decoder(decoder: Decoder) -> &'static str {
    match decoder {
        Decoder::Single => "",
        Decoder::List => "list",
        Decoder::Joint => "joint",
        Decoder::APriori => "a priori",
    }
}
