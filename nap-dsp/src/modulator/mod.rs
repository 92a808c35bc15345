//! From bits to waveforms that exist at every instant.

pub(crate) mod dbpsk;

pub use dbpsk::{PulseShape, Waveform};
