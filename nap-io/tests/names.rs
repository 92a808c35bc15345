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
        ("x_868,13MHz_62,5k.cu8", Some(Cu8), Some(868.13e6), Some(62.5e3)),
        ("g001_868.13M_1M.cu8", Some(Cu8), Some(868.13e6), Some(1e6)),
        ("g001_868.13M_19.2M.cu8", Some(Cu8), Some(868.13e6), Some(19.2e6)),
        ("g001_868.13M_20M.cu8", Some(Cu8), Some(20e6), None),
        ("g001_868.13M_10M_250k.cu8", Some(Cu8), Some(868.13e6), Some(250e3)),
        ("1M_868.13M.cu8", Some(Cu8), Some(868.13e6), None),
        ("g001_868.13MHz_250kHz.cu8", Some(Cu8), Some(868.13e6), Some(250e3)),
        ("868130kHz_1.2MHz_250ksps.cu8", Some(Cu8), Some(868.13e6), Some(250e3)),
        ("868.13MHz_902MHz.cu8", Some(Cu8), Some(902e6), None),
        ("IQ_868.13 MHz_250 kHz.cf32", Some(Cf32Le), Some(868.13e6), Some(250e3)),
        ("rec 868130 kHz 0.25 Msps.cs8", Some(Cs8), Some(868.13e6), Some(250e3)),
        ("3_M_868_k.cu8", Some(Cu8), None, None),
        ("868.130.000Hz_1,024,000sps.cs16", Some(Cs16Le), Some(868.13e6), Some(1.024e6)),
        ("868.130.250k.cs16", Some(Cs16Le), None, Some(250e3)),
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

/// Words that say what a number is, before it or joined to it.
#[test]
fn labelled_numbers() {
    use SampleFormat::*;
    for (name, format, center_hz, rate_hz) in [
        ("fs250000_fc868130000.cf32", Cf32Le, Some(868.13e6), Some(250e3)),
        ("fc868.13M_fs1M_fc32.bin", Cf32Le, Some(868.13e6), Some(1e6)),
        ("rate=250000_freq=868130000.cs16", Cs16Le, Some(868.13e6), Some(250e3)),
        ("center 868.13 MHz sr 250 kHz.cu8", Cu8, Some(868.13e6), Some(250e3)),
        ("868.13M_250k_bw_200kHz.cu8", Cu8, Some(868.13e6), Some(250e3)),
        ("868.13MHz_bw2MHz.cu8", Cu8, Some(868.13e6), None),
        // Counts of something else.
        ("rate2_center3_fs.cu8", Cu8, None, None),
        ("fc868.13e6_fs250e3.cu8", Cu8, Some(868.13e6), Some(250e3)),
        // Nothing but numbers: of what, nobody knows.
        ("part_868130000.cu8", Cu8, None, None),
        ("550e8400-e29b-41d4-a716-446655440000.cu8", Cu8, None, None),
    ] {
        assert_eq!(told(name), (Some(format), center_hz, rate_hz), "{name}");
    }
}

/// Format, centre, rate and start that a name tells.
type Told = (Option<SampleFormat>, f64, Option<f64>, Option<&'static str>);

/// What these programs write when nobody changes the name; none of them marks the time zone alike.
#[test]
fn names_of_other_programs() {
    use SampleFormat::*;
    let mhz = 868.13e6;
    let start = Some("2024-01-15T12:30:45Z");
    let cases: [(&str, Told); 27] = [
        ("gqrx_20240115_123045_868130000_250000_fc.raw", (Some(Cf32Le), mhz, Some(250e3), start)),
        (
            "sigdigger_20240115_123045Z_250000_868130000_float32_iq.raw",
            (Some(Cf32Le), mhz, Some(250e3), start),
        ),
        ("baseband_868130000Hz_12-30-45_15-01-2024.wav", (None, mhz, None, None)),
        ("SDRSharp_20240115_123045Z_868130000Hz_IQ.wav", (None, mhz, None, start)),
        ("12-30-45_868130000Hz.wav", (None, mhz, None, None)),
        ("HDSDR_20240115_123045Z_868130kHz_RF.wav", (None, mhz, None, start)),
        ("SDRuno_20240115_123045Z_868130kHz.wav", (None, mhz, None, start)),
        ("HackRF_20240115_123045Z_868130kHz_IQ.wav", (None, mhz, None, start)),
        ("15-Jan-2024 123045.678 868.130MHz.wav", (None, mhz, None, None)),
        ("2024-01-15_12-30-45_250000SPS_868130000Hz.cs16", (Some(Cs16Le), mhz, Some(250e3), start)),
        (
            "2024-01-15_12-30-45-250_1000000SPS_868130000Hz.f32",
            (Some(Cf32Le), mhz, Some(1e6), Some("2024-01-15T12:30:45.25Z")),
        ),
        ("2024-01-15_12-30-45_250000SPS_868130000Hz.s8", (Some(Cs8), mhz, Some(250e3), start)),
        (
            "RTL-SDR-20240115_123045-868_13MHz-1MSps-1MHz.complex16u",
            (Some(Cu8), mhz, Some(1e6), None),
        ),
        (
            "HackRF-20240115_123045-868_130MHz-2_048MSps-2_5MHz.complex16s",
            (Some(Cs8), mhz, Some(2.048e6), None),
        ),
        (
            "RTL-TCP-20240115_123045-868_13MHz-250kSps.complex",
            (Some(Cf32Le), mhz, Some(250e3), None),
        ),
        (
            "name-f8.681300e+08-s2.500000e+05-t20240115123045.cfile",
            (Some(Cf32Le), mhz, Some(250e3), None),
        ),
        ("my-far-site-f868130000-s250000.cfile", (Some(Cf32Le), mhz, Some(250e3), None)),
        (
            "rec0_868.13M.2024-01-15T12_30_45_123.sdriq",
            (None, mhz, None, Some("2024-01-15T12:30:45.123Z")),
        ),
        ("usrp_868.13M_1Msps.sc16", (Some(Cs16Le), mhz, Some(1e6), None)),
        ("usrp_868.13M_1Msps_fc32.dat", (Some(Cf32Le), mhz, Some(1e6), None)),
        ("rtl_868.13M_250k.u8", (Some(Cu8), mhz, Some(250e3), None)),
        ("site_s8_868.13M_250k.cfile", (Some(Cf32Le), mhz, Some(250e3), None)),
        // Numbers with exponents, bladeRF, SDRTrunk.
        ("lora_868.13e6_250e3_cf32.bin", (Some(Cf32Le), mhz, Some(250e3), None)),
        ("x_8.6813E+08_2.5e5sps.cs16", (Some(Cs16Le), mhz, Some(250e3), None)),
        ("samples_868.13MHz_250ksps.sc16q11", (Some(Cs16Le), mhz, Some(250e3), None)),
        ("20240115_123045_868130000_far_site_baseband.wav", (None, mhz, None, None)),
        ("site_12e4_868.13M_250k.cu8", (Some(Cu8), mhz, Some(250e3), None)),
    ];
    for (name, (format, center_hz, rate_hz, start)) in cases {
        let told = FileName::parse(name);
        assert_eq!(told.format, format, "{name}");
        assert!((told.center_hz.unwrap() - center_hz).abs() < 1e-3, "{name}: {told:?}");
        assert_eq!(told.sample_rate_hz, rate_hz, "{name}");
        assert_eq!(told.start, start.map(|start| start.parse().unwrap()), "{name}");
    }
}

/// Names that look like those of the programs, cut short or with something else in a field.
#[test]
fn names_that_are_almost_those_of_other_programs() {
    for name in [
        "gqrx_20240115_123045_868130000_fc.raw",
        "gqrx_20240115_123045_868130000_250000_xx.raw",
        "gqrx_20240115_123045__250000_fc.raw",
        "sigdigger_20240115_123045Z_250000_868130000_float64_xx.raw",
        "RTL-SDR-20240115_123045-MHz-MSps.complex16u",
        "name-f-s-t.cfile",
        "name-fe-se.cfile",
        "é-f8é-s2.cfile",
    ] {
        let told = FileName::parse(name);
        assert_eq!((told.center_hz, told.sample_rate_hz), (None, None), "{name}");
    }
    assert_eq!(FileName::parse("2024-13-15_12-30-45_250000SPS.cf32").start, None, "no 13th month");
    assert_eq!(FileName::parse("2024-01-15_12-30-45_250000.cf32").start, None, "no SatDump");
    for name in ["2024-01-15T12_30_45_868.13M_250k.cf32", "2024-01-15T12_30_45_250k_868M.cf32"] {
        assert_eq!(FileName::parse(name).start, None, "no milliseconds: {name}");
    }
}

#[test]
fn names_of_formats() {
    use SampleFormat::*;
    for (name, format) in [
        ("sc16", Cs16Le),
        ("SC8", Cs8),
        ("fc32", Cf32Le),
        ("u8", Cu8),
        ("uc8", Cu8),
        ("c16", Cs16Le),
        ("complex64", Cf32Le),
        ("complex128", Cf64Le),
        ("complex16u", Cu8),
        ("cf32_be", Cf32Be),
        ("ci16", Cs16Le),
    ] {
        assert_eq!(name.parse(), Ok(format), "{name}");
    }
    assert!("mp3".parse::<SampleFormat>().is_err());
}

#[test]
fn what_is_taken_from_a_name_is_noted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gqrx_20240115_123045_868130000_250000_fc.raw");
    std::fs::write(&path, [0; 16]).unwrap();
    let options = OpenOptions { center_hz: Some(902.2e6), ..OpenOptions::default() };
    let source = nap_io::open(&path, &options).unwrap();
    assert_eq!(source.info().center_hz, Some(902.2e6));
    assert_eq!(
        source.info().notes,
        ["taken from the name: format cf32, 250000 S/s, start 2024-01-15T12:30:45Z"]
    );
    let source = nap_io::open(&path, &raw(SampleFormat::Cs16Le)).unwrap();
    assert_eq!(
        source.info().notes,
        ["taken from the name: centre 868.130000 MHz, start 2024-01-15T12:30:45Z"]
    );
}

#[test]
fn a_text_beside_a_capture_of_portapack_tells_its_tuning() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("BBD_0001.C16");
    std::fs::write(&path, [0; 16]).unwrap();
    let error = open_error(&path, &OpenOptions::default());
    assert!(matches!(error, Error::Missing { parameter: "sample rate", .. }), "{error:?}");
    let text = "sample_rate=500000\r\ncenter_frequency=868130000\r\nlatitude=48.1\r\n";
    std::fs::write(folder.path().join("BBD_0001.TXT"), text).unwrap();
    let source = common::open(&path).unwrap();
    let info = source.info();
    assert_eq!((info.format, info.sample_rate_hz), (SampleFormat::Cs16Le, 500e3));
    assert_eq!((info.center_hz, info.total_samples), (Some(868.13e6), Some(4)));
    assert_eq!(
        info.notes,
        [
            "taken from BBD_0001.TXT: 500000 S/s, centre 868.130000 MHz",
            "taken from the name: format cs16"
        ]
    );
    // What the user says wins, and a text that tells nothing is passed over.
    let source = nap_io::open(&path, &raw(SampleFormat::Cs8)).unwrap();
    assert_eq!(source.info().sample_rate_hz, 250e3);
    std::fs::write(folder.path().join("BBD_0001.TXT"), [0xff, b'=', b'\n', 0]).unwrap();
    assert!(common::open(&path).is_err());
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
