//! What the tests share.
#![allow(dead_code, reason = "every test file uses its own part of this")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic fails the test that called")]

use std::path::{Path, PathBuf};

use nap_io::{Error, OpenOptions, SampleFormat, SampleSource};
use num_complex::Complex32;
use proptest::test_runner::{Config, RngSeed};

/// Every format with the smallest step between two stored values, 0 for floats.
pub const FORMATS: [(SampleFormat, f32); 17] = [
    (SampleFormat::Cu8, 1.0 / 127.5),
    (SampleFormat::Cs8, 1.0 / 128.0),
    (SampleFormat::WavU8, 1.0 / 128.0),
    (SampleFormat::Cu16Le, 1.0 / 32767.5),
    (SampleFormat::Cu16Be, 1.0 / 32767.5),
    (SampleFormat::Cs16Le, 1.0 / 32768.0),
    (SampleFormat::Cs16Be, 1.0 / 32768.0),
    (SampleFormat::Cs24Le, 1.0 / 8388608.0),
    (SampleFormat::Cs24In32Le, 1.0 / 8388608.0),
    (SampleFormat::Cu32Le, 1e-7),
    (SampleFormat::Cu32Be, 1e-7),
    (SampleFormat::Cs32Le, 1e-7),
    (SampleFormat::Cs32Be, 1e-7),
    (SampleFormat::Cf32Le, 0.0),
    (SampleFormat::Cf32Be, 0.0),
    (SampleFormat::Cf64Le, 0.0),
    (SampleFormat::Cf64Be, 0.0),
];

/// Property tests that run the same way every time.
pub fn fixed_seed(cases: u32) -> Config {
    Config {
        cases,
        rng_seed: RngSeed::Fixed(0x0D5B),
        failure_persistence: None,
        ..Config::default()
    }
}

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recordings").join(name)
}

/// Options as a user gives them for a raw file.
pub fn raw(format: SampleFormat) -> OpenOptions {
    OpenOptions { format: Some(format), sample_rate_hz: Some(250e3), ..Default::default() }
}

/// Opens without options.
pub fn open(path: &Path) -> Result<Box<dyn SampleSource>, Error> {
    nap_io::open(path, &OpenOptions::default())
}

/// The error that opening must give.
pub fn open_error(path: &Path, options: &OpenOptions) -> Error {
    match nap_io::open(path, options) {
        Ok(source) => panic!("{} opened: {:?}", path.display(), source.info()),
        Err(error) => error,
    }
}

/// All samples up to the end, and the error that the end gave; checks that it comes only once.
pub fn read_to_end(source: &mut dyn SampleSource) -> (Vec<Complex32>, Option<Error>) {
    let mut block = vec![Complex32::ZERO; 1000];
    let mut samples = Vec::new();
    loop {
        match source.read(&mut block) {
            Ok(0) => return (samples, None),
            Ok(count) => samples.extend_from_slice(&block[..count]),
            Err(error) => {
                assert_eq!(source.read(&mut block).unwrap(), 0, "the end after the error");
                return (samples, Some(error));
            }
        }
    }
}

/// All samples of a recording that is whole.
pub fn read_all(source: &mut dyn SampleSource) -> Vec<Complex32> {
    let (samples, error) = read_to_end(source);
    assert!(error.is_none(), "{error:?}");
    samples
}

/// A ramp that visits many values of both components, not quite full scale.
pub fn ramp(count: usize) -> Vec<Complex32> {
    (0..count)
        .map(|i| {
            let phase = i as f32 / count as f32;
            Complex32::new(1.98 * phase - 0.99, 0.99 - 1.98 * ((7.3 * phase) % 1.0))
        })
        .collect()
}

/// The largest difference of a component.
pub fn max_difference(a: &[Complex32], b: &[Complex32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a.re - b.re).abs().max((a.im - b.im).abs())).fold(0.0, f32::max)
}
