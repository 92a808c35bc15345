//! Signal processing for ultra-narrow-band DBPSK receivers.

mod error;
pub mod modulator;
pub mod simulator;

pub use error::Error;
