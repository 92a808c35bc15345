//! The calls from Rust, as C makes them, short enough for an interpreter that watches every access: `make miri`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

use std::ffi::c_void;
use std::mem::{MaybeUninit, size_of};
use std::ptr::{null, null_mut, without_provenance_mut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use nap_c::config::{NAP_BIT_RATE_600, NapConfig};
use nap_c::content::{NapKind, NapUplink};
use nap_c::event::{NapEvent, NapEventType};
use nap_c::frame::{
    NAP_MAX_FRAME_BYTES, NapAuthentication, NapFrame, nap_frame_authenticate, nap_frame_encode,
    nap_frame_parse,
};
use nap_c::receiver::{
    NapCounter, NapNoise, NapReceiver, nap_config_init, nap_error_message, nap_receiver_add_device,
    nap_receiver_counters, nap_receiver_create, nap_receiver_destroy, nap_receiver_flush,
    nap_receiver_noise, nap_receiver_poll, nap_receiver_push_cf32, nap_receiver_push_cs8,
    nap_receiver_push_cs16, nap_receiver_push_cu8, nap_receiver_remove_device,
    nap_receiver_set_callback, nap_receiver_skip, nap_receiver_work,
};
use nap_c::status::NapStatus;

const KEY: [u8; 16] = [7; 16];

/// The smallest receiver that there can be, which only keeps so many samples.
fn config(max_backlog_samples: u64) -> NapConfig {
    let mut config = MaybeUninit::<NapConfig>::uninit();
    // SAFETY: there is room for one, which is whole when the call succeeds.
    let config = unsafe {
        assert_eq!(nap_config_init(config.as_mut_ptr(), size_of::<NapConfig>()), NapStatus::Ok);
        config.assume_init()
    };
    NapConfig {
        sample_rate_hz: 200_000.0,
        bit_rates: NAP_BIT_RATE_600,
        channel_width_hz: 20_000.0,
        max_backlog_samples,
        max_events: 2,
        ..config
    }
}

fn create(config: &NapConfig) -> *mut NapReceiver {
    let mut receiver = null_mut();
    // SAFETY: the configuration and the room for a handle are there.
    assert_eq!(unsafe { nap_receiver_create(config, &mut receiver) }, NapStatus::Ok);
    receiver
}

fn push(receiver: *mut NapReceiver, iq: &[u8]) -> NapStatus {
    // SAFETY: so many samples are there.
    unsafe { nap_receiver_push_cu8(receiver, iq.as_ptr(), iq.len() / 2) }
}

fn work(receiver: *mut NapReceiver) -> (u64, u32) {
    let (mut backlog, mut is_behind) = (0, 0);
    // SAFETY: there is room for both numbers.
    let status = unsafe { nap_receiver_work(receiver, u64::MAX, &mut backlog, &mut is_behind) };
    assert_eq!(status, NapStatus::Ok);
    (backlog, is_behind)
}

fn poll(receiver: *mut NapReceiver) -> Result<NapEvent, NapStatus> {
    let mut event = MaybeUninit::<NapEvent>::uninit();
    // SAFETY: there is room for one, which is whole when the call succeeds.
    unsafe {
        match nap_receiver_poll(receiver, event.as_mut_ptr(), size_of::<NapEvent>()) {
            NapStatus::Ok => Ok(event.assume_init()),
            status => Err(status),
        }
    }
}

#[test]
fn frames_go_from_fields_to_bytes_and_back() {
    let uplink = NapUplink {
        device_id: 0xFEDC_BA98,
        kind: NapKind::Bytes as i32,
        sequence_number: 9,
        payload_length: 12,
        payload: [3; 12],
        ..NapUplink::default()
    };
    let mut bitstream = [MaybeUninit::<u8>::uninit(); NAP_MAX_FRAME_BYTES];
    let mut frame = MaybeUninit::<NapFrame>::uninit();
    let (mut length, mut authentication) = (0, NapAuthentication::Unchecked);
    let first = bitstream.as_mut_ptr().cast::<u8>();
    for rank in 1..=3 {
        // SAFETY: every address has as many values, or as much room, as the calls are told.
        unsafe {
            let (from, key) = (&raw const uplink, KEY.as_ptr());
            let status = nap_frame_encode(from, key, rank, first, bitstream.len(), &mut length);
            assert_eq!(status, NapStatus::Ok);
            assert_eq!(nap_frame_parse(first, length, frame.as_mut_ptr()), NapStatus::Ok);
            assert_eq!((frame.assume_init().rank, frame.assume_init().uplink), (rank, uplink));
            let status = nap_frame_authenticate(first, length, key, &mut authentication);
            assert_eq!((status, authentication), (NapStatus::Ok, NapAuthentication::Verified));
            let status = nap_frame_encode(from, key, rank, first, 3, &mut length);
            assert_eq!(status, NapStatus::BufferTooSmall);
        }
    }
}

#[test]
fn an_address_that_is_none_is_a_status() {
    let mut frame = MaybeUninit::<NapFrame>::uninit();
    let receiver = create(&config(100));
    let words = [0i16; 4];
    // SAFETY: the addresses are null, or lie where no number can begin, which the calls find out.
    unsafe {
        assert_eq!(nap_frame_parse(null(), 4, frame.as_mut_ptr()), NapStatus::NullPointer);
        assert_eq!(nap_frame_parse([1, 2].as_ptr(), 2, null_mut()), NapStatus::NullPointer);
        let odd = words.as_ptr().byte_add(1);
        assert_eq!(nap_receiver_push_cs16(receiver, odd, 1), NapStatus::NullPointer);
        let status = nap_receiver_push_cs16(receiver, words.as_ptr(), usize::MAX);
        assert_eq!(status, NapStatus::InvalidArgument);
        assert_eq!(nap_receiver_create(null(), null_mut()), NapStatus::NullPointer);
        assert_eq!(nap_receiver_poll(receiver, null_mut(), 0), NapStatus::StructSize);
    }
    assert_eq!(nap_receiver_destroy(receiver), NapStatus::Ok);
    assert_eq!(nap_receiver_destroy(receiver), NapStatus::InvalidHandle);
    assert_eq!(push(receiver, &[0; 2]), NapStatus::InvalidHandle);
}

/// A program that was built with a later header, whose structures have more at their ends.
#[test]
fn structures_grow_at_their_ends() {
    #[repr(C)]
    struct Later {
        known: NapConfig,
        later: u64,
    }
    let mut receiver = null_mut();
    let mut later = MaybeUninit::<Later>::uninit();
    let size = size_of::<Later>();
    // SAFETY: there is room for one, which is whole when the call succeeds.
    let mut later = unsafe {
        assert_eq!(nap_config_init(later.as_mut_ptr().cast(), size), NapStatus::Ok);
        later.assume_init()
    };
    assert_eq!((later.known.size as usize, later.later), (size, 0));
    later.known = NapConfig { size: later.known.size, ..config(100) };
    // SAFETY: as many bytes are there as the size says.
    unsafe {
        let status = nap_receiver_create((&raw const later).cast(), &mut receiver);
        assert_eq!(status, NapStatus::Ok);
        later.later = 1;
        let status = nap_receiver_create((&raw const later).cast(), &mut receiver);
        assert_eq!(status, NapStatus::StructSize);
    }
    assert_eq!(nap_receiver_destroy(receiver), NapStatus::Ok);
    let wrong = NapConfig { sample_rate_hz: 1.0, ..config(100) };
    let mut text = [1; 8];
    // SAFETY: the configuration is there, and room for a handle and for so many characters.
    unsafe {
        assert_eq!(nap_receiver_create(&wrong, &mut receiver), NapStatus::InvalidConfig);
        assert!(nap_error_message(text.as_mut_ptr(), text.len()) > text.len());
    }
    assert_eq!(text[7], 0);
}

#[test]
fn samples_of_all_formats_are_kept_and_worked_on() {
    let receiver = create(&config(300));
    let (words, floats, bytes) = ([100i16; 128], [0.1f32; 128], [-3i8; 128]);
    // SAFETY: so many samples are there.
    unsafe {
        assert_eq!(nap_receiver_push_cs16(receiver, words.as_ptr(), 64), NapStatus::Ok);
        assert_eq!(nap_receiver_push_cf32(receiver, floats.as_ptr(), 64), NapStatus::Ok);
        assert_eq!(nap_receiver_push_cs8(receiver, bytes.as_ptr(), 64), NapStatus::Ok);
    }
    assert_eq!(nap_receiver_skip(receiver, 50), NapStatus::Ok);
    assert_eq!(work(receiver), (0, 0));
    assert_eq!(push(receiver, &[128; 2 * 310]), NapStatus::Ok);
    assert_eq!(nap_receiver_flush(receiver), NapStatus::Ok);
    assert_eq!(work(receiver), (0, 0));
    let overrun = poll(receiver).unwrap();
    assert_eq!((overrun.event_type, overrun.count), (NapEventType::Overrun, 10));
    assert_eq!(overrun.signal.time_s, (3 * 64 + 50 + 300) as f64 / 200_000.0);
    assert_eq!(poll(receiver).unwrap_err(), NapStatus::NoEvent);
    let mut counters = [const { MaybeUninit::<NapCounter>::uninit() }; 3];
    let mut noise = [const { MaybeUninit::<NapNoise>::uninit() }; 3];
    let mut count = 0;
    // SAFETY: there is room for so many, and as many are whole as were written.
    unsafe {
        let first = counters.as_mut_ptr().cast();
        assert_eq!(nap_receiver_counters(receiver, first, 3, &mut count), NapStatus::Ok);
        assert!(count > 3 && counters.iter().all(|one| one.assume_init_ref().name[39] == 0));
        let first = noise.as_mut_ptr().cast();
        assert_eq!(nap_receiver_noise(receiver, first, 3, &mut count), NapStatus::Ok);
    }
    assert_eq!(nap_receiver_destroy(receiver), NapStatus::Ok);
}

#[test]
fn devices_come_and_go() {
    let receiver = create(&config(100));
    // SAFETY: the key has 16 bytes, or there is none.
    unsafe {
        assert_eq!(nap_receiver_add_device(receiver, 7, KEY.as_ptr()), NapStatus::Ok);
        assert_eq!(nap_receiver_add_device(receiver, 7, null()), NapStatus::DuplicateDevice);
    }
    assert_eq!(work(receiver), (0, 0));
    assert_eq!(nap_receiver_remove_device(receiver, 7), NapStatus::Ok);
    assert_eq!(nap_receiver_remove_device(receiver, 7), NapStatus::UnknownDevice);
    assert_eq!(nap_receiver_destroy(receiver), NapStatus::Ok);
}

/// What a callback has seen.
struct Seen {
    receiver: *mut NapReceiver,
    samples: Vec<u64>,
}

unsafe extern "C" fn note(event: *const NapEvent, user_data: *mut c_void) {
    // SAFETY: this is what it was set with, and an event is there.
    let (seen, event) = unsafe { (&mut *user_data.cast::<Seen>(), &*event) };
    seen.samples.push(event.count);
    assert_eq!(nap_receiver_flush(seen.receiver), NapStatus::Busy);
    assert_eq!(nap_receiver_destroy(seen.receiver), NapStatus::Busy);
}

#[test]
fn a_callback_is_handed_what_it_was_set_with() {
    let receiver = create(&config(100));
    let mut seen = Seen { receiver, samples: Vec::new() };
    let user_data = (&raw mut seen).cast();
    // SAFETY: the function takes what it is set with, which lives longer than the receiver.
    let status = unsafe { nap_receiver_set_callback(receiver, Some(note), user_data) };
    assert_eq!(status, NapStatus::Ok);
    for _ in 0..2 {
        assert_eq!(push(receiver, &[127; 2 * 130]), NapStatus::Ok);
        assert_eq!(work(receiver), (0, 0));
    }
    assert_eq!(nap_receiver_destroy(receiver), NapStatus::Ok);
    assert_eq!(seen.samples, [30, 30]);
}

#[test]
fn a_receiver_is_one_threads_at_a_time() {
    // A handle is a number, which goes anywhere.
    let handle = create(&config(10_000)).addr();
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                let status = push(without_provenance_mut(handle), &[128; 2]);
                assert!(matches!(status, NapStatus::Ok | NapStatus::Busy), "{status:?}");
                thread::yield_now();
            }
        });
        for _ in 0..20 {
            let receiver = without_provenance_mut(handle);
            // SAFETY: nothing is to be written.
            let status = unsafe { nap_receiver_work(receiver, 100, null_mut(), null_mut()) };
            assert!(matches!(status, NapStatus::Ok | NapStatus::Busy), "{status:?}");
        }
        is_done.store(true, Ordering::Relaxed);
    });
    assert_eq!(nap_receiver_destroy(without_provenance_mut(handle)), NapStatus::Ok);
}

#[cfg(feature = "test-hooks")]
#[test]
fn a_panic_poisons_its_receiver_alone() {
    let (receiver, other) = (create(&config(100)), create(&config(100)));
    assert_eq!(nap_c::receiver::nap_test_panic(receiver), NapStatus::Panic);
    assert_eq!(push(receiver, &[0; 2]), NapStatus::Poisoned);
    assert_eq!(push(other, &[0; 2]), NapStatus::Ok);
    assert_eq!(nap_receiver_destroy(receiver), NapStatus::Ok);
    assert_eq!(nap_receiver_destroy(other), NapStatus::Ok);
}
