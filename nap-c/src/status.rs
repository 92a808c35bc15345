//! What a call comes to.

use core::ffi::{CStr, c_char};

use nap_phy::FrameError;

/// What a call comes to: 0 if all is well.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NapStatus {
    /// It did what it was asked for.
    Ok = 0,
    /// There is no event to be polled.
    NoEvent = 1,
    /// An address is null that must not be, or does not fit what it points to.
    NullPointer = 2,
    /// No receiver has this handle: it was never made, or has been destroyed.
    InvalidHandle = 3,
    /// The receiver is at work: in another thread, or in the callback of its events.
    Busy = 4,
    /// A call failed inside the library, which is an error in it, and the receiver can only be destroyed.
    Panic = 5,
    /// The receiver had such a failure before and can only be destroyed.
    Poisoned = 6,
    /// The size at the beginning of a structure is smaller than that of its first version, or something is set
    /// behind what this library knows of it.
    StructSize = 7,
    /// A setting is out of range; `nap_error_message` says which.
    InvalidConfig = 8,
    /// The receiver could need more memory than it may take; `nap_error_message` says how much.
    MemoryBound = 9,
    /// There are as many receivers as there can be.
    TooManyReceivers = 10,
    /// The device is already known.
    DuplicateDevice = 11,
    /// The device is not known.
    UnknownDevice = 12,
    /// An argument is out of range.
    InvalidArgument = 13,
    /// The room handed over is too small; the length that is needed has been written.
    BufferTooSmall = 14,
    /// A frame has fewer than four bytes.
    FrameTooShort = 32,
    /// A frame does not begin with the preamble.
    FramePreamble = 33,
    /// No frame type is known by these bits.
    FrameType = 34,
    /// A frame has not the length of its type.
    FrameLength = 35,
    /// The check sum of a frame is wrong.
    FrameCrc = 36,
    /// No device uses this length indicator.
    FrameLengthIndicator = 37,
    /// A control message is not of a kind that is known.
    FrameControl = 38,
    /// A frame has the flag of repeaters, whose format is not public.
    FrameRepeated = 39,
}

impl NapStatus {
    fn text(self) -> &'static CStr {
        match self {
            Self::Ok => c"no error",
            Self::NoEvent => c"there is no event",
            Self::NullPointer => c"an address is null or does not fit what it points to",
            Self::InvalidHandle => c"no receiver has this handle",
            Self::Busy => c"the receiver is at work in another call",
            Self::Panic => c"the library failed inside; destroy the receiver and report this",
            Self::Poisoned => c"the receiver failed inside before; destroy it",
            Self::StructSize => c"the size of a structure is not one that this library knows",
            Self::InvalidConfig => c"a setting is out of range",
            Self::MemoryBound => c"the receiver could need more memory than it may take",
            Self::TooManyReceivers => c"there are as many receivers as there can be",
            Self::DuplicateDevice => c"the device is already known",
            Self::UnknownDevice => c"the device is not known",
            Self::InvalidArgument => c"an argument is out of range",
            Self::BufferTooSmall => c"the room handed over is too small",
            Self::FrameTooShort => c"a frame has fewer than four bytes",
            Self::FramePreamble => c"a frame does not begin with the preamble",
            Self::FrameType => c"no frame type is known by these bits",
            Self::FrameLength => c"a frame has not the length of its type",
            Self::FrameCrc => c"the check sum of a frame is wrong",
            Self::FrameLengthIndicator => c"no device uses this length indicator",
            Self::FrameControl => c"a control message is not of a kind that is known",
            Self::FrameRepeated => c"a frame has the flag of repeaters",
        }
    }

    const ALL: [Self; 23] = [
        Self::Ok,
        Self::NoEvent,
        Self::NullPointer,
        Self::InvalidHandle,
        Self::Busy,
        Self::Panic,
        Self::Poisoned,
        Self::StructSize,
        Self::InvalidConfig,
        Self::MemoryBound,
        Self::TooManyReceivers,
        Self::DuplicateDevice,
        Self::UnknownDevice,
        Self::InvalidArgument,
        Self::BufferTooSmall,
        Self::FrameTooShort,
        Self::FramePreamble,
        Self::FrameType,
        Self::FrameLength,
        Self::FrameCrc,
        Self::FrameLengthIndicator,
        Self::FrameControl,
        Self::FrameRepeated,
    ];
}

impl From<FrameError> for NapStatus {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::TooShort { .. } => Self::FrameTooShort,
            FrameError::Preamble { .. } => Self::FramePreamble,
            FrameError::FrameType { .. } => Self::FrameType,
            FrameError::ContainerLength { .. } => Self::FrameLength,
            FrameError::Crc { .. } => Self::FrameCrc,
            FrameError::LengthIndicator { .. } => Self::FrameLengthIndicator,
            FrameError::RepeatedFrame => Self::FrameRepeated,
            // What is left, and what may come, is about the control messages' contents.
            _ => Self::FrameControl,
        }
    }
}

/// A sentence that says what a status means; never null.
#[unsafe(no_mangle)]
pub extern "C" fn nap_status_text(status: i32) -> *const c_char {
    let known = NapStatus::ALL.into_iter().find(|known| *known as i32 == status);
    known.map_or(c"a status that this library does not know", NapStatus::text).as_ptr()
}
