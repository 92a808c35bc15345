//! Since when nobody knows the time of day.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::rules::clock::{ClockName, RunningTime};
use crate::rules::utc::Utc;
use crate::store::ledger::Ledger;

pub(super) const SETTING: &str = "undated";

/// Since when nobody knows the time of day, as it is stored: a station that starts again meanwhile goes on with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Undated {
    /// Which start of the computer it is.
    pub boot_id: String,
    base_us: i64,
    since_s: f64,
    /// The first message of this time; `None` before the one who writes knows.
    pub(super) first_row: Option<i64>,
}

impl Undated {
    /// Begins now, after the newest time that is known.
    #[must_use]
    pub fn begin(boot_id: String, newest: Utc, uptime_s: f64) -> Self {
        let RunningTime { base, since_s } = RunningTime::after(newest, uptime_s);
        Self { boot_id, base_us: base.0, since_s, first_row: None }
    }

    /// What was stored, if anything was.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn load(ledger: &Ledger) -> Result<Option<Self>, Error> {
        let stored = ledger.setting(SETTING)?;
        Ok(stored.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// The time that its messages have.
    #[must_use]
    pub fn running(&self) -> RunningTime {
        RunningTime { base: Utc(self.base_us), since_s: self.since_s }
    }
}

/// Whether the time of day is known.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Dating {
    /// It is.
    Dated,
    /// It is not.
    Undated(Undated),
    /// It was not, and what still comes with running time from `base` on is so much wrong.
    Redated { base: Utc, offset_us: i64, clock: ClockName },
}

/// Items that are kept back, and until when.
pub(super) type KeptBack = BTreeMap<i64, Utc>;
