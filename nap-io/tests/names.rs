//! What file names tell.

mod common;

use common::{open_error, raw};
use nap_io::{Error, FileName, OpenOptions, SampleFormat};

fn told(name: &str) -> (Option<SampleFormat>, Option<f64>, Option<f64>) {
    let told = FileName::parse(name);
    (told.format, told.center_hz, told.sample_rate_hz)
}

/// Names as rtl_433 writes them, and the forms its documentation lists.
#[test]
fn names_of_rtl_433() {
    use SampleFormat::*;
    let cases = [
        ("g001_433.92M_250k.cu8", Some(Cu8), Some(433.92e6), Some(250e3)),
        ("g009_868.3M_1000k.cs16", Some(Cs16Le), Some(868.3e6), Some(1e6)),
        ("g001_868130000Hz_250000sps.cf32", Some(Cf32Le), Some(868.13e6), Some(250e3)),
        ("x_868130kHz_1.024Msps.CS8", Some(Cs8), Some(868.13e6), Some(1.024e6)),
        ("x_0.90213GHz_200ksps.ci16", Some(Cs16Le), Some(902.13e6), Some(200e3)),
        ("cs16_868M_250k.bin", Some(Cs16Le), Some(868e6), Some(250e3)),
        ("capture.cu8", Some(Cu8), None, None),
        ("capture.cfile", Some(Cf32Le), None, None),
        ("capture.data", Some(Cu8), None, None),
        ("capture_250k.cs12", None, None, Some(250e3)),
        ("capture.am.s16", None, None, None),
        ("1st_2nd_3.", None, None, None),
        ("", None, None, None),
    ];
    for (name, format, center_hz, rate_hz) in cases {
        let (told_format, told_center_hz, told_rate_hz) = told(name);
        assert_eq!(told_format, format, "{name}");
        let close = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() < 1e-3,
            (a, b) => a == b,
        };
        assert!(close(told_center_hz, center_hz), "{name}: {told_center_hz:?}");
        assert!(close(told_rate_hz, rate_hz), "{name}: {told_rate_hz:?}");
    }
}

#[test]
fn names_of_sdr_sharp_and_hdsdr_have_the_start() {
    let sharp = FileName::parse("SDRSharp_20260119_093005Z_868130000Hz_IQ.wav");
    assert_eq!(sharp.center_hz, Some(868.13e6));
    assert_eq!(sharp.start, "2026-01-19T09:30:05Z".parse().ok());
    let hdsdr = FileName::parse("HDSDR_20260119_093005Z_868130kHz_RF.wav");
    assert_eq!((hdsdr.center_hz, hdsdr.start), (sharp.center_hz, sharp.start));
    assert_eq!(FileName::parse("x_20261319_093005Z.wav").start, None, "no thirteenth month");
    assert_eq!(FileName::parse("x_20260119_093005.wav").start, None, "an unknown time zone");
}

#[test]
fn a_prefix_wins_over_the_name() {
    let (prefix, rest) = FileName::split_prefix("cs16:250k:868.13M:dir/x_1M.cu8").unwrap();
    assert_eq!(rest, "dir/x_1M.cu8");
    assert_eq!(prefix.format, Some(SampleFormat::Cs16Le));
    assert_eq!(prefix.sample_rate_hz, Some(250e3));
    assert_eq!(prefix.center_hz, Some(868.13e6));
    for path in ["C:\\x.cu8", "2026-01-19T09:30:05_250k.cu8", ":x.cu8", "dir/a:b.cu8", "x.cu8"] {
        assert_eq!(FileName::split_prefix(path), None, "{path}");
    }
}

#[test]
fn options_then_prefix_then_name() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x_868M_1000k.cu8"), [0; 16]).unwrap();
    let path = folder.path().join("x_868M_1000k.cu8");
    let prefixed = format!("cs16:250k:{}", path.display());
    let source = common::open(prefixed.as_ref()).unwrap();
    let info = source.info();
    assert_eq!((info.format, info.sample_rate_hz), (SampleFormat::Cs16Le, 250e3));
    assert_eq!((info.center_hz, info.total_samples), (Some(868e6), Some(4)));
    let options = OpenOptions { center_hz: Some(902e6), ..raw(SampleFormat::Cs8) };
    let source = nap_io::open(prefixed.as_ref(), &options).unwrap();
    assert_eq!(source.info().format, SampleFormat::Cs8);
    assert_eq!(source.info().center_hz, Some(902e6));
}

#[test]
fn a_name_that_tells_too_little() {
    let folder = tempfile::tempdir().unwrap();
    let create = |name: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, [0; 16]).unwrap();
        path
    };
    let error = open_error(&create("x_868M_250k.cs12"), &OpenOptions::default());
    assert!(matches!(error, Error::UnknownFormat { .. }), "{error:?}");
    assert!(error.to_string().contains("extension .cs12"), "{error}");
    let error = open_error(&create("noise"), &OpenOptions::default());
    assert!(matches!(error, Error::UnknownFormat { .. }), "{error:?}");
    let error = open_error(&create("x_868M.cu8"), &OpenOptions::default());
    assert!(matches!(error, Error::Missing { parameter: "sample rate", .. }), "{error:?}");
    let error = open_error(&create("x_0k.cu8"), &OpenOptions::default());
    assert!(matches!(error, Error::OutOfRange { value: 0.0, .. }), "{error:?}");
    let endless = format!("x_{}k.cu8", "9".repeat(200));
    let error = open_error(&create(&endless), &OpenOptions::default());
    assert!(matches!(error, Error::OutOfRange { .. }), "{error:?}");
}
