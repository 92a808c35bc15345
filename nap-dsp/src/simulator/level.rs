//! Levels.

/// The amplitude of a level in decibels.
pub(super) fn amplitude(level_db: f64) -> f64 {
    10f64.powf(level_db / 20.0)
}
