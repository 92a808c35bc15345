//! The fields of one bitstream.

use hex::ToHex;
use serde::{Deserialize, Serialize};

use crate::device::authentication::Authentication;
use crate::device::id::DeviceId;
use crate::device::key::Key;
use crate::device::table::DeviceTable;
use crate::schema::content::{ControlFields, frame_type_text, payload_text};
use crate::schema::version::SCHEMA;
use crate::uplink::container::{Container, check_crc};
use crate::uplink::frame::deconvolved;
use crate::uplink::frame_error::FrameError;
use crate::uplink::kind::Kind;
use crate::uplink::length_class::LengthClass;
use crate::uplink::message_counter::MessageCounter;
use crate::uplink::rank::Rank;

/// The fields of one bitstream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameRecord {
    /// `frame`.
    #[serde(rename = "type")]
    pub record_type: FrameRecordType,
    /// Version of the schema, 1.
    pub schema: u16,
    /// The 13 bits of the frame type, four lower-case hexadecimal digits.
    pub frame_type: String,
    /// 1, 2 or 3.
    pub rank: Rank,
    /// `empty_or_bit`, `one_byte`, `two_to_four_bytes`, `five_to_eight_bytes`,
    /// `nine_to_twelve_bytes` or `control`.
    pub length_class: LengthClass,
    /// The length indicator, 0 to 3.
    pub length_indicator: u8,
    /// Whether the device listens for a downlink.
    pub bidirectional: bool,
    /// Whether a repeater sent the frame; its other fields may then mean something else.
    pub repeated: bool,
    /// The message counter, 0 to 4095.
    pub sequence_number: MessageCounter,
    /// The sender, eight upper-case hexadecimal digits.
    pub device_id: DeviceId,
    /// What the sender is called; present where the table of devices has a name only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_name: Option<String>,
    /// `bytes`, `empty`, `bit0`, `bit1`, `keep_alive` or `dl_confirmation`.
    pub kind: Kind,
    /// The payload of a `bytes` message, lower-case hexadecimal; empty for other kinds.
    pub payload: String,
    /// What control messages add.
    #[serde(flatten)]
    pub control: ControlFields,
    /// The authentication tag, 4 to 10 lower-case hexadecimal digits.
    pub auth_tag: String,
    /// `verified`, `failed`, or `unchecked` where the device's key is not known.
    pub auth: Authentication,
    /// The CRC found, four lower-case hexadecimal digits.
    pub crc: String,
    /// Whether the CRC matches; if not, any field may be wrong.
    pub crc_ok: bool,
}

/// Type of a record on a bitstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrameRecordType {
    /// A bitstream taken apart.
    Frame,
}

impl FrameRecord {
    /// Takes a bitstream apart. A table of devices gives the sender's name, and its key unless one is given.
    ///
    /// A frame whose CRC does not match is taken apart all the same, as long as its fields make
    /// sense.
    ///
    /// # Errors
    ///
    /// As [`Frame::parse`](crate::Frame::parse), but for a wrong CRC that leaves the fields
    /// readable.
    pub fn parse(
        bitstream: &[u8],
        key: Option<&Key>,
        devices: &DeviceTable,
    ) -> Result<Self, FrameError> {
        let (frame_type, bytes) = deconvolved(bitstream)?;
        let crc = check_crc(&bytes);
        // Where the CRC is wrong, that is why the fields make no sense.
        let container = Container::read(frame_type.class, &bytes)
            .map_err(|error| crc.err().unwrap_or(error))?;
        let device_id = container.device_id();
        let key = key.or_else(|| devices.key(device_id));
        Ok(Self {
            record_type: FrameRecordType::Frame,
            schema: SCHEMA,
            frame_type: frame_type_text(frame_type),
            rank: frame_type.rank,
            length_class: frame_type.class,
            length_indicator: container.length_indicator(),
            bidirectional: container.bidirectional(),
            repeated: container.repeated(),
            sequence_number: container.sequence_number(),
            device_id,
            device_name: devices.name(device_id).map(str::to_owned),
            kind: container.content().kind(),
            payload: payload_text(container.content()),
            control: ControlFields::of(container.content()),
            auth_tag: container.tag().encode_hex(),
            auth: key.map_or(Authentication::Unchecked, |key| container.authenticate(key)),
            crc: format!("{:04x}", container.crc()),
            crc_ok: crc.is_ok(),
        })
    }
}
