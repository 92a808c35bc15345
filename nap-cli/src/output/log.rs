//! Records as lines for the eye: what they have in common, and bitstreams.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};
use nap_phy::schema::{ControlFields, FrameRecord};
use nap_phy::{Authentication, Kind};

/// What a line is about.
pub const STRONG: Style = Style::new().bold();
/// What goes without saying.
pub const DIM: Style = Style::new().dimmed();
/// Verified.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Not to be trusted.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// Digits of the longest payload.
pub const CONTENT_WIDTH: usize = 24;
const CONTENT: Style = AnsiColor::Cyan.on_default();

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
        record.device_name.as_deref().map(strip_control).unwrap_or_default(),
    ];
    fields.join("  ").trim_end().to_owned()
}

/// Names come from files: no control character of them reaches the terminal.
pub fn strip_control(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).collect()
}

/// A name of at most so many characters; one that is cut ends with `…`.
pub fn cut(name: &str, width: usize) -> String {
    let name = strip_control(name);
    match name.chars().count() > width {
        true => name.chars().take(width.saturating_sub(1)).chain(['…']).collect(),
        false => name,
    }
}

/// The text in a style, as far as the output shows it.
pub fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// The sequence number, with an arrow if the device listens for a downlink.
pub fn counter(sequence_number: u16, bidirectional: bool) -> String {
    let arrow = if bidirectional { '↓' } else { ' ' };
    format!("{:>5}{arrow}", format!("#{sequence_number}"))
}

/// What the message says, in as many characters as the longest payload has digits.
pub fn content(kind: Kind, payload: &str, control: &ControlFields) -> String {
    let text = match kind {
        Kind::Bytes => payload.to_owned(),
        Kind::KeepAlive => keep_alive(control).unwrap_or_else(|| kind.to_string()),
        Kind::DlConfirmation => dl_confirmation(control).unwrap_or_else(|| kind.to_string()),
        kind => kind.to_string(),
    };
    styled(CONTENT, format!("{text:<CONTENT_WIDTH$}"))
}

/// Voltages while idle and while sending, and the temperature.
fn keep_alive(control: &ControlFields) -> Option<String> {
    let [idle_v, tx_v] = voltages_v(control)?;
    let temperature_c = f64::from(control.temperature_decidegree_c?) / 10.0;
    Some(format!("alive {idle_v:.2}/{tx_v:.2}V {temperature_c:.1}°C"))
}

/// The same, shorter, and the level of the downlink at the device.
fn dl_confirmation(control: &ControlFields) -> Option<String> {
    let [idle_v, tx_v] = voltages_v(control)?;
    let temperature_c = f64::from(control.temperature_decidegree_c?) / 10.0;
    let level_dbm = control.rssi_dbm_at_device?;
    Some(format!("dl {idle_v:.1}/{tx_v:.1}V {temperature_c:.0}° {level_dbm}dBm"))
}

fn voltages_v(control: &ControlFields) -> Option<[f64; 2]> {
    let volts = |millivolts: u16| f64::from(millivolts) / 1000.0;
    Some([volts(control.voltage_idle_mv?), volts(control.voltage_tx_mv?)])
}

fn auth(auth: Authentication) -> String {
    match auth {
        Authentication::Verified => styled(GOOD, "verified "),
        Authentication::Failed => styled(BAD, "failed   "),
        Authentication::Unchecked => styled(DIM, "unchecked"),
    }
}
