//! Decoding one recording.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use jiff::Timestamp;
use nap_phy::receiver::Statistics;
use nap_phy::{DeviceTable, Event, Message, Receiver};

use crate::args::channel::ChannelArgs;
use crate::args::input::InputArgs;

/// A complete message.
pub struct Received {
    /// The message, its times counted from the start of the recording.
    pub message: Message,
    /// When it started, RFC 3339 in UTC, if the recording has a start time.
    pub time: Option<String>,
}

/// How a recording ended.
pub struct Ending {
    /// What stopped the reading before its end, after which all that was read has been decoded.
    pub read: Result<(), nap_io::Error>,
    /// The receiver's counters.
    pub statistics: Statistics,
    /// Samples a second.
    pub sample_rate_hz: f64,
}

impl Ending {
    /// How much was decoded, in seconds.
    pub fn signal_s(&self) -> f64 {
        self.statistics.samples as f64 / self.sample_rate_hz
    }
}

/// Decodes a recording and reports its messages one by one, until its end or until `stop`.
///
/// # Errors
/// What keeps the recording from being decoded at all; what happens later is in the [`Ending`].
pub fn decode(
    path: &Path,
    input: &InputArgs,
    channel: &ChannelArgs,
    devices: &DeviceTable,
    stop: &AtomicBool,
    mut report: impl FnMut(Received),
) -> Result<Ending> {
    let mut recording = input.open(path)?;
    let name = path.display().to_string();
    let config = channel.receiver_config(&name, recording.info(), devices)?;
    let mut receiver = Receiver::new(config).with_context(|| name)?;
    let (start, start_s) = (recording.info().start, recording.start_s());
    let mut report_all = |events: Vec<Event>| {
        for event in events {
            if let Event::Complete(message) = event {
                report(Received::new(message, start_s, start));
            }
        }
    };
    let (_, read) = recording.read_all(stop, |block| report_all(receiver.push(block)));
    report_all(receiver.flush());
    Ok(Ending {
        read,
        statistics: receiver.statistics(),
        sample_rate_hz: recording.info().sample_rate_hz,
    })
}

impl Received {
    /// Moves the message's times, which count from the first sample decoded, by `start_s`.
    fn new(message: Message, start_s: f64, start: Option<Timestamp>) -> Self {
        let message = message.moved_by(start_s);
        let time = start.and_then(|start| nap_io::utc_text(start, message.signal.time_s));
        Self { message, time }
    }
}
