//! `[retention]`.

use serde::Deserialize;

/// How long messages are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionConfig {
    /// For so many days.
    pub days: u32,
    /// As long as the ledger has no more than so many megabytes.
    pub megabytes: u32,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self { days: 90, megabytes: 512 }
    }
}
