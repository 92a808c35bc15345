//! What the receiver reports.

use crate::message::Message;

/// What happened on the air.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A message was decoded for the first time. Where several frames were decoded together, updates
    /// with the others follow at once.
    Message(Message),
    /// Another frame of a message that was reported: the message now lists it too.
    Update(Message),
    /// No more frames can come to this message; its figures are final.
    Complete(Message),
}

impl Event {
    /// The same event with its times moved by `delay_s`.
    pub(super) fn delayed_by(self, delay_s: f64) -> Self {
        match self {
            Self::Message(message) => Self::Message(message.moved_by(delay_s)),
            Self::Update(message) => Self::Update(message.moved_by(delay_s)),
            Self::Complete(message) => Self::Complete(message.moved_by(delay_s)),
        }
    }
}
