//! Messages as lines for the eye, of at most 100 columns that do not move.

use anstyle::Style;
use nap_phy::schema::{MessageRecord, SignalFields};
use nap_phy::{Authentication, DeviceId, DeviceTable, Message};

use crate::output::log::{BAD, DIM, GOOD, STRONG, content, counter, cut, strip_control, styled};

/// Names are cut to this; a line with them has no room for the drift.
const MAX_NAME_WIDTH: usize = 10;

/// Makes the lines of messages. What many lines have in common stands over them: the recording, and the date.
pub struct MessageLog<'a> {
    devices: &'a DeviceTable,
    /// 0 if no device has a name.
    name_width: usize,
    date: String,
}

impl<'a> MessageLog<'a> {
    /// Lines with the names of these devices.
    pub fn new(devices: &'a DeviceTable) -> Self {
        let names = devices.iter().filter_map(|device| device.name.as_deref());
        let widths = names.map(|name| cut(name, MAX_NAME_WIDTH).chars().count());
        Self { devices, name_width: widths.max().unwrap_or(0), date: String::new() }
    }

    /// The line over the messages of a recording.
    pub fn recording(&mut self, name: &str) -> String {
        self.date.clear();
        styled(STRONG, format!("{}:", strip_control(name)))
    }

    /// The line of a message, with one over it where a day begins.
    pub fn message(&mut self, record: &MessageRecord) -> String {
        let [time, day] = self.time(record.time.as_deref(), record.time_s);
        let mut fields = vec![styled(DIM, time), styled(STRONG, record.device_id)];
        fields.extend(self.name(record.device_id));
        fields.push(counter(record.sequence_number.value(), record.bidirectional));
        fields.push(content(record.kind, &record.payload, &record.control));
        fields.push(auth(record.auth));
        fields.push(signal(&record.signal));
        if self.name_width == 0 {
            fields.push(format!("{:>+5.1} Hz/s", record.signal.drift_hz_per_s));
        }
        fields.push(ranks(record));
        day + fields.join(" ").trim_end()
    }

    /// The line that takes back the line of a message.
    pub fn retracted(&mut self, message: &Message, time: Option<&str>) -> String {
        let uplink = &message.uplink;
        let [time, day] = self.time(time, message.signal.time_s);
        let mut fields = vec![styled(DIM, time), styled(STRONG, uplink.device_id())];
        fields.extend(self.name(uplink.device_id()));
        fields.push(counter(uplink.sequence_number().value(), uplink.bidirectional()));
        fields.push(styled(BAD, "retracted: it was never sent"));
        day + &fields.join(" ")
    }

    /// A device's name, as wide as all are; `None` if no device has one.
    fn name(&self, device_id: DeviceId) -> Option<String> {
        let name = self.devices.name(device_id).unwrap_or_default();
        let padded = || format!("{:<1$}", cut(name, MAX_NAME_WIDTH), self.name_width);
        (self.name_width > 0).then(padded)
    }

    /// The time of day, and the line over it where the day is another one; without a start time, the seconds
    /// from the start of the recording.
    fn time(&mut self, time: Option<&str>, time_s: f64) -> [String; 2] {
        let Some((date, time)) = time.and_then(|time| time.split_once('T')) else {
            return [format!("{time_s:>9.3} s"), String::new()];
        };
        let is_same = date == self.date;
        self.date = date.to_owned();
        let day = format!("{}\n", styled(DIM, format!("{date}, UTC")));
        // To the hundredth of a second.
        [
            format!("{:<11.11}", time.trim_end_matches('Z')),
            if is_same { String::new() } else { day },
        ]
    }
}

fn auth(auth: Authentication) -> String {
    let (style, sign) = match auth {
        Authentication::Verified => (GOOD, '✓'),
        Authentication::Failed => (BAD, '✗'),
        Authentication::Unchecked => (Style::new(), ' '),
    };
    styled(style, sign)
}

fn signal(signal: &SignalFields) -> String {
    let level = match (signal.rssi_dbm, signal.rssi_dbfs) {
        (Some(dbm), _) => format!("{dbm:>6.1} dBm"),
        (None, dbfs) => format!("{:>6.1} dBFS", dbfs.unwrap_or(f64::NAN)),
    };
    format!("{level} {:>4.1} dB {:>10.6}", signal.snr_db, signal.frequency_hz / 1e6)
}

/// The frames that were received, with a point for each that was not: `1·3`.
fn ranks(record: &MessageRecord) -> String {
    let is_there = |rank: u8| record.frames.iter().any(|frame| frame.rank.number() == rank);
    (1..=3_u8).map(|rank| if is_there(rank) { char::from(b'0' + rank) } else { '·' }).collect()
}
