//! The spectrogram against SciPy and against what tones and noise must look like.

// A helper of a test may panic like the test itself.
#![allow(clippy::unwrap_used)]

use std::f64::consts::TAU;

use nap_dsp::Error;
use nap_dsp::spectrogram::{Pooling, Spectrogram, SpectrogramConfig};
use num_complex::Complex32;
use proptest::prelude::*;
use rand::RngExt;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::StandardNormal;

/// `10*log10` of what `scipy.signal.spectrogram` of SciPy 1.17.1 gives for [`ramps`], with
/// `fs=1000, window='hann', nperseg=16, noverlap=8, detrend=False, return_onesided=False,
/// scaling='density', mode='psd'`, frequencies shifted to ascend.
#[rustfmt::skip]
const SCIPY_DB: [[f64; 16]; 4] = [
    [-38.66937168, -35.30560817, -35.19032322, -38.71918282, -47.31068107, -45.02411921, -39.90194394, -43.82054065,
     -40.12308599, -39.45039700, -36.86723723, -32.05549120, -32.17138762, -36.49828015, -26.76102264, -30.34675572],
    [-48.18249121, -32.18064247, -27.06270721, -29.88829340, -34.09380335, -38.22916975, -42.26259003, -38.38812327,
     -45.28428573, -43.25731593, -42.64522836, -34.96848137, -47.76593791, -33.51947124, -36.63568298, -36.46928539],
    [-40.75896388, -31.24846480, -27.45491999, -31.45176857, -47.95077251, -37.91680429, -37.81177047, -44.86608015,
     -66.13967768, -41.37732831, -49.43975952, -34.84439833, -32.92379931, -34.05144504, -32.93071530, -39.44366612],
    [-39.37154492, -44.20405129, -42.61552466, -46.37524871, -33.84345176, -32.28515593, -35.91828814, -39.60910123,
     -41.26023056, -45.39613397, -41.46126248, -38.27174079, -37.16812594, -38.30848593, -26.34170951, -28.61584693],
];

/// Every bin of 100 Hz a column.
fn fine_config() -> SpectrogramConfig {
    let mut config = SpectrogramConfig::new(250_000.0);
    config.max_columns = 2500;
    config
}

/// 40 samples that are exact in binary.
fn ramps() -> Vec<Complex32> {
    (0..40)
        .map(|n| {
            Complex32::new(((n * 37) % 101) as f32 - 50.0, ((n * 53) % 89) as f32 - 44.0) / 64.0
        })
        .collect()
}

fn scipy_config() -> SpectrogramConfig {
    let mut config = SpectrogramConfig::new(1000.0);
    config.resolution_hz = 62.5;
    config.time_step_s = 0.008;
    config
}

/// All that a spectrogram says.
#[derive(Debug, PartialEq)]
struct Cells {
    power_db: Vec<Vec<f32>>,
    time_s: Vec<f64>,
    frequency_hz: Vec<f64>,
    time_step_s: f64,
    frequency_step_hz: f64,
}

impl Cells {
    fn of(spectrogram: &Spectrogram) -> Self {
        let (rows, columns) = (spectrogram.rows(), spectrogram.columns());
        let row = |row: usize| {
            let mut power_db = vec![0.0; columns];
            spectrogram.write_row(row, &mut power_db);
            power_db
        };
        Self {
            power_db: (0..rows).map(row).collect(),
            time_s: (0..rows).map(|row| spectrogram.time_s(row)).collect(),
            frequency_hz: (0..columns).map(|column| spectrogram.frequency_hz(column)).collect(),
            time_step_s: spectrogram.time_step_s(),
            frequency_step_hz: spectrogram.frequency_step_hz(),
        }
    }

    fn rows(&self) -> usize {
        self.power_db.len()
    }

    fn columns(&self) -> usize {
        self.frequency_hz.len()
    }

    fn row(&self, row: usize) -> &[f32] {
        &self.power_db[row]
    }
}

fn spectrogram(config: SpectrogramConfig, samples: &[Complex32]) -> Cells {
    let mut spectrogram = Spectrogram::new(config).unwrap();
    spectrogram.push(samples);
    Cells::of(&spectrogram)
}

fn tone(amplitude: f64, cycles_per_sample: f64, count: usize) -> Vec<Complex32> {
    (0..count)
        .map(|n| {
            let (sin, cos) = (TAU * (cycles_per_sample * n as f64).fract()).sin_cos();
            Complex32::new((amplitude * cos) as f32, (amplitude * sin) as f32)
        })
        .collect()
}

/// Complex white noise of power 1.
fn noise(count: usize) -> Vec<Complex32> {
    let mut rng = ChaCha12Rng::seed_from_u64(7);
    let mut part = || rng.sample::<f32, _>(StandardNormal) * 0.5_f32.sqrt();
    (0..count).map(|_| Complex32::new(part(), part())).collect()
}

fn linear(db: f32) -> f64 {
    10_f64.powf(f64::from(db) / 10.0)
}

fn mean_density(cells: &Cells) -> f64 {
    let densities = cells.power_db.iter().flatten().map(|&db| linear(db));
    densities.sum::<f64>() / (cells.rows() * cells.columns()) as f64
}

fn loudest_column(row: &[f32]) -> usize {
    (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap()
}

#[test]
fn densities_and_axes_are_those_of_scipy() {
    let cells = spectrogram(scipy_config(), &ramps());
    assert_eq!((cells.rows(), cells.columns()), (4, 16));
    for (row, expected) in SCIPY_DB.iter().enumerate() {
        for (found, expected) in cells.row(row).iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 2e-3, "{found} for {expected}");
        }
    }
    assert_eq!(cells.time_s, [0.008, 0.016, 0.024, 0.032]);
    assert_eq!(cells.frequency_hz[0], -500.0);
    assert_eq!(cells.frequency_hz[15], 437.5);
    assert_eq!((cells.time_step_s, cells.frequency_step_hz), (0.008, 62.5));
}

#[test]
fn a_tone_has_its_power_at_its_frequency() {
    let mut config = fine_config();
    config.full_scale_dbm = Some(-60.0);
    let cells = spectrogram(config, &tone(0.1, -20_900.0 / 250_000.0, 100_000));
    // 2500 points make bins of 100 Hz, of which the tone fills one and a half.
    let expected_dbm_per_hz = -60.0 - 20.0 - 10.0 * 150_f64.log10();
    for row in 0..cells.rows() {
        let column = loudest_column(cells.row(row));
        assert!((cells.frequency_hz[column] + 20_900.0).abs() < 1e-6);
        let found = f64::from(cells.row(row)[column]);
        assert!((found - expected_dbm_per_hz).abs() < 0.01, "{found} for {expected_dbm_per_hz}");
        let power: f64 = cells.row(row).iter().map(|&db| linear(db) * 100.0).sum();
        assert!((10.0 * power.log10() + 80.0).abs() < 0.01, "all bins together are the tone");
    }
}

#[test]
fn a_tone_between_bins_keeps_its_power() {
    let config = SpectrogramConfig::new(226_757.0);
    let cells = spectrogram(config, &tone(1.0, 0.2345678, 50_000));
    for row in 0..cells.rows() {
        let power: f64 =
            cells.row(row).iter().map(|&db| linear(db) * cells.frequency_step_hz).sum();
        assert!((power - 1.0).abs() < 1e-3, "power {power}");
    }
}

#[test]
fn white_noise_has_its_density_however_it_is_pooled() {
    let samples = noise(500_000);
    let expected = 1.0 / 250_000.0;
    for max_columns in [2500, 1000, 100] {
        let mut config = SpectrogramConfig::new(250_000.0);
        config.max_columns = max_columns;
        let cells = spectrogram(config, &samples);
        assert!(cells.columns() <= max_columns);
        let ratio = mean_density(&cells) / expected;
        assert!((ratio - 1.0).abs() < 0.01, "{max_columns} columns: {ratio}");

        config.pooling = Pooling::Max;
        let bins = (2500.0 / cells.columns() as f64).round() as u32;
        let ratio = mean_density(&spectrogram(config, &samples)) / expected;
        // The largest of n independent exponential variables has this mean. The window correlates
        // neighbouring bins, which takes some of it.
        let lift: f64 = (1..=bins).map(|n| f64::from(n).recip()).sum();
        assert!(ratio < 1.02 * lift && ratio > 0.85 * lift, "{bins} bins: {ratio} for {lift}");
    }
}

#[test]
fn pooling_shows_a_weak_tone_as_high_as_it_is() {
    let samples = tone(1e-3, 0.125, 100_000);
    let mut config = fine_config();
    let fine = spectrogram(config, &samples);
    config.max_columns = 25;
    config.pooling = Pooling::Max;
    let coarse = spectrogram(config, &samples);
    let peak = |cells: &Cells| {
        let column = loudest_column(cells.row(0));
        (cells.frequency_hz[column], cells.row(0)[column])
    };
    assert_eq!(coarse.columns(), 25);
    assert!((peak(&fine).1 - peak(&coarse).1).abs() < 1e-3);
    assert!((peak(&coarse).0 - 31_250.0).abs() <= coarse.frequency_step_hz / 2.0);
}

#[test]
fn only_the_band_asked_for_is_kept() {
    let mut config = fine_config();
    config.offset_hz = 20_000.0;
    config.half_width_hz = 10_000.0;
    let band = spectrogram(config, &noise(50_000));
    let whole = spectrogram(fine_config(), &noise(50_000));
    assert_eq!(band.columns(), 201);
    assert_eq!((band.frequency_hz[0], band.frequency_hz[200]), (10_000.0, 30_000.0));
    // 0 Hz is bin 1250 of 2500.
    assert_eq!(band.row(2), &whole.row(2)[1350..1551]);
}

#[test]
fn a_long_stream_doubles_the_time_cells_and_keeps_the_means() {
    let samples = noise(100_000);
    let mut config = SpectrogramConfig::new(1000.0);
    config.resolution_hz = 50.0;
    config.time_step_s = 0.01;
    config.max_rows = 65_536;
    let fine = spectrogram(config, &samples);
    config.max_rows = 101;
    let coarse = spectrogram(config, &samples);

    let cells = (coarse.time_step_s / fine.time_step_s).round() as usize;
    assert_eq!(cells, 128, "the least power of two that fits");
    assert!(coarse.rows() <= 100);
    for row in 0..coarse.rows() {
        let range = row * cells..((row + 1) * cells).min(fine.rows());
        let middle_s = (fine.time_s[range.start] + fine.time_s[range.end - 1]) / 2.0;
        assert!((coarse.time_s[row] - middle_s).abs() < 1e-9);
        for column in 0..coarse.columns() {
            let mean = range.clone().map(|r| linear(fine.row(r)[column])).sum::<f64>()
                / range.len() as f64;
            let found = linear(coarse.row(row)[column]);
            assert!((found / mean - 1.0).abs() < 1e-4, "row {row}, column {column}");
        }
    }
}

#[test]
fn a_burst_is_where_and_when_it_was_sent() {
    let mut samples = vec![Complex32::ZERO; 1_000_000];
    let burst = tone(0.5, 0.1, 250_000);
    samples[300_000..550_000].copy_from_slice(&burst);
    let cells = spectrogram(fine_config(), &samples);
    let column = cells.frequency_hz.iter().position(|&hz| (hz - 25_000.0).abs() < 1.0).unwrap();
    for row in 0..cells.rows() {
        let distance_s = (cells.time_s[row] - 1.7).abs() - 0.5;
        let density = cells.row(row)[column];
        if distance_s > 0.02 {
            assert_eq!(density, f32::NEG_INFINITY, "silence at {} s", cells.time_s[row]);
        } else if distance_s < -0.02 {
            let expected = 20.0 * 0.5_f32.log10() - 10.0 * 150_f32.log10();
            assert!((density - expected).abs() < 0.01);
        }
    }
}

#[test]
fn a_stream_shorter_than_a_segment_gives_no_row() {
    let cells = spectrogram(scipy_config(), &ramps()[..15]);
    assert_eq!((cells.rows(), cells.columns()), (0, 16));
    assert!(cells.power_db.is_empty() && cells.time_s.is_empty());
}

#[test]
fn what_cannot_be_a_sample_counts_as_silence() {
    let mut samples = ramps();
    samples[3].re = f32::NAN;
    samples[20] = Complex32::new(0.0, f32::NEG_INFINITY);
    let mut spectrogram = Spectrogram::new(scipy_config()).unwrap();
    spectrogram.push(&samples);
    assert_eq!(spectrogram.unusable_samples(), 2);
    assert!(Cells::of(&spectrogram).power_db.iter().flatten().all(|db| db.is_finite()));
}

#[test]
fn what_makes_no_sense_is_refused_with_its_numbers() {
    let refused = |change: fn(&mut SpectrogramConfig)| {
        let mut config = SpectrogramConfig::new(250_000.0);
        change(&mut config);
        Spectrogram::new(config).err()
    };
    assert!(matches!(refused(|c| c.sample_rate_hz = f64::NAN), Some(Error::SampleRate { .. })));
    assert!(matches!(refused(|c| c.offset_hz = 1.0), Some(Error::ChannelOutside { .. })));
    assert!(matches!(refused(|c| c.half_width_hz = 0.0), Some(Error::ChannelOutside { .. })));
    assert!(matches!(
        refused(|c| c.resolution_hz = 0.1),
        Some(Error::OutOfRange { parameter: "resolution_hz", value: 0.1, .. })
    ));
    assert!(matches!(
        refused(|c| c.time_step_s = f64::INFINITY),
        Some(Error::OutOfRange { parameter: "time_step_s", .. })
    ));
    assert!(matches!(
        refused(|c| c.max_rows = 1),
        Some(Error::OutOfRange { parameter: "max_rows", value: 1.0, .. })
    ));
    assert!(matches!(
        refused(|c| c.max_columns = 0),
        Some(Error::OutOfRange { parameter: "max_columns", .. })
    ));
}

#[cfg(feature = "ndarray")]
#[test]
fn an_array_has_the_same_rows_and_axes() {
    let mut spectrogram = Spectrogram::new(fine_config()).unwrap();
    // The last row holds fewer segments than the others.
    spectrogram.push(&noise(15_123));
    let (array, cells) = (spectrogram.array(), Cells::of(&spectrogram));
    assert_eq!(array.power_db.dim(), (cells.rows(), cells.columns()));
    for (found, expected) in array.power_db.rows().into_iter().zip(&cells.power_db) {
        assert_eq!(found.to_slice(), Some(&expected[..]));
    }
    assert_eq!((array.time_s, array.frequency_hz), (cells.time_s, cells.frequency_hz));
    assert_eq!(array.time_step_s, cells.time_step_s);
    assert_eq!(array.frequency_step_hz, cells.frequency_step_hz);
}

proptest! {
    #[test]
    fn any_split_into_blocks_gives_the_same_cells(
        cuts in prop::collection::vec(0_usize..3000, 0..20),
        max_rows in 2_usize..40,
        time_step_s in 0.001..0.2_f64,
    ) {
        let samples = noise(3000);
        let mut config = SpectrogramConfig::new(1000.0);
        config.resolution_hz = 20.0;
        config.time_step_s = time_step_s;
        config.max_rows = max_rows;
        let mut cuts = cuts;
        cuts.sort_unstable();
        let mut split = Spectrogram::new(config).unwrap();
        let mut start = 0;
        for end in cuts.into_iter().chain([samples.len()]) {
            split.push(&samples[start..end]);
            start = end;
        }
        prop_assert!(split.rows() <= max_rows);
        prop_assert_eq!(Cells::of(&split), spectrogram(config, &samples));
    }
}
