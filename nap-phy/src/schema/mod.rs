//! The documented JSON of messages, frames and uplinks, the same in every program of the project.
//!
//! | record | direction | what |
//! | --- | --- | --- |
//! | [`MessageRecord`] | out and in | a message as received |
//! | [`RetractedRecord`] | out | a message that was reported and turned out wrong |
//! | `UndecodedRecord` | out | a burst that was seen and not decoded; with the feature `receiver` |
//! | [`FrameRecord`] | out and in | the fields of one bitstream |
//! | [`UplinkRecord`] | in | a message to encode |
//!
//! Records that go out have a `type` and a `schema` version. The version counts up when a field
//! changes its meaning or goes; new fields alone do not change it, so readers skip what they do not
//! know.

pub mod columns;
pub(crate) mod content;
mod frame;
pub(crate) mod message;
mod retracted;
mod signal;
#[cfg(feature = "receiver")]
mod undecoded;
pub(crate) mod uplink;
mod version;

pub use content::ControlFields;
pub use frame::{FrameRecord, FrameRecordType};
pub use message::{FrameReportRecord, MessageRecord, MessageRecordType};
pub use retracted::{RetractedRecord, RetractedRecordType};
pub use signal::SignalFields;
#[cfg(feature = "receiver")]
pub use undecoded::{UndecodedRecord, UndecodedRecordType};
pub use uplink::UplinkRecord;
pub use version::SCHEMA;
