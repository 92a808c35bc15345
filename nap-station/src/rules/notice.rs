//! What the rules tell beside a verdict.

use nap_phy::DeviceId;

use crate::rules::verdict::Reason;

/// Something that the station's operator may want to know.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Notice {
    /// A device's messages are refused; at most once an hour for each device.
    Refused {
        /// The device.
        device_id: DeviceId,
        /// Why.
        reason: Reason,
        /// Whether this is the last one of this hour, though more devices may be refused.
        is_last_of_hour: bool,
    },
    /// Messages are missing before this one.
    BreakInSequence {
        /// The device.
        device_id: DeviceId,
        /// Messages after the last accepted one.
        gap: u16,
    },
    /// The budget of the day is used up.
    BudgetExhausted {
        /// What it is.
        messages_per_day: u32,
    },
    /// Something is refused far more often than in the week before.
    Anomaly {
        /// What is.
        reason: Reason,
        /// How often in this hour so far.
        count: u32,
        /// How often in an hour of the week before, on the average.
        usual: f64,
    },
    /// A device is blocked for a while, since its messages are part of an anomaly.
    BlockedFor {
        /// The device.
        device_id: DeviceId,
        /// For so long.
        minutes: u32,
    },
}
