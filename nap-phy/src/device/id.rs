//! The identity of a device.

use core::fmt;

/// A device's 32-bit identity.
///
/// Printed as eight upper-case hexadecimal digits; read from one to eight digits of either case,
/// since Sigfox platforms drop leading zeros. On the air it goes least significant byte first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(pub u32);

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08X}", self.0)
    }
}
