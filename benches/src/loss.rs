//! The flags of an experiment on loss.

use anyhow::Result;
use clap::Parser;
use nap_phy::scene::Shape;
use nap_phy::{BitRate, Rank};

use crate::conditions::Conditions;
use crate::impairments::Impairments;
use crate::shape::parse_shape;

/// Measures the loss of messages at some Eb/N0.
#[derive(Debug, Clone, Parser)]
pub struct LossArgs {
    /// Bit rate.
    #[arg(long, default_value_t = BitRate::Bps100)]
    pub bit_rate: BitRate,
    /// Frames a message.
    #[arg(long, default_value_t = 3)]
    pub frames: u8,
    /// Eb/N0 in dB.
    #[arg(long, value_delimiter = ',', default_value = "-1,0,1,2,3", allow_hyphen_values = true)]
    pub eb_over_n0: Vec<f64>,
    /// Messages a point.
    #[arg(long, default_value_t = 500)]
    pub messages: usize,
    /// Largest drift in Hz/s.
    #[arg(long, default_value_t = 0.0)]
    pub drift: f64,
    /// How the transmitters turn the phase: `rect`, `hann` or `s2lp`.
    #[arg(long, default_value = "rect", value_parser = parse_shape)]
    pub shape: Shape,
    /// Payload bytes.
    #[arg(long, default_value_t = 12)]
    pub payload: usize,
    /// Samples a second: in a band that is narrower than the channel, messages are all over it.
    #[arg(long, default_value_t = 250_000.0)]
    pub sample_rate: f64,
    /// Start of all randomness.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// What else happens to the signals.
    #[command(flatten)]
    pub impairments: Impairments,
}

impl LossArgs {
    /// The conditions at one Eb/N0.
    ///
    /// # Errors
    /// If a message cannot have as many frames.
    pub fn conditions(&self, eb_over_n0_db: f64) -> Result<Conditions> {
        Ok(Conditions {
            max_drift_hz_per_s: self.drift,
            payload_bytes: self.payload,
            shape: self.shape,
            sample_rate_hz: self.sample_rate,
            ..Conditions::new(self.bit_rate, eb_over_n0_db, Rank::try_from(self.frames)?)
        })
    }
}
