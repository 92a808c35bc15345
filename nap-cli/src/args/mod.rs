//! What several commands take from their command lines.

pub mod channel;
pub mod devices;
pub mod input;
#[cfg(feature = "station")]
pub mod mqtt;
pub mod quantity;
pub mod recorder;
pub mod source;
pub mod span;
