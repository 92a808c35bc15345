//! The preamble detector: where in time and frequency might a frame begin?
//!
//! Two tests must agree. A DBPSK preamble 1010... repeats with four symbols, so its spectrum is
//! two lines a quarter of the symbol rate above and below the carrier, with 81 % of the power: the
//! detector looks for such pairs in windowed spectra of about one preamble's length. And a frame
//! goes on: the energy of the symbols after the preamble lies around the same carrier.
//!
//! Near the threshold of a receiver a frame lifts its lines to five times and the energy of 64
//! symbols by five standard deviations, so each test alone would pass either many regions with
//! noise or few frames. Their log-likelihood ratios add up: the *detection statistic*
//! is the power of the lines over the noise (their *line SNR*) plus five for each standard deviation of
//! the energy.
//!
//! Where a strong burst was cancelled, what is left of it and of its neighbours shows lines by chance,
//! and there is energy after them. There a third test is made: where a frame begins, energy rises.
//! Elsewhere it would object to frames that begin when something else has just ended.

mod spectrum_analyzer;

use std::fmt;
use std::ops::{Range, RangeInclusive};

use multiversion::multiversion;

use crate::detector::spectrum_analyzer::{BLOCK, MARGIN, Spectrum, SpectrumAnalyzer};
use crate::kernels::sums::{count_from, larger, smaller};
use crate::subbands::{SubbandGrid, SubbandHistory};

/// Length of the spectra in symbols: the reference symbol and the 19 of the preamble.
const WINDOW_SYMBOLS: f64 = 20.0;
/// Distance of the lines from the carrier in bins, a consequence of the window's length.
const LINE_BINS: usize = 5;
/// Bins on each side of a line's that hold some of it.
const LINE_WIDTH: usize = 2;
/// Two lines that differ by more than this are a carrier and its neighbour's noise.
const MAX_IMBALANCE: f32 = 20.0;
/// The logarithm of the lines' ratio in four standard deviations, for a line SNR of 1: noise changes
/// the amplitude of a line of power `line_snr / 2` by `1 / sqrt(line_snr)` of it.
const IMBALANCE_OF_NOISE: f32 = 11.3;
/// Bins on each side that count as noise if they hold more than the subband's floor: in the sidelobes
/// and in the middle of another signal, pairs of lines appear by chance.
const SURROUND: usize = 20;
/// A little less than 1, so that in noise alone the steadier floor rules.
const SURROUND_WEIGHT: f32 = 0.7;
/// Lines that have less than this share of a neighbour's power have a smaller line SNR too, whatever
/// surrounds them.
const MIN_PEAK: f32 = 0.6;
/// Neighbouring candidates within this many bins compete; the strongest stays.
const COMPETING_BINS: usize = LINE_BINS + 1;
/// The most candidates of one hop; the strongest win.
const MAX_CANDIDATES: usize = 64;
/// The hops after the preamble's over which energy is summed: from where their window no longer
/// holds the preamble to where the shortest frame still goes on.
const ENERGY_HOPS: RangeInclusive<usize> = 2..=8;
/// Blocks of bins on each side of the carrier's over which energy is summed: half a symbol rate.
const ENERGY_BLOCKS: usize = 2;
const BAND_BLOCKS: usize = 2 * ENERGY_BLOCKS + 1;
/// From a band to those beside it.
const BESIDE_BLOCKS: usize = BAND_BLOCKS + 2;
/// Energy in noise alone, over the mean noise power of a bin.
const NOISE_ENERGY: f32 =
    ((*ENERGY_HOPS.end() - *ENERGY_HOPS.start() + 1) * BAND_BLOCKS * BLOCK) as f32;
/// Standard deviation of the energy in noise alone. Of white noise, neighbouring bins and hops
/// correlate, which widens the deviation of independent ones by a half.
const NOISE_DEVIATION: f32 = 16.9;
/// How much a standard deviation of energy adds to the detection statistic, in units of the lines' power, as the ratio of
/// the log-likelihoods' slopes for a frame of Es/N0 = -1 dB; and the most deviations that count: more
/// say only that there is a signal, not that it begins here.
const ENERGY_WEIGHT: f32 = 5.0;
const MAX_DEVIATIONS: f32 = 5.0;
/// Less energy than this, in deviations, is not looked at, nor are weaker lines.
const MIN_DEVIATIONS: f32 = 2.5;
const MIN_LINE_SNR: f32 = 3.0;
/// The same where there is much energy: the data of a frame shows weak lines by chance, while the
/// preamble's are as clear as the frame is strong, three times the deviation of its energy. As much
/// line SNR is asked as there are deviations, up to the knee, and then this share of them up to the most:
/// strong frames may drift or fade.
const KNEE: f32 = 7.0;
const MIN_CLEARNESS: f32 = 0.42;
const MAX_CLEARNESS: f32 = 20.0;
/// The lines of a preamble have 0.7 of the energy that a hop of the frame has around its carrier. At
/// least this much is left if it drifts or fades.
const MIN_LINES_OVER_ENERGY: f32 = 0.2;
/// What was there before a frame may have this share of what is there now: so a frame is found on one
/// that is some decibels stronger; beneath the others, these have to be cancelled first. Noise may add
/// as many standard deviations of the energy, two of that before.
const MAX_BEFORE: f32 = 0.7;
const DEVIATIONS_BEFORE: f32 = 3.0;
/// Blocks worked on together.
const CHUNK: usize = 32;
/// The hops before the preamble's that show what was there before: their windows end where it begins.
const HOPS_BEFORE: RangeInclusive<usize> = 2..=4;
/// Among the spectra kept, the oldest first: those before the preamble's, its own, and those of the
/// energy.
const BEFORE: Range<usize> = 0..*HOPS_BEFORE.end() - *HOPS_BEFORE.start() + 1;
const NOW: usize = *HOPS_BEFORE.end();
const AFTER: Range<usize> = NOW + *ENERGY_HOPS.start()..SPECTRA;
const SPECTRA: usize = NOW + *ENERGY_HOPS.end() + 1;

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

/// Searches the subbands for preambles of one symbol rate.
pub struct PreambleDetector {
    channel_hz: RangeInclusive<f64>,
    /// Where carriers are looked for.
    bins: Range<usize>,
    threshold: f32,
    analyzer: SpectrumAnalyzer,
    /// The last spectra, the newest last.
    spectra: [Spectrum; SPECTRA],
    /// Energy after the preamble: by block, and in the band around each block but the outermost.
    block_energies: Vec<f32>,
    energies: Vec<f32>,
    dropped: u64,
    /// Whether it looks where bursts were cancelled.
    is_second: bool,
}

impl PreambleDetector {
    /// A detector for `symbol_rate_hz`, which is at most a tenth of the subbands' rate. It looks for
    /// carriers in `channel_hz`, from the centre of the recording, and reports candidates from a
    /// detection statistic of `threshold` on, in units of the mean noise power of a bin.
    #[must_use]
    pub fn new(
        grid: SubbandGrid,
        channel_hz: RangeInclusive<f64>,
        symbol_rate_hz: f64,
        threshold: f64,
    ) -> Self {
        Self::of_subbands(0..grid.subbands, grid, channel_hz, symbol_rate_hz, threshold)
    }

    /// The same for [`search_again`](Self::search_again) alone: it makes room for the subbands that it is
    /// sent to, which are few, in place of all.
    #[must_use]
    pub fn for_searching_again(
        grid: SubbandGrid,
        channel_hz: RangeInclusive<f64>,
        symbol_rate_hz: f64,
        threshold: f64,
    ) -> Self {
        Self::of_subbands(0..1, grid, channel_hz, symbol_rate_hz, threshold)
    }

    fn of_subbands(
        subbands: Range<usize>,
        grid: SubbandGrid,
        channel_hz: RangeInclusive<f64>,
        symbol_rate_hz: f64,
        threshold: f64,
    ) -> Self {
        let window_s = WINDOW_SYMBOLS / symbol_rate_hz;
        let analyzer = SpectrumAnalyzer::of_subbands(subbands, grid, window_s);
        let mut detector = Self {
            channel_hz: channel_hz.clone(),
            bins: 0..0,
            threshold: threshold as f32,
            block_energies: Vec::new(),
            energies: Vec::new(),
            spectra: Default::default(),
            analyzer,
            dropped: 0,
            is_second: false,
        };
        detector.reset(&channel_hz);
        detector
    }

    /// Makes room for the spectra of the subbands that are looked at, with nothing in them. Carriers
    /// are looked for in a part of the channel.
    fn reset(&mut self, part_hz: &RangeInclusive<f64>) {
        for spectrum in &mut self.spectra {
            self.analyzer.silence(spectrum);
        }
        let [silence, ..] = &self.spectra;
        let bins = MARGIN..silence.bins.len() - MARGIN;
        let is_below = |bin: &usize, hz: f64| self.analyzer.frequency_hz(*bin) < hz;
        let lowest_hz = self.channel_hz.start().max(*part_hz.start());
        let highest_hz = self.channel_hz.end().min(*part_hz.end());
        let first = bins.clone().find(|bin| !is_below(bin, lowest_hz)).unwrap_or(bins.end);
        let end = (first..bins.end).find(|bin| !is_below(bin, highest_hz)).unwrap_or(bins.end);
        self.bins = first..end;
        self.block_energies.resize(silence.blocks.len(), 0.0);
        self.energies.resize(silence.blocks.len() - 2 * ENERGY_BLOCKS, 0.0);
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
        let hops = *ENERGY_HOPS.end() as f64 + 1.0;
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
        let stale = &mut live.spectra[..SPECTRA.saturating_sub(lag)];
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
        sum_energies(&self.spectra[AFTER], &mut self.block_energies, &mut self.energies);
        self.pick(candidates);
        true
    }

    /// Reports the places in the second oldest spectrum.
    fn pick(&mut self, candidates: &mut Vec<Candidate>) {
        let start = candidates.len();
        let interval_s = self.analyzer.interval_s();
        let time_s = self.analyzer.time_s() - *ENERGY_HOPS.end() as f64 * interval_s;
        let min_energy = NOISE_ENERGY + MIN_DEVIATIONS * NOISE_DEVIATION;
        // Bands are counted from the first whose blocks are all there.
        let first = (self.bins.start / BLOCK).saturating_sub(ENERGY_BLOCKS);
        let end = (self.bins.end.div_ceil(BLOCK) - ENERGY_BLOCKS).min(self.energies.len());
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
        if candidates.len() > start + MAX_CANDIDATES {
            candidates[start..].sort_unstable_by(|a, b| {
                b.power.total_cmp(&a.power).then(a.frequency_hz.total_cmp(&b.frequency_hz))
            });
            self.dropped += (candidates.len() - start - MAX_CANDIDATES) as u64;
            candidates.truncate(start + MAX_CANDIDATES);
        }
    }

    /// Reports the places in the middle block of a band of the second oldest spectrum.
    fn pick_in(&self, band: usize, energy: f32, time_s: f64, candidates: &mut Vec<Candidate>) {
        let block = band + ENERGY_BLOCKS;
        let around = NOISE_ENERGY.max(self.energy_beside(band));
        let deviations = (energy / around - 1.0) * NOISE_ENERGY / NOISE_DEVIATION;
        if deviations < MIN_DEVIATIONS {
            return;
        }
        let energy = ENERGY_WEIGHT * deviations.min(MAX_DEVIATIONS);
        let clear = deviations.min(KNEE).max(MIN_CLEARNESS * deviations);
        let clear = clear.clamp(MIN_LINE_SNR, MAX_CLEARNESS);
        let least = clear.max(self.threshold - energy);
        let now = &self.spectra[NOW];
        let noise = now.noise(block * BLOCK);
        let strongest = now.strongest_lines(block);
        if strongest < least * noise {
            return;
        }
        let after = self.excess(band, AFTER);
        let tolerance = DEVIATIONS_BEFORE * NOISE_DEVIATION / AFTER.len() as f32 * noise;
        let min_lines = larger(least * noise, MIN_LINES_OVER_ENERGY * after);
        let rises = || self.excess(band, BEFORE) <= MAX_BEFORE * after + tolerance;
        if strongest < min_lines || (self.is_second && !rises()) {
            return;
        }
        for bin in block * BLOCK..(block + 1) * BLOCK {
            let lines = now.lines(bin);
            let neighbours = larger(now.lines(bin - 1), now.lines(bin + 1));
            if lines < larger(min_lines, MIN_PEAK * neighbours) || !self.bins.contains(&bin) {
                continue;
            }
            let line_snr = now.line_snr(bin);
            if line_snr >= least && now.is_balanced(bin, line_snr) && !self.is_beaten(bin, line_snr)
            {
                candidates.push(Candidate {
                    time_s,
                    frequency_hz: self.analyzer.frequency_hz(bin),
                    line_snr: line_snr.into(),
                    power: f64::from(now.lines(bin)) / self.analyzer.lines_of_full_scale(),
                });
            }
        }
    }

    /// The energy of a band over the noise's in some of the spectra, on the average.
    fn excess(&self, band: usize, spectra: Range<usize>) -> f32 {
        let spectra = &self.spectra[spectra];
        let excess = |spectrum: &Spectrum| {
            let blocks = &spectrum.blocks[band..band + BAND_BLOCKS];
            let noise = spectrum.noise((band + ENERGY_BLOCKS) * BLOCK);
            noise * (blocks.iter().sum::<f32>() - (BAND_BLOCKS * BLOCK) as f32)
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
        let [before, now, after] = [NOW - 1, NOW, NOW + 1].map(|n| &self.spectra[n]);
        let last = now.bins.len() - MARGIN;
        let near = |reach: usize| (bin - reach).max(MARGIN)..(bin + reach + 1).min(last);
        near(COMPETING_BINS).any(|other| now.is_stronger(other, line_snr))
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
    let [a, b, c, d, e] = std::array::from_fn::<_, BAND_BLOCKS, _>(|n| &block_energies[n..]);
    for (((((energy, a), b), c), d), e) in energies.iter_mut().zip(a).zip(b).zip(c).zip(d).zip(e) {
        *energy = (a + b) + (c + d) + e;
    }
}

impl Spectrum {
    /// Power of the two lines of a carrier.
    fn lines(&self, bin: usize) -> f32 {
        lines(self.bins[bin - LINE_BINS], self.bins[bin + LINE_BINS])
    }

    /// The most power that two lines have of the carriers in a block.
    fn strongest_lines(&self, block: usize) -> f32 {
        let bins = |first: usize| self.bins[first..].first_chunk().unwrap_or(&[0.0; BLOCK]);
        let (low, high) = (bins(block * BLOCK - LINE_BINS), bins(block * BLOCK + LINE_BINS));
        let all: [f32; BLOCK] = std::array::from_fn(|n| lines(low[n], high[n]));
        all.into_iter().fold(0.0, larger)
    }

    /// Whether the two lines of a carrier differ by no more than noise lets those of this SNR.
    fn is_balanced(&self, bin: usize, line_snr: f32) -> bool {
        let (low, high) = (self.bins[bin - LINE_BINS], self.bins[bin + LINE_BINS]);
        larger(low, high) <= smaller(low, high) * (IMBALANCE_OF_NOISE / line_snr.sqrt()).exp()
    }

    /// Whether a carrier has lines that are stronger than some and may be a preamble's. Mostly the noise
    /// tells.
    fn is_stronger(&self, bin: usize, line_snr: f32) -> bool {
        if self.lines(bin) <= line_snr * self.noise(bin) {
            return false;
        }
        let own = self.line_snr(bin);
        own > line_snr && self.is_balanced(bin, own)
    }

    /// Power of the two lines of a carrier over the noise or what else surrounds them.
    fn line_snr(&self, bin: usize) -> f32 {
        self.lines(bin) / self.noise(bin).max(surround(&self.bins, bin))
    }
}

/// What counts of the power of two lines.
fn lines(low: f32, high: f32) -> f32 {
    smaller(low + high, MAX_IMBALANCE * smaller(low, high))
}

/// The mean power around a carrier at bin `c`, without its lines, times the weight of it.
fn surround(bins: &[f32], c: usize) -> f32 {
    const FROM_LINES: usize = LINE_BINS + LINE_WIDTH + 1;
    let middle = &bins[c + LINE_WIDTH + 1 - LINE_BINS..c + LINE_BINS - LINE_WIDTH];
    let below = &bins[c - SURROUND..=c - FROM_LINES];
    let above = &bins[c + FROM_LINES..=c + SURROUND];
    let count = middle.len() + below.len() + above.len();
    // Side by side, since each sum has to wait for the one before.
    let (below, more_below) = below.as_chunks::<BLOCK>();
    let (above, more_above) = above.as_chunks::<BLOCK>();
    let mut lanes = [0.0; BLOCK];
    for (below, above) in below.iter().zip(above) {
        for n in 0..BLOCK {
            lanes[n] += below[n] + above[n];
        }
    }
    let rest = middle.iter().chain(more_below).chain(more_above);
    SURROUND_WEIGHT * rest.chain(&lanes).sum::<f32>() / count as f32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A spectrum whose noise is 1, of these powers.
    fn spectrum(bins: Vec<f32>) -> Spectrum {
        let blocks = bins.chunks(BLOCK).map(|bins| bins.iter().sum()).collect();
        Spectrum::of(bins, blocks)
    }

    /// The power of the two lines of the carrier at a bin, as far as they are alike.
    fn plain_lines(bins: &[f32], c: usize) -> f32 {
        let (low, high) = (bins[c - LINE_BINS], bins[c + LINE_BINS]);
        (low + high).min(MAX_IMBALANCE * low.min(high))
    }

    /// That over the noise of 1, or over what surrounds the carrier beside its lines.
    fn plain_line_snr(bins: &[f32], c: usize) -> f32 {
        let is_of_line = |bin: usize| bin.abs_diff(c).abs_diff(LINE_BINS) <= LINE_WIDTH;
        let around: Vec<f32> = (c - SURROUND..=c + SURROUND)
            .filter(|&bin| !is_of_line(bin))
            .map(|bin| bins[bin])
            .collect();
        let mean = around.iter().sum::<f32>() / around.len() as f32;
        plain_lines(bins, c) / (SURROUND_WEIGHT * mean).max(1.0)
    }

    fn is_near(a: f32, b: f32) -> bool {
        (a - b).abs() < 1e-4 * (1.0 + b.abs())
    }

    fn powers() -> impl Strategy<Value = Vec<f32>> {
        let power = prop_oneof![4 => 0.0f32..3.0, 1 => 0.0f32..300.0];
        prop::collection::vec(power, 2 * MARGIN + 5 * BLOCK)
    }

    proptest! {
        #[test]
        fn line_snrs_are_those_of_plain_sums(bins in powers()) {
            let spectrum = spectrum(bins.clone());
            for c in MARGIN..bins.len() - MARGIN {
                prop_assert!(is_near(spectrum.lines(c), plain_lines(&bins, c)));
                prop_assert!(is_near(spectrum.line_snr(c), plain_line_snr(&bins, c)), "bin {c}");
            }
            for block in MARGIN / BLOCK..(bins.len() - MARGIN) / BLOCK {
                let lines = (0..BLOCK).map(|n| plain_lines(&bins, block * BLOCK + n));
                let strongest = lines.fold(0.0, f32::max);
                prop_assert!(is_near(spectrum.strongest_lines(block), strongest));
            }
        }

        #[test]
        fn energies_are_those_of_plain_sums(all in prop::collection::vec(powers(), AFTER.len())) {
            let spectra: Vec<Spectrum> = all.iter().cloned().map(spectrum).collect();
            let count = spectra[0].blocks.len();
            let (mut blocks, mut energies) = (vec![0.0; count], vec![0.0; count + 1 - BAND_BLOCKS]);
            sum_energies(&spectra, &mut blocks, &mut energies);
            for (band, energy) in energies.iter().enumerate() {
                let bins = band * BLOCK..(band + BAND_BLOCKS) * BLOCK;
                let plain: f32 = all.iter().flat_map(|powers| &powers[bins.clone()]).sum();
                prop_assert!(is_near(*energy, plain), "{energy} for {plain} in band {band}");
            }
        }
    }
}
