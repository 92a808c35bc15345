//! Experiments on the receiver with the simulated channel, shared by the programs and tests that
//! measure it.

mod conditions;
mod reception;
pub mod scenarios;
mod sender;

pub use conditions::{Conditions, Outcome, measure};
pub use reception::{Reception, timed};
