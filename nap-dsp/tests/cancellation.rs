//! A known burst is cancelled in the subbands: what stays is the noise that was under it.
#![cfg(feature = "simulation")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

use nap_dsp::canceller::{Canceller, KnownBurst};
use nap_dsp::carrier::Carrier;
use nap_dsp::channelizer::Channelizer;
use nap_dsp::demodulator::Demodulator;
use nap_dsp::modulator::{PulseShape, Waveform};
use nap_dsp::simulator::{Fading, FrontEnd, Simulator, Transmission};
use nap_dsp::subbands::{SubbandGrid, SubbandHistory};
use num_complex::Complex32;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

const FULL_SCALE_DBM: f64 = -80.0;
const NOISE_FIGURE_DB: f64 = 6.0;
const START_S: f64 = 0.3;
const KNOWN: usize = 33;

struct Burst {
    sample_rate_hz: f64,
    symbol_rate_hz: f64,
    frequency_hz: f64,
    drift_hz_per_s: f64,
    doppler_hz: Option<f64>,
    shape: PulseShape,
}

/// Eb/N0 of the bursts.
const STRONG_DB: f64 = 48.0;

fn bits() -> Vec<bool> {
    let mut state = 9u32;
    let data = std::iter::repeat_with(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 31 == 1
    });
    (0..19).map(|n| n % 2 == 0).chain(data.take(13 + 176)).collect()
}

fn signs(bits: &[bool]) -> Vec<f64> {
    let reversals = bits.iter().scan(1.0, |sign, &bit| {
        *sign = if bit { *sign } else { -*sign };
        Some(*sign)
    });
    std::iter::once(1.0).chain(reversals).collect()
}

/// The subbands with the noise, and with the burst in it if wanted.
fn receive(burst: &Burst, present: bool) -> (SubbandGrid, SubbandHistory) {
    let front_end = FrontEnd {
        full_scale_dbm: FULL_SCALE_DBM,
        noise_figure_db: Some(NOISE_FIGURE_DB),
        ..FrontEnd::new(burst.sample_rate_hz)
    };
    let mut simulator = Simulator::new(front_end, ChaCha12Rng::seed_from_u64(5)).unwrap();
    if present {
        let waveform = Waveform::new(bits(), burst.symbol_rate_hz, burst.shape).unwrap();
        let level_dbm = STRONG_DB - 174.0 + NOISE_FIGURE_DB + 10.0 * burst.symbol_rate_hz.log10();
        let mut transmission = Transmission::new(waveform, START_S, burst.frequency_hz, level_dbm);
        transmission.drift_hz_per_s = burst.drift_hz_per_s;
        if let Some(doppler_hz) = burst.doppler_hz {
            let mut rng = ChaCha12Rng::seed_from_u64(8);
            transmission.fading = Some(Fading::rayleigh(doppler_hz, &mut rng));
        }
        simulator.add(transmission).unwrap();
    }
    let duration_s = START_S + 215.0 / burst.symbol_rate_hz + 0.1;
    let mut samples = vec![Complex32::default(); (duration_s * burst.sample_rate_hz) as usize];
    simulator.render(&mut samples);
    let mut channelizer = Channelizer::new(burst.sample_rate_hz, 0.0, 96_000.0).unwrap();
    let grid = channelizer.grid();
    let mut history = SubbandHistory::new(grid.subbands, (4.0 * grid.rate_hz()) as usize);
    channelizer.push(&samples, |column| history.push(column));
    (grid, history)
}

/// Power of `a - b` over that of `b`, in the subband, in dB.
fn residual_db(a: &SubbandHistory, b: &SubbandHistory, subband: usize) -> f64 {
    let samples = |history: &SubbandHistory| -> Vec<Complex32> {
        let mut samples = Vec::new();
        history.read(subband, 0, usize::MAX, &mut samples);
        samples
    };
    let (a, b) = (samples(a), samples(b));
    let difference: f32 = a.iter().zip(&b).map(|(a, b)| (a - b).norm_sqr()).sum();
    10.0 * f64::from(difference / b.iter().map(|b| b.norm_sqr()).sum::<f32>()).log10()
}

#[test]
fn what_is_left_of_a_strong_burst_is_below_the_noise() {
    let base = Burst {
        sample_rate_hz: 250e3,
        symbol_rate_hz: 100.0,
        frequency_hz: 12_345.0,
        drift_hz_per_s: 0.0,
        doppler_hz: None,
        shape: PulseShape::Rectangular,
    };
    let bursts = [
        Burst { ..base },
        Burst { frequency_hz: -42_510.0, drift_hz_per_s: 40.0, ..base },
        Burst { sample_rate_hz: 226_757.0, drift_hz_per_s: -20.0, ..base },
        Burst { sample_rate_hz: 226_757.0, symbol_rate_hz: 600.0, ..base },
        Burst { symbol_rate_hz: 600.0, frequency_hz: 2_499.0, ..base },
        Burst { shape: PulseShape::SMOOTHED, ..base },
        Burst { shape: PulseShape::StPolar, ..base },
        Burst { shape: PulseShape::StPolar, symbol_rate_hz: 600.0, ..base },
        Burst { doppler_hz: Some(0.3), ..base },
    ];
    for burst in &bursts {
        let (_, noise) = receive(burst, false);
        let (grid, mut history) = receive(burst, true);
        let signs = signs(&bits());
        let symbol_s = burst.symbol_rate_hz.recip();
        let ramp_s = if burst.shape == PulseShape::StPolar { 0.5 * symbol_s } else { 0.0 };
        let carrier = Carrier {
            time_s: START_S + 105.0 * symbol_s,
            frequency_hz: burst.frequency_hz,
            drift_hz_per_s: burst.drift_hz_per_s,
        };
        let mut demodulator = Demodulator::new(burst.symbol_rate_hz, 60.0);
        let start = (START_S + ramp_s, carrier);
        let frame = demodulator.demodulate(&history, &grid, start, &signs[..KNOWN], signs.len());
        let track = frame.expect("a burst").measure(&signs).track;
        let known =
            KnownBurst { signs: &signs, track: &track, es_over_n0: 10f64.powf(STRONG_DB / 10.0) };
        let before = grid.nearest(burst.frequency_hz);
        let with_db = residual_db(&history, &noise, before);
        let mut canceller = Canceller::default();
        let reached = canceller.subbands(&grid, &known);
        canceller.cancel(&mut history, &grid, &known, &mut reached.clone().collect());
        for b in reached {
            let left_db = residual_db(&history, &noise, b);
            assert!(
                left_db < -6.0,
                "{} Bd, {:?}, subband {b}: {with_db:.1} -> {left_db:.1} dB",
                burst.symbol_rate_hz,
                burst.shape
            );
        }
    }
}
