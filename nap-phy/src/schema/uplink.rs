//! A message to encode.

use serde::Deserialize;

use crate::device::id::DeviceId;
use crate::device::key::Key;
use crate::error::Error;
use crate::uplink::content::Content;
use crate::uplink::control::{ControlMessage, DeviceRssi, Telemetry};
use crate::uplink::kind::Kind;
use crate::uplink::message::Uplink;
use crate::uplink::message_counter::MessageCounter;

/// A message to encode. Other fields than these are skipped.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct UplinkRecord {
    /// `bytes`, `empty`, `bit0`, `bit1`, `keep_alive` or `dl_confirmation`.
    pub kind: Kind,
    /// The sender, one to eight hexadecimal digits.
    pub device_id: DeviceId,
    /// The sender's key, 32 hexadecimal digits. Optional: the caller may know it.
    #[serde(default)]
    pub key: Option<Key>,
    /// The message counter, 0 to 4095.
    pub sequence_number: MessageCounter,
    /// The payload of a `bytes` message, hexadecimal; empty or left out for other kinds.
    #[serde(default)]
    pub payload: String,
    /// Whether the device listens for a downlink; `false` if left out, as it must be for control
    /// messages.
    #[serde(default)]
    pub bidirectional: bool,
    /// Control messages: supply voltage while idle, mV.
    #[serde(default)]
    pub voltage_idle_mv: Option<u16>,
    /// Control messages: supply voltage while transmitting, mV.
    #[serde(default)]
    pub voltage_tx_mv: Option<u16>,
    /// Control messages: temperature, tenths of a degree Celsius.
    #[serde(default)]
    pub temperature_decidegree_c: Option<i16>,
    /// Downlink confirmations: level of the downlink at the device, −228 to 27 dBm. Also read from
    /// `rssi_dbm`.
    #[serde(default, alias = "rssi_dbm")]
    pub rssi_dbm_at_device: Option<i16>,
}

impl UplinkRecord {
    /// The message that the record describes.
    ///
    /// # Errors
    ///
    /// [`Error::MissingField`] or [`Error::UnexpectedField`] if the fields do not fit the kind, or
    /// what is wrong with the payload, the flag or the level.
    pub fn uplink(&self) -> Result<Uplink, Error> {
        self.check_fields()?;
        Uplink::new(self.device_id, self.sequence_number, self.content()?)
            .with_bidirectional(self.bidirectional)
    }

    fn content(&self) -> Result<Content, Error> {
        Ok(match self.kind {
            Kind::Empty => Content::Empty,
            Kind::Bit0 => Content::Bit(false),
            Kind::Bit1 => Content::Bit(true),
            Kind::Bytes => Content::Bytes(self.payload.parse()?),
            Kind::KeepAlive => Content::Control(ControlMessage::KeepAlive(self.telemetry()?)),
            Kind::DlConfirmation => Content::Control(ControlMessage::DownlinkConfirmation {
                telemetry: self.telemetry()?,
                rssi: DeviceRssi::from_dbm(
                    self.needed("rssi_dbm_at_device", self.rssi_dbm_at_device)?,
                )?,
            }),
        })
    }

    fn telemetry(&self) -> Result<Telemetry, Error> {
        Ok(Telemetry {
            voltage_idle_mv: self.needed("voltage_idle_mv", self.voltage_idle_mv)?,
            voltage_tx_mv: self.needed("voltage_tx_mv", self.voltage_tx_mv)?,
            temperature_decidegree_c: self
                .needed("temperature_decidegree_c", self.temperature_decidegree_c)?,
        })
    }

    fn needed<T>(&self, field: &'static str, value: Option<T>) -> Result<T, Error> {
        value.ok_or(Error::MissingField { kind: self.kind, field })
    }

    /// Refuses fields that the kind cannot carry, which would be lost silently.
    fn check_fields(&self) -> Result<(), Error> {
        let is_control = matches!(self.kind, Kind::KeepAlive | Kind::DlConfirmation);
        let fields = [
            ("payload", !self.payload.is_empty(), self.kind == Kind::Bytes),
            ("voltage_idle_mv", self.voltage_idle_mv.is_some(), is_control),
            ("voltage_tx_mv", self.voltage_tx_mv.is_some(), is_control),
            ("temperature_decidegree_c", self.temperature_decidegree_c.is_some(), is_control),
            (
                "rssi_dbm_at_device",
                self.rssi_dbm_at_device.is_some(),
                self.kind == Kind::DlConfirmation,
            ),
        ];
        match fields.into_iter().find(|&(_, given, allowed)| given && !allowed) {
            Some((field, ..)) => Err(Error::UnexpectedField { kind: self.kind, field }),
            None => Ok(()),
        }
    }
}
