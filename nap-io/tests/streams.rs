//! Blocks, pipes and ends: what every source has in common.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic fails the test that called")]

mod common;

use std::io::{self, Cursor, Read};
use std::path::Path;

use common::{fixture, open_error, ramp, raw, read_all, read_to_end};
use nap_io::convert::encode;
use nap_io::{Error, OpenOptions, SampleFormat, SampleSource};
use num_complex::Complex32;
use proptest::prelude::*;

/// A pipe that delivers a few bytes at a time, then an error if there is one.
struct Dribble {
    bytes: Cursor<Vec<u8>>,
    sizes: Vec<usize>,
    turn: usize,
    error: Option<io::ErrorKind>,
}

impl Dribble {
    fn new(bytes: Vec<u8>, sizes: &[usize]) -> Self {
        Self { bytes: Cursor::new(bytes), sizes: sizes.to_vec(), turn: 0, error: None }
    }
}

impl Read for Dribble {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes[self.turn % self.sizes.len()].min(buffer.len());
        self.turn += 1;
        match self.bytes.read(&mut buffer[..size])? {
            0 => self.error.take().map_or(Ok(0), |kind| Err(kind.into())),
            count => Ok(count),
        }
    }
}

fn pipe(stream: Dribble, format: SampleFormat) -> Box<dyn SampleSource> {
    nap_io::open_stream(Box::new(stream), Path::new("-"), &raw(format)).unwrap()
}

fn stored(format: SampleFormat, samples: &[Complex32]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(format, samples, &mut bytes);
    bytes
}

proptest! {
    #![proptest_config(common::fixed_seed(64))]

    #[test]
    fn any_split_of_reads_and_skips_gives_the_same_samples(
        steps in prop::collection::vec((0_usize..40_000, any::<bool>()), 1..20),
    ) {
        let format = SampleFormat::Cs24Le;
        let samples = ramp(60_000);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("capture.bin");
        std::fs::write(&path, stored(format, &samples)).unwrap();
        let expected = read_all(&mut nap_io::open(&path, &raw(format)).unwrap());
        let mut source = nap_io::open(&path, &raw(format)).unwrap();
        let mut position = 0;
        for (count, skip) in steps {
            let available = count.min(expected.len() - position);
            if skip {
                prop_assert_eq!(source.skip(count as u64).unwrap(), available as u64);
            } else {
                let mut block = vec![Complex32::ZERO; count];
                prop_assert_eq!(source.read(&mut block).unwrap(), available);
                prop_assert_eq!(&block[..available], &expected[position..position + available]);
            }
            position += available;
        }
    }

    #[test]
    fn a_pipe_may_cut_samples_anywhere(
        sizes in prop::collection::vec(1_usize..50, 1..10),
        skip in 0_u64..600,
    ) {
        let format = SampleFormat::Cs16Le;
        let bytes = stored(format, &ramp(500));
        let whole = read_all(&mut pipe(Dribble::new(bytes.clone(), &[usize::MAX]), format));
        let mut source = pipe(Dribble::new(bytes, &sizes), format);
        prop_assert_eq!(source.info().total_samples, None);
        prop_assert_eq!(source.skip(skip).unwrap(), skip.min(500));
        prop_assert_eq!(&read_all(&mut source), &whole[skip.min(500) as usize..]);
    }
}

#[test]
fn a_pipe_does_not_wait_for_a_full_block() {
    let bytes = stored(SampleFormat::Cs16Le, &ramp(1000));
    let mut source = pipe(Dribble::new(bytes, &[3]), SampleFormat::Cs16Le);
    let mut block = [Complex32::ZERO; 1000];
    // The first 512 bytes are looked at when it is opened.
    assert_eq!(source.read(&mut block).unwrap(), 128);
    assert_eq!(source.read(&mut block).unwrap(), 1);
}

#[test]
fn a_partial_sample_is_reported_after_the_whole_ones() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("g001_868.13M_250k.cs16");
    let mut bytes = stored(SampleFormat::Cs16Le, &ramp(1500));
    bytes.extend([1, 2, 3]);
    std::fs::write(&path, &bytes).unwrap();
    let mut from_file = common::open(&path).unwrap();
    assert_eq!(from_file.info().total_samples, Some(1500));
    let mut from_pipe = pipe(Dribble::new(bytes, &[1000]), SampleFormat::Cs16Le);
    let mut skipped = common::open(&path).unwrap();
    assert_eq!(skipped.skip(2000).unwrap(), 1500);
    assert_eq!(read_to_end(&mut skipped).0.len(), 0);
    for source in [&mut from_file, &mut from_pipe] {
        let (samples, error) = read_to_end(source.as_mut());
        assert_eq!(samples.len(), 1500);
        let error = error.unwrap();
        assert!(
            matches!(
                error,
                Error::Truncated { samples: 1500, declared: None, leftover_bytes: 3, .. }
            ),
            "{error:?}"
        );
        assert_eq!(error.io_kind(), Some(io::ErrorKind::UnexpectedEof));
    }
}

#[test]
fn samples_before_an_error_are_delivered() {
    let mut stream = Dribble::new(stored(SampleFormat::Cs8, &ramp(20)), &[7]);
    stream.error = Some(io::ErrorKind::BrokenPipe);
    let (samples, error) = read_to_end(pipe(stream, SampleFormat::Cs8).as_mut());
    assert_eq!(samples.len(), 20);
    let error = error.unwrap();
    assert_eq!(error.io_kind(), Some(io::ErrorKind::BrokenPipe));
    assert_eq!(error.path(), Path::new("-"));
}

#[test]
fn interrupted_reads_are_tried_again() {
    struct Interrupted(bool);
    impl Read for Interrupted {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 = !self.0;
            if self.0 { Err(io::ErrorKind::Interrupted.into()) } else { io::repeat(1).read(buffer) }
        }
    }
    let mut source =
        nap_io::open_stream(Box::new(Interrupted(false)), Path::new("-"), &raw(SampleFormat::Cs8))
            .unwrap();
    assert_eq!(source.read(&mut [Complex32::ZERO; 4]).unwrap(), 4);
}

#[test]
fn an_empty_block_reads_nothing() {
    let mut source = common::open(&fixture("rc2_minus112dbm")).unwrap();
    assert_eq!(source.read(&mut []).unwrap(), 0);
    assert_eq!(source.read(&mut [Complex32::ZERO; 2]).unwrap(), 2);
}

#[test]
fn empty_and_missing_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("g001_868.13M_250k.cu8");
    let error = open_error(&path, &OpenOptions::default());
    assert_eq!(error.io_kind(), Some(io::ErrorKind::NotFound));
    assert!(error.to_string().contains("g001_868.13M_250k.cu8"), "{error}");
    std::fs::write(&path, []).unwrap();
    assert!(matches!(open_error(&path, &OpenOptions::default()), Error::Empty { .. }));
    let error = open_error(folder.path(), &raw(SampleFormat::Cu8));
    assert_eq!(error.io_kind(), Some(io::ErrorKind::IsADirectory));
}

#[test]
fn a_pipe_needs_format_and_rate() {
    let error_of = |options: &OpenOptions| {
        let stream = Box::new(Cursor::new([0x80; 8]));
        nap_io::open_stream(stream, Path::new("-"), options).err().unwrap()
    };
    let error = error_of(&OpenOptions::default());
    assert!(matches!(error, Error::UnknownFormat { .. }), "{error:?}");
    let options = OpenOptions { format: Some(SampleFormat::Cu8), ..Default::default() };
    let error = error_of(&options);
    assert!(matches!(error, Error::Missing { parameter: "sample rate", .. }), "{error:?}");
    for rate_hz in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300] {
        let options = OpenOptions { sample_rate_hz: Some(rate_hz), ..raw(SampleFormat::Cu8) };
        let error = error_of(&options);
        assert!(matches!(error, Error::OutOfRange { .. }), "{error:?}");
    }
    let options = OpenOptions { center_hz: Some(f64::NAN), ..raw(SampleFormat::Cu8) };
    assert!(matches!(error_of(&options), Error::OutOfRange { .. }));
}

#[test]
fn a_pipe_through_which_nothing_comes_is_empty() {
    let stream = Box::new(io::empty());
    let result = nap_io::open_stream(stream, Path::new("-"), &raw(SampleFormat::Cu8));
    assert!(matches!(result.err(), Some(Error::Empty { .. })));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_recognised() {
    use nap_io::{RawWriter, SampleSink};
    let mut sink = RawWriter::create(Path::new("/dev/full"), SampleFormat::Cf32Le).unwrap();
    let error = sink.write(&ramp(10_000)).and_then(|()| sink.finish()).unwrap_err();
    assert_eq!(error.io_kind(), Some(io::ErrorKind::StorageFull));
    assert!(error.to_string().contains("/dev/full"), "{error}");
}
