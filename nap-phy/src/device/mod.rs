//! Devices: who they are, their keys, and tables of them.

pub mod authentication;
#[cfg(feature = "csv")]
pub mod csv;
pub mod id;
mod id_text;
pub mod key;
#[cfg(feature = "std")]
pub mod table;
