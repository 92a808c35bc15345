//! The devices that a receiver knows.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::device::authentication::Authentication;
use crate::device::id::DeviceId;
use crate::device::key::Key;
use crate::error::Error;
use crate::uplink::container::Container;
use crate::uplink::message_counter::MessageModulo;

/// A known device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its identity.
    pub id: DeviceId,
    /// Its key; without one its messages cannot be authenticated.
    pub key: Option<Key>,
    /// Where its message counter wraps.
    pub message_modulo: MessageModulo,
    /// What its owner calls it.
    pub name: Option<String>,
    /// How many messages a day its contract allows, where that is known: how far its counter may run ahead.
    pub messages_per_day: Option<u32>,
    /// How many messages an hour a station takes of it at most, where that was set; 0 for any number.
    pub max_messages_per_hour: Option<u32>,
}

impl Device {
    /// A device of which nothing but the identity is known.
    #[must_use]
    pub fn new(id: DeviceId) -> Self {
        Self {
            id,
            key: None,
            message_modulo: MessageModulo::default(),
            name: None,
            messages_per_day: None,
            max_messages_per_hour: None,
        }
    }

    /// A device from the text fields of a table's line.
    ///
    /// Spaces around a field do not count. An empty `key` means that none is known, an empty
    /// `message_modulo` 4096, an empty `name` none.
    ///
    /// # Errors
    ///
    /// What is wrong with the first wrong field. Errors never show the key.
    pub fn from_fields(
        device_id: &str,
        key: &str,
        message_modulo: &str,
        name: &str,
    ) -> Result<Self, Error> {
        let given = |field: &str| (!field.is_empty()).then(|| field.to_owned());
        let id = device_id.trim().parse()?;
        Ok(Self {
            id,
            key: parse_given(key)?,
            message_modulo: parse_given(message_modulo)?.unwrap_or_default(),
            name: given(name.trim()),
            ..Self::new(id)
        })
    }
}

/// Parses a field unless it is blank.
pub(super) fn parse_given<T: std::str::FromStr>(field: &str) -> Result<Option<T>, T::Err> {
    match field.trim() {
        "" => Ok(None),
        field => field.parse().map(Some),
    }
}

/// Known devices by their identity.
#[derive(Debug, Clone, Default)]
pub struct DeviceTable(BTreeMap<DeviceId, Device>);

impl DeviceTable {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a device.
    ///
    /// # Errors
    ///
    /// [`Error::DuplicateDevice`] if the table has it already; the table stays as it was.
    pub fn insert(&mut self, device: Device) -> Result<(), Error> {
        match self.0.entry(device.id) {
            Entry::Occupied(_) => Err(Error::DuplicateDevice { device_id: device.id }),
            Entry::Vacant(place) => {
                place.insert(device);
                Ok(())
            }
        }
    }

    /// Takes the device of this identity out of the table.
    pub fn remove(&mut self, device_id: DeviceId) -> Option<Device> {
        self.0.remove(&device_id)
    }

    /// The device of this identity.
    #[must_use]
    pub fn get(&self, device_id: DeviceId) -> Option<&Device> {
        self.0.get(&device_id)
    }

    /// The key of this device, if both are known.
    #[must_use]
    pub fn key(&self, device_id: DeviceId) -> Option<&Key> {
        self.get(device_id)?.key.as_ref()
    }

    /// What this device is called, if that is known.
    #[must_use]
    pub fn name(&self, device_id: DeviceId) -> Option<&str> {
        self.get(device_id)?.name.as_deref()
    }

    /// Whether the key of a container's sender made its tag.
    #[must_use]
    pub fn authenticate(&self, container: &Container) -> Authentication {
        match self.key(container.device_id()) {
            Some(key) => container.authenticate(key),
            None => Authentication::Unchecked,
        }
    }

    /// All devices in the order of their identities.
    pub fn iter(&self) -> impl Iterator<Item = &Device> {
        self.0.values()
    }

    /// How many devices the table has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the table has no device.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_fields_of_a_line() {
        let device =
            Device::from_fields(" 4d33db", "00112233445566778899aabbccddeeff", "256", " shed ")
                .unwrap();
        assert_eq!(device.id, DeviceId(0x4d_33db));
        assert_eq!(device.key, Some(Key::PUBLIC));
        assert_eq!(device.message_modulo.value(), 256);
        assert_eq!(device.name.as_deref(), Some("shed"));
    }

    #[test]
    fn blank_fields_are_unknown() {
        let device = Device::from_fields("1", "", " ", "").unwrap();
        assert_eq!(device, Device::new(DeviceId(1)));
        assert_eq!(device.message_modulo.value(), 4096);
    }

    #[test]
    fn says_which_field_is_wrong() {
        let wrong = |id, key, modulo| Device::from_fields(id, key, modulo, "").unwrap_err();
        assert_eq!(wrong("x", "", ""), Error::DeviceIdDigit { position: 0 });
        assert_eq!(wrong("1", "00", ""), Error::KeyLength { digits: 2 });
        assert_eq!(wrong("1", "", "1000"), Error::MessageModulo { found: 1000 });
    }

    #[test]
    fn refuses_a_device_twice() {
        let mut table = DeviceTable::new();
        let device_id = DeviceId(7);
        table.insert(Device { key: Some(Key::PUBLIC), ..Device::new(device_id) }).unwrap();
        assert_eq!(table.insert(Device::new(device_id)), Err(Error::DuplicateDevice { device_id }));
        assert_eq!(table.len(), 1);
        assert_eq!(table.key(device_id), Some(&Key::PUBLIC));
        assert_eq!(table.get(DeviceId(8)), None);
        assert_eq!(table.iter().count(), 1);
        assert_eq!(table.remove(DeviceId(8)), None);
        assert!(!format!("{table:?}").contains("112233"));
        assert_eq!(table.remove(device_id).map(|device| device.id), Some(device_id));
        assert!(table.is_empty());
    }
}
