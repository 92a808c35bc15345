//! What the receiver reports.

use super::undecoded::UndecodedBurst;
use crate::message::Message;

/// What happened on the air.
///
/// The events of one message have one [`MessageId`](crate::MessageId): a `Message`, as many `Update`s as
/// further frames are received, and a `Complete` or, rarely, a `Retracted`, after which there is nothing
/// more of it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A message was decoded for the first time. Where several frames were decoded together, updates
    /// with the others follow at once. A message that is weakly proven, with odds of less than 10 000 to 1
    /// and no key to confirm it, waits for what else comes to light: it is told of just before its
    /// `Complete`, with all its frames.
    Message(Message),
    /// Another frame of a message that was reported: the message now lists it too. Or it lists one less,
    /// which turned out to be another message's.
    Update(Message),
    /// No more frames can come to this message; its figures are final.
    Complete(Message),
    /// A message that was reported, as it was last, turned out wrong: its bursts are those of a message
    /// that is better proven. It was never sent.
    Retracted(Message),
    /// A burst was seen and will not decode any more: neither alone, nor with others, nor when
    /// something is cancelled that lies over it. It comes [`UNDECODED_AFTER_S`](super::UNDECODED_AFTER_S)
    /// after the burst's start, or when the stream ends. Noise shows none: there was not one in a quarter of
    /// an hour of it, in which 808 places looked like a faint burst.
    Undecoded(UndecodedBurst),
}

impl Event {
    /// The message that the event tells of, if it tells of one that was sent.
    #[must_use]
    pub fn message(&self) -> Option<&Message> {
        match self {
            Self::Message(message) | Self::Update(message) | Self::Complete(message) => {
                Some(message)
            }
            Self::Retracted(_) | Self::Undecoded(_) => None,
        }
    }

    /// The message if it is complete: each message once, with all its frames.
    ///
    /// ```
    /// # use nap_phy::{Event, Message};
    /// # let events: Vec<Event> = Vec::new();
    /// let messages: Vec<Message> = events.into_iter().filter_map(Event::complete).collect();
    /// # assert!(messages.is_empty());
    /// ```
    #[must_use]
    pub fn complete(self) -> Option<Message> {
        match self {
            Self::Complete(message) => Some(message),
            _ => None,
        }
    }

    /// The message that turned out wrong, if the event tells of one.
    #[must_use]
    pub fn retracted(&self) -> Option<&Message> {
        match self {
            Self::Retracted(message) => Some(message),
            _ => None,
        }
    }

    /// The burst that was seen and not decoded, if the event tells of one.
    #[must_use]
    pub fn undecoded(&self) -> Option<&UndecodedBurst> {
        match self {
            Self::Undecoded(burst) => Some(burst),
            _ => None,
        }
    }

    /// The same event with its times moved by `delay_s`.
    pub(super) fn delayed_by(self, delay_s: f64) -> Self {
        match self {
            Self::Message(message) => Self::Message(message.moved_by(delay_s)),
            Self::Update(message) => Self::Update(message.moved_by(delay_s)),
            Self::Complete(message) => Self::Complete(message.moved_by(delay_s)),
            Self::Retracted(message) => Self::Retracted(message.moved_by(delay_s)),
            Self::Undecoded(burst) => Self::Undecoded(burst.moved_by(delay_s)),
        }
    }
}
