//! What is in a simulated recording.

use hex::ToHex;
use serde::{Deserialize, Serialize, Serializer};

use crate::device::id::DeviceId;
use crate::device::key::Key;
use crate::device::table::{Device, DeviceTable};
use crate::error::Error;
use crate::radio::bit_rate::BitRate;
use crate::scene::shape::Shape;
use crate::schema::content::ControlFields;
use crate::schema::uplink::UplinkRecord;
use crate::uplink::content::Content;
use crate::uplink::kind::Kind;
use crate::uplink::message::Uplink;
use crate::uplink::message_counter::MessageCounter;
use crate::uplink::rank::Rank;

/// What a recording holds, to hold a receiver against. It serialises to a JSON object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// Complex samples a second.
    pub sample_rate: f64,
    /// Frequency of the recording's centre.
    pub center_hz: f64,
    /// Power in dBm of a complex sinusoid of amplitude 1.0.
    pub full_scale_dbm: f64,
    /// The receiver's noise over -174 dBm/Hz.
    pub noise_figure_db: f64,
    /// What was sent.
    pub messages: Vec<TruthMessage>,
}

/// A message that was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TruthMessage {
    /// What it says.
    pub kind: Kind,
    /// Who sent it.
    pub device_id: DeviceId,
    /// The device's key. Only a simulation's truth tells keys.
    #[serde(serialize_with = "key_digits")]
    pub key: Key,
    /// Its number.
    pub sequence_number: MessageCounter,
    /// What the application sent, in hexadecimal, empty for the empty and one-bit kinds; `None` in
    /// control messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// Whether the device asked for a downlink; `None` in control messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bidirectional: Option<bool>,
    /// Supply voltage while idle, in control messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voltage_idle_mv: Option<u16>,
    /// Supply voltage while sending, in control messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voltage_tx_mv: Option<u16>,
    /// Temperature in tenths of a degree, in control messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_decidegree_c: Option<i16>,
    /// Level of the downlink at the device, in confirmations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rssi_dbm: Option<i16>,
    /// How fast it was sent.
    pub bit_rate: BitRate,
    /// Its frames in the order of sending.
    pub frames: Vec<TruthFrame>,
}

/// A frame that was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TruthFrame {
    /// Which of the message's frames.
    pub rank: Rank,
    /// When its waveform starts: the reference symbol, or the ramp of `s2lp`.
    pub time_s: f64,
    /// The carrier at that instant, as far as it does not wander. (A receiver reports the carrier in the middle of the frame.)
    pub frequency_hz: f64,
    /// Mean power of the frame at the receiver.
    pub dbm: f64,
    /// Change of the carrier during the frame.
    #[serde(default)]
    pub drift_hz_per_s: f64,
    /// How the phase is turned, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Shape>,
}

impl Truth {
    /// The devices and their keys.
    #[must_use]
    pub fn devices(&self) -> DeviceTable {
        let mut devices = DeviceTable::new();
        for message in &self.messages {
            let device =
                Device { key: Some(message.key.clone()), ..Device::new(message.device_id) };
            // A device that sends twice is in the table already.
            let _ = devices.insert(device);
        }
        devices
    }
}

impl TruthMessage {
    pub(super) fn new(
        uplink: &Uplink,
        key: &Key,
        bit_rate: BitRate,
        frames: Vec<TruthFrame>,
    ) -> Self {
        let payload = match uplink.content() {
            Content::Control(_) => None,
            Content::Bytes(payload) => Some(payload.to_string()),
            Content::Empty | Content::Bit(_) => Some(String::new()),
        };
        let control = ControlFields::of(uplink.content());
        Self {
            kind: uplink.content().kind(),
            device_id: uplink.device_id(),
            key: key.clone(),
            sequence_number: uplink.sequence_number(),
            bidirectional: payload.is_some().then(|| uplink.bidirectional()),
            payload,
            voltage_idle_mv: control.voltage_idle_mv,
            voltage_tx_mv: control.voltage_tx_mv,
            temperature_decidegree_c: control.temperature_decidegree_c,
            rssi_dbm: control.rssi_dbm_at_device,
            bit_rate,
            frames,
        }
    }

    /// The message.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the fields, as in [`UplinkRecord::uplink`].
    pub fn uplink(&self) -> Result<Uplink, Error> {
        let record = UplinkRecord {
            kind: self.kind,
            device_id: self.device_id,
            key: None,
            sequence_number: self.sequence_number,
            payload: self.payload.clone().unwrap_or_default(),
            bidirectional: self.bidirectional.unwrap_or_default(),
            voltage_idle_mv: self.voltage_idle_mv,
            voltage_tx_mv: self.voltage_tx_mv,
            temperature_decidegree_c: self.temperature_decidegree_c,
            rssi_dbm_at_device: self.rssi_dbm,
        };
        record.uplink()
    }

    /// When the first frame starts, in seconds from the start of the recording.
    #[must_use]
    pub fn time_s(&self) -> f64 {
        self.frames.iter().map(|frame| frame.time_s).fold(f64::INFINITY, f64::min)
    }
}

fn key_digits<S: Serializer>(key: &Key, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&key.as_bytes().encode_hex::<String>())
}
