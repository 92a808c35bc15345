//! Where, how fast and by which rules devices of a region send.

pub mod access;
pub mod bit_rate;
pub mod channel;
pub mod configuration;
pub mod frequency_generator;
pub mod guard;
pub mod hopping;
