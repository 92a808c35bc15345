//! Stored numbers to values and back, for every format.

mod common;

use common::{FORMATS, max_difference, ramp, raw, read_all};
use nap_io::convert::{decode, encode};
use nap_io::{SampleFormat, StreamInfo};
use num_complex::Complex32;
use proptest::prelude::*;

fn value(format: SampleFormat, bytes: &[u8]) -> (f32, f32) {
    let mut sample = [Complex32::ZERO];
    assert_eq!(decode(format, bytes, &mut sample), 1);
    (sample[0].re, sample[0].im)
}

/// Lowest and highest number of every integer format, and one for the byte order.
#[test]
fn full_scale_and_byte_order() {
    use SampleFormat::*;
    assert_eq!(value(Cu8, &[0, 255]), (-1.0, 1.0));
    assert_eq!(value(Cu8, &[127, 128]), (-0.5 / 127.5, 0.5 / 127.5));
    assert_eq!(value(WavU8, &[0, 128]), (-1.0, 0.0));
    assert_eq!(value(WavU8, &[255, 64]), (127.0 / 128.0, -0.5));
    assert_eq!(value(Cs8, &[0x80, 0x7f]), (-1.0, 127.0 / 128.0));
    assert_eq!(value(Cu16Le, &[0, 0, 0xff, 0xff]), (-1.0, 1.0));
    assert_eq!(value(Cu16Be, &[0xff, 0xff, 0, 0]), (1.0, -1.0));
    assert_eq!(value(Cs16Le, &[0x00, 0x80, 0x00, 0x40]), (-1.0, 0.5));
    assert_eq!(value(Cs16Be, &[0x80, 0x00, 0x40, 0x00]), (-1.0, 0.5));
    assert_eq!(value(Cs24Le, &[0, 0, 0x80, 0, 0, 0x20]), (-1.0, 0.25));
    assert_eq!(value(Cs24Le, &[0xff, 0xff, 0xff, 1, 0, 0]), (-1.0 / 8388608.0, 1.0 / 8388608.0));
    assert_eq!(value(Cs24In32Le, &[0, 0, 0x80, 0xff, 0, 0, 0x20, 0]), (-1.0, 0.25));
    assert_eq!(value(Cu32Le, &[0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]), (-1.0, 1.0));
    assert_eq!(value(Cu32Be, &[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]), (1.0, -1.0));
    assert_eq!(value(Cs32Le, &[0, 0, 0, 0x80, 0, 0, 0, 0x40]), (-1.0, 0.5));
    assert_eq!(value(Cs32Be, &[0x80, 0, 0, 0, 0x40, 0, 0, 0]), (-1.0, 0.5));
    assert_eq!(value(Cf32Le, &[0, 0, 0xc0, 0x3f, 0, 0, 0, 0xbf]), (1.5, -0.5));
    assert_eq!(value(Cf32Be, &[0x3f, 0xc0, 0, 0, 0xbf, 0, 0, 0]), (1.5, -0.5));
    let (one_and_a_half, minus_half) = (1.5_f64, -0.5_f64);
    let little = [one_and_a_half.to_le_bytes(), minus_half.to_le_bytes()].concat();
    let big = [one_and_a_half.to_be_bytes(), minus_half.to_be_bytes()].concat();
    assert_eq!(value(Cf64Le, &little), (1.5, -0.5));
    assert_eq!(value(Cf64Be, &big), (1.5, -0.5));
}

#[test]
fn an_incomplete_sample_is_left_alone() {
    let mut samples = [Complex32::new(9.0, 9.0); 3];
    assert_eq!(decode(SampleFormat::Cs16Le, &[0, 0x40, 0, 0x40, 1, 2, 3], &mut samples), 1);
    assert_eq!(samples[0], Complex32::new(0.5, 0.5));
    assert_eq!(samples[1], Complex32::new(9.0, 9.0));
    assert_eq!(decode(SampleFormat::Cs8, &[1, 2, 3, 4, 5, 6, 7, 8], &mut samples), 3);
}

/// Every stored number comes back as itself.
#[test]
fn every_8_and_16_bit_number_survives() {
    use SampleFormat::*;
    for format in [Cu8, Cs8, WavU8, Cu16Le, Cu16Be, Cs16Le, Cs16Be] {
        let stored: Vec<u8> = match format.bytes_per_sample() {
            2 => (0..=255).collect(),
            _ => (0..=u16::MAX).flat_map(u16::to_le_bytes).collect(),
        };
        let mut samples = vec![Complex32::ZERO; stored.len() / format.bytes_per_sample()];
        assert_eq!(decode(format, &stored, &mut samples), samples.len());
        let mut again = Vec::new();
        assert_eq!(encode(format, &samples, &mut again), 0, "{format}: nothing is clipped");
        assert_eq!(again, stored, "{format}");
    }
}

#[test]
fn clipping_is_counted_and_never_wraps() {
    let loud = [Complex32::new(1.5, -1.5), Complex32::new(f32::NAN, 0.25)];
    for (format, step) in FORMATS.into_iter().filter(|(_, step)| *step > 0.0) {
        let mut bytes = Vec::new();
        assert_eq!(encode(format, &loud, &mut bytes), 3, "{format}");
        let mut samples = [Complex32::ZERO; 2];
        decode(format, &bytes, &mut samples);
        let limited = [Complex32::new(1.0, -1.0), Complex32::new(0.0, 0.25)];
        assert!(max_difference(&samples, &limited) <= step, "{format}: {samples:?}");
    }
}

#[test]
fn values_that_are_not_finite_pass_through_floats() {
    for format in [SampleFormat::Cf32Le, SampleFormat::Cf64Be] {
        let samples = [Complex32::new(f32::NAN, f32::INFINITY)];
        let mut bytes = Vec::new();
        assert_eq!(encode(format, &samples, &mut bytes), 0);
        let (re, im) = value(format, &bytes);
        assert!(re.is_nan() && im == f32::INFINITY);
    }
}

#[test]
fn files_of_every_format_give_back_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let samples = ramp(5000);
    for (format, step) in FORMATS {
        let mut names = vec!["recording.bin"];
        if format.sigmf_datatype().is_some() {
            names.push("recording.sigmf-meta");
        }
        let wav_formats = ["wav-u8", "cs16", "cs24", "cs32", "cf32", "cf64"];
        if wav_formats.contains(&format.name()) {
            names.push("recording.wav");
        }
        for name in names {
            let path = folder.path().join(name);
            let mut sink = nap_io::create(&path, &StreamInfo::new(250e3, format)).unwrap();
            for block in samples.chunks(777) {
                sink.write(block).unwrap();
            }
            sink.finish().unwrap();
            assert_eq!((sink.samples_written(), sink.clipped_components()), (5000, 0));
            let mut source = nap_io::open(&path, &raw(format)).unwrap();
            assert_eq!(source.info().format, format);
            assert_eq!(source.info().sample_rate_hz, 250e3);
            assert_eq!(source.info().total_samples, Some(5000));
            let error = max_difference(&read_all(&mut source), &samples);
            assert!(error <= 0.5001 * step, "{format} in {name}: {error}");
        }
    }
}

#[test]
fn names_of_formats() {
    for (format, _) in FORMATS {
        assert_eq!(format.name().parse(), Ok(format));
        if let Some(datatype) = format.sigmf_datatype() {
            assert_eq!(SampleFormat::from_sigmf_datatype(datatype), Some(format));
            assert_eq!(datatype.parse(), Ok(format));
        }
    }
    assert_eq!("CI16".parse(), Ok(SampleFormat::Cs16Le));
    assert_eq!("cf32_be".parse(), Ok(SampleFormat::Cf32Be));
    assert_eq!(SampleFormat::from_sigmf_datatype("ci16"), None, "SigMF demands a byte order");
    for wrong in ["", "_le", "cs12", "rf32_le", "ci8_le", "cs16 "] {
        assert!(wrong.parse::<SampleFormat>().is_err(), "{wrong:?}");
    }
}

proptest! {
    #![proptest_config(common::fixed_seed(256))]

    #[test]
    fn quantising_errs_by_half_a_step(re in -0.99_f32..0.99, im in -0.99_f32..0.99) {
        let sample = [Complex32::new(re, im)];
        for (format, step) in FORMATS {
            let mut bytes = Vec::new();
            prop_assert_eq!(encode(format, &sample, &mut bytes), 0);
            prop_assert_eq!(bytes.len(), format.bytes_per_sample());
            let mut again = [Complex32::ZERO];
            decode(format, &bytes, &mut again);
            prop_assert!(max_difference(&sample, &again) <= 0.5001 * step, "{}", format);
        }
    }
}
