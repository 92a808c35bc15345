//! Samples between two gaps.

/// Samples without a gap between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// How many samples were lost before the first of them, as far as the driver says so.
    pub lost_before: u64,
    /// How many there are.
    pub samples: usize,
}
