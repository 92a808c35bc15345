//! Frames: parsed, authenticated and encoded. Nothing here allocates or waits.

use nap_phy::{Authentication, Frame, Key, MAX_CONTAINER_BYTES, MAX_FRAME_BYTES, Rank};

use crate::content::NapUplink;
use crate::pointer::{room, room_for_one, values};
use crate::status::NapStatus;

/// Longest frame in bytes, preamble included.
pub const NAP_MAX_FRAME_BYTES: usize = 26;
/// Longest container in bytes: what comes after preamble and frame type.
pub const NAP_MAX_CONTAINER_BYTES: usize = 22;
/// Length of a device's key in bytes.
pub const NAP_KEY_BYTES: usize = 16;

const _: () = assert!(NAP_MAX_FRAME_BYTES == MAX_FRAME_BYTES);
const _: () = assert!(NAP_MAX_CONTAINER_BYTES == MAX_CONTAINER_BYTES);
const _: () = assert!(NAP_KEY_BYTES == Key::BYTES);

/// What is known of a message's sender.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NapAuthentication {
    /// The device's key is not known.
    Unchecked = 0,
    /// The device's key made the tag.
    Verified = 1,
    /// The device's key did not make the tag.
    Failed = 2,
}

/// A frame that was taken apart.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NapFrame {
    /// What the device sends. Of a frame with the flag of repeaters this may not be what it means.
    pub uplink: NapUplink,
    /// Which frame of a message: 1, 2 or 3.
    pub rank: u8,
    /// 1 if the flag is set that devices always clear, presumably by a repeater.
    pub repeated: u8,
    /// How many bytes the authentication tag has, 2 to 5.
    pub tag_length: u8,
    /// How many bytes the container has.
    pub container_length: u8,
    /// The authentication tag.
    pub tag: [u8; 5],
    /// The container, deconvolved: header, device, payload, tag and check sum.
    pub container: [u8; NAP_MAX_CONTAINER_BYTES],
    /// The check sum.
    pub crc: u16,
}

impl NapFrame {
    fn of(frame: &Frame) -> Self {
        let container = frame.container();
        let mut fields = Self {
            uplink: NapUplink {
                sequence_number: container.sequence_number().value(),
                bidirectional: container.bidirectional().into(),
                ..NapUplink::of_content(container.device_id(), container.content())
            },
            rank: frame.rank().number(),
            repeated: container.repeated().into(),
            tag_length: container.tag().len() as u8,
            container_length: container.as_bytes().len() as u8,
            tag: [0; 5],
            container: [0; NAP_MAX_CONTAINER_BYTES],
            crc: container.crc(),
        };
        let tag = fields.tag.iter_mut().zip(container.tag());
        tag.for_each(|(place, byte)| *place = *byte);
        let bytes = fields.container.iter_mut().zip(container.as_bytes());
        bytes.for_each(|(place, byte)| *place = *byte);
        fields
    }
}

impl From<Authentication> for NapAuthentication {
    fn from(authentication: Authentication) -> Self {
        match authentication {
            Authentication::Verified => Self::Verified,
            Authentication::Failed => Self::Failed,
            Authentication::Unchecked => Self::Unchecked,
        }
    }
}

/// Takes a bitstream apart: preamble, frame type and container, most significant bit first.
///
/// Returns the first thing that is wrong with it, in the order of `NapStatus`; then `frame` stays as it was.
///
/// # Safety
///
/// `bitstream` has `length` bytes, `frame` has room for one frame.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nap_frame_parse(
    bitstream: *const u8,
    length: usize,
    frame: *mut NapFrame,
) -> NapStatus {
    done((|| {
        // SAFETY: the caller says that the bytes and the room are there.
        let (bitstream, frame) = unsafe { (values(bitstream, length)?, room_for_one(frame)?) };
        frame.write(NapFrame::of(&Frame::parse(bitstream)?));
        Ok(())
    })())
}

/// Says whether a key of 16 bytes made the tag of a frame, in a time that does not depend on the tag.
///
/// # Safety
///
/// `bitstream` has `length` bytes, `key` has 16, `authentication` has room for one number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nap_frame_authenticate(
    bitstream: *const u8,
    length: usize,
    key: *const u8,
    authentication: *mut NapAuthentication,
) -> NapStatus {
    done((|| {
        // SAFETY: the caller says that the bytes and the room are there.
        let (bitstream, key, authentication) =
            unsafe { (values(bitstream, length)?, key_at(key)?, room_for_one(authentication)?) };
        let frame = Frame::parse(bitstream)?;
        authentication.write(frame.container().authenticate(&key).into());
        Ok(())
    })())
}

/// Makes one of the frames of a message: `rank` is 1, 2 or 3. Writes at most `NAP_MAX_FRAME_BYTES`, and how many
/// to `length`.
///
/// # Safety
///
/// `uplink` is one, `key` has 16 bytes, `bitstream` has room for `capacity`, `length` for one number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nap_frame_encode(
    uplink: *const NapUplink,
    key: *const u8,
    rank: u8,
    bitstream: *mut u8,
    capacity: usize,
    length: *mut usize,
) -> NapStatus {
    done((|| {
        // SAFETY: the caller says that the values and the rooms are there.
        let (uplink, key, room, length) = unsafe {
            (values(uplink, 1)?, key_at(key)?, room(bitstream, capacity)?, room_for_one(length)?)
        };
        let uplink = uplink.first().ok_or(NapStatus::NullPointer)?.uplink()?;
        let rank = Rank::try_from(rank).map_err(|_| NapStatus::InvalidArgument)?;
        let frame = uplink.encode(rank, &key);
        length.write(frame.len());
        let room = room.get_mut(..frame.len()).ok_or(NapStatus::BufferTooSmall)?;
        room.iter_mut().zip(frame).for_each(|(place, byte)| _ = place.write(byte));
        Ok(())
    })())
}

/// A key that C hands over.
///
/// # Safety
///
/// `key` is null, or 16 bytes lie there.
pub(crate) unsafe fn key_at(key: *const u8) -> Result<Key, NapStatus> {
    // SAFETY: the caller says so.
    let bytes = unsafe { values(key, Key::BYTES) }?;
    bytes.try_into().map(Key::from_bytes).map_err(|_| NapStatus::NullPointer)
}

fn done(result: Result<(), NapStatus>) -> NapStatus {
    result.err().unwrap_or(NapStatus::Ok)
}
