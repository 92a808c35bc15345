//! The time of day of the computer.

use jiff::Timestamp;

use crate::rules::utc::Utc;

/// Now.
#[must_use]
pub fn now() -> Utc {
    Timestamp::now().into()
}
