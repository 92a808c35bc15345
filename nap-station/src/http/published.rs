//! Events for those who listen in.

/// An event for those who listen in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// What it is, such as `message`, `update`, `retracted`, `fault`, `recovered`.
    pub kind: &'static str,
    /// A JSON object.
    pub data: String,
}

/// What goes to the readers.
#[derive(Debug, Clone)]
pub(crate) enum Sent {
    /// An event.
    Event(Published),
    /// There will be no more.
    End,
}
