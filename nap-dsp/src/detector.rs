//! The sieve: where in time and frequency might a frame begin?
//!
//! A DBPSK preamble 1010... repeats with four symbols, so its spectrum is two lines a quarter of
//! the symbol rate above and below the carrier, with 81 % of the power. The detector looks for such
//! pairs in windowed spectra of about one preamble's length, everywhere in the channel.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use num_complex::Complex32;
use rustfft::{Fft, FftPlanner};

use crate::channelizer::{SubbandGrid, SubbandHistory};
use crate::filter::{fast_length, hann};

/// Length of the spectra in symbols: the reference symbol and the 19 of the preamble.
const WINDOW_SYMBOLS: f64 = 20.0;
/// Distance of the lines from the carrier in bins, a consequence of the window's length.
const LINE_BINS: usize = 5;
/// Hops of two fifths of a window cost little of the preamble's energy wherever it starts.
const HOP: f64 = 0.4;
/// Two lines that differ by more than this are a carrier and its neighbour's noise.
const LARGEST_IMBALANCE: f32 = 20.0;
/// Bins on each side that count as noise if they hold more than the subband's floor: in the skirts
/// and in the middle of another signal, pairs of lines appear by chance.
const SURROUND: usize = 20;
/// A little less than 1, so that in noise alone the steadier floor rules.
const SURROUND_WEIGHT: f32 = 0.7;
/// Neighbouring candidates within this many bins compete; the strongest stays.
const RIVAL_BINS: usize = LINE_BINS + 1;
/// The most candidates of one hop; the strongest win.
const MOST_CANDIDATES: usize = 64;

/// A place where the preamble's pair of lines stands out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Middle of the spectrum's window, in seconds from the start of the recording.
    pub time_s: f64,
    /// Middle of the two lines, in hertz from the centre of the recording.
    pub frequency_hz: f64,
    /// Power of the two lines over the mean noise power of a bin; 2 where there is only noise.
    pub strength: f64,
}

/// Searches the subbands for preambles of one symbol rate.
pub struct PreambleDetector {
    grid: SubbandGrid,
    /// The subbands that are searched.
    subbands: Range<usize>,
    channel_hz: RangeInclusive<f64>,
    threshold: f32,
    length: usize,
    hop: u64,
    next_column: u64,
    window: Vec<f32>,
    window_energy: f32,
    fft: Arc<dyn Fft<f32>>,
    scratch: Vec<Complex32>,
    spectrum: Vec<Complex32>,
    power: Vec<f32>,
    /// Strengths over the whole channel for the last three hops, the newest last.
    rows: [Vec<f32>; 3],
    hops: u64,
    densities: Vec<f32>,
    dropped: u64,
}

impl PreambleDetector {
    /// A detector for `symbol_rate_hz`, which is at most a tenth of the subbands' rate. It looks for
    /// carriers in `channel_hz`, from the centre of the recording, and reports pairs of lines from
    /// `threshold` on, in units of the mean noise power of a bin.
    #[must_use]
    pub fn new(
        grid: SubbandGrid,
        channel_hz: RangeInclusive<f64>,
        symbol_rate_hz: f64,
        threshold: f64,
    ) -> Self {
        let length = fast_length(WINDOW_SYMBOLS * grid.rate_hz() / symbol_rate_hz, 4);
        let window = hann(length);
        let fft = FftPlanner::new().plan_fft_forward(length);
        let row = vec![0.0; grid.subbands * length / 2];
        Self {
            grid,
            subbands: 0..grid.subbands,
            channel_hz,
            threshold: threshold as f32,
            length,
            hop: (HOP * length as f64) as u64,
            next_column: length as u64,
            window_energy: window.iter().map(|w| w * w).sum(),
            window,
            scratch: vec![Complex32::default(); fft.get_inplace_scratch_len()],
            fft,
            spectrum: vec![Complex32::default(); length],
            power: vec![0.0; length],
            rows: [row.clone(), row.clone(), row],
            hops: 0,
            densities: vec![0.0; grid.subbands],
            dropped: 0,
        }
    }

    /// Seconds between two searches.
    #[must_use]
    pub fn interval_s(&self) -> f64 {
        self.hop as f64 / self.grid.rate_hz()
    }

    /// The noise density of every subband in the newest spectrum, in (full scale)² per hertz; 0
    /// where there was nothing but zeros.
    #[must_use]
    pub fn densities(&self) -> &[f32] {
        &self.densities
    }

    /// Candidates given up so far because one hop had too many.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// How long after the middle of its window a candidate is reported at the latest, in seconds.
    #[must_use]
    pub fn latency_s(&self) -> f64 {
        (self.length as f64 / 2.0 + 2.0 * self.hop as f64) / self.grid.rate_hz()
    }

    /// Searches a stretch of the history anew, in some of the subbands.
    pub fn search_stretch(
        &mut self,
        history: &SubbandHistory,
        subbands: Range<usize>,
        columns: Range<u64>,
        candidates: &mut Vec<Candidate>,
    ) {
        self.subbands = subbands;
        self.next_column = columns.start.max(history.oldest()) + self.length as u64;
        self.hops = 0;
        for row in &mut self.rows {
            row.fill(0.0);
        }
        while self.next_column < columns.end + self.length as u64
            && self.search(history, candidates)
        {}
    }

    /// Searches once if the history has grown by a hop, appending to `candidates`. Call it after
    /// every column. Returns whether a search took place.
    pub fn search(&mut self, history: &SubbandHistory, candidates: &mut Vec<Candidate>) -> bool {
        if history.columns() < self.next_column {
            return false;
        }
        self.rows.rotate_left(1);
        for b in self.subbands.clone() {
            self.transform(history, b);
            self.rate(b);
        }
        self.hops += 1;
        // Before the first spectrum there was nothing: its row is zero.
        if self.hops >= 2 {
            self.pick(candidates);
        }
        self.next_column += self.hop;
        true
    }

    /// The power spectrum of subband `b` over the newest window, lowest frequency first.
    fn transform(&mut self, history: &SubbandHistory, b: usize) {
        let (head, tail) = history.range(b, self.next_column - self.length as u64, self.length);
        let windowed = head.iter().chain(tail).zip(&self.window).map(|(sample, w)| sample * w);
        for (out, value) in self.spectrum.iter_mut().zip(windowed) {
            *out = value;
        }
        self.fft.process_with_scratch(&mut self.spectrum, &mut self.scratch);
        let half = self.length / 2;
        let (below, above) = self.power.split_at_mut(half);
        for (power, value) in below.iter_mut().zip(&self.spectrum[half..]) {
            *power = value.norm_sqr();
        }
        for (power, value) in above.iter_mut().zip(&self.spectrum[..half]) {
            *power = value.norm_sqr();
        }
    }

    /// Fills subband `b`'s part of the newest row: power of the two lines over the noise.
    fn rate(&mut self, b: usize) {
        let owned = self.length / 2;
        let first = self.length / 4;
        let place = (b - self.subbands.start) * owned;
        let row = &mut self.rows[2][place..place + owned];
        // Neighbouring bins of a windowed spectrum resemble each other: every other one will do. The
        // row is scratch until it holds the strengths.
        let sample = &mut row[..owned / 2];
        for (out, power) in sample.iter_mut().zip(self.power[first..].iter().step_by(2)) {
            *out = *power;
        }
        let (_, median, _) = sample.select_nth_unstable_by(owned / 4, f32::total_cmp);
        // The median of an exponential distribution is ln 2 of its mean.
        let noise = *median / std::f32::consts::LN_2;
        self.densities[b] = noise / (self.window_energy * self.grid.rate_hz() as f32);
        let noise = noise.max(f32::MIN_POSITIVE);
        let lows = &self.power[first - LINE_BINS..];
        let highs = &self.power[first + LINE_BINS..];
        for ((strength, &low), &high) in row.iter_mut().zip(lows).zip(highs) {
            *strength = (low + high).min(LARGEST_IMBALANCE * low.min(high)) / noise;
        }
        // What stands out from the floor must also stand out from its surroundings.
        for (i, strength) in row.iter_mut().enumerate() {
            if *strength >= self.threshold {
                *strength *= noise / noise.max(surround(&self.power, first + i));
            }
        }
    }

    /// Reports the middle row's local maxima in time and frequency.
    fn pick(&mut self, candidates: &mut Vec<Candidate>) {
        let [before, now, after] = &self.rows;
        let start = candidates.len();
        let bin_hz = self.grid.rate_hz() / self.length as f64;
        let lowest_hz = self.grid.centre_hz(self.subbands.start) - self.grid.spacing_hz / 2.0;
        // The middle of the window before the newest.
        let middle = self.next_column - self.hop - self.length as u64 / 2;
        let now = &now[..self.subbands.len() * self.length / 2];
        for (g, &strength) in now.iter().enumerate() {
            let frequency_hz = lowest_hz + g as f64 * bin_hz;
            if strength < self.threshold || !self.channel_hz.contains(&frequency_hz) {
                continue;
            }
            let near = |reach: usize| g.saturating_sub(reach)..(g + reach + 1).min(now.len());
            let beaten = now[near(RIVAL_BINS)].iter().any(|&rival| rival > strength)
                || before[near(2)].iter().any(|&rival| rival >= strength)
                || after[near(2)].iter().any(|&rival| rival > strength);
            if !beaten {
                candidates.push(Candidate {
                    time_s: self.grid.time_s(middle),
                    frequency_hz,
                    strength: f64::from(strength),
                });
            }
        }
        if candidates.len() > start + MOST_CANDIDATES {
            candidates[start..].sort_unstable_by(|a, b| {
                b.strength.total_cmp(&a.strength).then(a.frequency_hz.total_cmp(&b.frequency_hz))
            });
            self.dropped += (candidates.len() - start - MOST_CANDIDATES) as u64;
            candidates.truncate(start + MOST_CANDIDATES);
        }
    }
}

/// The mean power around a carrier at bin `c`, without its lines, times the weight of it.
fn surround(power: &[f32], c: usize) -> f32 {
    let sum = |from: usize, to: usize| power[from..to].iter().sum::<f32>();
    let lines =
        sum(c - LINE_BINS - 2, c - LINE_BINS + 3) + sum(c + LINE_BINS - 2, c + LINE_BINS + 3);
    let around = sum(c - SURROUND, c + SURROUND + 1);
    SURROUND_WEIGHT * (around - lines).max(0.0) / (2 * SURROUND - 9) as f32
}
