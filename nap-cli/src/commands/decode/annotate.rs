//! Decoded frames as annotations of a SigMF recording.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use nap_io::StreamInfo;
use nap_io::sigmf::{self, Annotation, Extension};
use nap_phy::schema::{MessageRecord, MessageRecordType};
use nap_phy::{DeviceTable, FrameReport, Message};
use serde_json::{Map, Value, json};

use crate::outcome::misuse;

/// Name space of the fields that SigMF does not have.
const NAME_SPACE: &str = "nap";

/// Fields of a message's record that its annotations repeat.
const MESSAGE_FIELDS: [&str; 11] = [
    "device_id",
    "sequence_number",
    "kind",
    "payload",
    "voltage_idle_mv",
    "voltage_tx_mv",
    "temperature_decidegree_c",
    "bidirectional",
    "auth",
    "bit_rate",
    "decoder",
];

/// Fields of a frame's record that its annotation repeats.
const FRAME_FIELDS: [&str; 6] =
    ["rank", "frequency_hz", "rssi_dbm", "rssi_dbfs", "snr_db", "drift_hz_per_s"];

/// Marks frames in a copy of a recording's metadata.
pub struct Annotator {
    meta_path: PathBuf,
    out: PathBuf,
}

impl Annotator {
    /// An annotator of the one recording among `files` that writes to `out`.
    ///
    /// # Errors
    /// If there are several recordings, or it is not SigMF.
    pub fn new(files: &[PathBuf], out: &Path) -> Result<Self> {
        let [path] = files else {
            return Err(misuse(anyhow!("--annotate takes one recording, not {}", files.len())));
        };
        let extension = path.extension().and_then(|extension| extension.to_str());
        let is_in_archive = path.parent().is_some_and(Path::is_file);
        if is_in_archive || !matches!(extension, Some("sigmf-meta" | "sigmf-data")) {
            return Err(misuse(anyhow!(
                "{}: --annotate needs a SigMF recording, given as its .sigmf-meta file",
                path.display()
            )));
        }
        Ok(Self { meta_path: path.with_extension("sigmf-meta"), out: out.into() })
    }

    /// Writes the metadata with an annotation for each frame of the messages.
    ///
    /// # Errors
    /// Those of [`sigmf::annotate`].
    pub fn write(&self, messages: &[Message], info: &StreamInfo) -> Result<()> {
        // Of the record only fields that annotations have.
        let (mut annotations, nameless) = (Vec::new(), DeviceTable::new());
        for message in messages {
            let record = MessageRecord::new(MessageRecordType::Message, message, None, &nameless);
            let record = serde_json::to_value(record)?;
            for (index, frame) in message.frames.iter().enumerate() {
                annotations.push(Annotation {
                    extra: extra(&record, &record["frames"][index]),
                    ..annotation(message, frame, info)
                });
            }
        }
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let extension = Extension { name: NAME_SPACE.to_owned(), version };
        Ok(sigmf::annotate(&self.meta_path, &annotations, &[extension], &self.out)?)
    }
}

/// Where the frame is in time and frequency.
fn annotation(message: &Message, frame: &FrameReport, info: &StreamInfo) -> Annotation {
    let samples = |time_s: f64| (time_s * info.sample_rate_hz).round() as u64;
    let (extent, signal) = (message.frame_extent(), &frame.signal);
    let half_width_hz = extent.width_hz / 2.0;
    Annotation {
        sample_start: info.sample_at(samples(signal.time_s)),
        sample_count: Some(samples(extent.duration_s)),
        freq_lower_edge_hz: Some(signal.frequency_hz - half_width_hz),
        freq_upper_edge_hz: Some(signal.frequency_hz + half_width_hz),
        label: Some(format!("{} frame {}", message.uplink.device_id(), frame.rank)),
        ..Annotation::default()
    }
}

fn extra(message: &Value, frame: &Value) -> Map<String, Value> {
    let of_message = MESSAGE_FIELDS.iter().map(|&name| (name, &message[name]));
    let of_frame = FRAME_FIELDS.iter().map(|&name| (name, &frame[name]));
    of_message
        .chain(of_frame)
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (format!("{NAME_SPACE}:{name}"), json!(value)))
        .collect()
}
