//! Whatever comes off the air: bursts, tones, silence and samples that are no numbers.
//!
//! The input is a little programme. Its first byte chooses how the samples are cut into blocks;
//! then come segments, each a byte that says what it is and its parameters (see [`Segment`]).
#![no_main]

use std::f32::consts::TAU;

use libfuzzer_sys::fuzz_target;
use nap_phy::{BitRate, Event, Receiver, ReceiverConfig};
use num_complex::Complex32;

const SAMPLE_RATE_HZ: f32 = 200_000.0;
const BIT_RATE_HZ: f32 = 600.0;
/// A narrow channel is searched faster, and the code is the same.
const CHANNEL_WIDTH_HZ: f64 = 24_000.0;
/// Two frames of 600 bit/s and the time around them.
const MAX_SAMPLES: usize = 300_000;

fuzz_target!(|programme: &[u8]| {
    let mut programme = Programme(programme);
    let block = usize::from(programme.byte()) * 97 + 1;
    let samples = programme.samples();
    let whole = receive(samples.chunks(MAX_SAMPLES));
    assert!(whole.iter().all(is_finite), "{whole:?}");
    let cut = receive(samples.chunks(block));
    assert_eq!(whole, cut, "blocks of {block} samples");
});

fn receive<'a>(blocks: impl Iterator<Item = &'a [Complex32]>) -> Vec<Event> {
    let mut config = ReceiverConfig::new(SAMPLE_RATE_HZ.into(), 868_130_000.0);
    config.channel_width_hz = CHANNEL_WIDTH_HZ;
    config.bit_rates = vec![BitRate::Bps600];
    let mut receiver = Receiver::new(config).expect("a valid configuration");
    let mut events: Vec<Event> = blocks.flat_map(|block| receiver.push(block)).collect();
    events.extend(receiver.flush());
    events
}

fn is_finite(event: &Event) -> bool {
    let of_message = event.message().map(|message| message.signal);
    let Some(signal) = of_message.or(event.undecoded().map(|burst| burst.signal)) else {
        return true;
    };
    [signal.time_s, signal.frequency_hz, signal.snr_db, signal.drift_hz_per_s]
        .into_iter()
        .all(f64::is_finite)
}

/// A piece of the samples.
enum Segment<'a> {
    /// Samples as they are, 8 bytes each: two little-endian floats.
    Raw(&'a [u8]),
    /// One sample (8 bytes), many times (2 bytes).
    Held(Complex32, usize),
    /// DBPSK of 600 bit/s, amplitude 2^-a (1 byte), offset in 100 Hz (1 byte, signed), and the bits.
    Burst(f32, f32, &'a [u8]),
}

struct Programme<'a>(&'a [u8]);

impl<'a> Programme<'a> {
    fn samples(mut self) -> Vec<Complex32> {
        let mut samples = Vec::new();
        while !self.0.is_empty() && samples.len() < MAX_SAMPLES {
            match self.segment() {
                Segment::Raw(bytes) => samples.extend(bytes.chunks_exact(8).map(complex)),
                Segment::Held(sample, count) => samples.extend(std::iter::repeat_n(sample, count)),
                Segment::Burst(amplitude, offset_hz, bits) => {
                    burst(amplitude, offset_hz, bits, &mut samples)
                }
            }
        }
        samples.truncate(MAX_SAMPLES);
        samples
    }

    fn segment(&mut self) -> Segment<'a> {
        match self.byte() % 3 {
            0 => {
                let count = usize::from(self.byte());
                Segment::Raw(self.take(8 * count))
            }
            1 => {
                let count = usize::from(self.byte()) << 8 | usize::from(self.byte());
                Segment::Held(complex(self.take(8)), count)
            }
            _ => {
                let amplitude = (-f32::from(self.byte())).exp2();
                let offset_hz = 100.0 * f32::from(self.byte() as i8);
                let count = usize::from(self.byte() % 40);
                Segment::Burst(amplitude, offset_hz, self.take(count))
            }
        }
    }

    fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

fn complex(bytes: &[u8]) -> Complex32 {
    let float = |at: usize| {
        let bytes = bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        f32::from_le_bytes(bytes.unwrap_or_default())
    };
    Complex32::new(float(0), float(4))
}

/// A 0 flips the phase.
fn burst(amplitude: f32, offset_hz: f32, bits: &[u8], samples: &mut Vec<Complex32>) {
    let samples_per_symbol = SAMPLE_RATE_HZ / BIT_RATE_HZ;
    let step = Complex32::from_polar(1.0, TAU * offset_hz / SAMPLE_RATE_HZ);
    let mut carrier = Complex32::new(amplitude, 0.0);
    let bits = bits.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1));
    for (n, unchanged) in std::iter::once(true).chain(bits).enumerate() {
        carrier = if unchanged { carrier } else { -carrier };
        let [start, end] = [n, n + 1].map(|n| (n as f32 * samples_per_symbol) as usize);
        for _ in start..end {
            samples.push(carrier);
            carrier *= step;
        }
    }
}
