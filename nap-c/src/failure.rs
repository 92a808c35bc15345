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
        let Self::Library(error) = self else {
            let Self::Status(status) = self else { return NapStatus::InvalidConfig };
            // What the call before it was about does not explain this one.
            LAST.with_borrow_mut(String::clear);
            return status;
        };
        LAST.with_borrow_mut(|last| *last = error.to_string());
        match error {
            Error::DuplicateDevice { .. } => NapStatus::DuplicateDevice,
            Error::MemoryBound { .. } => NapStatus::MemoryBound,
            _ => NapStatus::InvalidConfig,
        }
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
