//! The noise over the channel.

use crate::message::Level;

/// The noise in a part of the channel.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct NoiseDensity {
    /// Middle of the part, Hz.
    pub frequency_hz: f64,
    /// Power in one hertz: dBm/Hz with a calibration, else dB relative to full scale per hertz.
    pub level_per_hz: Level,
}
