//! The program that drives a radio.

use std::ffi::OsString;
use std::path::PathBuf;

/// A program in whose process a radio's driver runs. It is started with its arguments, and after them a
/// request and an address, which it hands to `soapy::drive`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriverProgram {
    /// Where it is.
    pub path: PathBuf,
    /// Its arguments before the request.
    pub arguments: Vec<OsString>,
}
