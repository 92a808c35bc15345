//! Messages that a device's library sends of itself.

use arrayvec::ArrayVec;

use crate::error::Error;
use crate::uplink::frame_error::FrameError;
use crate::uplink::payload::MAX_PAYLOAD_BYTES;

/// First byte of a keep-alive.
const KEEP_ALIVE: u8 = 0x08;
/// First byte of a downlink confirmation.
const DOWNLINK_CONFIRMATION: u8 = 0x09;

/// State of a device's supply and its temperature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Telemetry {
    /// Supply voltage while idle, mV.
    pub voltage_idle_mv: u16,
    /// Supply voltage while transmitting, mV.
    pub voltage_tx_mv: u16,
    /// Temperature, tenths of a degree Celsius.
    pub temperature_decidegree_c: i16,
}

impl Telemetry {
    /// Bytes of the telemetry on the air.
    const BYTES: usize = 6;

    fn to_bytes(self) -> [u8; Self::BYTES] {
        let [idle_low, idle_high] = self.voltage_idle_mv.to_le_bytes();
        let [tx_low, tx_high] = self.voltage_tx_mv.to_le_bytes();
        let [temperature_low, temperature_high] = self.temperature_decidegree_c.to_le_bytes();
        [idle_low, idle_high, tx_low, tx_high, temperature_low, temperature_high]
    }

    fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let [idle_low, idle_high, tx_low, tx_high, temperature_low, temperature_high] = bytes;
        Self {
            voltage_idle_mv: u16::from_le_bytes([idle_low, idle_high]),
            voltage_tx_mv: u16::from_le_bytes([tx_low, tx_high]),
            temperature_decidegree_c: i16::from_le_bytes([temperature_low, temperature_high]),
        }
    }
}

/// Level at which a device received a downlink, −228 to 27 dBm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceRssi {
    /// The level less −100 dBm, as on the air.
    over_minus_100_dbm: i8,
}

impl DeviceRssi {
    /// A level in dBm.
    ///
    /// # Errors
    ///
    /// [`Error::DeviceRssi`] outside −228 to 27 dBm.
    pub fn from_dbm(rssi_dbm: i16) -> Result<Self, Error> {
        i8::try_from(rssi_dbm.saturating_add(100))
            .map(|over_minus_100_dbm| Self { over_minus_100_dbm })
            .map_err(|_| Error::DeviceRssi { found: rssi_dbm })
    }

    /// The level in dBm.
    #[must_use]
    pub fn dbm(self) -> i16 {
        i16::from(self.over_minus_100_dbm) - 100
    }
}

/// A control message (sigfox-ep-lib; older libraries call them out-of-band messages).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ControlMessage {
    /// A sign of life. Payload: code 0x08, then three little-endian words of telemetry.
    KeepAlive(Telemetry),
    /// A downlink was received. Payload: code 0x09, the telemetry, then the downlink's level. Sent
    /// as one frame only, with the sequence number after the request's.
    DownlinkConfirmation {
        /// State of the device.
        telemetry: Telemetry,
        /// Level of the downlink at the device.
        rssi: DeviceRssi,
    },
}

impl ControlMessage {
    /// State of the device.
    #[must_use]
    pub const fn telemetry(&self) -> Telemetry {
        match *self {
            Self::KeepAlive(telemetry) | Self::DownlinkConfirmation { telemetry, .. } => telemetry,
        }
    }

    /// The payload that carries the message: 7 bytes for a keep-alive, 8 for a confirmation.
    #[must_use]
    pub fn payload(&self) -> ArrayVec<u8, MAX_PAYLOAD_BYTES> {
        let (code, rssi) = match self {
            Self::KeepAlive(_) => (KEEP_ALIVE, None),
            Self::DownlinkConfirmation { rssi, .. } => (DOWNLINK_CONFIRMATION, Some(rssi)),
        };
        core::iter::once(code)
            .chain(self.telemetry().to_bytes())
            .chain(rssi.map(|rssi| rssi.over_minus_100_dbm.to_be_bytes()[0]))
            .collect()
    }

    /// Reads the payload of a control frame.
    ///
    /// # Errors
    ///
    /// [`FrameError::ControlCode`] if the first byte is unknown or missing (found 0),
    /// [`FrameError::ControlLength`] if the length is not the one that goes with it.
    pub fn parse(payload: &[u8]) -> Result<Self, FrameError> {
        let (&code, fields) = payload.split_first().ok_or(FrameError::ControlCode { found: 0 })?;
        let wrong_length =
            |expected| FrameError::ControlLength { code, expected, found: payload.len() };
        match code {
            KEEP_ALIVE => {
                let telemetry = fields.try_into().map_err(|_| wrong_length(7))?;
                Ok(Self::KeepAlive(Telemetry::from_bytes(telemetry)))
            }
            DOWNLINK_CONFIRMATION => match fields.split_first_chunk() {
                Some((telemetry, &[rssi])) => Ok(Self::DownlinkConfirmation {
                    telemetry: Telemetry::from_bytes(*telemetry),
                    rssi: DeviceRssi { over_minus_100_dbm: i8::from_be_bytes([rssi]) },
                }),
                _ => Err(wrong_length(8)),
            },
            found => Err(FrameError::ControlCode { found }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(ControlMessage::parse(&[]), Err(FrameError::ControlCode { found: 0 }));
        assert_eq!(
            ControlMessage::parse(&[0x0a, 0, 0, 0, 0, 0, 0]),
            Err(FrameError::ControlCode { found: 0x0a })
        );
        assert_eq!(
            ControlMessage::parse(&[0x08; 8]),
            Err(FrameError::ControlLength { code: 8, expected: 7, found: 8 })
        );
        assert_eq!(
            ControlMessage::parse(&[0x09; 7]),
            Err(FrameError::ControlLength { code: 9, expected: 8, found: 7 })
        );
    }

    #[test]
    fn level_range_is_that_of_a_signed_byte() {
        for dbm in [-228, -120, 0, 27] {
            assert_eq!(DeviceRssi::from_dbm(dbm).unwrap().dbm(), dbm);
        }
        for found in [-229, 28, i16::MIN, i16::MAX] {
            assert_eq!(DeviceRssi::from_dbm(found), Err(Error::DeviceRssi { found }));
        }
    }
}
