//! Relays: messages out of the station's ledger, to where they are wanted.

pub mod outbox;

use std::path::PathBuf;

/// tmp
#[derive(Debug, Clone)]
pub enum Options {
    /// tmp
    File(FileOptions),
}
/// tmp
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileOptions {
    /// tmp
    pub path: PathBuf,
    /// tmp
    #[serde(default)]
    pub updates: bool,
}
