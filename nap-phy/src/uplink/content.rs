//! What a message says.

use arrayvec::ArrayVec;

use crate::uplink::control::ControlMessage;
use crate::uplink::frame_error::FrameError;
use crate::uplink::kind::Kind;
use crate::uplink::length_class::LengthClass;
use crate::uplink::payload::{MAX_PAYLOAD_BYTES, Payload};

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Content {
    /// Nothing but that the device is there.
    Empty,
    /// One bit, carried by the length indicator.
    Bit(bool),
    /// A payload of the application.
    Bytes(Payload),
    /// A message of the device's library.
    Control(ControlMessage),
}

impl Content {
    /// The kind of content, as named in records.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Empty => Kind::Empty,
            Self::Bit(false) => Kind::Bit0,
            Self::Bit(true) => Kind::Bit1,
            Self::Bytes(_) => Kind::Bytes,
            Self::Control(ControlMessage::KeepAlive(_)) => Kind::KeepAlive,
            Self::Control(ControlMessage::DownlinkConfirmation { .. }) => Kind::DlConfirmation,
        }
    }

    /// The class of the container that carries the content.
    #[must_use]
    pub fn class(&self) -> LengthClass {
        match self {
            Self::Empty | Self::Bit(_) => LengthClass::EmptyOrBit,
            Self::Control(_) => LengthClass::Control,
            Self::Bytes(payload) => match payload.len() {
                ..=1 => LengthClass::OneByte,
                2..=4 => LengthClass::TwoToFourBytes,
                5..=8 => LengthClass::FiveToEightBytes,
                9.. => LengthClass::NineToTwelveBytes,
            },
        }
    }

    /// The payload as sent: that of the application, or a control message's encoding.
    pub(crate) fn wire_payload(&self) -> ArrayVec<u8, MAX_PAYLOAD_BYTES> {
        match self {
            Self::Empty | Self::Bit(_) => ArrayVec::new(),
            Self::Bytes(payload) => payload.iter().copied().collect(),
            Self::Control(control) => control.payload(),
        }
    }

    /// The length indicator that goes with a payload of `payload_bytes` in this content's class.
    pub(crate) fn length_indicator(&self, payload_bytes: usize) -> u8 {
        match self {
            Self::Bit(false) => 2,
            Self::Bit(true) => 3,
            _ => {
                let (_, longest) = self.class().payload_range();
                // At most 3: no class spans more than four lengths.
                (longest - payload_bytes) as u8
            }
        }
    }

    /// The content of a container whose length indicator has been found to fit its class.
    pub(crate) fn parse(
        class: LengthClass,
        length_indicator: u8,
        payload: &[u8],
    ) -> Result<Self, FrameError> {
        match class {
            LengthClass::Control => ControlMessage::parse(payload).map(Self::Control),
            LengthClass::EmptyOrBit => Ok(match length_indicator {
                2 => Self::Bit(false),
                3 => Self::Bit(true),
                _ => Self::Empty,
            }),
            _ => Payload::new(payload)
                .map(Self::Bytes)
                .map_err(|_| FrameError::LengthIndicator { class, found: length_indicator }),
        }
    }
}
