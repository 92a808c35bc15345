//! Who may use the station.

use std::collections::BTreeMap;

use nap_phy::{DeviceId, DeviceTable, MessageModulo};

use crate::rules::utc::Utc;

/// What was said about a device while the station ran; it counts more than the operator's table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whether it may use the station though the table does not have it.
    pub is_admitted: bool,
    /// Whether it may not, and until when; `None` in it for good.
    pub blocked: Option<Option<Utc>>,
}

impl Standing {
    fn is_blocked(&self, now: Utc) -> bool {
        self.blocked.is_some_and(|until| until.is_none_or(|until| now < until))
    }

    /// Whether nothing was said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Who may use the station: the operator's table, and what was said since.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Whether others than those listed may not.
    pub is_closed: bool,
    /// The operator's table.
    pub devices: DeviceTable,
    /// What was said since.
    pub standings: BTreeMap<DeviceId, Standing>,
}

/// Whether a device may use the station.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It may.
    Admitted,
    /// It is not listed.
    NotListed,
    /// It is blocked.
    Blocked,
}

impl Listing {
    /// Whether a device may use the station. One that is not listed is not said to be blocked.
    #[must_use]
    pub fn admission(&self, device_id: DeviceId, now: Utc) -> Admission {
        let standing = self.standings.get(&device_id);
        let is_listed = !self.is_closed
            || self.devices.get(device_id).is_some()
            || standing.is_some_and(|standing| standing.is_admitted);
        if !is_listed {
            Admission::NotListed
        } else if standing.is_some_and(|standing| standing.is_blocked(now)) {
            Admission::Blocked
        } else {
            Admission::Admitted
        }
    }

    /// Puts right the ends of blocks from `base` on, which were running time; returns the devices.
    pub fn redate(&mut self, base: Utc, offset_us: i64) -> Vec<DeviceId> {
        let ends = self.standings.iter_mut().filter_map(|(device_id, standing)| {
            let until = standing.blocked.as_mut()?.as_mut().filter(|until| **until >= base)?;
            *until = until.plus_us(offset_us);
            Some(*device_id)
        });
        ends.collect()
    }

    /// Where the device's counter wraps.
    #[must_use]
    pub fn modulo(&self, device_id: DeviceId) -> MessageModulo {
        self.devices.get(device_id).map(|device| device.message_modulo).unwrap_or_default()
    }
}
