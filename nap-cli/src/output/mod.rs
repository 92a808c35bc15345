//! Results, in the format that the user wants.

mod csv;
pub mod json_lines;
pub mod log;
pub mod message_log;
pub mod printer;
#[cfg(feature = "station")]
pub mod publishing;
