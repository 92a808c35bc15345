//! The meaning of a message.

use crate::device::id::DeviceId;
use crate::error::Error;
use crate::uplink::content::Content;
use crate::uplink::message_counter::MessageCounter;

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
        Self { device_id, sequence_number, bidirectional: false, content }
    }

    /// The same message, asking for a downlink or not.
    ///
    /// # Errors
    ///
    /// [`Error::BidirectionalControl`] if a control message is to ask for one.
    pub fn with_bidirectional(self, bidirectional: bool) -> Result<Self, Error> {
        match self.content {
            Content::Control(_) if bidirectional => Err(Error::BidirectionalControl),
            _ => Ok(Self { bidirectional, ..self }),
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
}
