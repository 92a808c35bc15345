//! Failures with their numbers, and panics that go no further.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use nap_phy::Error;

use crate::status::NapStatus;

thread_local! {
    /// What the last failure in this thread was, with its numbers.
    static LAST: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Why a call failed.
#[derive(Debug)]
pub(crate) enum Failure {
    Status(NapStatus),
    /// A setting of the configuration that the library does not know, and what is wrong with it.
    Setting(String),
    Library(Error),
}

impl From<NapStatus> for Failure {
    fn from(status: NapStatus) -> Self {
        Self::Status(status)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

impl Failure {
    /// Keeps the text for the thread, and gives the status.
    fn keep(self) -> NapStatus {
        let (status, text) = match self {
            // What the call before it was about does not explain this one.
            Self::Status(status) => (status, String::new()),
            Self::Setting(text) => (NapStatus::InvalidConfig, text),
            Self::Library(error) => (status_of(&error), error.to_string()),
        };
        LAST.set(text);
        status
    }
}

fn status_of(error: &Error) -> NapStatus {
    match error {
        Error::DuplicateDevice { .. } => NapStatus::DuplicateDevice,
        Error::MemoryBound { .. } => NapStatus::MemoryBound,
        _ => NapStatus::InvalidConfig,
    }
}

/// Runs what a call does; a panic in it becomes a status.
pub(crate) fn guarded(call: impl FnOnce() -> Result<(), Failure>) -> NapStatus {
    // What a panic may leave behind is a receiver, whose mutex is poisoned by it.
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(())) => NapStatus::Ok,
        Ok(Err(failure)) => failure.keep(),
        Err(_) => NapStatus::Panic,
    }
}

/// The text of the last failure in this thread, empty if its status says all.
pub(crate) fn last_text() -> String {
    LAST.with_borrow(String::clone)
}
