//! Recordings that other programs made.

mod common;

use common::{fixture, open, read_all};
use nap_io::SampleFormat;
use num_complex::Complex32;

#[test]
fn metadata_of_the_fixture() {
    let source = open(&fixture("rc2_minus112dbm.sigmf-meta")).unwrap();
    let info = source.info();
    assert_eq!(info.sample_rate_hz, 250e3);
    assert_eq!(info.center_hz, Some(902.2e6));
    assert_eq!(info.format, SampleFormat::Cs8);
    assert_eq!(info.total_samples, Some(1_000_000));
    assert_eq!(info.duration_s(), Some(4.0));
    assert_eq!(info.start, None);
    assert!(info.description.as_deref().unwrap().starts_with("two devices, 600 bps"));
    assert!(info.warnings.is_empty(), "{:?}", info.warnings);
}

/// The bytes were read with xxd: 0a07 f8f8 06fa 0b03 at the start, 0300 02fa at the end.
#[test]
fn samples_of_the_fixture() {
    let samples = read_all(&mut open(&fixture("rc2_minus112dbm.sigmf-data")).unwrap());
    let stored = |i: i8, q: i8| Complex32::new(f32::from(i) / 128.0, f32::from(q) / 128.0);
    assert_eq!(samples[..4], [stored(10, 7), stored(-8, -8), stored(6, -6), stored(11, 3)]);
    assert_eq!(samples[999_998..], [stored(3, 0), stored(2, -6)]);
    // Sums over all stored numbers, counted with Python's array module.
    let sum = |part: fn(&Complex32) -> f32| -> f64 {
        samples.iter().map(|s| f64::from(part(s)) * 128.0).sum()
    };
    assert_eq!((sum(|s| s.re), sum(|s| s.im)), (-13_958.0, 16_017.0));
    let energy: f64 = samples.iter().map(|s| f64::from(s.norm_sqr()) * 16_384.0).sum();
    assert_eq!(energy, 113_459_507.0);
}

#[test]
fn the_base_name_is_enough() {
    let by_base = open(&fixture("rc2_minus112dbm")).unwrap();
    assert_eq!(by_base.info().total_samples, Some(1_000_000));
    let by_archive_name = open(&fixture("rc2_minus112dbm.sigmf")).unwrap();
    assert_eq!(by_archive_name.info(), by_base.info());
}

#[test]
fn skipping_is_reading_and_dropping() {
    let samples = read_all(&mut open(&fixture("rc2_minus112dbm.sigmf-meta")).unwrap());
    let mut source = open(&fixture("rc2_minus112dbm.sigmf-meta")).unwrap();
    assert_eq!(source.skip(123_457).unwrap(), 123_457);
    assert_eq!(source.skip(0).unwrap(), 0);
    let mut block = [Complex32::ZERO; 5];
    assert_eq!(source.read(&mut block).unwrap(), 5);
    assert_eq!(block, samples[123_457..123_462]);
    assert_eq!(source.skip(u64::MAX).unwrap(), 1_000_000 - 123_462);
    assert_eq!(source.skip(1).unwrap(), 0);
    assert_eq!(source.read(&mut block).unwrap(), 0);
}

/// Big-endian samples, an offset, a time and an annotation, as the SigMF reference library has them.
#[test]
fn a_recording_of_the_reference_library() {
    let mut source = open(&fixture("sigmf_python_ci16_be.sigmf-meta")).unwrap();
    let info = source.info().clone();
    assert_eq!(info.format, SampleFormat::Cs16Be);
    assert_eq!((info.sample_rate_hz, info.center_hz), (192_000.5, Some(868_130_000.25)));
    assert_eq!(info.start, "2026-01-19T09:30:00.125Z".parse().ok());
    assert!(info.warnings.is_empty(), "{:?}", info.warnings);
    let [annotation] = info.annotations.as_slice() else { panic!("{:?}", info.annotations) };
    assert_eq!((annotation.sample_start, annotation.sample_count), (10, Some(20)));
    assert_eq!(annotation.freq_lower_edge_hz, Some(868_129_000.0));
    assert_eq!(annotation.freq_upper_edge_hz, Some(868_131_000.0));
    assert_eq!(annotation.label.as_deref(), Some("ramp"));
    let stored = |k: i32| Complex32::new((600 * k - 30_000) as f32, (3000 - 37 * k) as f32);
    let expected: Vec<_> = (0..100).map(|k| stored(k) / 32_768.0).collect();
    assert_eq!(read_all(&mut source), expected);
}
