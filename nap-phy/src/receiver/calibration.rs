//! From the samples' own units to those of the report.

use crate::message::Level;

/// What 0 Hz and full scale are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calibration {
    /// Frequency of the samples' 0 Hz.
    pub(super) center_hz: f64,
    /// Power of a full-scale carrier at the antenna, if known.
    pub(super) full_scale_dbm: Option<f64>,
}

impl Calibration {
    /// A frequency that counts from the samples' 0 Hz.
    pub(super) fn frequency_hz(&self, offset_hz: f64) -> f64 {
        self.center_hz + offset_hz
    }

    /// A power, 1 being that of a full-scale carrier.
    pub(super) fn level(&self, power: f64) -> Level {
        let dbfs = decibel(power);
        match self.full_scale_dbm {
            Some(full_scale_dbm) => Level::Dbm(dbfs + full_scale_dbm),
            None => Level::Dbfs(dbfs),
        }
    }
}

/// A ratio of powers in dB; a very small number for 0.
pub(super) fn decibel(ratio: f64) -> f64 {
    10.0 * ratio.max(f64::MIN_POSITIVE).log10()
}
