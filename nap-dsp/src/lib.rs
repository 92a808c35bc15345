//! Signal processing for receivers of ultra-narrow-band DBPSK.
//!
//! No protocol, no input or output, no clock: samples go in, estimates come out. The stages can be
//! used one by one; `nap-phy` strings them together to a receiver of the Sigfox uplink.
//!
//! # Features
//!
//! - `ndarray`: spectrograms and the history of subbands as arrays of the crate [ndarray]. Without it
//!   they are handed out row by row, and the crate is not linked.
//! - `simulation`: the other side, `modulator` and `simulator`, which receivers do not need.
//! - `serde`: what the simulator's devices and receivers do, read from files. Brings `simulation`.
//!
//! [ndarray]: https://docs.rs/ndarray

#![warn(missing_debug_implementations)]

pub mod baseband;
pub mod blanker;
mod boxcar;
pub mod canceller;
pub mod carrier;
pub mod channelizer;
pub mod decimator;
pub mod demodulator;
pub mod detector;
mod error;
mod filter;
mod kernels;
#[cfg(feature = "simulation")]
pub mod modulator;
pub mod noise_floor;
mod oscillator;
#[cfg(feature = "simulation")]
pub mod simulator;
pub mod spectrogram;
pub mod subbands;
pub mod synchronizer;

pub use error::Error;
/// The crate that samples are from: `num_complex::Complex32`.
pub use num_complex;
