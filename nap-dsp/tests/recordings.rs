//! The modulator and the simulator against recordings of an independent generator.

// A helper of a test may panic like the test itself.
#![allow(clippy::unwrap_used)]

use std::f64::consts::TAU;
use std::path::Path;

use nap_dsp::modulator::{PulseShape, Waveform};
use nap_dsp::simulator::{FrontEnd, Simulator};
use num_complex::{Complex32, Complex64};
use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};

const SAMPLE_RATE_HZ: f64 = 250_000.0;

/// The generator delays its smoothed frames by its pulse's length: the reference symbol starts this
/// many symbols after the frame's `time_s`. Measured on the mean of all turns.
const SMOOTHED_DELAY: f64 = 0.61;

/// A frame as the recording's truth has it. Its bits were read off the recording; CRC, identifier
/// and payload in them agree with the truth.
struct Frame {
    shape: PulseShape,
    symbol_rate_hz: f64,
    time_s: f64,
    offset_hz: f64,
    level_dbfs: f64,
    hex: &'static str,
}

const RECTANGULAR: Frame = Frame {
    shape: PulseShape::Rectangular,
    symbol_rate_hz: 100.0,
    time_s: 1.318688,
    offset_hz: 48_694.2,
    level_dbfs: -40.0,
    hex: "aaaaa94c6001f3d2df3871a0f59d61c1b8ec5e17d62d0dedca55",
};

const ST_POLAR: Frame = Frame {
    shape: PulseShape::StPolar,
    symbol_rate_hz: 100.0,
    time_s: 0.99973,
    offset_hz: -20_935.9,
    level_dbfs: -40.0,
    hex: "aaaaa94c8fffca058e25ac1706c18dedf41e89ccb08a5c0bc9dd",
};

const ST_POLAR_FAST: Frame = Frame {
    shape: PulseShape::StPolar,
    symbol_rate_hz: 600.0,
    time_s: 1.714811,
    offset_hz: 5_853.7,
    level_dbfs: -22.0,
    hex: "aaaaa61129ef68b10f59c7d2c49fb2ed1542842f034a",
};

const SMOOTHED: Frame = Frame {
    shape: PulseShape::SMOOTHED,
    symbol_rate_hz: 600.0,
    time_s: 0.86203 + SMOOTHED_DELAY / 600.0,
    offset_hz: -37_581.3,
    level_dbfs: -22.0,
    hex: "aaaaa94ca0802f23214ca97e8c95b30b7595639cb3c9b648743f",
};

fn bits(hex: &str) -> Vec<bool> {
    let nibbles = hex.chars().map(|c| c.to_digit(16).unwrap());
    nibbles.flat_map(|n| (0..4).rev().map(move |i| n >> i & 1 == 1)).collect()
}

fn bytes(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recordings");
    std::fs::read(folder.join(name)).unwrap()
}

fn rc1_two_uplinks() -> Vec<Complex32> {
    let part = |b: &[u8]| f32::from(i16::from_le_bytes([b[0], b[1]])) / 32768.0;
    let bytes = bytes("rc1_two_uplinks.sigmf-data");
    bytes.chunks_exact(4).map(|b| Complex32::new(part(b), part(&b[2..]))).collect()
}

fn rc2_minus112dbm() -> Vec<Complex32> {
    let part = |b: u8| f32::from(b.cast_signed()) / 128.0;
    let bytes = bytes("rc2_minus112dbm.sigmf-data");
    bytes.chunks_exact(2).map(|b| Complex32::new(part(b[0]), part(b[1]))).collect()
}

/// Means of `n` samples.
fn average(samples: impl Iterator<Item = Complex64>, n: usize) -> Vec<Complex64> {
    let samples: Vec<Complex64> = samples.collect();
    samples.chunks_exact(n).map(|chunk| chunk.iter().sum::<Complex64>() / n as f64).collect()
}

struct Comparison {
    correlation: f64,
    level_dbfs: f64,
}

/// Compares the frame, at the truth's time and carrier, with its own waveform, a few averaged
/// samples a symbol.
fn compare(recording: &[Complex32], frame: &Frame, samples_per_symbol: f64) -> Comparison {
    let waveform = Waveform::new(bits(frame.hex), frame.symbol_rate_hz, frame.shape).unwrap();
    let first = (frame.time_s * SAMPLE_RATE_HZ).ceil() as usize;
    let count = (waveform.duration_s() * SAMPLE_RATE_HZ) as usize;
    let start_s = first as f64 / SAMPLE_RATE_HZ - frame.time_s;
    let mut model = vec![Complex32::ZERO; count];
    waveform.render(start_s, SAMPLE_RATE_HZ.recip(), &mut model);

    let baseband = recording[first..first + count].iter().enumerate().map(|(i, s)| {
        let carrier = Complex64::cis(-TAU * (frame.offset_hz * i as f64 / SAMPLE_RATE_HZ).fract());
        Complex64::new(s.re.into(), s.im.into()) * carrier
    });
    let n = (SAMPLE_RATE_HZ / frame.symbol_rate_hz / samples_per_symbol) as usize;
    let heard = average(baseband, n);
    let model = average(model.iter().map(|s| Complex64::new(s.re.into(), s.im.into())), n);

    let power = |x: &[Complex64]| x.iter().map(|v| v.norm_sqr()).sum::<f64>();
    let step = n as f64 / SAMPLE_RATE_HZ;
    let product = |residual_hz: f64| {
        let products = heard.iter().zip(&model).enumerate();
        let turned = products
            .map(|(i, (h, m))| h * m.conj() * Complex64::cis(-TAU * residual_hz * step * i as f64));
        turned.sum::<Complex64>().norm()
    };
    // The truth's carrier is rounded to 0.1 Hz.
    let best = (-8..=8).map(|i| product(0.01 * f64::from(i))).fold(0.0, f64::max);
    Comparison {
        correlation: best / (power(&heard) * power(&model)).sqrt(),
        level_dbfs: 20.0 * (best / power(&model)).log10(),
    }
}

fn assert_same(recording: &[Complex32], frame: &Frame, samples_per_symbol: f64, least: f64) {
    let Comparison { correlation, level_dbfs } = compare(recording, frame, samples_per_symbol);
    assert!(correlation > least, "{:?}: {correlation}", frame.shape);
    assert!((level_dbfs - frame.level_dbfs).abs() < 0.1, "{:?}: {level_dbfs}", frame.shape);
}

#[test]
fn frames_at_100_bps_correlate_with_the_recording() {
    let recording = rc1_two_uplinks();
    assert_same(&recording, &RECTANGULAR, 20.0, 0.9995);
    assert_same(&recording, &ST_POLAR, 20.0, 0.9995);
}

#[test]
fn frames_at_600_bps_correlate_with_the_recording() {
    // 28 dB Eb/N0 are 20 dB in a sixth of a symbol: noise alone leaves 0.995.
    let recording = rc2_minus112dbm();
    assert_same(&recording, &ST_POLAR_FAST, 6.0, 0.993);
    assert_same(&recording, &SMOOTHED, 6.0, 0.993);
}

#[test]
fn each_shape_correlates_best_with_its_own_recording() {
    let shapes = [PulseShape::Rectangular, PulseShape::SMOOTHED, PulseShape::StPolar];
    let (rc1, rc2) = (rc1_two_uplinks(), rc2_minus112dbm());
    let frames = [(&rc1, RECTANGULAR), (&rc1, ST_POLAR), (&rc2, ST_POLAR_FAST), (&rc2, SMOOTHED)];
    for (recording, frame) in frames {
        let own = compare(recording, &frame, 6.0).correlation;
        for shape in shapes.into_iter().filter(|&shape| shape != frame.shape) {
            let other = compare(recording, &Frame { shape, ..frame }, 6.0).correlation;
            assert!(other < own - 0.005, "{shape:?} on {:?}: {other}, {own}", frame.shape);
        }
    }
}

#[test]
fn the_noise_is_as_strong_as_in_the_recording() {
    // Nothing is sent before 0.99973 s.
    let recording = &rc1_two_uplinks()[..240_000];
    let front_end = FrontEnd { full_scale_dbm: -60.0, ..FrontEnd::new(SAMPLE_RATE_HZ) };
    let mut simulator = Simulator::new(front_end, ChaCha12Rng::seed_from_u64(1)).unwrap();
    let mut simulated = vec![Complex32::ZERO; recording.len()];
    simulator.render(&mut simulated);
    let power = |x: &[Complex32]| x.iter().map(|s| f64::from(s.norm_sqr())).sum::<f64>();
    let difference_db = 10.0 * (power(&simulated) / power(recording)).log10();
    assert!(difference_db.abs() < 0.05, "{difference_db}");
}
