//! Positions as whole numbers of small parts.

/// A place between values that lie one apart, as a whole number of parts, with which reckoning is
/// fast and exact.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Position(pub(crate) i64);

impl Position {
    /// Half of what it has: 2^31 values, and 2^-32 of the distance between two.
    const BITS: u32 = 32;
    const PARTS: f64 = (1u64 << Self::BITS) as f64;

    pub(crate) fn new(value: f64) -> Self {
        Self((value * Self::PARTS) as i64)
    }

    /// The last value before, or the first.
    pub(crate) fn index(self) -> usize {
        (self.0.max(0) >> Self::BITS) as usize
    }

    /// How far it lies behind that.
    pub(crate) fn fraction(self) -> f32 {
        self.0.max(0) as u32 as f32 / Self::PARTS as f32
    }
}
