//! `[devices]` and `[rules]`.

use std::path::PathBuf;

use serde::Deserialize;

use crate::config::range::positive;
use crate::rules::judge::{RulesConfig, SequencePolicy};

/// Which devices are known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DevicesConfig {
    /// The operator's table.
    #[serde(default)]
    pub file: Option<PathBuf>,
}

/// How messages are judged.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RulesSection {
    /// Whether devices that are not listed are refused.
    pub white_list: bool,
    /// Whether messages of devices without a known key are refused.
    pub require_auth: bool,
    /// Messages that the station passes on in a day.
    #[serde(deserialize_with = "positive")]
    pub messages_per_day: u32,
    /// The messages a day of a device's contract.
    #[serde(deserialize_with = "positive")]
    pub device_messages_per_day: u32,
    /// Messages that are taken of a device in an hour; 0 for any number.
    pub max_messages_per_hour: u32,
    /// What to make of a counter that cannot be.
    pub sequence: SequenceRule,
    /// For how long a device is blocked whose messages are part of an anomaly; 0 for none.
    pub anomaly_block_minutes: u32,
}

/// What to make of a counter that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SequenceRule {
    /// Refuse the message.
    Enforce,
    /// Accept it and say so.
    Flag,
}

impl Default for RulesSection {
    fn default() -> Self {
        Self {
            white_list: true,
            require_auth: false,
            messages_per_day: 840,
            device_messages_per_day: 140,
            max_messages_per_hour: 60,
            sequence: SequenceRule::Enforce,
            anomaly_block_minutes: 0,
        }
    }
}

impl RulesSection {
    /// What the rules take.
    #[must_use]
    pub fn config(&self) -> RulesConfig {
        RulesConfig {
            require_auth: self.require_auth,
            messages_per_day: self.messages_per_day,
            device_messages_per_day: self.device_messages_per_day,
            max_messages_per_hour: self.max_messages_per_hour,
            sequence: match self.sequence {
                SequenceRule::Enforce => SequencePolicy::Enforce,
                SequenceRule::Flag => SequencePolicy::Flag,
            },
            anomaly_block_minutes: self.anomaly_block_minutes,
        }
    }
}
