//! What devices are called.

use nap_phy::{DeviceTable, Message};

use crate::output::log::harmless;

/// The names of known devices, padded to the same width.
pub struct Names<'a> {
    devices: &'a DeviceTable,
    width: usize,
}

impl<'a> Names<'a> {
    /// The names in a table.
    pub fn new(devices: &'a DeviceTable) -> Self {
        let names = devices.iter().filter_map(|device| device.name.as_deref());
        let width = names.map(|name| harmless(name).chars().count()).max().unwrap_or(0);
        Self { devices, width }
    }

    /// The name of a message's sender with a space before it; empty if no device has a name.
    pub fn padded(&self, message: &Message) -> String {
        if self.width == 0 {
            return String::new();
        }
        let device = self.devices.get(message.uplink.device_id());
        let name = device.and_then(|device| device.name.as_deref()).unwrap_or_default();
        format!(" {:<1$}", harmless(name), self.width)
    }
}
