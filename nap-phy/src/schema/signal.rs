//! The figures of a signal, as records tell them.

use serde::{Deserialize, Serialize};

use crate::message::{Level, Signal};

/// Where, how strong and how clean a frame was received.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SignalFields {
    /// Carrier frequency in the middle of the frame, Hz, to 0.1 Hz.
    pub frequency_hz: f64,
    /// Mean power at the antenna, dBm, to 0.1 dB; present with a calibration only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rssi_dbm: Option<f64>,
    /// Mean power relative to full scale, dB, to 0.1 dB; present without a calibration only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rssi_dbfs: Option<f64>,
    /// Eb/N0, dB, to 0.1 dB.
    pub snr_db: f64,
    /// Drift of the carrier, Hz/s, to 0.1 Hz/s.
    pub drift_hz_per_s: f64,
}

impl From<Signal> for SignalFields {
    fn from(signal: Signal) -> Self {
        let (rssi_dbm, rssi_dbfs) = match signal.level {
            Level::Dbm(level) => (Some(rounded(level, 1)), None),
            Level::Dbfs(level) => (None, Some(rounded(level, 1))),
        };
        Self {
            frequency_hz: rounded(signal.frequency_hz, 1),
            rssi_dbm,
            rssi_dbfs,
            snr_db: rounded(signal.snr_db, 1),
            drift_hz_per_s: rounded(signal.drift_hz_per_s, 1),
        }
    }
}

/// Rounds to a number of decimals; never to minus zero.
pub(super) fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale + 0.0
}
