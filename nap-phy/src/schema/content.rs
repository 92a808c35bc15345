//! What a message says, as records tell it.

use serde::{Deserialize, Serialize};

use crate::uplink::content::Content;
use crate::uplink::control::ControlMessage;
use crate::uplink::frame_type::FrameType;

/// Fields of control messages. All are absent from a record of another kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlFields {
    /// Supply voltage while idle, mV.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voltage_idle_mv: Option<u16>,
    /// Supply voltage while transmitting, mV.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voltage_tx_mv: Option<u16>,
    /// Temperature, tenths of a degree Celsius.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_decidegree_c: Option<i16>,
    /// Level of the downlink at the device, dBm; of a `dl_confirmation` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rssi_dbm_at_device: Option<i16>,
}

impl ControlFields {
    /// The fields that a message's content adds.
    #[must_use]
    pub fn of(content: &Content) -> Self {
        let Content::Control(control) = content else {
            return Self::default();
        };
        let telemetry = control.telemetry();
        Self {
            voltage_idle_mv: Some(telemetry.voltage_idle_mv),
            voltage_tx_mv: Some(telemetry.voltage_tx_mv),
            temperature_decidegree_c: Some(telemetry.temperature_decidegree_c),
            rssi_dbm_at_device: match control {
                ControlMessage::KeepAlive(_) => None,
                ControlMessage::DownlinkConfirmation { rssi, .. } => Some(rssi.dbm()),
            },
        }
    }
}

/// The 13 bits of a frame type, four lower-case hexadecimal digits.
pub(super) fn frame_type_text(frame_type: FrameType) -> String {
    format!("{:04x}", frame_type.bits())
}

/// The application's payload as lower-case hexadecimal, empty if there is none.
pub(super) fn payload_text(content: &Content) -> String {
    match content {
        Content::Bytes(payload) => payload.to_string(),
        Content::Empty | Content::Bit(_) | Content::Control(_) => String::new(),
    }
}
