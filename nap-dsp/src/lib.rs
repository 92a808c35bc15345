//! Signal processing for receivers of ultra-narrow-band DBPSK.
//!
//! No protocol, no input or output, no clock: samples go in, estimates come out. The stages can be
//! used one by one; `nap-phy` strings them together to a receiver of the Sigfox uplink.

pub mod canceller;
pub mod channelizer;
pub mod demodulator;
pub mod detector;
mod disturbance;
pub mod down_converter;
pub mod envelope;
mod error;
pub mod filter;
mod lanes;
mod median;
pub mod modulator;
pub mod noise;
mod oscillator;
mod sample;
pub mod simulator;
mod spectra;
pub mod spectrogram;
pub mod synchronizer;

pub use error::Error;
