//! The subcommands: each one is a module with its `Args` and a `run`.

pub mod completions;
pub mod decode;
pub mod doctor;
#[cfg(feature = "soapy")]
pub mod drive;
pub mod encode;
pub mod frame;
pub mod listen;
pub mod man;
pub mod radios;
pub mod simulate;
#[cfg(feature = "station")]
pub mod station;
pub mod waterfall;
