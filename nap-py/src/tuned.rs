//! The parts of a recording, each at its own frequency.

use jiff::Timestamp;
use nap_io::Stretch;
use nap_phy::receiver::pieces::parts::Part;
use nap_phy::schema::{MessageRecord, MessageRecordType};
use nap_phy::{DeviceTable, Message, ReceiverConfig};
use pyo3::prelude::*;

use crate::recording::PyRecording;
use crate::settings::PySettings;

/// A stretch of a recording and what is listened to in it.
pub struct Tuned {
    /// Which stretch it is, of those that are wanted.
    pub index: usize,
    pub stretch: Stretch,
    pub configs: Vec<ReceiverConfig>,
}

impl Tuned {
    /// The stretch as a part to decode.
    pub fn part(&self, recording: &PyRecording) -> Part {
        let info = recording.info();
        Part {
            position: self.stretch.position,
            // A pipe cannot be cut, whatever part of it is wanted.
            length: info.total_samples.and_then(|_| info.length_of(&self.stretch)),
            gaps: self.stretch.gaps.clone(),
            configs: self.configs.clone(),
        }
    }
}

/// The stretches that hold a channel, with what is listened to in them, and what is not listened to.
pub fn tuned(
    py: Python<'_>,
    recording: &PyRecording,
    stretches: Vec<Stretch>,
    settings: &PySettings,
) -> PyResult<(Vec<Tuned>, Vec<String>)> {
    let rate_hz = recording.sample_rate_hz;
    let (mut tuned, mut notes, mut problem) = (Vec::new(), Vec::new(), None);
    for (index, stretch) in stretches.into_iter().enumerate() {
        match settings.chosen(rate_hz, stretch.center_hz) {
            Ok(chosen) => {
                let unheard = chosen.unheard().join("; ");
                if !unheard.is_empty() && !notes.contains(&unheard) {
                    notes.push(unheard);
                }
                tuned.push(Tuned { index, stretch, configs: chosen.configs });
            }
            Err(error) => {
                let start_s = stretch.position as f64 / rate_hz;
                let why = error.value(py);
                notes.push(format!("the part from {start_s:.3} s on is left out: {why}"));
                problem = problem.or(Some(error));
            }
        }
    }
    match problem {
        Some(error) if tuned.is_empty() => Err(error),
        _ => Ok((tuned, notes)),
    }
}

/// The record of a message that begins `time_in_part_s` after the `start` of its part.
pub fn record(
    message: &Message,
    start: Option<Timestamp>,
    time_in_part_s: f64,
    devices: &DeviceTable,
) -> MessageRecord {
    let time = start.and_then(|start| nap_io::utc_text(start, time_in_part_s));
    MessageRecord::new(MessageRecordType::Message, message, time, devices)
}
