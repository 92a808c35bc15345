//! The message counter.

use core::fmt;
use core::str::FromStr;

use crate::error::Error;

/// A message's sequence number: 12 bits on the air.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(into = "u16", try_from = "u16")
)]
pub struct MessageCounter(u16);

impl MessageCounter {
    /// Largest sequence number.
    pub const MAX: Self = Self(0xfff);

    /// A sequence number of 0 to 4095.
    ///
    /// # Errors
    ///
    /// [`Error::SequenceNumber`] if it does not fit 12 bits.
    pub const fn new(value: u16) -> Result<Self, Error> {
        if value > Self::MAX.0 {
            return Err(Error::SequenceNumber { found: value });
        }
        Ok(Self(value))
    }

    /// The sequence number in the low 12 bits of a header.
    pub(crate) const fn from_low_bits(header: u16) -> Self {
        Self(header & Self::MAX.0)
    }

    /// The number, 0 to 4095.
    #[must_use]
    pub const fn value(self) -> u16 {
        self.0
    }

    /// The number of the message after this one.
    #[must_use]
    pub const fn next(self, modulo: MessageModulo) -> Self {
        Self((self.0 + 1) % modulo.0)
    }

    /// How many messages after `last` this one is: 0 for the same number, else 1 to the modulo
    /// less one. Numbers wrap at `modulo`.
    #[must_use]
    pub const fn gap_after(self, last: Self, modulo: MessageModulo) -> u16 {
        (self.0 % modulo.0 + modulo.0 - last.0 % modulo.0) % modulo.0
    }
}

impl From<MessageCounter> for u16 {
    fn from(counter: MessageCounter) -> Self {
        counter.0
    }
}

impl TryFrom<u16> for MessageCounter {
    type Error = Error;

    fn try_from(value: u16) -> Result<Self, Error> {
        Self::new(value)
    }
}

impl fmt::Display for MessageCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a device's message counter wraps: 128, 256, 512, 1024, 2048 or 4096 (sigfox-ep-lib).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(into = "u16", try_from = "u16")
)]
pub struct MessageModulo(u16);

impl MessageModulo {
    /// A modulo that a device can be set to.
    ///
    /// # Errors
    ///
    /// [`Error::MessageModulo`] for any other number.
    pub const fn new(value: u16) -> Result<Self, Error> {
        match value {
            128 | 256 | 512 | 1024 | 2048 | 4096 => Ok(Self(value)),
            found => Err(Error::MessageModulo { found }),
        }
    }

    /// The modulo.
    #[must_use]
    pub const fn value(self) -> u16 {
        self.0
    }
}

impl Default for MessageModulo {
    /// 4096, the whole 12 bits.
    fn default() -> Self {
        Self(4096)
    }
}

impl From<MessageModulo> for u16 {
    fn from(modulo: MessageModulo) -> Self {
        modulo.0
    }
}

impl TryFrom<u16> for MessageModulo {
    type Error = Error;

    fn try_from(value: u16) -> Result<Self, Error> {
        Self::new(value)
    }
}

impl FromStr for MessageModulo {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let value = text.parse().map_err(|_| Error::MessageModuloText)?;
        Self::new(value)
    }
}

impl fmt::Display for MessageModulo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_values() {
        assert_eq!(MessageCounter::new(4096), Err(Error::SequenceNumber { found: 4096 }));
        assert_eq!(MessageModulo::new(100), Err(Error::MessageModulo { found: 100 }));
        assert_eq!("4096".parse(), Ok(MessageModulo::default()));
        assert_eq!("many".parse::<MessageModulo>(), Err(Error::MessageModuloText));
    }
}
