//! Addresses that C hands over.
//!
//! What C promises of each is the same everywhere, and stands in the header: an address is null, or it points
//! to as many values as the call says, which nobody else changes during the call.

use core::mem::{MaybeUninit, size_of};
use core::slice;

use crate::status::NapStatus;

/// Values that C hands over; none may have an address of null.
///
/// # Safety
///
/// `first` is null, or `count` values of any content lie there during the call.
pub(crate) unsafe fn values<'a, T: AnyBits>(
    first: *const T,
    count: usize,
) -> Result<&'a [T], NapStatus> {
    if count == 0 {
        return Ok(&[]);
    }
    let fits = count.checked_mul(size_of::<T>()).is_some_and(|size| size <= isize::MAX as usize);
    if first.is_null() || !first.is_aligned() || !fits {
        return Err(NapStatus::NullPointer);
    }
    // SAFETY: not null, aligned, no longer than an object can be; the caller says that the values are there.
    Ok(unsafe { slice::from_raw_parts(first, count) })
}

/// Room for values that C hands over.
///
/// # Safety
///
/// `first` is null, or there is room for `count` values during the call, which nobody else uses.
pub(crate) unsafe fn room<'a, T>(
    first: *mut T,
    count: usize,
) -> Result<&'a mut [MaybeUninit<T>], NapStatus> {
    if count == 0 {
        return Ok(&mut []);
    }
    let fits = count.checked_mul(size_of::<T>()).is_some_and(|size| size <= isize::MAX as usize);
    if first.is_null() || !first.is_aligned() || !fits {
        return Err(NapStatus::NullPointer);
    }
    // SAFETY: not null, aligned, no longer than an object can be; the caller says that the room is there, and
    // what it holds need not be a value yet.
    Ok(unsafe { slice::from_raw_parts_mut(first.cast(), count) })
}

/// Room for one value.
///
/// # Safety
///
/// `at` is null, or there is room for one value, which nobody else uses during the call.
pub(crate) unsafe fn room_for_one<'a, T>(at: *mut T) -> Result<&'a mut MaybeUninit<T>, NapStatus> {
    // SAFETY: the caller says so.
    let room = unsafe { room(at, 1) }?;
    room.first_mut().ok_or(NapStatus::NullPointer)
}

/// Writes a value where C wants it, unless it does not.
///
/// # Safety
///
/// As of [`room_for_one`].
#[cfg(feature = "receiver")]
pub(crate) unsafe fn write_if_wanted<T>(at: *mut T, value: T) -> Result<(), NapStatus> {
    if !at.is_null() {
        // SAFETY: the caller says so.
        unsafe { room_for_one(at) }?.write(value);
    }
    Ok(())
}

/// Types of which any bytes are a value, so that they can be taken from C as they are.
///
/// # Safety
///
/// Every content of the memory is a value.
pub(crate) unsafe trait AnyBits: Copy {}

// SAFETY: numbers, and structures of numbers alone.
unsafe impl AnyBits for u8 {}
// SAFETY: as above.
unsafe impl AnyBits for i8 {}
// SAFETY: as above.
unsafe impl AnyBits for i16 {}
// SAFETY: as above.
unsafe impl AnyBits for f32 {}
// SAFETY: as above.
unsafe impl AnyBits for crate::content::NapUplink {}
