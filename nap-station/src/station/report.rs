//! What the receiver, or a file of records, tells of messages.

use nap_phy::schema::MessageRecord;

use crate::rules::utc::Utc;

/// What is told of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Ties together what is told of one message: which receiver, and its number there. 0 for one of which
    /// nothing more is told.
    pub message: (usize, u64),
    /// What it is.
    pub kind: ReportKind,
}

/// What is told of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum ReportKind {
    /// The message, or more of it.
    Heard(Box<Heard>),
    /// It was never sent.
    Retracted,
}

/// A message as it was heard.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// Whether it is told of for the first time, by those who tell of it.
    pub is_first: bool,
    /// Whether nothing more comes of it.
    pub is_complete: bool,
    /// Its record, with a time.
    pub record: MessageRecord,
    /// When it was sent.
    pub at: Utc,
    /// The clock that its time is of.
    pub clock: &'static str,
}
