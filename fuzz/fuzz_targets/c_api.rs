//! The C API, called in any order: whatever is called, it returns a status, and a receiver that was destroyed
//! stays so.
#![no_main]

use std::mem::{MaybeUninit, size_of};
use std::ptr::{null, null_mut};

use libfuzzer_sys::fuzz_target;
use nap_c::config::NapConfig;
use nap_c::content::NapUplink;
use nap_c::event::NapEvent;
use nap_c::frame::{NapAuthentication, NapFrame};
use nap_c::receiver::{
    NapCounter, NapNoise, NapReceiver, nap_config_init, nap_receiver_add_device,
    nap_receiver_counters, nap_receiver_create, nap_receiver_destroy, nap_receiver_flush,
    nap_receiver_noise, nap_receiver_poll, nap_receiver_push_cf32, nap_receiver_push_cs16,
    nap_receiver_push_cu8, nap_receiver_remove_device, nap_receiver_skip, nap_receiver_work,
};
use nap_c::status::NapStatus;

/// The longest silences that an input may ask for, which take as long as noise.
const MAX_SKIPS: usize = 8;

/// What the bytes of an input are taken for.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn word(&mut self) -> u32 {
        (0..4).fold(0, |word, _| word << 8 | u32::from(self.next().unwrap_or(0)))
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

fuzz_target!(|data: &[u8]| {
    let mut bytes = Bytes(data);
    let mut receivers = [null_mut(); 2];
    let mut skips = 0;
    while let Some(call) = bytes.next() {
        let which = usize::from(call >> 7);
        match call & 0x7f {
            0..16 => create(&mut bytes, &mut receivers[which]),
            16..24 => frames(&mut bytes),
            call if call % 12 == 5 && skips == MAX_SKIPS => {}
            call => {
                skips += usize::from(call % 12 == 5);
                of_receiver(call, &mut bytes, receivers[which]);
            }
        }
    }
    for receiver in receivers {
        let status = nap_receiver_destroy(receiver);
        assert!(matches!(status, NapStatus::Ok | NapStatus::InvalidHandle), "{status:?}");
    }
});

fn create(bytes: &mut Bytes<'_>, receiver: &mut *mut NapReceiver) {
    let mut config = MaybeUninit::<NapConfig>::uninit();
    // SAFETY: there is room for one, which is initialised when the call succeeds.
    let mut config = unsafe {
        assert_eq!(nap_config_init(config.as_mut_ptr(), size_of::<NapConfig>()), NapStatus::Ok);
        config.assume_init()
    };
    config.sample_rate_hz = 200_000.0 + f64::from(bytes.word() % 100_000);
    config.radio_configuration = i32::from(bytes.next().unwrap_or(0)) - 1;
    config.center_hz = if config.radio_configuration == 1 { 868_130_000.0 } else { 0.0 };
    config.bit_rates = u32::from(bytes.next().unwrap_or(0)) % 5;
    config.max_bursts = u32::from(bytes.next().unwrap_or(0));
    config.max_undecoded_frames = u32::from(bytes.next().unwrap_or(0));
    config.max_events = u32::from(bytes.next().unwrap_or(0));
    config.max_backlog_samples = u64::from(bytes.word() % 50_000);
    config.max_memory_bytes = u64::from(bytes.word());
    config.size = size_of::<NapConfig>() as u32 - u32::from(bytes.next().unwrap_or(0) == 7);
    nap_receiver_destroy(*receiver);
    // SAFETY: the configuration and the room for a handle are there. A handle that is not written is the old one,
    // which is none any more.
    unsafe { nap_receiver_create(&config, receiver) };
}

fn frames(bytes: &mut Bytes<'_>) {
    let length = usize::from(bytes.next().unwrap_or(0));
    let bitstream = bytes.take(length);
    let mut frame = MaybeUninit::<NapFrame>::uninit();
    let mut authentication = NapAuthentication::Unchecked;
    let uplink = NapUplink {
        device_id: bytes.word(),
        kind: i32::from(bytes.next().unwrap_or(0)) - 1,
        sequence_number: bytes.word() as u16,
        payload_length: bytes.next().unwrap_or(0) % 16,
        ..NapUplink::default()
    };
    let (mut out, mut written) = ([0; 26], 0);
    let capacity = usize::from(bytes.next().unwrap_or(0)) % (out.len() + 1);
    // SAFETY: every address has as many values, or as much room, as the calls are told.
    unsafe {
        nap_c::frame::nap_frame_parse(bitstream.as_ptr(), bitstream.len(), frame.as_mut_ptr());
        let key = [7; 16];
        nap_c::frame::nap_frame_authenticate(
            bitstream.as_ptr(),
            bitstream.len(),
            key.as_ptr(),
            &mut authentication,
        );
        let rank = bytes.next().unwrap_or(0) % 5;
        let status = nap_c::frame::nap_frame_encode(
            &uplink,
            key.as_ptr(),
            rank,
            out.as_mut_ptr(),
            capacity,
            &mut written,
        );
        if status == NapStatus::Ok {
            let status = nap_c::frame::nap_frame_parse(out.as_ptr(), written, frame.as_mut_ptr());
            assert_eq!(status, NapStatus::Ok);
            assert_eq!(frame.assume_init().uplink, uplink_of_kind(uplink));
        }
    }
}

/// Only payloads have bytes.
fn uplink_of_kind(uplink: NapUplink) -> NapUplink {
    let payload_length = if uplink.kind == 0 { uplink.payload_length } else { 0 };
    let bidirectional = uplink.bidirectional;
    NapUplink { payload_length, bidirectional, ..uplink }
}

fn of_receiver(call: u8, bytes: &mut Bytes<'_>, receiver: *mut NapReceiver) {
    let mut event = MaybeUninit::<NapEvent>::uninit();
    let mut counters = [const { MaybeUninit::<NapCounter>::uninit() }; 4];
    let mut noise = [const { MaybeUninit::<NapNoise>::uninit() }; 4];
    let mut count = 0;
    // SAFETY: every address has as many values, or as much room, as the calls are told.
    let status = unsafe {
        match call % 12 {
            0..3 => {
                let iq = bytes.take(512);
                nap_receiver_push_cu8(receiver, iq.as_ptr(), iq.len() / 2)
            }
            3 => {
                let iq = [i16::from(bytes.next().unwrap_or(0)) << 7; 4096];
                nap_receiver_push_cs16(receiver, iq.as_ptr(), iq.len() / 2)
            }
            4 => {
                let iq = [f32::from_bits(bytes.word()); 2048];
                nap_receiver_push_cf32(receiver, iq.as_ptr(), iq.len() / 2)
            }
            5 => nap_receiver_skip(receiver, u64::from(bytes.word()) << (call >> 2)),
            6 => nap_receiver_flush(receiver),
            7 => {
                nap_receiver_work(receiver, u64::from(bytes.word() % 2000), null_mut(), null_mut())
            }
            8 => nap_receiver_poll(receiver, event.as_mut_ptr(), size_of::<NapEvent>()),
            9 => nap_receiver_add_device(receiver, bytes.word() % 4, null()),
            10 => nap_receiver_remove_device(receiver, bytes.word() % 4),
            _ => {
                nap_receiver_noise(receiver, noise.as_mut_ptr().cast(), noise.len(), &mut count);
                nap_receiver_counters(receiver, counters.as_mut_ptr().cast(), 4, &mut count)
            }
        }
    };
    assert!(
        !matches!(status, NapStatus::Panic | NapStatus::Poisoned | NapStatus::Busy),
        "{status:?}"
    );
}
