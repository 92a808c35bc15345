//! What kinds of sources there are.

/// What kind of source it is: what may be wrong with it, and what its user can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceKind {
    /// A recording, or a file that grows.
    Recording,
    /// A program before a pipe.
    Pipe,
    /// A server or sender, over the network.
    Network,
    /// A radio that is driven from here.
    Radio,
}

impl SourceKind {
    /// Whether its samples are taken now; a recording's were taken when it says, or nobody knows.
    #[must_use]
    pub fn is_live(self) -> bool {
        self != Self::Recording
    }
}
