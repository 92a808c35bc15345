//! The private module `nap_sdr._nap`: a thin face of the libraries for Python.
//!
//! Messages and scenes pass as text in the documented JSON, samples as NumPy arrays; the Python
//! package `nap_sdr` gives both their types.

mod decoding;
mod devices;
mod error;
mod pieces;
mod radio_configuration;
mod receiver;
mod recording;
mod samples;
mod settings;
mod simulation;
mod spectrogram;
mod stages;
mod tuned;
mod uplink;
mod watching;

use pyo3::prelude::*;

/// The Rust half of `nap_sdr`.
#[pymodule]
mod _nap {
    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "Python's name of it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
    #[pymodule_export]
    use crate::decoding::decode_recording;
    #[pymodule_export]
    use crate::devices::{PyDeviceTable, check_device_id, check_key};
    #[pymodule_export]
    use crate::pieces::{PyPiece, decode_piece, plan_pieces, sew_pieces};
    #[pymodule_export]
    use crate::radio_configuration::{channel_width_hz, radio_configurations};
    #[pymodule_export]
    use crate::receiver::PyReceiver;
    #[pymodule_export]
    use crate::recording::{PyRecording, group};
    #[pymodule_export]
    use crate::samples::sample_count;
    #[pymodule_export]
    use crate::settings::PySettings;
    #[pymodule_export]
    use crate::simulation::{PyChannel, PyScene, PySignal};
    #[pymodule_export]
    use crate::spectrogram::spectrogram;
    #[pymodule_export]
    use crate::stages::{Burst, Subbands, decode_soft, frame_type, signs, thresholds};
    #[pymodule_export]
    use crate::uplink::{check_uplink, encode, parse_frame};
}
