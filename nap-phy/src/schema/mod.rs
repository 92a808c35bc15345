//! The documented JSON of messages, frames and uplinks, the same in every program of the project.
//!
//! | record | direction | what |
//! | --- | --- | --- |
//! | [`MessageRecord`] | out and in | a message as received |
//! | [`FrameRecord`] | out and in | the fields of one bitstream |
//! | [`UplinkRecord`] | in | a message to encode |
//!
//! Records that go out have a `type` and a `schema` version. The version counts up when a field
//! changes its meaning or goes; new fields alone do not change it, so readers skip what they do not
//! know.

mod control;
mod frame;
mod message;
mod uplink;

pub use control::ControlFields;
pub use frame::{FrameRecord, FrameRecordType};
pub use message::{FrameReportRecord, MessageRecord, MessageRecordType, SignalFields};
pub use uplink::UplinkRecord;

use crate::Content;

/// Version of the records' schema.
pub const SCHEMA: u16 = 1;

/// The application's payload as lower-case hexadecimal, empty if there is none.
fn payload_text(content: &Content) -> String {
    match content {
        Content::Bytes(payload) => payload.to_string(),
        Content::Empty | Content::Bit(_) | Content::Control(_) => String::new(),
    }
}
