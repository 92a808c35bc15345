//! What an operator may tell a station to do.

use nap_phy::DeviceId;
use serde::{Deserialize, Serialize};

/// What a station is to do. Doing it twice is doing it once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case", deny_unknown_fields)]
pub enum Order {
    /// A device may use the station though the table does not have it.
    Admit {
        /// Which.
        device_id: DeviceId,
    },
    /// A device may not use the station.
    Block {
        /// Which.
        device_id: DeviceId,
        /// For so long; for good if nothing is said.
        minutes: Option<u32>,
    },
    /// A device is not blocked any more.
    Unblock {
        /// Which.
        device_id: DeviceId,
    },
    /// The next message that a device's key proves may have any counter: it was reset, or exchanged.
    Disengage {
        /// Which.
        device_id: DeviceId,
    },
    /// Dead letters are to be tried again.
    Again(DeadLetters),
    /// Nobody wants dead letters any more.
    Drop(DeadLetters),
}

/// Which dead letters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeadLetters {
    /// Those of this relay; of all if nothing is said.
    pub relay: Option<String>,
    /// Those with these IDs; all if there is none.
    pub ids: Vec<String>,
}

/// What came of an order: how many devices or letters it was about, or why nothing came of it.
pub type Done = Result<u64, String>;
