//! Recordings of SDRangel, written here by the description in its sources.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

mod common;

use std::path::PathBuf;

use common::{fixed_seed, open, open_error, read_all};
use crc::{CRC_32_ISO_HDLC, Crc};
use nap_io::{Error, OpenOptions, SampleFormat};
use num_complex::Complex32;
use proptest::prelude::*;
use tempfile::TempDir;

/// The header with a right checksum.
fn header(rate_hz: u32, center_hz: u64, start: u64, bits: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(rate_hz.to_le_bytes());
    bytes.extend(center_hz.to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    bytes.extend([0; 4]);
    let checksum = Crc::<u32>::new(&CRC_32_ISO_HDLC).checksum(&bytes);
    bytes.extend(checksum.to_le_bytes());
    bytes
}

fn write(folder: &TempDir, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join("rec0_2024-01-15T12_30_45_123.sdriq");
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn samples_of_16_and_24_bits() {
    let folder = tempfile::tempdir().unwrap();
    let samples_16 = [0x00, 0x40, 0x00, 0x80].as_slice();
    let samples_24 = [0x00, 0x00, 0x40, 0x00, 0x00, 0x00, 0x80, 0xff].as_slice();
    for (bits, format, samples) in
        [(16, SampleFormat::Cs16Le, samples_16), (24, SampleFormat::Cs24In32Le, samples_24)]
    {
        let head = header(250_000, 868_130_000, 1_705_321_845, bits);
        let path = write(&folder, &[&head, samples].concat());
        let mut source = open(&path).unwrap();
        let info = source.info().clone();
        assert_eq!((info.format, info.sample_rate_hz), (format, 250e3));
        assert_eq!((info.center_hz, info.total_samples), (Some(868.13e6), Some(1)));
        assert_eq!(info.start, "2024-01-15T12:30:45Z".parse().ok());
        assert_eq!(read_all(source.as_mut()), [Complex32::new(0.5, -1.0)]);
    }
}

#[test]
fn starts_in_seconds_and_milliseconds() {
    let folder = tempfile::tempdir().unwrap();
    for (written, start) in [
        (1_705_321_845, Some("2024-01-15T12:30:45Z")),
        (1_705_321_845_123, Some("2024-01-15T12:30:45.123Z")),
        (0, None),
        (u64::MAX, None),
    ] {
        let path = write(&folder, &[header(250_000, 1, written, 16), vec![0; 4]].concat());
        let expected = start.map(|start| start.parse().unwrap());
        assert_eq!(open(&path).unwrap().info().start, expected);
    }
}

/// The user knows better, also than a header that tells nothing.
#[test]
fn a_rate_that_is_given_wins() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, &[header(0, 868_130_000, 0, 16), vec![0; 40]].concat());
    let error = open_error(&path, &OpenOptions::default());
    assert!(matches!(error, Error::OutOfRange { .. }), "{error:?}");
    let options = OpenOptions { sample_rate_hz: Some(250e3), ..Default::default() };
    assert_eq!(nap_io::open(&path, &options).unwrap().info().sample_rate_hz, 250e3);
}

#[test]
fn what_is_no_recording_of_sdrangel_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let error = |bytes: &[u8]| open_error(&write(&folder, bytes), &OpenOptions::default());
    assert!(matches!(error(&[]), Error::Empty { .. }));
    let short = error(&[1; 20]).to_string();
    assert!(short.contains("has 20 bytes, but 32 are needed"), "{short}");
    let wrong = error(&[1; 100]).to_string();
    assert!(wrong.contains("wrong checksum"), "{wrong}");
    let eight = error(&[header(250_000, 1, 0, 8), vec![0; 4]].concat()).to_string();
    assert!(eight.contains("a sample size of 8 bits"), "{eight}");
    let still = error(&[header(0, 1, 0, 16), vec![0; 4]].concat());
    assert!(matches!(still, Error::OutOfRange { .. }), "{still:?}");
    let nothing = error(&header(250_000, 1, 0, 16));
    assert!(matches!(nothing, Error::Empty { .. }), "{nothing:?}");
}

proptest! {
    #![proptest_config(fixed_seed(200))]

    /// Any numbers in the header give samples or an error.
    #[test]
    fn any_header(rate_hz: u32, center_hz: u64, start: u64, bits in prop_oneof![Just(16), Just(24)]) {
        let folder = tempfile::tempdir().unwrap();
        let path = write(&folder, &[header(rate_hz, center_hz, start, bits), vec![1; 19]].concat());
        if let Ok(source) = open(&path) {
            prop_assert_eq!(source.info().sample_rate_hz, f64::from(rate_hz));
        }
    }
}
