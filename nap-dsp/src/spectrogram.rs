//! Power over time and frequency, in as many cells as a picture has.
//!
//! The stream is cut into segments that overlap by half or more; each is weighted with a Hann window and
//! transformed, and the squared magnitudes are scaled to a power spectral density (P. D. Welch,
//! "The use of fast Fourier transform for the estimation of power spectra", IEEE Trans. Audio
//! Electroacoust. AU-15, 1967). Neighbouring bins are pooled to *frequency cells* and consecutive
//! segments averaged to *time cells*. When there is no room for more, the time cells are merged in pairs
//! and are twice as long from there on: memory does not grow with the stream, and its length need
//! not be known.
//!
//! ```
//! use nap_dsp::spectrogram::{Spectrogram, SpectrogramConfig};
//! use num_complex::Complex32;
//!
//! # fn main() -> Result<(), nap_dsp::Error> {
//! let mut spectrogram = Spectrogram::new(SpectrogramConfig::new(250_000.0))?;
//! spectrogram.push(&vec![Complex32::new(0.1, 0.0); 250_000]);
//! let mut power_db = vec![0.0; spectrogram.columns()];
//! spectrogram.write_row(3, &mut power_db);
//! let loudest = (0..power_db.len()).max_by(|&a, &b| power_db[a].total_cmp(&power_db[b]));
//! assert!(spectrogram.frequency_hz(loudest.unwrap()).abs() < 100.0);
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::sync::Arc;

#[cfg(feature = "ndarray")]
use ndarray::Array2;
use num_complex::Complex32;
use rustfft::{Fft, FftPlanner};

use crate::error::Error;
use crate::filter::{fast_length, hann};
use crate::kernels::sums::usable;

/// The longest transform: a few megabytes.
const MAX_FFT_LENGTH: f64 = 1_048_576.0;
/// The longest time cell to start with: a day.
const MAX_TIME_STEP_S: f64 = 86_400.0;
/// Most rows or columns.
const MAX_CELLS: f64 = 65_536.0;

/// What a [`Spectrogram`] shows, and how finely.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct SpectrogramConfig {
    /// Samples per second.
    pub sample_rate_hz: f64,
    /// Middle of the band shown, in hertz from the centre of the recording.
    pub offset_hz: f64,
    /// Half of the band's width in hertz.
    pub half_width_hz: f64,
    /// Distance of the transform's bins that is aimed at, from 2⁻²⁰ to a quarter of the sample
    /// rate. A tone fills one and a half bins: the noise bandwidth of the Hann window.
    pub resolution_hz: f64,
    /// Length of a time cell to start with, from one sample to a day. The segments overlap by half
    /// or more, such that a whole number of steps from one to the next fills a cell.
    pub time_step_s: f64,
    /// Most time cells, from 2. Odd numbers count as the even one below.
    pub max_rows: usize,
    /// Most frequency cells, from 1.
    pub max_columns: usize,
    /// How the bins of a frequency cell become one figure.
    pub pooling: Pooling,
    /// Power of a full-scale carrier at the antenna; with it densities are in dBm/Hz, else in
    /// dBFS/Hz.
    pub full_scale_dbm: Option<f64>,
}

impl SpectrogramConfig {
    /// The whole band in bins of 100 Hz and time cells of 10 ms, at most 1024 by 2048 cells.
    #[must_use]
    pub fn new(sample_rate_hz: f64) -> Self {
        Self {
            sample_rate_hz,
            offset_hz: 0.0,
            half_width_hz: sample_rate_hz / 2.0,
            resolution_hz: 100.0,
            time_step_s: 0.01,
            max_rows: 1024,
            max_columns: 2048,
            pooling: Pooling::Mean,
            full_scale_dbm: None,
        }
    }

    fn check(&self) -> Result<(), Error> {
        let &Self { sample_rate_hz, offset_hz, half_width_hz, .. } = self;
        if !(sample_rate_hz.is_finite() && sample_rate_hz > 0.0) {
            return Err(Error::SampleRate { sample_rate_hz });
        }
        if !(offset_hz.abs() + half_width_hz <= sample_rate_hz / 2.0 && half_width_hz > 0.0) {
            return Err(Error::ChannelOutside { offset_hz, half_width_hz, sample_rate_hz });
        }
        let (finest_hz, coarsest_hz) = (sample_rate_hz / MAX_FFT_LENGTH, sample_rate_hz / 4.0);
        Error::check_range("resolution_hz", self.resolution_hz, finest_hz, coarsest_hz)?;
        let sample_s = sample_rate_hz.recip();
        Error::check_range("time_step_s", self.time_step_s, sample_s, MAX_TIME_STEP_S)?;
        Error::check_range("max_rows", self.max_rows as f64, 2.0, MAX_CELLS)?;
        Error::check_range("max_columns", self.max_columns as f64, 1.0, MAX_CELLS)
    }
}

/// How the bins of a frequency cell become one figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Pooling {
    /// Their mean: the density of the cell. A carrier narrower than the cell is diluted.
    #[default]
    Mean,
    /// The largest of each segment: a narrow carrier stays as high as it is, however wide the cell.
    /// White noise in a cell of `n` bins is lifted by the factor 1 + 1/2 + ... + 1/`n`.
    Max,
}

/// Power spectral density over time and frequency.
#[cfg(feature = "ndarray")]
#[derive(Debug, Clone, PartialEq)]
pub struct SpectrogramArray {
    /// Mean power spectral density of each cell, a row of frequency cells for each time cell, in
    /// dBm/Hz with a calibration and dBFS/Hz without. Digital silence is minus infinity.
    pub power_db: Array2<f32>,
    /// Middle of each time cell, in seconds from the first sample.
    pub time_s: Vec<f64>,
    /// Middle of each frequency cell, in hertz from the centre of the recording.
    pub frequency_hz: Vec<f64>,
    /// Length of a time cell. The last may be shorter.
    pub time_step_s: f64,
    /// Width of a frequency cell.
    pub frequency_step_hz: f64,
}

/// The bins of the transform that are shown, pooled to columns.
#[derive(Debug, Clone, Copy)]
struct ShownBins {
    first_bin: i64,
    bins_per_column: usize,
    columns: usize,
}

impl ShownBins {
    /// The bins within the configured band. Bins that would not fill a column are left out.
    fn new(config: &SpectrogramConfig, fft_length: usize) -> Self {
        let spacing_hz = config.sample_rate_hz / fft_length as f64;
        let nyquist = (fft_length / 2) as i64;
        let nearest_bin = |hz: f64| ((hz / spacing_hz).round() as i64).clamp(-nyquist, nyquist - 1);
        let first_bin = nearest_bin(config.offset_hz - config.half_width_hz);
        let last_bin = nearest_bin(config.offset_hz + config.half_width_hz);
        let bins = (last_bin - first_bin + 1) as usize;
        let bins_per_column = bins.div_ceil(config.max_columns);
        Self { first_bin, bins_per_column, columns: bins / bins_per_column }
    }

    /// Where the bins of a column lie in the transform's output.
    fn bins(&self, column: usize, fft_length: usize) -> impl Iterator<Item = usize> + use<> {
        let first = self.first_bin + (column * self.bins_per_column) as i64;
        (first..first + self.bins_per_column as i64)
            .map(move |bin| bin.rem_euclid(fft_length as i64) as usize)
    }

    /// The middle of a column, in bins from the centre of the recording.
    fn middle(&self, column: usize) -> f64 {
        self.first_bin as f64 + (column as f64 + 0.5) * self.bins_per_column as f64 - 0.5
    }
}

/// Sums up a stream of samples to cells of time and frequency.
pub struct Spectrogram {
    config: SpectrogramConfig,
    shown: ShownBins,
    hop: usize,
    /// The Hann window, scaled such that squared magnitudes are densities.
    window: Vec<f32>,
    fft: Arc<dyn Fft<f32>>,
    fft_scratch: Vec<Complex32>,
    spectrum: Vec<Complex32>,
    pending: Vec<Complex32>,
    segments_per_row: u64,
    /// Segments in `sums`.
    segments: u64,
    /// The time cell that is being filled: the sum of its segments' densities.
    sums: Vec<f64>,
    /// The densities of the full time cells, row after row.
    densities: Vec<f32>,
    unusable_samples: u64,
}

impl Spectrogram {
    /// An empty spectrogram. All memory is allocated here.
    ///
    /// # Errors
    /// - [`Error::SampleRate`] for a rate that is not a positive number.
    /// - [`Error::ChannelOutside`] when the band reaches outside the sampled one.
    /// - [`Error::OutOfRange`] for another parameter outside the range documented for it.
    pub fn new(config: SpectrogramConfig) -> Result<Self, Error> {
        config.check()?;
        let length = fast_length(config.sample_rate_hz / config.resolution_hz, 2);
        let shown = ShownBins::new(&config, length);
        let samples_per_row = config.time_step_s * config.sample_rate_hz;
        let segments_per_row = (samples_per_row / (length / 2) as f64).ceil();
        let fft = FftPlanner::new().plan_fft_forward(length);
        Ok(Self {
            config,
            shown,
            hop: (samples_per_row / segments_per_row).round() as usize,
            window: density_window(length, config.sample_rate_hz),
            fft_scratch: vec![Complex32::default(); fft.get_inplace_scratch_len()],
            fft,
            spectrum: vec![Complex32::default(); length],
            pending: Vec::with_capacity(2 * length),
            segments_per_row: segments_per_row as u64,
            segments: 0,
            sums: vec![0.0; shown.columns],
            densities: Vec::with_capacity(max_rows(&config) * shown.columns),
            unusable_samples: 0,
        })
    }

    /// Takes samples in. Any split of a stream into blocks gives the same cells. Samples that are
    /// not finite or absurdly large count as silence.
    pub fn push(&mut self, samples: &[Complex32]) {
        let length = self.window.len();
        for chunk in samples.chunks(length) {
            self.accept(chunk);
            let mut start = 0;
            while self.pending.len() - start >= length {
                self.transform(start);
                self.add_segment();
                start += self.hop;
            }
            self.pending.drain(..start);
        }
    }

    /// Samples that counted as silence so far.
    #[must_use]
    pub fn unusable_samples(&self) -> u64 {
        self.unusable_samples
    }

    /// Number of time cells so far. The last may hold fewer segments than the others; samples that did
    /// not fill a segment yet are in none.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.full_rows() + usize::from(self.segments > 0)
    }

    /// Number of frequency cells.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.shown.columns
    }

    /// Middle of a time cell, in seconds from the first sample: that of the stretch that its segments
    /// cover.
    #[must_use]
    pub fn time_s(&self, row: usize) -> f64 {
        let is_full = row < self.full_rows();
        let segments = if is_full { self.segments_per_row } else { self.segments.max(1) };
        let first = row as u64 * self.segments_per_row;
        let middle_segment = first as f64 + (segments - 1) as f64 / 2.0;
        let middle_sample = middle_segment * self.hop as f64 + self.window.len() as f64 / 2.0;
        middle_sample / self.config.sample_rate_hz
    }

    /// Middle of a frequency cell, in hertz from the centre of the recording.
    #[must_use]
    pub fn frequency_hz(&self, column: usize) -> f64 {
        self.shown.middle(column) * self.spacing_hz()
    }

    /// Length of a time cell. It doubles whenever there is no room for more.
    #[must_use]
    pub fn time_step_s(&self) -> f64 {
        (self.segments_per_row * self.hop as u64) as f64 / self.config.sample_rate_hz
    }

    /// Width of a frequency cell.
    #[must_use]
    pub fn frequency_step_hz(&self) -> f64 {
        self.shown.bins_per_column as f64 * self.spacing_hz()
    }

    /// Writes the mean power spectral density of the frequency cells of one time cell, in dBm/Hz with a
    /// calibration and dBFS/Hz without. Digital silence is minus infinity.
    ///
    /// # Panics
    /// If there is no such row, or there are more numbers than columns.
    pub fn write_row(&self, row: usize, power_db: &mut [f32]) {
        assert!(row < self.rows(), "row {row} of {}", self.rows());
        for (column, power_db) in power_db.iter_mut().enumerate() {
            *power_db = self.power_db(row, column);
        }
    }

    /// All rows with their axes.
    #[cfg(feature = "ndarray")]
    #[must_use]
    pub fn array(&self) -> SpectrogramArray {
        let (rows, columns) = (self.rows(), self.columns());
        SpectrogramArray {
            power_db: Array2::from_shape_fn((rows, columns), |(row, column)| {
                self.power_db(row, column)
            }),
            time_s: (0..rows).map(|row| self.time_s(row)).collect(),
            frequency_hz: (0..columns).map(|column| self.frequency_hz(column)).collect(),
            time_step_s: self.time_step_s(),
            frequency_step_hz: self.frequency_step_hz(),
        }
    }

    /// Time cells that hold all their segments.
    fn full_rows(&self) -> usize {
        self.densities.len() / self.shown.columns
    }

    /// Distance of the transform's bins.
    fn spacing_hz(&self) -> f64 {
        self.config.sample_rate_hz / self.window.len() as f64
    }

    /// What [`Spectrogram::write_row`] writes for a cell.
    fn power_db(&self, row: usize, column: usize) -> f32 {
        let density = if row < self.full_rows() {
            self.densities[row * self.shown.columns + column]
        } else {
            self.mean(self.sums[column])
        };
        10.0 * density.log10() + self.config.full_scale_dbm.unwrap_or(0.0) as f32
    }

    /// Appends a chunk of at most one segment, within the reserved capacity.
    fn accept(&mut self, chunk: &[Complex32]) {
        let mut unusable = 0;
        self.pending.extend(chunk.iter().map(|&sample| {
            usable(sample).unwrap_or_else(|| {
                unusable += 1;
                Complex32::default()
            })
        }));
        self.unusable_samples += unusable;
    }

    /// Computes the spectrum of the segment that begins at `start` of the pending samples.
    fn transform(&mut self, start: usize) {
        let segment = &self.pending[start..start + self.window.len()];
        for ((out, sample), weight) in self.spectrum.iter_mut().zip(segment).zip(&self.window) {
            *out = sample * weight;
        }
        self.fft.process_with_scratch(&mut self.spectrum, &mut self.fft_scratch);
    }

    /// Adds the spectrum to the time cell that is being filled.
    fn add_segment(&mut self) {
        if self.densities.len() == max_rows(&self.config) * self.shown.columns {
            self.merge_rows();
        }
        for (column, sum) in self.sums.iter_mut().enumerate() {
            let densities = self
                .shown
                .bins(column, self.spectrum.len())
                .map(|bin| f64::from(self.spectrum[bin].norm_sqr()));
            *sum += match self.config.pooling {
                Pooling::Mean => densities.sum::<f64>() / self.shown.bins_per_column as f64,
                Pooling::Max => densities.fold(0.0, f64::max),
            };
        }
        self.segments += 1;
        if self.segments == self.segments_per_row {
            self.close_row();
        }
    }

    fn close_row(&mut self) {
        for column in 0..self.sums.len() {
            self.densities.push(self.mean(self.sums[column]));
        }
        self.sums.fill(0.0);
        self.segments = 0;
    }

    /// Merges the time cells in pairs: half as many, twice as long.
    fn merge_rows(&mut self) {
        let columns = self.shown.columns;
        let pairs = self.densities.len() / columns / 2;
        for row in 0..pairs {
            for column in 0..columns {
                let first = 2 * row * columns + column;
                self.densities[row * columns + column] =
                    (self.densities[first] + self.densities[first + columns]) / 2.0;
            }
        }
        self.densities.truncate(pairs * columns);
        self.segments_per_row *= 2;
    }

    /// The mean over the time cell that is being filled.
    fn mean(&self, sum: f64) -> f32 {
        (sum / self.segments as f64) as f32
    }
}

impl fmt::Debug for Spectrogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spectrogram")
            .field("config", &self.config)
            .field("rows", &self.rows())
            .field("columns", &self.columns())
            .finish_non_exhaustive()
    }
}

/// Rows are merged in pairs, so there is room for an even number of them.
fn max_rows(config: &SpectrogramConfig) -> usize {
    config.max_rows & !1
}

/// A Hann window whose energy makes squared magnitudes of a transform power per hertz.
fn density_window(length: usize, sample_rate_hz: f64) -> Vec<f32> {
    let window = hann(length);
    let energy: f64 = window.iter().map(|&weight| f64::from(weight).powi(2)).sum();
    let scale = (energy * sample_rate_hz).sqrt().recip() as f32;
    window.into_iter().map(|weight| weight * scale).collect()
}
