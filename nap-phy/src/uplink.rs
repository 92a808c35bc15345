//! The meaning of a message.

use core::fmt;

use arrayvec::ArrayVec;

use crate::{
    Bitstream, Container, ControlMessage, DeviceId, Error, FrameError, Key, LengthClass,
    MAX_PAYLOAD_BYTES, MessageCounter, Payload, Rank,
};

/// A message of a device. Its values cannot be illegal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Uplink {
    device_id: DeviceId,
    sequence_number: MessageCounter,
    bidirectional: bool,
    content: Content,
}

impl Uplink {
    /// A message that asks for no answer.
    #[must_use]
    pub const fn new(
        device_id: DeviceId,
        sequence_number: MessageCounter,
        content: Content,
    ) -> Self {
        Self {
            device_id,
            sequence_number,
            bidirectional: false,
            content,
        }
    }

    /// The same message, asking for a downlink or not.
    ///
    /// # Errors
    ///
    /// [`Error::BidirectionalControl`] if a control message is to ask for one.
    pub fn with_bidirectional(self, bidirectional: bool) -> Result<Self, Error> {
        match self.content {
            Content::Control(_) if bidirectional => Err(Error::BidirectionalControl),
            _ => Ok(Self {
                bidirectional,
                ..self
            }),
        }
    }

    /// The sender.
    #[must_use]
    pub const fn device_id(&self) -> DeviceId {
        self.device_id
    }

    /// The message counter.
    #[must_use]
    pub const fn sequence_number(&self) -> MessageCounter {
        self.sequence_number
    }

    /// Whether the device will listen for a downlink.
    #[must_use]
    pub const fn bidirectional(&self) -> bool {
        self.bidirectional
    }

    /// What the message says.
    #[must_use]
    pub const fn content(&self) -> &Content {
        &self.content
    }

    /// The container of the message, authenticated with the device's key.
    #[must_use]
    pub fn container(&self, key: &Key) -> Container {
        Container::build(self, key)
    }

    /// A whole frame of the message, preamble included.
    ///
    /// To make several frames, build the [`container`](Self::container) once and take its
    /// [`bitstream`](Container::bitstream) for each rank.
    #[must_use]
    pub fn encode(&self, rank: Rank, key: &Key) -> Bitstream {
        self.container(key).bitstream(rank)
    }
}

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
                .map_err(|_| FrameError::LengthIndicator {
                    class,
                    found: length_indicator,
                }),
        }
    }
}

/// Kind of a message's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Kind {
    /// A payload of 1 to 12 bytes.
    Bytes,
    /// No payload.
    Empty,
    /// The bit 0.
    Bit0,
    /// The bit 1.
    Bit1,
    /// A control message: a sign of life.
    KeepAlive,
    /// A control message: a downlink was received.
    DlConfirmation,
}

impl Kind {
    /// The name used in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Empty => "empty",
            Self::Bit0 => "bit0",
            Self::Bit1 => "bit1",
            Self::KeepAlive => "keep_alive",
            Self::DlConfirmation => "dl_confirmation",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
