//! A message as received.

use serde::{Deserialize, Serialize};

use crate::device::authentication::Authentication;
use crate::device::id::DeviceId;
use crate::device::table::DeviceTable;
use crate::error::Error;
use crate::message::{Decoder, FrameReport, Message, MessageId};
use crate::radio::bit_rate::BitRate;
use crate::radio::configuration::RadioConfiguration;
use crate::schema::content::{ControlFields, payload_text};
use crate::schema::signal::{SignalFields, rounded};
use crate::schema::uplink::UplinkRecord;
use crate::schema::version::SCHEMA;
use crate::uplink::kind::Kind;
use crate::uplink::message::Uplink;
use crate::uplink::message_counter::MessageCounter;
use crate::uplink::rank::Rank;

/// A message as received.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessageRecord {
    /// `message` the first time a message is reported, `update` when more of its frames arrived.
    #[serde(rename = "type")]
    pub record_type: MessageRecordType,
    /// Version of the schema, 1.
    pub schema: u16,
    /// The recording, as it was given; present where there are several only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<String>,
    /// The same in all records of one message, and in no other's of the same receiver, which counts
    /// them from 1; 0 in records from before there was this field.
    #[serde(default)]
    pub message_id: MessageId,
    /// Start of the message's first frame, RFC 3339 in UTC; `null` where the recording has no
    /// start time.
    pub time: Option<String>,
    /// Start of the message's first frame from the start of the recording, s, to 1 µs.
    pub time_s: f64,
    /// The sender, eight upper-case hexadecimal digits.
    pub device_id: DeviceId,
    /// What the sender is called; present where the table of devices has a name only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_name: Option<String>,
    /// The message counter, 0 to 4095.
    pub sequence_number: MessageCounter,
    /// `bytes`, `empty`, `bit0`, `bit1`, `keep_alive` or `dl_confirmation`.
    pub kind: Kind,
    /// The payload of a `bytes` message, lower-case hexadecimal; empty for other kinds.
    pub payload: String,
    /// What control messages add.
    #[serde(flatten)]
    pub control: ControlFields,
    /// Whether the device listens for a downlink.
    pub bidirectional: bool,
    /// `verified`, `failed` (a device that encrypts its payload may be meant, too), or `unchecked` where
    /// the device's key is not known.
    pub auth: Authentication,
    /// The channel's radio configuration, `RC1` to `RC7` with `RC3_LBT` and `RC3_LDC`; `null` where
    /// it is not known.
    pub radio_configuration: Option<RadioConfiguration>,
    /// Middle of the channel, Hz; present where the channel was chosen by it only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_center_hz: Option<f64>,
    /// 100 or 600 bit/s.
    pub bit_rate: BitRate,
    /// The signal of the message's cleanest frame.
    #[serde(flatten)]
    pub signal: SignalFields,
    /// `single`, `list`, `joint` or `a_priori`.
    pub decoder: Decoder,
    /// The frames received, in the order of time.
    pub frames: Vec<FrameReportRecord>,
}

/// Type of a record on a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageRecordType {
    /// A message that was not reported before.
    Message,
    /// A message that was, of which more frames arrived.
    Update,
}

/// A frame of a message as received.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrameReportRecord {
    /// 1, 2 or 3.
    pub rank: Rank,
    /// Start of the frame from the start of the recording, s, to 1 µs.
    pub time_s: f64,
    /// The frame's signal.
    #[serde(flatten)]
    pub signal: SignalFields,
    /// Whether this frame alone could be decoded.
    pub crc_ok: bool,
}

impl MessageRecord {
    /// The record of a message, with the sender's name of a table of devices. `time` is when its first frame
    /// started, RFC 3339 in UTC, if known. The recording's name is for the caller to add.
    #[must_use]
    pub fn new(
        record_type: MessageRecordType,
        message: &Message,
        time: Option<String>,
        devices: &DeviceTable,
    ) -> Self {
        let uplink = &message.uplink;
        Self {
            record_type,
            schema: SCHEMA,
            recording: None,
            message_id: message.id,
            time,
            time_s: rounded(message.signal.time_s, 6),
            device_id: uplink.device_id(),
            device_name: devices.name(uplink.device_id()).map(str::to_owned),
            sequence_number: uplink.sequence_number(),
            kind: uplink.content().kind(),
            payload: payload_text(uplink.content()),
            control: ControlFields::of(uplink.content()),
            bidirectional: uplink.bidirectional(),
            auth: message.authentication,
            radio_configuration: message.radio_configuration,
            channel_center_hz: message.channel_center_hz,
            bit_rate: message.bit_rate,
            signal: message.signal.into(),
            decoder: message.decoder,
            frames: message.frames.iter().map(Into::into).collect(),
        }
    }
}

impl MessageRecord {
    /// What the device sent.
    ///
    /// # Errors
    ///
    /// As [`UplinkRecord::uplink`], of a record that nobody has made of a message.
    pub fn uplink(&self) -> Result<Uplink, Error> {
        UplinkRecord {
            kind: self.kind,
            device_id: self.device_id,
            key: None,
            sequence_number: self.sequence_number,
            payload: self.payload.clone(),
            bidirectional: self.bidirectional,
            voltage_idle_mv: self.control.voltage_idle_mv,
            voltage_tx_mv: self.control.voltage_tx_mv,
            temperature_decidegree_c: self.control.temperature_decidegree_c,
            rssi_dbm_at_device: self.control.rssi_dbm_at_device,
        }
        .uplink()
    }
}

impl From<&FrameReport> for FrameReportRecord {
    fn from(frame: &FrameReport) -> Self {
        Self {
            rank: frame.rank,
            time_s: rounded(frame.signal.time_s, 6),
            signal: frame.signal.into(),
            crc_ok: frame.crc_ok,
        }
    }
}
