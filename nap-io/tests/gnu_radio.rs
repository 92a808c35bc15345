//! What GNU Radio's file meta sink writes: headers between the samples, or beside them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

mod common;

use std::fs;
use std::path::PathBuf;

use common::{fixed_seed, open, open_error, read_all, read_to_end};
use nap_io::{Error, OpenOptions, SampleFormat};
use num_complex::Complex32;
use proptest::prelude::*;
use tempfile::TempDir;

const FLOAT: u8 = 5;
const SHORT: u8 = 1;

/// An entry of a dictionary of polymorphic types.
fn entry(name: &str, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(name.len()).unwrap().to_be_bytes();
    [&[9, 7, 2], &length[..], name.as_bytes(), value].concat()
}

fn number(value: f64) -> Vec<u8> {
    [&[4], &value.to_be_bytes()[..]].concat()
}

fn count(value: u64) -> Vec<u8> {
    [&[11], &value.to_be_bytes()[..]].concat()
}

/// A header as the sink writes it, with a frequency and a text that the flow graph has added.
fn header(kind: u8, sample_bytes: u64, seconds: u64, center_hz: f64) -> Vec<u8> {
    let size = if kind == FLOAT { 8 } else { 4 };
    let time = [&[12, 0, 0, 0, 2][..], &count(seconds), &number(0.5)].concat();
    let added = [entry("note", b"\x02\x00\x02hi"), entry("freq", &number(center_hz))].concat();
    let build = |length: u64| {
        [
            entry("strt", &count(length)),
            entry("bytes", &count(sample_bytes)),
            entry("cplx", &[0]),
            entry("type", &[3, 0, 0, 0, kind]),
            entry("size", &[3, 0, 0, 0, size]),
            entry("rx_time", &time),
            entry("rx_rate", &number(250e3)),
            entry("version", &[3, 0, 0, 0, 0]),
            vec![6],
            added.clone(),
            vec![6],
        ]
        .concat()
    };
    build(build(0).len() as u64)
}

fn shorts(samples: std::ops::Range<i16>) -> Vec<u8> {
    samples.flat_map(|k| [k.to_le_bytes(), (-k).to_le_bytes()].concat()).collect()
}

fn expected(samples: std::ops::Range<i16>) -> Vec<Complex32> {
    samples.map(|k| Complex32::new(k.into(), (-k).into()) / 32768.0).collect()
}

fn write(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

#[test]
fn headers_are_no_samples() {
    // The program ended before it could count what follows the last header.
    let bytes = [
        header(SHORT, 400, 1_705_321_845, 868.13e6),
        shorts(0..100),
        header(SHORT, 0, 1_705_321_845, 868.13e6),
        shorts(100..150),
    ]
    .concat();
    // Neither the name nor the extension tells anything.
    let (_folder, path) = write("meta.dat", &bytes);
    let mut source = open(&path).unwrap();
    let info = source.info().clone();
    assert_eq!((info.format, info.sample_rate_hz), (SampleFormat::Cs16Le, 250e3));
    assert_eq!((info.center_hz, info.total_samples), (Some(868.13e6), Some(150)));
    assert_eq!(info.start, Some("2024-01-15T12:30:45.5Z".parse().unwrap()));
    assert_eq!(
        info.warnings,
        ["the last header does not tell how many samples follow; reading all"]
    );
    assert_eq!(read_all(source.as_mut()), expected(0..150));
    let mut source = open(&path).unwrap();
    assert_eq!(source.skip(120).unwrap(), 120);
    assert_eq!(read_all(source.as_mut()), expected(120..150));
}

#[test]
fn each_part_has_its_frequency() {
    let bytes = [
        header(SHORT, 400, 0, 868.13e6),
        shorts(0..100),
        header(SHORT, 200, 0, 869.0e6),
        shorts(100..150),
        b"no header".to_vec(),
    ]
    .concat();
    let (_folder, path) = write("meta.dat", &bytes);
    let mut source = open(&path).unwrap();
    let info = source.info();
    assert_eq!(info.start, None, "counted from the start of the program");
    let tuned: Vec<_> = info.stretches().iter().map(|s| (s.first_sample, s.center_hz)).collect();
    assert_eq!(tuned, [(0, Some(868.13e6)), (100, Some(869e6))]);
    assert!(info.warnings.contains(&"9 bytes without a header are not read".to_owned()));
    assert_eq!(read_all(source.as_mut()), expected(0..150));
    let options = OpenOptions { center_hz: Some(868.2e6), ..Default::default() };
    let source = nap_io::open(&path, &options).unwrap();
    assert_eq!(source.info().stretches().len(), 1);
}

#[test]
fn headers_beside_the_samples_tell_of_them() {
    let (folder, path) = write("samples.bin", &[0; 80]);
    let headers = header(FLOAT, 80, 1_705_321_845, 868.13e6).repeat(2);
    let header_path = folder.path().join("samples.bin.hdr");
    fs::write(&header_path, headers).unwrap();
    let source = open(&path).unwrap();
    let info = source.info();
    assert_eq!((info.format, info.sample_rate_hz), (SampleFormat::Cf32Le, 250e3));
    assert_eq!((info.center_hz, info.total_samples), (Some(868.13e6), Some(10)));
    assert!(info.notes[0].starts_with("taken from samples.bin.hdr: format cf32"), "{info:?}");
    let error = open_error(&header_path, &OpenOptions::default());
    assert!(error.to_string().contains("headers alone"), "{error}");
}

#[test]
fn what_cannot_be_read_is_said() {
    let real = header(SHORT, 400, 0, 868.13e6);
    let at = real.windows(4).position(|word| word == b"cplx").unwrap() + 4;
    let mut bytes = [real, shorts(0..100)].concat();
    bytes[at] = 1;
    let (_folder, path) = write("meta.dat", &bytes);
    let error = open_error(&path, &OpenOptions::default());
    assert!(error.to_string().contains("real samples"), "{error}");
    let options = OpenOptions { format: Some(SampleFormat::Cs16Le), ..Default::default() };
    assert_eq!(read_all(nap_io::open(&path, &options).unwrap().as_mut()), expected(0..100));
    // A flow graph that did not know its rate.
    let at = bytes.windows(7).position(|word| word == b"rx_rate").unwrap() + 8;
    bytes[at..at + 8].fill(0);
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(open_error(&path, &options), Error::OutOfRange { .. }));
    let options = OpenOptions { sample_rate_hz: Some(48e3), ..options };
    assert_eq!(nap_io::open(&path, &options).unwrap().info().sample_rate_hz, 48e3);
}

proptest! {
    #![proptest_config(fixed_seed(200))]

    #[test]
    fn wrong_bytes_do_no_harm(at in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>()) {
        let mut bytes = [
            header(SHORT, 400, 1_705_321_845, 868.13e6),
            shorts(0..100),
            header(SHORT, 40, 1_705_321_846, 868.13e6),
            shorts(0..10),
        ]
        .concat();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(cut.index(bytes.len()) + 1);
        let (_folder, path) = write("meta.dat", &bytes);
        let beside = path.with_file_name("x.cs16");
        fs::write(&beside, [0; 40]).unwrap();
        fs::write(path.with_file_name("x.cs16.hdr"), &bytes).unwrap();
        for path in [path, beside] {
            if let Ok(mut source) = open(&path) {
                let (samples, _) = read_to_end(source.as_mut());
                prop_assert!(samples.len() <= bytes.len().max(40));
            }
        }
    }
}
