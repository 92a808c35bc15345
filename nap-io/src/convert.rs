//! Stored bytes to samples and back, a block at a time.
//!
//! The kernels are plain loops over fixed-size chunks, which the compiler turns into vector
//! instructions. The scales are those of [`SampleFormat`].

use std::ops::RangeInclusive;

use bytemuck::{cast_slice, cast_slice_mut};
use num_complex::Complex32;

use crate::format::SampleFormat;

const SCALE_I8: f32 = 128.0;
const SCALE_I16: f32 = 32_768.0;
const SCALE_I24: f32 = 8_388_608.0;
const SCALE_I32: f64 = 2_147_483_648.0;
const MIDDLE_U8: f32 = 127.5;
const MIDDLE_U16: f32 = 32_767.5;
const MIDDLE_U32: f64 = 2_147_483_647.5;

/// Converts stored samples to samples of full scale 1.0.
///
/// Returns how many were converted: the whole samples in `bytes`, or the length of `samples` if
/// that is less. Bytes of an incomplete sample at the end are left alone.
pub fn decode(format: SampleFormat, bytes: &[u8], samples: &mut [Complex32]) -> usize {
    let count = samples.len().min(bytes.len() / format.bytes_per_sample());
    let parts: &mut [f32] = cast_slice_mut(&mut samples[..count]);
    match format {
        SampleFormat::Cu8 => {
            each(bytes, parts, |[b]| (f32::from(b) - MIDDLE_U8) * (1.0 / MIDDLE_U8))
        }
        SampleFormat::WavU8 => {
            each(bytes, parts, |[b]| (f32::from(b) - SCALE_I8) * (1.0 / SCALE_I8))
        }
        SampleFormat::Cs8 => {
            each(bytes, parts, |b| f32::from(i8::from_le_bytes(b)) * (1.0 / SCALE_I8))
        }
        SampleFormat::Cu16Le => each(bytes, parts, |b| from_u16(u16::from_le_bytes(b))),
        SampleFormat::Cu16Be => each(bytes, parts, |b| from_u16(u16::from_be_bytes(b))),
        SampleFormat::Cs16Le => each(bytes, parts, |b| from_i16(i16::from_le_bytes(b))),
        SampleFormat::Cs16Be => each(bytes, parts, |b| from_i16(i16::from_be_bytes(b))),
        SampleFormat::Cs24Le => each(bytes, parts, from_i24),
        SampleFormat::Cs24In32Le => {
            each(bytes, parts, |b| (f64::from(i32::from_le_bytes(b)) / f64::from(SCALE_I24)) as f32)
        }
        SampleFormat::Cu32Le => each(bytes, parts, |b| from_u32(u32::from_le_bytes(b))),
        SampleFormat::Cu32Be => each(bytes, parts, |b| from_u32(u32::from_be_bytes(b))),
        SampleFormat::Cs32Le => each(bytes, parts, |b| from_i32(i32::from_le_bytes(b))),
        SampleFormat::Cs32Be => each(bytes, parts, |b| from_i32(i32::from_be_bytes(b))),
        SampleFormat::Cf32Le => each(bytes, parts, f32::from_le_bytes),
        SampleFormat::Cf32Be => each(bytes, parts, f32::from_be_bytes),
        SampleFormat::Cf64Le => each(bytes, parts, |b| f64::from_le_bytes(b) as f32),
        SampleFormat::Cf64Be => each(bytes, parts, |b| f64::from_be_bytes(b) as f32),
    }
    count
}

/// Converts samples to stored bytes, which are appended to `bytes`.
///
/// Integers are rounded to the nearest step, ties to even. Returns how many components (I or Q)
/// had to be clipped: those beyond the largest number of the format, and those that are not a
/// number, which become zero. Floats are never clipped.
pub fn encode(format: SampleFormat, samples: &[Complex32], bytes: &mut Vec<u8>) -> u64 {
    let parts: &[f32] = cast_slice(samples);
    bytes.reserve(samples.len() * format.bytes_per_sample());
    match format {
        SampleFormat::Cu8 => store_unsigned(parts, bytes, MIDDLE_U8.into(), |v| [v as u8]),
        SampleFormat::Cu16Le => {
            store_unsigned(parts, bytes, MIDDLE_U16.into(), |v| (v as u16).to_le_bytes())
        }
        SampleFormat::Cu16Be => {
            store_unsigned(parts, bytes, MIDDLE_U16.into(), |v| (v as u16).to_be_bytes())
        }
        SampleFormat::Cu32Le => {
            store_unsigned(parts, bytes, MIDDLE_U32, |v| (v as u32).to_le_bytes())
        }
        SampleFormat::Cu32Be => {
            store_unsigned(parts, bytes, MIDDLE_U32, |v| (v as u32).to_be_bytes())
        }
        SampleFormat::WavU8 => {
            store_signed(parts, bytes, SCALE_I8.into(), |v| [(v as i8 as u8) ^ 0x80])
        }
        SampleFormat::Cs8 => {
            store_signed(parts, bytes, SCALE_I8.into(), |v| (v as i8).to_le_bytes())
        }
        SampleFormat::Cs16Le => {
            store_signed(parts, bytes, SCALE_I16.into(), |v| (v as i16).to_le_bytes())
        }
        SampleFormat::Cs16Be => {
            store_signed(parts, bytes, SCALE_I16.into(), |v| (v as i16).to_be_bytes())
        }
        SampleFormat::Cs24Le => store_signed(parts, bytes, SCALE_I24.into(), |v| {
            let [a, b, c, _] = (v as i32).to_le_bytes();
            [a, b, c]
        }),
        SampleFormat::Cs24In32Le => {
            store_signed(parts, bytes, SCALE_I24.into(), |v| (v as i32).to_le_bytes())
        }
        SampleFormat::Cs32Le => store_signed(parts, bytes, SCALE_I32, |v| (v as i32).to_le_bytes()),
        SampleFormat::Cs32Be => store_signed(parts, bytes, SCALE_I32, |v| (v as i32).to_be_bytes()),
        SampleFormat::Cf32Le => store_float(parts, bytes, f32::to_le_bytes),
        SampleFormat::Cf32Be => store_float(parts, bytes, f32::to_be_bytes),
        SampleFormat::Cf64Le => store_float(parts, bytes, |v| f64::from(v).to_le_bytes()),
        SampleFormat::Cf64Be => store_float(parts, bytes, |v| f64::from(v).to_be_bytes()),
    }
}

fn each<const N: usize>(bytes: &[u8], parts: &mut [f32], value: impl Fn([u8; N]) -> f32) {
    let (chunks, _) = bytes.as_chunks::<N>();
    for (part, chunk) in parts.iter_mut().zip(chunks) {
        *part = value(*chunk);
    }
}

fn from_u16(x: u16) -> f32 {
    (f32::from(x) - MIDDLE_U16) * (1.0 / MIDDLE_U16)
}

fn from_i16(x: i16) -> f32 {
    f32::from(x) * (1.0 / SCALE_I16)
}

fn from_i24([a, b, c]: [u8; 3]) -> f32 {
    // The three bytes fill the upper part of an i32, so that the sign is right and exact.
    i32::from_le_bytes([0, a, b, c]) as f32 * (1.0 / SCALE_I32) as f32
}

fn from_u32(x: u32) -> f32 {
    ((f64::from(x) - MIDDLE_U32) * (1.0 / MIDDLE_U32)) as f32
}

fn from_i32(x: i32) -> f32 {
    (f64::from(x) * (1.0 / SCALE_I32)) as f32
}

/// Two's complement of full scale `scale`: numbers from `-scale` to `scale - 1`.
fn store_signed<const N: usize>(
    parts: &[f32],
    bytes: &mut Vec<u8>,
    scale: f64,
    pack: impl Fn(f64) -> [u8; N],
) -> u64 {
    store(parts, bytes, |x| x * scale, -scale..=scale - 1.0, pack)
}

/// Unsigned numbers from 0 to twice `middle`. Zero lies between two of them and takes the upper.
fn store_unsigned<const N: usize>(
    parts: &[f32],
    bytes: &mut Vec<u8>,
    middle: f64,
    pack: impl Fn(f64) -> [u8; N],
) -> u64 {
    store(parts, bytes, |x| x * middle + middle, 0.0..=2.0 * middle, pack)
}

/// Scales, rounds and limits every component; counts those that were beyond the limits.
fn store<const N: usize>(
    parts: &[f32],
    bytes: &mut Vec<u8>,
    scaled: impl Fn(f64) -> f64,
    range: RangeInclusive<f64>,
    pack: impl Fn(f64) -> [u8; N],
) -> u64 {
    let mut clipped = 0;
    for &part in parts {
        let finite = if part.is_nan() { 0.0 } else { f64::from(part) };
        let rounded = scaled(finite).round_ties_even();
        let limited = rounded.clamp(*range.start(), *range.end());
        clipped += u64::from(limited != rounded || part.is_nan());
        bytes.extend_from_slice(&pack(limited));
    }
    clipped
}

fn store_float<const N: usize>(
    parts: &[f32],
    bytes: &mut Vec<u8>,
    pack: impl Fn(f32) -> [u8; N],
) -> u64 {
    bytes.extend(parts.iter().flat_map(|&x| pack(x)));
    0
}
