//! What a message says, in plain fields.

use core::ffi::{CStr, c_char};

use nap_phy::{
    Content, ControlMessage, DeviceId, DeviceRssi, Kind, MAX_PAYLOAD_BYTES, MessageCounter,
    Payload, Telemetry, Uplink,
};

use crate::status::NapStatus;

/// Longest payload of an uplink in bytes.
pub const NAP_MAX_PAYLOAD_BYTES: usize = 12;

const _: () = assert!(NAP_MAX_PAYLOAD_BYTES == MAX_PAYLOAD_BYTES);

/// Kind of a message's content.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NapKind {
    /// A payload of 1 to 12 bytes.
    Bytes = 0,
    /// No payload.
    Empty = 1,
    /// The bit 0.
    Bit0 = 2,
    /// The bit 1.
    Bit1 = 3,
    /// A sign of life, with `voltage_idle_mv`, `voltage_tx_mv` and `temperature_decidegree_c`.
    KeepAlive = 4,
    /// A downlink was received: the same, and `rssi_dbm_at_device`.
    DlConfirmation = 5,
}

/// What a device sends. Fields that its kind does not have are 0.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NapUplink {
    /// The device.
    pub device_id: u32,
    /// One of `NapKind`.
    pub kind: i32,
    /// The message counter, 0 to 4095.
    pub sequence_number: u16,
    /// 1 if the device will listen for a downlink, else 0.
    pub bidirectional: u8,
    /// How many bytes the payload has.
    pub payload_length: u8,
    /// The application's payload.
    pub payload: [u8; NAP_MAX_PAYLOAD_BYTES],
    /// Of control messages: the battery's voltage while nothing is sent, mV.
    pub voltage_idle_mv: u16,
    /// The same while a frame is sent, mV.
    pub voltage_tx_mv: u16,
    /// The device's temperature, tenths of a degree Celsius.
    pub temperature_decidegree_c: i16,
    /// Of a confirmation: the level at which the device received the downlink, dBm.
    pub rssi_dbm_at_device: i16,
}

impl NapUplink {
    /// The plain fields of a message.
    #[cfg(feature = "receiver")]
    pub(crate) fn of(uplink: &Uplink) -> Self {
        Self {
            sequence_number: uplink.sequence_number().value(),
            bidirectional: uplink.bidirectional().into(),
            ..Self::of_content(uplink.device_id(), uplink.content())
        }
    }

    /// The plain fields of a content, without counter and flag.
    pub(crate) fn of_content(device_id: DeviceId, content: &Content) -> Self {
        let mut fields =
            Self { device_id: device_id.0, kind: NapKind::of(content) as i32, ..Self::default() };
        match content {
            Content::Empty | Content::Bit(_) => {}
            Content::Bytes(payload) => {
                fields.payload_length = payload.len() as u8;
                let places = fields.payload.iter_mut().zip(payload.iter());
                places.for_each(|(place, byte)| *place = *byte);
            }
            Content::Control(control) => {
                let telemetry = control.telemetry();
                fields.voltage_idle_mv = telemetry.voltage_idle_mv;
                fields.voltage_tx_mv = telemetry.voltage_tx_mv;
                fields.temperature_decidegree_c = telemetry.temperature_decidegree_c;
                if let ControlMessage::DownlinkConfirmation { rssi, .. } = control {
                    fields.rssi_dbm_at_device = rssi.dbm();
                }
            }
        }
        fields
    }

    /// The message that these fields mean.
    pub(crate) fn uplink(&self) -> Result<Uplink, NapStatus> {
        let invalid = |_| NapStatus::InvalidArgument;
        let sequence_number = MessageCounter::new(self.sequence_number).map_err(invalid)?;
        Uplink::new(DeviceId(self.device_id), sequence_number, self.content()?)
            .with_bidirectional(self.bidirectional != 0)
            .map_err(invalid)
    }

    fn content(&self) -> Result<Content, NapStatus> {
        let invalid = |_| NapStatus::InvalidArgument;
        match NapKind::from_number(self.kind).ok_or(NapStatus::InvalidArgument)? {
            NapKind::Empty => Ok(Content::Empty),
            NapKind::Bit0 => Ok(Content::Bit(false)),
            NapKind::Bit1 => Ok(Content::Bit(true)),
            NapKind::Bytes => {
                let length = usize::from(self.payload_length);
                let payload = self.payload.get(..length).ok_or(NapStatus::InvalidArgument)?;
                Payload::new(payload).map(Content::Bytes).map_err(invalid)
            }
            NapKind::KeepAlive => Ok(Content::Control(ControlMessage::KeepAlive(self.telemetry()))),
            NapKind::DlConfirmation => {
                let rssi = DeviceRssi::from_dbm(self.rssi_dbm_at_device).map_err(invalid)?;
                let telemetry = self.telemetry();
                Ok(Content::Control(ControlMessage::DownlinkConfirmation { telemetry, rssi }))
            }
        }
    }

    fn telemetry(&self) -> Telemetry {
        Telemetry {
            voltage_idle_mv: self.voltage_idle_mv,
            voltage_tx_mv: self.voltage_tx_mv,
            temperature_decidegree_c: self.temperature_decidegree_c,
        }
    }
}

impl NapKind {
    const ALL: [Self; 6] =
        [Self::Bytes, Self::Empty, Self::Bit0, Self::Bit1, Self::KeepAlive, Self::DlConfirmation];

    fn of(content: &Content) -> Self {
        match content.kind() {
            Kind::Bytes => Self::Bytes,
            Kind::Empty => Self::Empty,
            Kind::Bit0 => Self::Bit0,
            Kind::Bit1 => Self::Bit1,
            Kind::KeepAlive => Self::KeepAlive,
            Kind::DlConfirmation => Self::DlConfirmation,
        }
    }

    fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as i32 == number)
    }

    fn name(self) -> &'static CStr {
        match self {
            Self::Bytes => c"bytes",
            Self::Empty => c"empty",
            Self::Bit0 => c"bit0",
            Self::Bit1 => c"bit1",
            Self::KeepAlive => c"keep_alive",
            Self::DlConfirmation => c"dl_confirmation",
        }
    }
}

/// The name of one of `NapKind` as in records; "unknown" for another number, never null.
#[unsafe(no_mangle)]
pub extern "C" fn nap_kind_name(kind: i32) -> *const c_char {
    NapKind::from_number(kind).map_or(c"unknown", NapKind::name).as_ptr()
}
