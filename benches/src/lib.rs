//! Experiments on the receiver with the simulated channel, shared by the programs and tests that
//! measure it.

mod conditions;
mod load;
mod reception;
pub mod scenarios;
mod sender;
mod shape;
mod sweep;
pub mod theory;

pub use conditions::{Conditions, Outcome, measure};
pub use load::Recording;
pub use reception::{Reception, timed};
pub use shape::{parse_shape, shape_name};
pub use sweep::{Sweep, crossing};
