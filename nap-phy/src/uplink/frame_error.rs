//! Why bits off the air are not a valid frame.

use thiserror::Error;

use crate::uplink::length_class::LengthClass;

/// Why bits off the air are not a valid frame.
///
/// Small and `Copy`, since a receiver tries many candidates and drops most of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The bitstream ends before its preamble and frame type do.
    #[error("a frame starts with 4 bytes of preamble and frame type, this one has {found}")]
    TooShort {
        /// How many bytes were given.
        found: usize,
    },

    /// The first 19 bits are not the preamble.
    #[error("a frame starts with the 19 bits {expected:05x}, this one with {found:05x}")]
    Preamble {
        /// The preamble, right-aligned.
        expected: u32,
        /// The bits found, right-aligned.
        found: u32,
    },

    /// The 13 bits after the preamble are none of the 18 frame types.
    #[error("{found:04x} is not a frame type")]
    FrameType {
        /// The bits found, right-aligned.
        found: u16,
    },

    /// The container has not the length of its class.
    #[error("a {class} container has {expected} bytes, this one has {found}")]
    ContainerLength {
        /// The class that the frame type names.
        class: LengthClass,
        /// Bytes of a container of the class.
        expected: usize,
        /// Bytes found.
        found: usize,
    },

    /// The CRC does not match.
    #[error("the CRC should be {expected:04x}, found {found:04x}")]
    Crc {
        /// The CRC of the bytes before it.
        expected: u16,
        /// The CRC found.
        found: u16,
    },

    /// No device uses this length indicator in this class.
    #[error("length indicator {found} is not used in a {class} container")]
    LengthIndicator {
        /// The class that the frame type names.
        class: LengthClass,
        /// The length indicator found, 0 to 3.
        found: u8,
    },

    /// The first byte of a control message is none that is known.
    #[error(
        "control code {found:#04x} is unknown; \
         0x08 is a keep-alive, 0x09 a downlink confirmation"
    )]
    ControlCode {
        /// The code found.
        found: u8,
    },

    /// A control message has not the length of its code.
    #[error("a control message of code {code:#04x} has {expected} bytes, this one has {found}")]
    ControlLength {
        /// The control code.
        code: u8,
        /// Payload bytes that the code goes with.
        expected: usize,
        /// Payload bytes found.
        found: usize,
    },

    /// A control message asks for a downlink, which no device does.
    #[error("a control message cannot have the bidirectional flag set")]
    BidirectionalControl,

    /// The repeated flag is set; the format of repeated frames is not public.
    #[error("the frame comes from a repeater (REP = 1), a format that is not public")]
    RepeatedFrame,
}
