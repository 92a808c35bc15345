//! The preamble detector: where in time and frequency might a frame begin?
//!
//! Two tests must agree. A DBPSK preamble 1010... repeats with four symbols, so its spectrum is
//! two lines a quarter of the symbol rate above and below the carrier, with 81 % of the power: the
//! detector looks for such pairs in windowed spectra of about one preamble's length. And a frame
//! goes on: the energy of the symbols after the preamble lies around the same carrier.
//!
//! At an Es/N0 of -1 dB, near the threshold of a receiver, a frame lifts its lines to ten times the noise and the energy
//! of 80 symbols by five standard deviations, so each test alone would pass either many regions with
//! noise or few frames. Their log-likelihood ratios add up: the *detection statistic*
//! is the power of the lines over the noise (their *line SNR*) plus five for each standard deviation of
//! the energy.
//!
//! Where a strong burst was cancelled, what is left of it and of its neighbours shows lines by chance,
//! and there is energy after them. There a third test is made: where a frame begins, energy rises.
//! Elsewhere it would object to frames that begin when something else has just ended.

mod spectrum_analyzer;
mod tuning;

use std::fmt;
use std::ops::{Range, RangeInclusive};

use multiversion::multiversion;

use crate::detector::spectrum_analyzer::{BLOCK_BINS, MARGIN, Spectrum, SpectrumAnalyzer};
use crate::kernels::sums::{count_from, larger, smaller};
use crate::subbands::{SubbandGrid, SubbandHistory};

pub use tuning::Tuning;

/// Bins on each side of a line's that hold some of it.
const LINE_WIDTH: usize = 2;
/// Symbols of 1010... that a preamble must have and whose lines are looked for at most: fewer show no lines
/// apart from the carrier, and those of more lie farther out than what is taken for their surroundings.
const PREAMBLE_SYMBOLS: RangeInclusive<usize> = 12..=64;
/// Symbols after which 1010... repeats: its lines lie so many times fewer bins from the carrier.
const PERIOD_SYMBOLS: usize = 4;
/// Bins on each side that count as noise if they hold more than the subband's floor: in the sidelobes
/// and in the middle of another signal, pairs of lines appear by chance.
const SURROUND: usize = 20;
/// From so many hops after the preamble's on, a window no longer holds any of it: hops are half a window.
const FIRST_ENERGY_HOP: usize = 2;
/// Blocks of bins on each side of the carrier's over which energy is summed: half a symbol rate, with
/// preambles of 20 symbols.
const ENERGY_BLOCKS: usize = 2;
const BAND_BLOCKS: usize = 2 * ENERGY_BLOCKS + 1;
/// From a band to those beside it.
const BESIDE_BLOCKS: usize = BAND_BLOCKS + 2;
/// Standard deviation of the energy of so many bins in white noise, over the mean noise power of a bin. Neighbouring
/// bins and hops correlate, which widens the deviation of independent ones by a half.
const NOISE_DEVIATION: f64 = 16.9;
const NOISE_DEVIATION_BINS: f64 = 140.0;
/// Blocks worked on together.
const CHUNK: usize = 32;
/// The hops before the preamble's that show what was there before: their windows end where it begins.
const HOPS_BEFORE: RangeInclusive<usize> = 2..=4;
/// Among the spectra kept, the oldest first: those before the preamble's, and its own. Those of the energy
/// come last.
const BEFORE: Range<usize> = 0..*HOPS_BEFORE.end() - *HOPS_BEFORE.start() + 1;
const NOW: usize = *HOPS_BEFORE.end();

/// How the bursts begin that are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preamble {
    /// Symbols of the preamble 1010..., the reference symbol included: 12 at least, of which the first 64
    /// count.
    pub symbols: usize,
    /// Symbols that follow it in the shortest burst.
    pub following: usize,
}

impl Preamble {
    /// Length of the spectra in symbols.
    fn window_symbols(self) -> usize {
        let symbols = self.symbols.clamp(*PREAMBLE_SYMBOLS.start(), *PREAMBLE_SYMBOLS.end());
        symbols / PERIOD_SYMBOLS * PERIOD_SYMBOLS
    }

    /// Distance of the lines from the carrier in bins.
    fn line_bins(self) -> usize {
        self.window_symbols() / PERIOD_SYMBOLS
    }

    /// The last hop whose window the shortest burst fills, even if the preamble's own is half a hop late.
    fn last_energy_hop(self) -> usize {
        let hop = self.window_symbols() / 2;
        (self.following.saturating_sub(hop / 2) / hop).max(FIRST_ENERGY_HOP)
    }

    /// The spectra of the energy among those kept.
    fn after(self) -> Range<usize> {
        NOW + FIRST_ENERGY_HOP..NOW + self.last_energy_hop() + 1
    }

    /// Energy in noise alone, over the mean noise power of a bin.
    fn noise_energy(self) -> f32 {
        (self.after().len() * BAND_BLOCKS * BLOCK_BINS) as f32
    }

    /// The standard deviation of that.
    fn noise_deviation(self) -> f32 {
        let bins = f64::from(self.noise_energy());
        (NOISE_DEVIATION * (bins / NOISE_DEVIATION_BINS).sqrt()) as f32
    }
}

/// A time and a frequency at which a frame might begin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Middle of the spectrum's window, in seconds from the start of the recording.
    pub time_s: f64,
    /// Middle of the two lines, in hertz from the centre of the recording.
    pub frequency_hz: f64,
    /// Power of the two lines over the mean noise power of a bin; 2 where there is only noise.
    pub line_snr: f64,
    /// Power of a preamble with these lines, 1 is that of a carrier at full scale.
    pub power: f64,
}

/// What two lines must have at least.
#[derive(Debug, Clone, Copy)]
struct Asked {
    line_snr: f32,
    power: f32,
}

/// Searches the subbands for preambles of one symbol rate.
pub struct PreambleDetector {
    channel_hz: RangeInclusive<f64>,
    /// Where carriers are looked for.
    bins: Range<usize>,
    threshold: f32,
    preamble: Preamble,
    tuning: Tuning,
    analyzer: SpectrumAnalyzer,
    /// The last spectra, the newest last.
    spectra: Vec<Spectrum>,
    /// Energy after the preamble: by block, and in the band around each block but the outermost.
    block_energies: Vec<f32>,
    energies: Vec<f32>,
    dropped: u64,
    /// Whether it looks where bursts were cancelled.
    is_second: bool,
}

impl PreambleDetector {
    /// A detector for bursts of `symbol_rate_hz`, at most a tenth of the subbands' rate, that begin with
    /// this preamble. It looks for carriers in `channel_hz`, from the centre of the recording, and reports
    /// candidates from a detection statistic of `threshold` on, in units of the mean noise power of a bin.
    #[must_use]
    pub fn new(
        grid: SubbandGrid,
        channel_hz: RangeInclusive<f64>,
        (symbol_rate_hz, preamble): (f64, Preamble),
        threshold: f64,
    ) -> Self {
        Self::of_subbands(0..grid.subbands, grid, channel_hz, (symbol_rate_hz, preamble), threshold)
    }

    /// The same for [`search_again`](Self::search_again) alone: it makes room for the subbands that it is
    /// sent to, which are few, in place of all.
    #[must_use]
    pub fn for_searching_again(
        grid: SubbandGrid,
        channel_hz: RangeInclusive<f64>,
        (symbol_rate_hz, preamble): (f64, Preamble),
        threshold: f64,
    ) -> Self {
        Self::of_subbands(0..1, grid, channel_hz, (symbol_rate_hz, preamble), threshold)
    }

    fn of_subbands(
        subbands: Range<usize>,
        grid: SubbandGrid,
        channel_hz: RangeInclusive<f64>,
        (symbol_rate_hz, preamble): (f64, Preamble),
        threshold: f64,
    ) -> Self {
        let window_s = preamble.window_symbols() as f64 / symbol_rate_hz;
        let analyzer = SpectrumAnalyzer::of_subbands(subbands, grid, window_s);
        let mut detector = Self {
            channel_hz: channel_hz.clone(),
            bins: 0..0,
            threshold: threshold as f32,
            preamble,
            tuning: Tuning::default(),
            block_energies: Vec::new(),
            energies: Vec::new(),
            spectra: vec![Spectrum::default(); preamble.after().end],
            analyzer,
            dropped: 0,
            is_second: false,
        };
        detector.reset(&channel_hz);
        detector
    }

    /// The same with other thresholds and weights.
    #[must_use]
    pub fn tuned(self, tuning: Tuning) -> Self {
        Self { tuning, ..self }
    }

    /// Makes room for the spectra of the subbands that are looked at, with nothing in them. Carriers
    /// are looked for in a part of the channel.
    fn reset(&mut self, part_hz: &RangeInclusive<f64>) {
        for spectrum in &mut self.spectra {
            self.analyzer.silence(spectrum);
        }
        let (bins, blocks) = (self.spectra[0].bins.len(), self.spectra[0].blocks.len());
        let bins = MARGIN..bins - MARGIN;
        let is_below = |bin: &usize, hz: f64| self.analyzer.frequency_hz(*bin) < hz;
        let lowest_hz = self.channel_hz.start().max(*part_hz.start());
        let highest_hz = self.channel_hz.end().min(*part_hz.end());
        let first = bins.clone().find(|bin| !is_below(bin, lowest_hz)).unwrap_or(bins.end);
        let end = (first..bins.end).find(|bin| !is_below(bin, highest_hz)).unwrap_or(bins.end);
        self.bins = first..end;
        self.block_energies.resize(blocks, 0.0);
        self.energies.resize(blocks - 2 * ENERGY_BLOCKS, 0.0);
    }

    /// Seconds between two searches.
    #[must_use]
    pub fn interval_s(&self) -> f64 {
        self.analyzer.interval_s()
    }

    /// Begins with the windows from `column` on, as the history that it searches does. Call it before
    /// the first search.
    pub fn begin_at(&mut self, column: u64) {
        self.analyzer.begin_at(column);
    }

    /// Columns from one search to the next. A detector that begins a multiple of as many columns later
    /// searches the same windows.
    #[must_use]
    pub fn hop_columns(&self) -> u64 {
        self.analyzer.hop_columns()
    }

    /// The noise density of every subband in the newest spectrum, in (full scale)² per hertz; 0
    /// where there was nothing but zeros.
    #[must_use]
    pub fn densities(&self) -> &[f32] {
        self.analyzer.densities()
    }

    /// Candidates given up so far because one hop had too many.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// How long after the middle of its window a candidate is reported, in seconds.
    #[must_use]
    pub fn latency_s(&self) -> f64 {
        let hops = self.preamble.last_energy_hop() as f64 + 1.0;
        self.analyzer.window_s() / 2.0 + hops * self.analyzer.interval_s()
    }

    /// Searches a part of the channel in some subbands anew, because their samples have changed, in
    /// the windows that lie in `columns` and end no later than where `live` has searched, which has to
    /// be of the same symbol rate. Appends to `candidates`, and lets `live` know what has changed.
    pub fn search_again(
        &mut self,
        history: &SubbandHistory,
        (subbands, part_hz): (Range<usize>, &RangeInclusive<f64>),
        columns: Range<u64>,
        live: &mut Self,
        candidates: &mut Vec<Candidate>,
    ) {
        if subbands.is_empty() {
            return;
        }
        let end = live.analyzer.last_end(columns.end);
        self.analyzer.restart(subbands, columns.start.max(history.oldest()), end);
        self.reset(part_hz);
        self.is_second = true;
        let mut taken = 0;
        while self.analyzer.next_column() < end && self.search(history, candidates) {
            taken += 1;
        }
        let lag = self.analyzer.lag(&live.analyzer);
        let kept = live.spectra.len().saturating_sub(lag);
        let stale = &mut live.spectra[..kept];
        for (stale, new) in stale.iter_mut().rev().zip(self.spectra.iter().rev().take(taken)) {
            self.analyzer.copy_into(new, &live.analyzer, stale);
        }
    }

    /// Searches once if the history has grown by a hop, appending to `candidates`. Call it after
    /// every column. Returns whether a search took place.
    pub fn search(&mut self, history: &SubbandHistory, candidates: &mut Vec<Candidate>) -> bool {
        if !self.analyzer.take(history, &mut self.spectra[0]) {
            return false;
        }
        self.spectra.rotate_left(1);
        sum_energies(
            &self.spectra[self.preamble.after()],
            &mut self.block_energies,
            &mut self.energies,
        );
        self.pick(candidates);
        true
    }

    /// Reports the candidates in the spectrum whose energy has just become complete, see [`NOW`].
    fn pick(&mut self, candidates: &mut Vec<Candidate>) {
        let start = candidates.len();
        let interval_s = self.analyzer.interval_s();
        let time_s = self.analyzer.time_s() - self.preamble.last_energy_hop() as f64 * interval_s;
        let min_deviations = self.tuning.min_deviations;
        let min_energy =
            self.preamble.noise_energy() + min_deviations * self.preamble.noise_deviation();
        // Bands are counted from the first whose blocks are all there.
        let first = (self.bins.start / BLOCK_BINS).saturating_sub(ENERGY_BLOCKS);
        let end = (self.bins.end.div_ceil(BLOCK_BINS) - ENERGY_BLOCKS).min(self.energies.len());
        for (chunk, energies) in self.energies[first.min(end)..end].chunks(CHUNK).enumerate() {
            // Mostly there is nothing, which is seen faster without a branch for each.
            if count_from(energies, min_energy) == 0 {
                continue;
            }
            for (n, &energy) in energies.iter().enumerate() {
                if energy >= min_energy {
                    self.pick_in(first + chunk * CHUNK + n, energy, time_s, candidates);
                }
            }
        }
        let max_candidates = self.tuning.max_candidates;
        if candidates.len() > start + max_candidates {
            candidates[start..].sort_unstable_by(|a, b| {
                b.power.total_cmp(&a.power).then(a.frequency_hz.total_cmp(&b.frequency_hz))
            });
            self.dropped += (candidates.len() - start - max_candidates) as u64;
            candidates.truncate(start + max_candidates);
        }
    }

    /// Reports the candidates in the middle block of a band of the preamble's spectrum.
    fn pick_in(&self, band: usize, energy: f32, time_s: f64, candidates: &mut Vec<Candidate>) {
        let (noise_energy, noise_deviation) =
            (self.preamble.noise_energy(), self.preamble.noise_deviation());
        // 1. The energy after the preamble, in standard deviations of that of what surrounds it.
        let block = band + ENERGY_BLOCKS;
        let around = noise_energy.max(self.energy_beside(band));
        let deviations = (energy / around - 1.0) * noise_energy / noise_deviation;
        if deviations < self.tuning.min_deviations {
            return;
        }
        // 2. The strongest pair of lines in the block is as clear as that energy leads to expect.
        let now = self.lines_at(NOW);
        let Some(least) = self.asked((band, deviations), now.strongest(block)) else { return };
        // 3. By bin: a peak, over its own surroundings, of two lines alike, and no better one beside it.
        for bin in block * BLOCK_BINS..(block + 1) * BLOCK_BINS {
            let power = now.power(bin);
            let neighbours = larger(now.power(bin - 1), now.power(bin + 1));
            if power < larger(least.power, self.tuning.min_peak * neighbours)
                || !self.bins.contains(&bin)
            {
                continue;
            }
            let line_snr = now.snr(bin);
            if line_snr >= least.line_snr
                && now.is_balanced(bin, line_snr)
                && !self.is_beaten(bin, line_snr)
            {
                candidates.push(Candidate {
                    time_s,
                    frequency_hz: self.analyzer.frequency_hz(bin),
                    line_snr: line_snr.into(),
                    power: f64::from(now.power(bin)) / self.analyzer.lines_of_full_scale(),
                });
            }
        }
    }

    /// What is asked of the lines in the middle block of a band, after which the energy has so many deviations;
    /// `None` if the strongest do not reach it.
    fn asked(&self, (band, deviations): (usize, f32), strongest: f32) -> Option<Asked> {
        let noise = self.spectra[NOW].noise((band + ENERGY_BLOCKS) * BLOCK_BINS);
        let faded_snr = self.min_line_snr(deviations);
        if strongest < faded_snr * noise {
            return None;
        }
        let after = self.excess(band, self.preamble.after());
        let Tuning { min_snr_per_deviation, max_clear_snr, .. } = self.tuning;
        let clear_snr = faded_snr.max((min_snr_per_deviation * deviations).min(max_clear_snr));
        let asked = |line_snr: f32, share: f32| Asked {
            line_snr,
            power: larger(line_snr * noise, share * after),
        };
        let clear = asked(clear_snr, self.tuning.min_lines_over_energy);
        let faded = asked(faded_snr, self.tuning.min_faded_lines_over_energy);
        if strongest >= clear.power {
            let is_new = !self.is_second || self.rises(band, after, noise);
            return is_new.then_some(clear);
        }
        // A preamble may fade, but where the data of a strong frame shows weak lines, the frame was there before.
        let is_faded = strongest >= faded.power && self.rises(band, strongest, noise);
        is_faded.then_some(faded)
    }

    /// The line SNR that is asked of any preamble after which the energy has so many deviations: what the detection
    /// statistic lacks, and more of stronger frames.
    fn min_line_snr(&self, deviations: f32) -> f32 {
        let Tuning { knee, energy_weight, max_deviations, .. } = self.tuning;
        let lacking = self.threshold - energy_weight * deviations.min(max_deviations);
        lacking.max(deviations.min(knee))
    }

    /// Whether a band has less energy before the preamble than after it, or than its lines.
    fn rises(&self, band: usize, to: f32, noise: f32) -> bool {
        let hops = self.preamble.after().len() as f32;
        let deviations = self.tuning.deviations_before * self.preamble.noise_deviation();
        let tolerance = deviations / hops * noise;
        self.excess(band, BEFORE) <= self.tuning.max_before * to + tolerance
    }

    /// The lines in one of the spectra kept.
    fn lines_at(&self, spectrum: usize) -> Lines<'_> {
        Lines {
            spectrum: &self.spectra[spectrum],
            distance: self.preamble.line_bins(),
            tuning: &self.tuning,
        }
    }

    /// The energy of a band over the noise's in some of the spectra, on the average.
    fn excess(&self, band: usize, spectra: Range<usize>) -> f32 {
        let spectra = &self.spectra[spectra];
        let excess = |spectrum: &Spectrum| {
            let blocks = &spectrum.blocks[band..band + BAND_BLOCKS];
            let noise = spectrum.noise((band + ENERGY_BLOCKS) * BLOCK_BINS);
            noise * (blocks.iter().sum::<f32>() - (BAND_BLOCKS * BLOCK_BINS) as f32)
        };
        spectra.iter().map(excess).sum::<f32>() / spectra.len() as f32
    }

    /// The energy beside a band, on the side that has less: in the sidelobes of a strong signal there is
    /// energy everywhere.
    fn energy_beside(&self, band: usize) -> f32 {
        let below = band.checked_sub(BESIDE_BLOCKS).map(|band| self.energies[band]);
        let above = self.energies.get(band + BESIDE_BLOCKS).copied();
        below.into_iter().chain(above).fold(f32::INFINITY, f32::min)
    }

    /// Whether a carrier nearby in frequency or time has stronger lines.
    fn is_beaten(&self, bin: usize, line_snr: f32) -> bool {
        let [before, now, after] = [NOW - 1, NOW, NOW + 1].map(|n| self.lines_at(n));
        let last = now.spectrum.bins.len() - MARGIN;
        let near = |reach: usize| (bin - reach).max(MARGIN)..(bin + reach + 1).min(last);
        near(now.distance + 1).any(|other| now.is_stronger(other, line_snr))
            || near(2).any(|other| before.is_stronger(other, line_snr))
            || near(2).any(|other| after.is_stronger(other, line_snr))
    }
}

impl fmt::Debug for PreambleDetector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreambleDetector")
            .field("channel_hz", &self.channel_hz)
            .field("threshold", &self.threshold)
            .field("interval_s", &self.interval_s())
            .field("dropped", &self.dropped)
            .finish_non_exhaustive()
    }
}

/// Sums the energy in some spectra by block, and in the band around each block but the outermost.
#[multiversion(targets("x86_64+avx2"))]
fn sum_energies(spectra: &[Spectrum], block_energies: &mut [f32], energies: &mut [f32]) {
    let (pairs, rest) = spectra.as_chunks::<2>();
    let count = block_energies.len();
    // 1. Sum over time, by block; two spectra at once, so that the sums are written half as often.
    block_energies.fill(0.0);
    for [a, b] in pairs {
        let (a, b) = (&a.blocks[..count], &b.blocks[..count]);
        for ((sum, a), b) in block_energies.iter_mut().zip(a).zip(b) {
            *sum += a + b;
        }
    }
    for spectrum in rest {
        block_energies.iter_mut().zip(&spectrum.blocks).for_each(|(sum, block)| *sum += block);
    }
    // 2. Sum over frequency: the blocks of a band, which moves by one block.
    let [a, b, c, d, e] = std::array::from_fn::<_, BAND_BLOCKS, _>(|n| &block_energies[n..]);
    for (((((energy, a), b), c), d), e) in energies.iter_mut().zip(a).zip(b).zip(c).zip(d).zip(e) {
        *energy = (a + b) + (c + d) + e;
    }
}

/// Pairs of lines in a spectrum.
struct Lines<'a> {
    spectrum: &'a Spectrum,
    /// From the carrier to its lines, in bins.
    distance: usize,
    tuning: &'a Tuning,
}

impl Lines<'_> {
    /// Power of the two lines of a carrier.
    fn power(&self, bin: usize) -> f32 {
        let bins = &self.spectrum.bins;
        pair(bins[bin - self.distance], bins[bin + self.distance], self.tuning.max_imbalance)
    }

    /// The most power that two lines have of the carriers in a block.
    fn strongest(&self, block: usize) -> f32 {
        let bins =
            |first: usize| self.spectrum.bins[first..].first_chunk().unwrap_or(&[0.0; BLOCK_BINS]);
        let low = bins(block * BLOCK_BINS - self.distance);
        let high = bins(block * BLOCK_BINS + self.distance);
        let all: [f32; BLOCK_BINS] =
            std::array::from_fn(|n| pair(low[n], high[n], self.tuning.max_imbalance));
        all.into_iter().fold(0.0, larger)
    }

    /// Whether the two lines of a carrier differ by no more than noise lets those of this SNR, or a transmitter that
    /// reverses its phase by rotating it.
    fn is_balanced(&self, bin: usize, line_snr: f32) -> bool {
        let bins = &self.spectrum.bins;
        let (low, high) = (bins[bin - self.distance], bins[bin + self.distance]);
        let Tuning { imbalance_of_noise, imbalance_of_rotation, .. } = *self.tuning;
        let ratio = larger(imbalance_of_noise / line_snr.sqrt(), imbalance_of_rotation).exp();
        larger(low, high) <= smaller(low, high) * ratio
    }

    /// Whether a carrier has lines that are stronger than some and may be a preamble's. Mostly the noise
    /// tells.
    fn is_stronger(&self, bin: usize, line_snr: f32) -> bool {
        if self.power(bin) <= line_snr * self.spectrum.noise(bin) {
            return false;
        }
        let own = self.snr(bin);
        own > line_snr && self.is_balanced(bin, own)
    }

    /// Power of the two lines of a carrier over the noise or what else surrounds them.
    fn snr(&self, bin: usize) -> f32 {
        self.power(bin) / self.spectrum.noise(bin).max(self.surround(bin))
    }

    /// The mean power around a carrier, without its lines, times the weight of it.
    fn surround(&self, c: usize) -> f32 {
        let bins = &self.spectrum.bins;
        let from_lines = self.distance + LINE_WIDTH + 1;
        let middle = &bins[c + LINE_WIDTH + 1 - self.distance..c + self.distance - LINE_WIDTH];
        let below = &bins[c - SURROUND..=c - from_lines];
        let above = &bins[c + from_lines..=c + SURROUND];
        let count = middle.len() + below.len() + above.len();
        // Side by side, since each sum has to wait for the one before.
        let (below, more_below) = below.as_chunks::<BLOCK_BINS>();
        let (above, more_above) = above.as_chunks::<BLOCK_BINS>();
        let mut lanes = [0.0; BLOCK_BINS];
        for (below, above) in below.iter().zip(above) {
            for n in 0..BLOCK_BINS {
                lanes[n] += below[n] + above[n];
            }
        }
        let rest = middle.iter().chain(more_below).chain(more_above);
        self.tuning.surround_weight * rest.chain(&lanes).sum::<f32>() / count as f32
    }
}

/// What counts of the power of two lines.
fn pair(low: f32, high: f32, max_imbalance: f32) -> f32 {
    smaller(low + high, max_imbalance * smaller(low, high))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A spectrum whose noise is 1, of these powers.
    fn spectrum(bins: Vec<f32>) -> Spectrum {
        let blocks = bins.chunks(BLOCK_BINS).map(|bins| bins.iter().sum()).collect();
        Spectrum::of(bins, blocks)
    }

    const PREAMBLE: Preamble = Preamble { symbols: 20, following: 93 };
    const DISTANCE: usize = 5;

    /// The power of the two lines of the carrier at a bin, as far as they are alike.
    fn plain_lines(bins: &[f32], c: usize) -> f32 {
        let (low, high) = (bins[c - DISTANCE], bins[c + DISTANCE]);
        (low + high).min(20.0 * low.min(high))
    }

    /// That over the noise of 1, or over what surrounds the carrier beside its lines.
    fn plain_line_snr(bins: &[f32], c: usize) -> f32 {
        let is_of_line = |bin: usize| bin.abs_diff(c).abs_diff(DISTANCE) <= LINE_WIDTH;
        let around: Vec<f32> = (c - SURROUND..=c + SURROUND)
            .filter(|&bin| !is_of_line(bin))
            .map(|bin| bins[bin])
            .collect();
        let mean = around.iter().sum::<f32>() / around.len() as f32;
        plain_lines(bins, c) / (Tuning::default().surround_weight * mean).max(1.0)
    }

    fn is_near(a: f32, b: f32) -> bool {
        (a - b).abs() < 1e-4 * (1.0 + b.abs())
    }

    fn powers() -> impl Strategy<Value = Vec<f32>> {
        let power = prop_oneof![4 => 0.0f32..3.0, 1 => 0.0f32..300.0];
        prop::collection::vec(power, 2 * MARGIN + 5 * BLOCK_BINS)
    }

    proptest! {
        #[test]
        fn line_snrs_are_those_of_plain_sums(bins in powers()) {
            let (spectrum, tuning) = (spectrum(bins.clone()), Tuning::default());
            let lines = Lines { spectrum: &spectrum, distance: DISTANCE, tuning: &tuning };
            for c in MARGIN..bins.len() - MARGIN {
                prop_assert!(is_near(lines.power(c), plain_lines(&bins, c)));
                prop_assert!(is_near(lines.snr(c), plain_line_snr(&bins, c)), "bin {c}");
            }
            for block in MARGIN / BLOCK_BINS..(bins.len() - MARGIN) / BLOCK_BINS {
                let plain = (0..BLOCK_BINS).map(|n| plain_lines(&bins, block * BLOCK_BINS + n));
                let strongest = plain.fold(0.0, f32::max);
                prop_assert!(is_near(lines.strongest(block), strongest));
            }
        }

        #[test]
        fn energies_are_those_of_plain_sums(all in prop::collection::vec(powers(), PREAMBLE.after().len())) {
            let spectra: Vec<Spectrum> = all.iter().cloned().map(spectrum).collect();
            let count = spectra[0].blocks.len();
            let (mut blocks, mut energies) = (vec![0.0; count], vec![0.0; count + 1 - BAND_BLOCKS]);
            sum_energies(&spectra, &mut blocks, &mut energies);
            for (band, energy) in energies.iter().enumerate() {
                let bins = band * BLOCK_BINS..(band + BAND_BLOCKS) * BLOCK_BINS;
                let plain: f32 = all.iter().flat_map(|powers| &powers[bins.clone()]).sum();
                prop_assert!(is_near(*energy, plain), "{energy} for {plain} in band {band}");
            }
        }
    }

    #[test]
    fn windows_and_hops_follow_from_the_preamble() {
        assert_eq!((PREAMBLE.window_symbols(), PREAMBLE.line_bins()), (20, DISTANCE));
        assert_eq!((PREAMBLE.last_energy_hop(), PREAMBLE.after()), (8, 6..13));
        assert_eq!((PREAMBLE.noise_energy(), PREAMBLE.noise_deviation()), (140.0, 16.9));
        for (symbols, following) in [(0, 0), (13, 1), (1000, 7)] {
            let preamble = Preamble { symbols, following };
            assert!((12..=64).contains(&preamble.window_symbols()) && !preamble.after().is_empty());
            assert!(preamble.line_bins() + LINE_WIDTH < SURROUND);
        }
    }
}
