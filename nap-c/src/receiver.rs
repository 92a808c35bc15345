//! The receiver's calls.
//!
//! Every call but those that say otherwise may come from any thread. Two calls for one receiver at the same time
//! do not wait for each other: the second one returns [`NapStatus::Busy`].

use std::ffi::{c_char, c_void};
use std::mem::{MaybeUninit, size_of};
use std::ptr::without_provenance_mut;
use std::time::{Duration, Instant};

use nap_phy::{Device, DeviceId, Level};

use crate::config::NapConfig;
use crate::event::{FIRST_SIZE, NapEvent};
use crate::failure::{Failure, guarded, last_text};
use crate::frame::key_at;
use crate::handles;
use crate::pointer::{AnyBits, room, room_for_one, values, write_if_wanted};
use crate::samples::Part;
use crate::session::{NapEventCallback, Session};
use crate::status::NapStatus;

/// A receiver. Its handle is no address: nothing lies there.
pub struct NapReceiver {
    _private: [u8; 0],
}

/// A counter of a receiver.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct NapCounter {
    /// Its name, which ends in 0.
    pub name: [c_char; 40],
    /// How many there were since the start.
    pub value: u64,
}

/// Where the noise lies.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct NapNoise {
    /// Middle of the part of the channel, Hz.
    pub frequency_hz: f64,
    /// Power in one hertz: dBm/Hz with a calibration, else dB relative to full scale per hertz.
    pub level_db: f64,
    /// 1 if the level is in dBm/Hz, else 0.
    pub level_is_dbm: u32,
    /// Nothing.
    pub reserved: u32,
}

/// Sets a configuration to its defaults. `size` is `sizeof(NapConfig)`.
///
/// # Safety
///
/// `config` has room for `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nap_config_init(config: *mut NapConfig, size: usize) -> NapStatus {
    guarded(|| {
        // SAFETY: the caller says so.
        let bytes = unsafe { room(config.cast::<u8>(), size) }?;
        Ok(NapConfig::init(bytes)?)
    })
}

/// Makes a receiver and writes its handle to `receiver`. All memory that it needs to listen is taken here.
///
/// # Safety
///
/// `config` points to as many bytes as its size says, `receiver` has room for one handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nap_receiver_create(
    config: *const NapConfig,
    receiver: *mut *mut NapReceiver,
) -> NapStatus {
    guarded(|| {
        // SAFETY: the caller says so.
        let (config, receiver) = unsafe { (config_at(config)?, room_for_one(receiver)?) };
        let handle = handles::insert(Session::new(&config)?)?;
        receiver.write(without_provenance_mut(handle));
        Ok(())
    })
}

/// Ends a receiver; its handle is none any more. Null is none and no error. Not while another call is at work
/// with it, so that nothing is taken from under that: then it is busy and stays.
#[unsafe(no_mangle)]
pub extern "C" fn nap_receiver_destroy(receiver: *mut NapReceiver) -> NapStatus {
    guarded(|| match receiver.addr() {
        0 => Ok(()),
        handle => Ok(handles::remove(handle)?),
    })
}

/// Takes `count` samples of unsigned bytes, I and Q in turns, 127.5 being the middle.
///
/// # Safety
///
/// `iq` points to `2 * count` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nap_receiver_push_cu8(
    receiver: *mut NapReceiver,
    iq: *const u8,
    count: usize,
) -> NapStatus {
    // SAFETY: the caller says so.
    unsafe { push(receiver, iq, count) }
}

/// Takes `count` samples of signed bytes, I and Q in turns.
///
/// # Safety
///
/// `iq` points to `2 * count` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nap_receiver_push_cs8(
    receiver: *mut NapReceiver,
    iq: *const i8,
    count: usize,
) -> NapStatus {
    // SAFETY: the caller says so.
    unsafe { push(receiver, iq, count) }
}

/// Takes `count` samples of 16 bits, I and Q in turns, in the machine's order of bytes.
///
/// # Safety
///
/// `iq` points to `2 * count` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nap_receiver_push_cs16(
    receiver: *mut NapReceiver,
    iq: *const i16,
    count: usize,
) -> NapStatus {
    // SAFETY: the caller says so.
    unsafe { push(receiver, iq, count) }
}

/// Takes `count` samples of floats, I and Q in turns, full scale being 1.
///
/// # Safety
///
/// `iq` points to `2 * count` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nap_receiver_push_cf32(
    receiver: *mut NapReceiver,
    iq: *const f32,
    count: usize,
) -> NapStatus {
    // SAFETY: the caller says so.
    unsafe { push(receiver, iq, count) }
}

/// Tells that so many samples were lost before the next ones: times count on over them. Where `push` only keeps
/// samples, this is kept among them.
#[unsafe(no_mangle)]
pub extern "C" fn nap_receiver_skip(receiver: *mut NapReceiver, samples: u64) -> NapStatus {
    with(receiver, |session| {
        session.skip(samples);
        Ok(())
    })
}

/// Ends the stream: decodes what is left and completes all messages. More samples may follow. Where `push` only
/// keeps samples, `nap_receiver_work` does that when it has come to the end.
#[unsafe(no_mangle)]
pub extern "C" fn nap_receiver_flush(receiver: *mut NapReceiver) -> NapStatus {
    with(receiver, |session| {
        session.flush();
        Ok(())
    })
}

/// Works on the samples that were kept for so many microseconds, or until all is done; with 0 nothing is done,
/// with `UINT64_MAX` all. The time is looked at between parts of the work, the longest of which takes some
/// milliseconds. Writes to `backlog`, unless it is null, how many samples still wait; what may be left of the
/// work when none does is written to `is_behind`, unless it is null: 1 if there is any, else 0.
///
/// # Safety
///
/// `backlog` and `is_behind` are null or have room for one number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nap_receiver_work(
    receiver: *mut NapReceiver,
    budget_us: u64,
    backlog: *mut u64,
    is_behind: *mut u32,
) -> NapStatus {
    with(receiver, |session| {
        let start = Instant::now();
        let budget = Duration::from_micros(budget_us);
        let is_left = session.work(|| budget_us == u64::MAX || start.elapsed() < budget);
        // SAFETY: the caller says that there is room.
        unsafe {
            write_if_wanted(backlog, session.receiver.backlog() as u64)?;
            write_if_wanted(is_behind, is_left.into())?;
        }
        Ok(())
    })
}

/// Hands events to a function from now on, in place of keeping them to be polled; null ends that. It is called
/// in whichever thread the receiver is called in, during that call, and may not call the same receiver: that is
/// busy. It may not throw or jump out.
///
/// # Safety
///
/// `callback` is null or such a function, and may be handed `user_data` from any thread that calls the receiver.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nap_receiver_set_callback(
    receiver: *mut NapReceiver,
    callback: NapEventCallback,
    user_data: *mut c_void,
) -> NapStatus {
    with(receiver, |session| {
        session.listen(callback, user_data);
        Ok(())
    })
}

/// Takes the oldest event that waits; `NAP_STATUS_NO_EVENT` if none does. `size` is `sizeof(NapEvent)`: no more is
/// written, should the library know more of it.
///
/// # Safety
///
/// `event` has room for `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nap_receiver_poll(
    receiver: *mut NapReceiver,
    event: *mut NapEvent,
    size: usize,
) -> NapStatus {
    with(receiver, |session| {
        if size < FIRST_SIZE {
            return Err(NapStatus::StructSize.into());
        }
        // SAFETY: the caller says that there is room.
        let room = unsafe { room(event.cast::<u8>(), size) }?;
        let filled = size.min(size_of::<NapEvent>());
        let event = NapEvent { size: filled as u32, ..session.poll().ok_or(NapStatus::NoEvent)? };
        // SAFETY: neither the event nor the room is shorter than that.
        unsafe { (&raw const event).cast::<MaybeUninit<u8>>().copy_to(room.as_mut_ptr(), filled) };
        Ok(())
    })
}

/// Adds a device. With its key, of 16 bytes, its messages are authenticated, and frames of it looked for with the
/// help of the key; `key` may be null. It counts once the samples that were pushed have been worked on.
///
/// # Safety
///
/// `key` is null or points to 16 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nap_receiver_add_device(
    receiver: *mut NapReceiver,
    device_id: u32,
    key: *const u8,
) -> NapStatus {
    with(receiver, |session| {
        let key = match key.is_null() {
            true => None,
            // SAFETY: the caller says that there are 16 bytes.
            false => Some(unsafe { key_at(key) }?),
        };
        session.add_device(Device { key, ..Device::new(DeviceId(device_id)) })
    })
}

/// Takes a device out, once the samples that were pushed have been worked on.
#[unsafe(no_mangle)]
pub extern "C" fn nap_receiver_remove_device(
    receiver: *mut NapReceiver,
    device_id: u32,
) -> NapStatus {
    with(receiver, |session| session.remove_device(DeviceId(device_id)))
}

/// Writes up to `capacity` counters, and how many there are to `count`.
///
/// # Safety
///
/// `counters` has room for `capacity`, `count` for one number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nap_receiver_counters(
    receiver: *mut NapReceiver,
    counters: *mut NapCounter,
    capacity: usize,
    count: *mut usize,
) -> NapStatus {
    with(receiver, |session| {
        let all = session.receiver.statistics().counters();
        let all = all.map(|counter| NapCounter::new(counter.name, counter.value));
        // SAFETY: the caller says that there is room.
        unsafe { write_list(all, counters, capacity, count) }
    })
}

/// Writes up to `capacity` parts of the channel with their noise, in the order of frequency, and how many there
/// are to `count`: none before there was noise.
///
/// # Safety
///
/// `parts` has room for `capacity`, `count` for one number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nap_receiver_noise(
    receiver: *mut NapReceiver,
    parts: *mut NapNoise,
    capacity: usize,
    count: *mut usize,
) -> NapStatus {
    with(receiver, |session| {
        let all = session.receiver.receiver().noise_densities();
        let all = all.into_iter().map(|part| NapNoise {
            frequency_hz: part.frequency_hz,
            level_db: part.level_per_hz.value(),
            level_is_dbm: matches!(part.level_per_hz, Level::Dbm(_)).into(),
            reserved: 0,
        });
        // SAFETY: the caller says that there is room.
        unsafe { write_list(all, parts, capacity, count) }
    })
}

/// Writes what the last call in this thread failed of, with its numbers, as far as there is room; it ends in 0.
/// Empty if the text of the status says all. Returns the length of all of it.
///
/// # Safety
///
/// `text` has room for `capacity` characters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nap_error_message(text: *mut c_char, capacity: usize) -> usize {
    let message = last_text();
    // SAFETY: the caller says that there is room.
    let Ok(places) = (unsafe { room(text, capacity) }) else { return message.len() };
    if let Some((end, places)) = places.split_last_mut() {
        let written = places.iter_mut().zip(message.bytes());
        written.for_each(|(place, byte)| _ = place.write(byte as c_char));
        let at = message.len().min(places.len());
        places.get_mut(at).unwrap_or(end).write(0);
    }
    message.len()
}

/// Fails inside, as an error in the library would, so that a program's tests see what becomes of it.
#[cfg(feature = "test-hooks")]
#[unsafe(no_mangle)]
pub extern "C" fn nap_test_panic(receiver: *mut NapReceiver) -> NapStatus {
    #[allow(clippy::panic, reason = "this is what it is for")]
    with(receiver, |_| panic!("a failure on purpose"))
}

impl NapCounter {
    fn new(name: &str, value: u64) -> Self {
        let mut counter = Self { name: [0; 40], value };
        // One place at least stays 0.
        let places = counter.name.iter_mut().take(39).zip(name.bytes());
        places.for_each(|(place, byte)| *place = byte as c_char);
        counter
    }
}

/// Works with a receiver; whatever goes wrong becomes a status.
fn with(
    receiver: *mut NapReceiver,
    work: impl FnOnce(&mut Session) -> Result<(), Failure>,
) -> NapStatus {
    guarded(|| handles::with(receiver.addr(), work))
}

/// Takes samples of some format.
///
/// # Safety
///
/// `iq` points to `2 * count` numbers.
unsafe fn push<T: Part + AnyBits>(
    receiver: *mut NapReceiver,
    iq: *const T,
    count: usize,
) -> NapStatus {
    with(receiver, |session| {
        let parts = count.checked_mul(2).ok_or(NapStatus::InvalidArgument)?;
        // SAFETY: the caller says so.
        session.push(unsafe { values(iq, parts) }?);
        Ok(())
    })
}

/// The configuration of a caller who may know less of it than the library, or more.
///
/// # Safety
///
/// `config` is null or points to as many bytes as its size says.
unsafe fn config_at(config: *const NapConfig) -> Result<NapConfig, NapStatus> {
    if !config.is_aligned() {
        return Err(NapStatus::NullPointer);
    }
    let bytes = config.cast::<u8>();
    // SAFETY: the size comes first in all versions, and the caller says that it is there.
    let size: [u8; 4] = unsafe { values(bytes, 4) }?.try_into().unwrap_or_default();
    // SAFETY: the caller says that as many bytes are there.
    NapConfig::read(unsafe { values(bytes, u32::from_ne_bytes(size) as usize) }?)
}

/// Writes as much of a list as there is room for, and its length.
///
/// # Safety
///
/// `first` has room for `capacity` values, `count` for one number.
unsafe fn write_list<T>(
    list: impl Iterator<Item = T>,
    first: *mut T,
    capacity: usize,
    count: *mut usize,
) -> Result<(), Failure> {
    // SAFETY: the caller says so.
    let (places, count) = unsafe { (room(first, capacity)?, room_for_one(count)?) };
    let mut length = 0;
    for value in list {
        if let Some(place) = places.get_mut(length) {
            place.write(value);
        }
        length += 1;
    }
    count.write(length);
    Ok(())
}
