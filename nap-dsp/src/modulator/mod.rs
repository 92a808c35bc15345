//! From bits to waveforms that exist at every instant.

pub(crate) mod dbpsk;
pub(crate) mod pulse_shape;

pub use dbpsk::Waveform;
pub use pulse_shape::PulseShape;
