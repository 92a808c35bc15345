//! The stages of a receiver on modulated signals whose parameters are known: what is found where,
//! and how exactly it is measured.
#![cfg(feature = "simulation")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

use std::f64::consts::TAU;

use nap_dsp::baseband::Baseband;
use nap_dsp::carrier::Carrier;
use nap_dsp::channelizer::Channelizer;
use nap_dsp::demodulator::Demodulator;
use nap_dsp::detector::{Candidate, Preamble, PreambleDetector};
use nap_dsp::modulator::{PulseShape, Waveform};
use nap_dsp::simulator::{FrontEnd, Simulator, Transmission};
use nap_dsp::subbands::{SubbandGrid, SubbandHistory};
use nap_dsp::synchronizer::{Hypothesis, Synchronizer};
use num_complex::{Complex32, Complex64};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

const SAMPLE_RATE_HZ: f64 = 226_757.0;
const FULL_SCALE_DBM: f64 = -90.0;
const NOISE_FIGURE_DB: f64 = 6.0;
const START_S: f64 = 0.6;
const KNOWN: usize = 33;
const PREAMBLE: Preamble = Preamble { symbols: 20, following: 93 };

/// A burst on the air.
#[derive(Clone, Copy)]
struct Burst {
    symbol_rate_hz: f64,
    frequency_hz: f64,
    drift_hz_per_s: f64,
    eb_over_n0_db: f64,
    shape: PulseShape,
}

impl Burst {
    fn level_dbm(&self) -> f64 {
        self.eb_over_n0_db - 174.0 + NOISE_FIGURE_DB + 10.0 * self.symbol_rate_hz.log10()
    }
}

/// Preamble, a frame type and data that depend on `seed`.
fn bits(seed: u32) -> Vec<bool> {
    let mut state = seed | 1;
    let data = std::iter::repeat_with(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 31 == 1
    });
    (0..19).map(|n| n % 2 == 0).chain(data.take(13 + 176)).collect()
}

fn signs(bits: &[bool]) -> Vec<f64> {
    let mut sign = 1.0;
    let reversals = bits.iter().map(|&bit| {
        sign = if bit { sign } else { -sign };
        sign
    });
    std::iter::once(1.0).chain(reversals.collect::<Vec<_>>()).collect()
}

/// Sync words that share the preamble; number 2 is that of `bits(7)`.
fn sync_words() -> Vec<Vec<f64>> {
    [3, 5, 7, 11].iter().map(|&seed| signs(&bits(seed)[..KNOWN - 1])).collect()
}

/// The subbands of a burst in noise.
fn receive(burst: &Burst, bits: &[bool]) -> (SubbandGrid, Vec<Vec<Complex32>>) {
    let front_end = FrontEnd {
        full_scale_dbm: FULL_SCALE_DBM,
        noise_figure_db: Some(NOISE_FIGURE_DB),
        ..FrontEnd::new(SAMPLE_RATE_HZ)
    };
    let mut simulator = Simulator::new(front_end, ChaCha12Rng::seed_from_u64(5)).unwrap();
    let waveform = Waveform::new(bits.iter().copied(), burst.symbol_rate_hz, burst.shape).unwrap();
    let mut transmission =
        Transmission::new(waveform, START_S, burst.frequency_hz, burst.level_dbm());
    transmission.drift_hz_per_s = burst.drift_hz_per_s;
    simulator.add(transmission).unwrap();
    let duration_s = START_S + 250.0 / burst.symbol_rate_hz + 0.6;
    let mut samples = vec![Complex32::default(); (duration_s * SAMPLE_RATE_HZ) as usize];
    simulator.render(&mut samples);
    let mut channelizer = Channelizer::new(SAMPLE_RATE_HZ, 0.0, 96_000.0).unwrap();
    let mut columns = Vec::new();
    channelizer.push(&samples, |column| columns.push(column.to_vec()));
    (channelizer.grid(), columns)
}

fn search(
    grid: SubbandGrid,
    columns: &[Vec<Complex32>],
    symbol_rate_hz: f64,
) -> (SubbandHistory, Vec<Candidate>, f64) {
    let mut history = SubbandHistory::new(grid.subbands, columns.len());
    let mut detector = PreambleDetector::new(grid, -96e3..=96e3, (symbol_rate_hz, PREAMBLE), 26.0);
    let mut candidates = Vec::new();
    let (mut density, mut searches) = (0.0, 0.0);
    for column in columns {
        history.push(column);
        if detector.search(&history, &mut candidates) {
            let densities = detector.densities();
            density += f64::from(densities.iter().sum::<f32>()) / densities.len() as f64;
            searches += 1.0;
        }
    }
    (history, candidates, density / searches)
}

fn best(
    history: &SubbandHistory,
    grid: &SubbandGrid,
    burst: &Burst,
    candidates: &[Candidate],
    density: f64,
) -> Hypothesis {
    let mut synchronizer =
        Synchronizer::new((burst.symbol_rate_hz, PREAMBLE), &sync_words(), 60.0, 0.42);
    let found = candidates
        .iter()
        .flat_map(|candidate| synchronizer.search(history, grid, candidate, density).to_vec());
    found.max_by(|a, b| a.correlation.total_cmp(&b.correlation)).unwrap()
}

#[test]
fn a_burst_is_found_synchronised_demodulated_and_measured() {
    let cases = [
        (100.0, 43_210.0, 0.0, 10.0, PulseShape::Rectangular),
        (100.0, -71_503.0, 45.0, 10.0, PulseShape::Rectangular),
        (100.0, 2_371.0, -20.0, 12.0, PulseShape::StPolar),
        (600.0, -2_600.0, 0.0, 10.0, PulseShape::SMOOTHED),
        (600.0, 90_000.0, 50.0, 12.0, PulseShape::StPolar),
    ];
    for (symbol_rate_hz, frequency_hz, drift_hz_per_s, eb_over_n0_db, shape) in cases {
        let burst = Burst { symbol_rate_hz, frequency_hz, drift_hz_per_s, eb_over_n0_db, shape };
        let place = format!("{symbol_rate_hz} Bd at {frequency_hz} Hz, {shape:?}");
        let symbol_s = 1.0 / symbol_rate_hz;
        let bits = bits(7);
        let (grid, columns) = receive(&burst, &bits);
        let (history, candidates, density) = search(grid, &columns, symbol_rate_hz);

        let duration_s = (bits.len() + 2) as f64 * symbol_s;
        let true_hz =
            |time_s: f64| frequency_hz + drift_hz_per_s * (time_s - START_S - duration_s / 2.0);
        let found = best(&history, &grid, &burst, &candidates, density);
        assert_eq!(found.sync_word, 2, "{place}");
        assert!((found.start_s - START_S).abs() < 0.8 * symbol_s, "{place}: start");
        let error_hz = found.carrier.frequency_hz - true_hz(found.carrier.time_s);
        assert!(error_hz.abs() < 0.02 * symbol_rate_hz, "{place}: {error_hz} Hz off");

        let mut demodulator = Demodulator::new(symbol_rate_hz, 60.0);
        let signs = signs(&bits);
        let start = (found.start_s, found.carrier);
        let frame = demodulator.demodulate(&history, &grid, start, &sync_words()[2], signs.len());
        let frame = frame.expect(&place);
        let wrong = frame.symbols.iter().zip(&signs).filter(|(z, sign)| z.re * *sign < 0.0).count();
        assert_eq!(wrong, 0, "{place}: wrong symbols");
        for known in [&sync_words()[2][..1], &[]] {
            let blind = demodulator.demodulate(&history, &grid, start, known, signs.len());
            let es_over_n0 = blind.expect(&place).es_over_n0();
            assert!(es_over_n0 / frame.es_over_n0() > 0.3, "{place}: {es_over_n0} by {known:?}");
        }
        let es_over_n0_db = 10.0 * frame.es_over_n0().log10();
        assert!((es_over_n0_db - eb_over_n0_db).abs() < 1.5, "{place}: {es_over_n0_db} dB");

        let measured = frame.measure(&signs);
        let error_hz = measured.carrier.frequency_hz - true_hz(measured.carrier.time_s);
        assert!(error_hz.abs() < 0.002 * symbol_rate_hz, "{place}: measured {error_hz} Hz off");
        let drift_error = measured.carrier.drift_hz_per_s - drift_hz_per_s;
        assert!(drift_error.abs() < 0.5 / duration_s.powi(2), "{place}: drift {drift_error} off");
        let level_dbm = 10.0 * measured.power.log10() + FULL_SCALE_DBM;
        assert!((level_dbm - burst.level_dbm()).abs() < 0.7, "{place}: {level_dbm} dBm");
        let density_dbm = 10.0 * density.log10() + FULL_SCALE_DBM;
        assert!((density_dbm + 174.0 - NOISE_FIGURE_DB).abs() < 0.4, "{place}: {density_dbm}");
    }
}

/// Symbols from the burst's start to the middle of the windows of the candidates on its carrier.
fn places(candidates: &[Candidate], burst: &Burst) -> Vec<f64> {
    let is_here = |c: &&Candidate| (c.frequency_hz - burst.frequency_hz).abs() < 10.0;
    let symbols = |c: &Candidate| (c.time_s - START_S) * burst.symbol_rate_hz;
    candidates.iter().filter(is_here).map(symbols).collect()
}

#[test]
fn a_preamble_that_goes_on_begins_only_once_in_a_second_search() {
    let burst = Burst {
        symbol_rate_hz: 100.0,
        frequency_hz: -41_234.5,
        drift_hz_per_s: 0.0,
        eb_over_n0_db: 10.0,
        shape: PulseShape::Rectangular,
    };
    let bits: Vec<bool> = (0..200).map(|n| n % 2 == 0).collect();
    let (grid, columns) = receive(&burst, &bits);
    let mut history = SubbandHistory::new(grid.subbands, columns.len());
    let detector =
        || PreambleDetector::new(grid, -96e3..=96e3, (burst.symbol_rate_hz, PREAMBLE), 26.0);
    let (mut live, mut second) = (detector(), detector());
    let (mut all, mut first) = (Vec::new(), Vec::new());
    for column in &columns {
        history.push(column);
        live.search(&history, &mut all);
    }
    let part = (0..grid.subbands, &(-96e3..=96e3));
    second.search_again(&history, part, 0..history.columns(), &mut live, &mut first);
    let (all, first) = (places(&all, &burst), places(&first, &burst));
    assert!(all.iter().any(|&symbols| symbols > 100.0), "{all:?}");
    assert!(!first.is_empty() && first.iter().all(|&symbols| symbols < 50.0), "{first:?}");
}

#[test]
fn a_second_search_tells_the_live_detector_what_has_changed() {
    let burst = Burst {
        symbol_rate_hz: 100.0,
        frequency_hz: 20_000.0,
        drift_hz_per_s: 0.0,
        eb_over_n0_db: 15.0,
        shape: PulseShape::Rectangular,
    };
    let (grid, columns) = receive(&burst, &bits(7));
    let mut history = SubbandHistory::new(grid.subbands, columns.len());
    let detector =
        || PreambleDetector::new(grid, -96e3..=96e3, (burst.symbol_rate_hz, PREAMBLE), 26.0);
    let (mut live, mut second) = (detector(), detector());
    let mut candidates = Vec::new();
    let b = grid.nearest(burst.frequency_hz);
    // The preamble is in the spectra by now, but not yet all that has to follow it.
    let half = grid.column_at(START_S + 0.9) as usize;
    for column in &columns[..half] {
        history.push(column);
        live.search(&history, &mut candidates);
    }
    assert_eq!(places(&candidates, &burst), []);
    history.write(b, 0, &vec![Complex32::ZERO; half]);
    let part = (b - 1..b + 2, &(-96e3..=96e3));
    second.search_again(&history, part, 0..half as u64, &mut live, &mut candidates);
    for column in &columns[half..] {
        let mut silent = column.clone();
        silent[b] = Complex32::default();
        history.push(&silent);
        live.search(&history, &mut candidates);
    }
    assert_eq!(places(&candidates, &burst), []);
}

/// In white noise the power of two lines exceeds S times a bin's mean with the probability
/// (1 + S) exp(-S), and the energy after them, a sum of powers, follows a gamma distribution, whose
/// shape is the square of 160 bins over their deviation of 19.5. A place passes with the probability
/// of a detection statistic S + 5 z from 26 on. Of neighbouring bins that do, one is reported.
#[test]
fn noise_passes_the_preamble_detector_as_rarely_as_theory_allows() {
    let silent = Burst {
        symbol_rate_hz: 100.0,
        frequency_hz: 0.0,
        drift_hz_per_s: 0.0,
        eb_over_n0_db: -60.0,
        shape: PulseShape::Rectangular,
    };
    let (grid, columns) = receive(&silent, &bits(1));
    let (_, candidates, _) = search(grid, &columns, 100.0);
    let bins_per_search = grid.subbands as f64 * grid.spacing_hz / (100.0 / 20.0);
    let searches = columns.len() as f64 / grid.rate_hz() / 0.08;
    let (step, shape) = (0.01, 67);
    let ln_factorial: f64 = (1..shape).map(|n| f64::from(n).ln()).sum();
    let shape = f64::from(shape);
    let share: f64 = (250..800)
        .map(|n| {
            let deviations = f64::from(n) * step;
            let line_snr = (26.0 - 5.0 * deviations.min(5.0)).max(3.0);
            let energy = shape + deviations * shape.sqrt();
            let gamma = ((shape - 1.0) * energy.ln() - energy - ln_factorial).exp();
            gamma * shape.sqrt() * step * (1.0 + line_snr) * (-line_snr).exp()
        })
        .sum();
    let expected = share * bins_per_search * searches;
    assert!(!candidates.is_empty());
    assert!((candidates.len() as f64) < expected, "{} of {expected}", candidates.len());
}

/// Mixing cell by cell equals mixing sample by sample.
#[test]
fn the_baseband_equals_its_definition() {
    let grid = SubbandGrid {
        subbands: 1,
        spacing_hz: 5_000.0,
        first_center_hz: 10_000.0,
        first_column_s: 0.1,
    };
    let mut history = SubbandHistory::new(1, 10_000);
    let sample = |m: u64| Complex32::new((m % 17) as f32 - 8.0, (m % 29) as f32 - 14.0) / 16.0;
    for m in 0..10_000 {
        history.push(&[sample(m)]);
    }
    let carrier = Carrier { time_s: 0.3, frequency_hz: 11_234.5, drift_hz_per_s: 40.0 };
    let mut baseband = Baseband::default();
    baseband.extract(&history, &grid, &carrier, 100.0, (0.2, 1.0));
    for k in 0..60 {
        // A whole number of cells of six samples, on their edges.
        let first = 1_000 + 96 * k;
        let time_s = |m: u64| grid.time_s(m);
        let from_s = time_s(first) - 0.5 / grid.rate_hz();
        let span_s = 96.0 / grid.rate_hz();
        let relative =
            Carrier { frequency_hz: carrier.frequency_hz - grid.first_center_hz, ..carrier };
        let sum: Complex64 = (first..first + 96)
            .map(|m| {
                let value = sample(m);
                Complex64::new(value.re.into(), value.im.into())
                    * Complex64::from_polar(1.0, -relative.phase_at(time_s(m)) % TAU)
            })
            .sum();
        let found: Complex32 = baseband.means(from_s, span_s, 1).sum();
        let found = Complex64::new(found.re.into(), found.im.into());
        assert!((found - sum / 96.0).norm() < 2e-3, "{found} is not {}", sum / 96.0);
    }
}
