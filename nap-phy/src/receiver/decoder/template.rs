//! What is known of a container before it is received.

use crate::device::id::DeviceId;
use crate::uplink::container::MAX_CONTAINER_BYTES;
use crate::uplink::length_class::LengthClass;

/// Bytes of a container before the device id.
const HEADER_BYTES: usize = 2;
/// Where the code of a control message is.
const CONTROL_CODE: usize = HEADER_BYTES + size_of::<DeviceId>();

/// Bits of a container, most significant first, of which some are pinned to a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Template {
    /// A 1 for each pinned bit.
    mask: [u8; MAX_CONTAINER_BYTES],
    /// The values of the pinned bits, 0 elsewhere.
    bits: [u8; MAX_CONTAINER_BYTES],
}

impl Template {
    /// What all containers of a class have in common (sigfox-ep-lib): none is marked as repeated,
    /// that of one byte has the length indicator 0, control messages ask for no downlink, have the
    /// length indicator 0 or 1 and the code 8 or 9.
    pub(crate) fn of_class(class: LengthClass) -> Self {
        let mut template = Self::default();
        template.mask[0] = match class {
            LengthClass::OneByte => 0b1101_0000,
            LengthClass::Control => 0b1011_0000,
            _ => 0b0001_0000,
        };
        if class == LengthClass::Control {
            template.mask[CONTROL_CODE] = 0b1111_1110;
            template.bits[CONTROL_CODE] = 0b0000_1000;
        }
        template
    }

    /// The same, sent by this device.
    #[must_use]
    pub(crate) fn sent_by(mut self, device_id: DeviceId) -> Self {
        self.mask[HEADER_BYTES..CONTROL_CODE].fill(0xff);
        self.bits[HEADER_BYTES..CONTROL_CODE].copy_from_slice(&device_id.0.to_le_bytes());
        self
    }

    /// Whether bit `n` may have this value.
    pub(crate) fn allows(&self, n: usize, bit: bool) -> bool {
        let at = |bytes: &[u8]| bytes.get(n / 8).is_some_and(|byte| byte >> (7 - n % 8) & 1 == 1);
        !at(&self.mask) || at(&self.bits) == bit
    }

    /// How many of so many bits are not pinned.
    pub(crate) fn free_bits(&self, length: usize) -> f64 {
        let pinned: u32 = self.mask.iter().map(|byte| byte.count_ones()).sum();
        length as f64 - f64::from(pinned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::key::Key;
    use crate::uplink::content::Content;
    use crate::uplink::control::{ControlMessage, DeviceRssi, Telemetry};
    use crate::uplink::message::Uplink;
    use crate::uplink::message_counter::MessageCounter;
    use crate::uplink::payload::Payload;

    fn contents() -> Vec<Content> {
        let telemetry = Telemetry {
            voltage_idle_mv: 0xffff,
            voltage_tx_mv: 0xffff,
            temperature_decidegree_c: -1,
        };
        let rssi = DeviceRssi::from_dbm(-101).unwrap();
        let lengths = (1..=12).map(|n| Content::Bytes(Payload::new(&[0xff; 12][..n]).unwrap()));
        let others = [
            Content::Empty,
            Content::Bit(false),
            Content::Bit(true),
            Content::Control(ControlMessage::KeepAlive(telemetry)),
            Content::Control(ControlMessage::DownlinkConfirmation { telemetry, rssi }),
        ];
        lengths.chain(others).collect()
    }

    #[test]
    fn allows_every_container_of_its_device() {
        let device_id = DeviceId(0xfedc_ba98);
        for content in contents() {
            for counter in [0, 0xfff] {
                let counter = MessageCounter::new(counter).unwrap();
                let uplink = Uplink::new(device_id, counter, content.clone());
                let uplink = uplink.clone().with_bidirectional(true).unwrap_or(uplink);
                let container = uplink.container(&Key::PUBLIC);
                let template = Template::of_class(container.class());
                let fits = |template: Template| {
                    (0..container.class().container_bits()).all(|n| {
                        template.allows(n, container.as_bytes()[n / 8] >> (7 - n % 8) & 1 == 1)
                    })
                };
                assert!(fits(template), "{content:?}");
                assert!(fits(template.sent_by(device_id)));
                assert!(!fits(template.sent_by(DeviceId(0xfedc_ba99))));
                let free =
                    |template: Template| template.free_bits(container.class().container_bits());
                assert_eq!(free(template.sent_by(device_id)), free(template) - 32.0);
            }
        }
    }
}
