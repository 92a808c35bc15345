//! `[retention]`.

use serde::Deserialize;

use crate::config::range::positive;

/// How long messages are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionConfig {
    /// For so many days.
    #[serde(deserialize_with = "positive")]
    pub days: u32,
    /// As long as the ledger has no more than so many megabytes.
    #[serde(deserialize_with = "positive")]
    pub megabytes: u32,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self { days: 90, megabytes: 512 }
    }
}
