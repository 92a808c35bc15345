//! What can be wrong with input from outside.

use thiserror::Error;

use crate::device::id::DeviceId;
use crate::uplink::frame_error::FrameError;
use crate::uplink::kind::Kind;

/// Any error of this crate.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[non_exhaustive]
pub enum Error {
    /// A bitstream or container is not a valid frame.
    #[error(transparent)]
    Frame(#[from] FrameError),

    /// The sample rate is too low for a bit rate.
    #[cfg(feature = "receiver")]
    #[error(
        "a sample rate of {found_hz} S/s is too low: frames of {bits_per_s} bit/s need {min_hz} S/s \
         or more"
    )]
    SampleRate {
        /// The rate given, in samples per second.
        found_hz: f64,
        /// The bit rate that was to be received, bit/s.
        bits_per_s: u16,
        /// The lowest rate for that, in samples per second.
        min_hz: f64,
    },

    /// The limits of a receiver allow more memory than it may take.
    #[cfg(feature = "receiver")]
    #[error(
        "the receiver's limits allow {needed_bytes} bytes of memory and it may take {max_bytes}; \
         lower the numbers of bursts and fragments or allow more"
    )]
    MemoryBound {
        /// What the limits allow.
        needed_bytes: u64,
        /// What the receiver may take.
        max_bytes: u64,
    },

    /// The signal processing cannot do what was asked for.
    #[cfg(feature = "receiver")]
    #[error(transparent)]
    Signal(#[from] nap_dsp::Error),

    /// A device id has no digit or more than eight.
    #[error("a device id has 1 to 8 hexadecimal digits, this one has {digits}")]
    DeviceIdLength {
        /// How many characters were given.
        digits: usize,
    },

    /// A device id holds something else than hexadecimal digits.
    #[error("character {position} of the device id is not a hexadecimal digit (counted from 0)")]
    DeviceIdDigit {
        /// Where, counted in bytes from 0.
        position: usize,
    },

    /// A key has not 32 digits.
    #[error("a key has 32 hexadecimal digits (16 bytes), this one has {digits}")]
    KeyLength {
        /// How many characters were given.
        digits: usize,
    },

    /// A key holds something else than hexadecimal digits.
    #[error("character {position} of the key is not a hexadecimal digit (counted from 0)")]
    KeyDigit {
        /// Where, counted in bytes from 0.
        position: usize,
    },

    /// A sequence number does not fit 12 bits.
    #[error("a sequence number is 0 to 4095, this one is {found}")]
    SequenceNumber {
        /// The number given.
        found: u16,
    },

    /// A message modulo that no device can be set to.
    #[error("a message modulo is 128, 256, 512, 1024, 2048 or 4096, this one is {found}")]
    MessageModulo {
        /// The number given.
        found: u16,
    },

    /// A message modulo is not a number.
    #[error("the message modulo is not a number; give 128, 256, 512, 1024, 2048 or 4096")]
    MessageModuloText,

    /// A payload is empty or too long.
    #[error("a payload has 1 to 12 bytes, this one has {found}")]
    PayloadLength {
        /// How many bytes were given.
        found: usize,
    },

    /// A payload ends in half a byte.
    #[error("a payload has two hexadecimal digits a byte, this one has {digits} digits")]
    PayloadOddDigits {
        /// How many characters were given.
        digits: usize,
    },

    /// A payload holds something else than hexadecimal digits.
    #[error("character {position} of the payload is not a hexadecimal digit (counted from 0)")]
    PayloadDigit {
        /// Where, counted in bytes from 0.
        position: usize,
    },

    /// A control message cannot ask for a downlink.
    #[error("a control message cannot ask for a downlink; clear `bidirectional`")]
    BidirectionalControl,

    /// A device cannot report this level.
    #[error("a device reports a downlink level of -228 to 27 dBm, not {found} dBm")]
    DeviceRssi {
        /// The level given, dBm.
        found: i16,
    },

    /// A message has frames 1, 2 and 3 only.
    #[error("a frame's rank is 1, 2 or 3, not {found}")]
    Rank {
        /// The rank given.
        found: u8,
    },

    /// No radio configuration has this name.
    #[error(
        "unknown radio configuration; \
         give RC1, RC2, RC3_LBT (or RC3), RC3_LDC, RC4, RC5, RC6 or RC7"
    )]
    RadioConfiguration,

    /// The uplink has no such bit rate.
    #[error("an uplink's bit rate is 100 or 600 bit/s, not {found}")]
    BitRate {
        /// The bit rate given, bit/s.
        found: u16,
    },

    /// A bit rate is not a number.
    #[error("the bit rate is not a number; give 100 or 600")]
    BitRateText,

    /// A table names a device twice.
    #[error("device {device_id} is already in the table; keep one of the two lines")]
    DuplicateDevice {
        /// The device.
        device_id: DeviceId,
    },

    /// A record lacks a field that its kind needs.
    #[error("an uplink of kind {kind} needs the field `{field}`")]
    MissingField {
        /// The kind of uplink.
        kind: Kind,
        /// The field that is missing.
        field: &'static str,
    },

    /// A record has a field that its kind cannot carry.
    #[error("an uplink of kind {kind} cannot carry the field `{field}`")]
    UnexpectedField {
        /// The kind of uplink.
        kind: Kind,
        /// The field that must go.
        field: &'static str,
    },
}
