//! Experiments on the receiver with the simulated channel, shared by the programs and tests that
//! measure it.

mod conditions;
mod differential;
mod foreign_air;
mod impairments;
mod load;
mod loss;
mod reception;
pub mod scenarios;
mod sender;
mod shape;
mod subbands;
mod sweep;
pub mod theory;

pub use conditions::{Conditions, Outcome, measure, measure_beside_differential, scenes};
pub use differential::heard_differentially;
pub use foreign_air::{Findings, ForeignAir, Relabelling, receive_foreign_air};
pub use impairments::Impairments;
pub use load::Recording;
pub use loss::LossArgs;
pub use reception::{Air, Reception, thread_timed, timed};
pub use sender::empty_scene;
pub use shape::{parse_shape, shape_name};
pub use subbands::Subbands;
pub use sweep::{Sweep, crossing};
