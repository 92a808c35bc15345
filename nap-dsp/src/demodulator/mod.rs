//! Coherent soft demodulation of a burst, and the measurement of one whose symbols are known.
//!
//! A line fitted to the squared symbols, which carry no data, or else the mean over the known symbols is mixed
//! out of a burst. What the carrier does beyond that is followed by forward-backward passes over a grid of phase
//! and frequency: with the first of a few models of how carriers wander after which the next is not likelier. How
//! much likelier a burst's phases are with such a carrier than by chance tells it from noise.

mod beginning;
mod envelope;
pub(crate) mod forward_backward;
mod iterative_detector;
mod parabola;
pub(crate) mod phase_track;
mod soft_frame;
mod symbol_weights;
mod tracker;
mod tuning;

use std::f64::consts::{PI, TAU};
use std::fmt;
use std::sync::Arc;

use num_complex::Complex32;
use rustfft::{Fft, FftPlanner};

use crate::baseband::Baseband;
use crate::carrier::{Carrier, carrier_differences};
use crate::demodulator::tracker::{Acquisition, Start, Tracker};
use crate::kernels::sums::to_c32;
use crate::oscillator::Oscillator;
use crate::subbands::{SubbandGrid, SubbandHistory};

pub use envelope::Notches;
pub use forward_backward::{Fading, Wander};
pub use iterative_detector::IterativeDetector;
pub use phase_track::PhaseTrack;
pub use soft_frame::{Measurement, SoftFrame};
pub use tracker::HalfTurn;
pub use tuning::Tuning;

/// Symbols in the transforms that find a carrier, with silence after the frame's: some 200.
const TRANSFORM_SYMBOLS: usize = 512;
/// Symbols that are summed before they are transformed: what is searched lies within a tenth of the
/// symbol rate for the known symbols, and of the squares much nearer.
const KNOWN_BLOCK: usize = 2;
const SQUARES_BLOCK: usize = 8;
/// Drifts on each side of one that are told from it by what is left in the blocks' sums.
const NEAR_DRIFTS: i32 = 4;

/// Turns bursts of one symbol rate into soft symbols.
pub struct Demodulator {
    tuning: Tuning,
    /// By the bit rate, and by the clock of the burst that is looked at.
    nominal_symbol_s: f64,
    symbol_s: f64,
    max_drift_hz_per_s: f64,
    /// In a symbol; 0 if it is not known.
    expected_noise: f64,
    baseband: Baseband,
    known_search: CarrierSearch,
    squares_search: CarrierSearch,
    /// The weights of the symbols, see [`symbol_weights::weigh`].
    weights: Vec<f32>,
    tracker: Tracker,
}

impl Demodulator {
    /// A demodulator for `symbol_rate_hz` that expects drifts up to `max_drift_hz_per_s`.
    #[must_use]
    pub fn new(symbol_rate_hz: f64, max_drift_hz_per_s: f64) -> Self {
        let (symbol_s, tuning) = (1.0 / symbol_rate_hz, Tuning::default());
        Self {
            tuning,
            nominal_symbol_s: symbol_s,
            symbol_s,
            max_drift_hz_per_s,
            expected_noise: 0.0,
            baseband: Baseband::default(),
            known_search: CarrierSearch::new(KNOWN_BLOCK, symbol_s, 1.0),
            squares_search: CarrierSearch::new(SQUARES_BLOCK, symbol_s, 2.0),
            weights: Vec::new(),
            tracker: Tracker::new(tuning),
        }
    }

    /// The same with other search parameters and thresholds.
    #[must_use]
    pub fn tuned(self, tuning: Tuning) -> Self {
        Self { tuning, tracker: Tracker::new(tuning), ..self }
    }

    /// Demodulates `count` symbols from `start_s` on, of which the first are known as `known` (±1).
    ///
    /// `carrier` must be right to a tenth of the symbol rate over the known symbols. More than 512
    /// symbols do not help to find it.
    pub fn demodulate(
        &mut self,
        history: &SubbandHistory,
        grid: &SubbandGrid,
        (start_s, carrier): (f64, Carrier),
        known: &[f64],
        count: usize,
    ) -> Option<SoftFrame> {
        let end_s = start_s + count as f64 * self.nominal_symbol_s;
        self.load(history, grid, &carrier, (start_s, end_s));
        self.acquire((start_s, carrier), known, count, 0.0)
    }

    /// Takes in the stretch `from_s`..`to_s` around a carrier, in which [`Demodulator::acquire`] then
    /// finds bursts that may have begun at different times, on carriers that differ by less than the
    /// symbol rate.
    pub fn load(
        &mut self,
        history: &SubbandHistory,
        grid: &SubbandGrid,
        carrier: &Carrier,
        (from_s, to_s): (f64, f64),
    ) {
        let margin_s = soft_frame::MARGIN_SYMBOLS * self.nominal_symbol_s;
        let stretch = (from_s - margin_s, to_s + margin_s);
        self.baseband.extract(history, grid, carrier, 1.0 / self.nominal_symbol_s, stretch);
    }

    /// Finds the carrier of a burst in the stretch that was loaded, with the parameters of
    /// [`Demodulator::demodulate`]. By the transmitter's clock a symbol lasts longer by the share `clock_error`, see
    /// [`Demodulator::clock_error`].
    pub fn acquire(
        &mut self,
        (start_s, carrier): (f64, Carrier),
        known: &[f64],
        count: usize,
        clock_error: f64,
    ) -> Option<SoftFrame> {
        self.symbol_s = self.nominal_symbol_s * (1.0 + clock_error);
        // 1. A line through the known symbols, and from there one through the squares of all.
        let of_known = self.refine_on_known((start_s, carrier), known);
        let (of_squares, coherence) = self.refine_on_squares(of_known, start_s, count, known.len());
        // 2. Around which carrier, and by which model, the burst is likeliest.
        let likeliest = if coherence >= self.tuning.steady_coherence {
            self.likeliest_around(of_squares, start_s, (known, count), &[Wander::STEADY])
        } else {
            self.choose_carrier((start_s, carrier), (of_squares, coherence), known, count)?
        };
        if !likeliest.is_burst(&self.tuning) {
            return None;
        }
        // 3. Timing, level and phases by that model; last, the half turns that fades leave open.
        let mixed = self.follow(&likeliest, known, count);
        self.tracker.is_burst().then(|| self.soft_frame(mixed))
    }

    /// Follows a burst as it was found. Returns the carrier that was mixed out of it.
    fn follow(&mut self, acquisition: &Acquisition, known: &[f64], count: usize) -> Carrier {
        let carrier = acquisition.start.carrier;
        self.baseband.retune(&carrier);
        self.tracker.coarse_fit(&self.baseband, acquisition, known, count);
        if acquisition.wander == self.tuning.models[0] {
            // It wanders little, and maybe not at all.
            let ln_ratio = self.tracker.ln_ratio(acquisition.wander);
            let steady = self.tracker.steady_carrier(known);
            self.baseband.retune(&steady);
            if self.tracker.follow(&self.baseband, steady, Wander::STILL) >= ln_ratio {
                self.tracker.finish();
                return steady;
            }
            self.baseband.retune(&carrier);
        }
        self.tracker.follow(&self.baseband, carrier, acquisition.wander);
        self.tracker.finish();
        carrier
    }

    /// The burst that was followed after this carrier was mixed out of it.
    fn soft_frame(&self, mixed: Carrier) -> SoftFrame {
        let Self { tracker, baseband, tuning, symbol_s, .. } = self;
        let track = tracker.track();
        let parts = tracker.parts(baseband, &track);
        let notches = Notches::measure(&parts, &tracker.expected_signs(), tracker.weights());
        SoftFrame {
            symbols: tracker.derotated(),
            start_s: track.start_s,
            carrier: track.carrier_at_middle(&tracker.certainties()),
            amplitude: tracker.amplitude(),
            noise_variance: tracker.noise_density() / 2.0,
            weights: tracker.weights().to_vec(),
            notches,
            soft_signs: tracker.soft_signs().to_vec(),
            half_turns: tracker.half_turns().to_vec(),
            decided_signs: tracker.decided_signs().to_vec(),
            wander: tracker.wander(),
            ln_likelihood_ratio: tracker.ln_likelihood_ratio(),
            scaled: tracker.scaled().to_vec(),
            symbol_s: *symbol_s,
            baseband: baseband.snapshot(),
            mixed,
            tuning: *tuning,
        }
    }

    /// By what share the symbols of a burst last longer than they should, if that is not next to nothing: where the
    /// boundaries of symbols are where they are taken to be, most of their energy is gathered. The parameters are
    /// those of [`Demodulator::acquire`].
    #[must_use]
    pub fn clock_error(&mut self, (start_s, carrier): (f64, Carrier), count: usize) -> Option<f64> {
        self.baseband.retune(&carrier);
        let energy = |error: f64| -> f64 {
            let symbols =
                self.baseband.means(start_s, self.nominal_symbol_s * (1.0 + error), count);
            symbols.map(|symbol| f64::from(symbol.norm_sqr())).sum()
        };
        let Tuning { max_clock_error, clock_step, min_clock_deviations, min_clock_gain, .. } =
            self.tuning;
        let steps = (max_clock_error / clock_step).round() as i32;
        let errors = (-steps..=steps).map(|step| f64::from(step) * clock_step);
        let gathered = errors.map(|error| (error, energy(error)));
        let (error, most) = gathered.max_by(|(_, a), (_, b)| a.total_cmp(b))?;
        let (noise, nominal) = (self.expected_noise, energy(0.0));
        let signal = (nominal / count as f64 - noise).max(0.0);
        let deviation = (count as f64 * noise * (noise + 2.0 * signal)).sqrt();
        let min_gain = (min_clock_deviations * deviation).max(min_clock_gain * nominal);
        (error != 0.0 && most - nominal >= min_gain).then_some(error)
    }

    /// Around which carrier a burst is likeliest: the line that fits its squares, or that of its beginning.
    fn choose_carrier(
        &mut self,
        beginning: (f64, Carrier),
        (of_squares, coherence): (Carrier, f64),
        known: &[f64],
        count: usize,
    ) -> Option<Acquisition> {
        let steady = (coherence >= self.tuning.min_coherence).then(|| {
            let models = self.tuning.models;
            self.likeliest_around(of_squares, beginning.0, (known, count), &models)
        });
        // Where no line fits all along the burst, the known symbols tell where it begins.
        let bent = (coherence < self.tuning.clear_coherence)
            .then(|| self.likeliest_bent(beginning, known, count));
        let by_likelihood = |a: &Acquisition, b: &Acquisition| {
            a.ln_likelihood_ratio.total_cmp(&b.ln_likelihood_ratio)
        };
        steady.into_iter().chain(bent).max_by(by_likelihood)
    }

    /// How likely a burst is around a carrier that is mixed out of it, with the likeliest of the models.
    fn likeliest_around(
        &mut self,
        carrier: Carrier,
        start_s: f64,
        symbols: (&[f64], usize),
        wanders: &[Wander],
    ) -> Acquisition {
        self.baseband.retune(&carrier);
        let start = Start { carrier, start_s, symbol_s: self.symbol_s };
        self.tracker.compare_models(&self.baseband, start, symbols, 0.0, wanders.iter().copied())
    }

    /// The same around the carrier at the end of the known symbols.
    fn likeliest_bent(
        &mut self,
        (start_s, carrier): (f64, Carrier),
        known: &[f64],
        count: usize,
    ) -> Acquisition {
        let carrier = self.mean_carrier((start_s, carrier), known);
        self.baseband.retune(&carrier);
        let start = Start { carrier, start_s, symbol_s: self.symbol_s };
        let (symbols, noise) = ((known, count), self.expected_noise);
        let wanders = self.tuning.models.into_iter().rev();
        self.tracker.compare_models(&self.baseband, start, symbols, noise, wanders)
    }

    /// Tells what noise to expect, in (full scale)² per hertz: it helps to tell how strong a burst is whose
    /// carrier wanders. 0 if it is not known.
    pub fn expect_noise(&mut self, density: f64) {
        self.expected_noise = density / self.nominal_symbol_s;
    }

    /// The mean frequency over the later half of the known symbols, by the changes of their phase: at first a carrier
    /// may settle.
    fn mean_carrier(&mut self, (start_s, carrier): (f64, Carrier), known: &[f64]) -> Carrier {
        let half_s = known.len() as f64 * self.symbol_s / 2.0;
        let middle = carrier.described_at(start_s + half_s);
        let carrier = Carrier { drift_hz_per_s: 0.0, ..middle };
        self.baseband.retune(&carrier);
        let symbols = self.baseband.means(start_s, self.symbol_s, known.len());
        let symbols: Vec<Complex32> =
            symbols.zip(known).map(|(z, &sign)| z * sign as f32).collect();
        let later = symbols.windows(2).skip(symbols.len() / 2);
        let change: Complex32 = later.map(|pair| pair[1] * pair[0].conj()).sum();
        let offset_hz = f64::from(change.arg()) / (TAU * self.symbol_s);
        Carrier { frequency_hz: carrier.frequency_hz + offset_hz, ..carrier }
    }

    /// Frequency and drift by a search over the known symbols.
    fn refine_on_known(&mut self, (start_s, carrier): (f64, Carrier), known: &[f64]) -> Carrier {
        self.baseband.retune(&carrier);
        let symbols = self.baseband.means(start_s, self.symbol_s, known.len());
        let symbols: Vec<Complex32> =
            symbols.zip(known).map(|(z, &sign)| z * sign as f32).collect();
        let half_s = known.len() as f64 * self.symbol_s / 2.0;
        let region = SearchRegion {
            drift_hz_per_s: self.drift_reach(half_s),
            frequency_share: self.tuning.start_reach,
            pivot_s: 0.0,
            quadratic_phase: self.tuning.quadratic_phase,
        };
        self.known_search.best(carrier.described_at(start_s + half_s), &symbols, &region).0
    }

    /// Frequency and drift by a search over the squares of all symbols, and their coherence.
    fn refine_on_squares(
        &mut self,
        carrier: Carrier,
        start_s: f64,
        count: usize,
        known: usize,
    ) -> (Carrier, f64) {
        self.baseband.retune(&carrier);
        let symbols = self.baseband.means(start_s, self.symbol_s, count);
        let symbols: Vec<Complex32> = symbols.collect();
        let min_ratio = self.tuning.min_interference_ratio;
        let powers = symbols.iter().map(Complex32::norm_sqr);
        symbol_weights::weigh(&mut self.weights, min_ratio, powers);
        let squares = symbols.iter().map(|z| z * z / z.norm_sqr().sqrt().max(f32::MIN_POSITIVE));
        let squares: Vec<Complex32> = squares.zip(&self.weights).map(|(z, w)| z * w).collect();
        let all: f64 = squares.iter().map(|z| f64::from(z.norm_sqr().sqrt())).sum();
        let known_s = known as f64 * self.symbol_s / 2.0;
        let middle_s = count as f64 * self.symbol_s / 2.0;
        let region = SearchRegion {
            drift_hz_per_s: self.drift_reach(known_s),
            frequency_share: self.tuning.frequency_reach,
            pivot_s: middle_s - known_s,
            quadratic_phase: self.tuning.quadratic_phase_squared,
        };
        let carrier = carrier.described_at(start_s + middle_s);
        let (carrier, gathered) = self.squares_search.best(carrier, &squares, &region);
        (carrier, gathered / all.max(f64::MIN_POSITIVE))
    }

    /// How far off the drift may be after a search over known symbols of this half length, in Hz/s.
    fn drift_reach(&self, half_s: f64) -> f64 {
        self.max_drift_hz_per_s.min(self.tuning.drift_reach_cycles / (half_s * half_s))
    }
}

impl fmt::Debug for Demodulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Demodulator")
            .field("symbol_s", &self.symbol_s)
            .field("max_drift_hz_per_s", &self.max_drift_hz_per_s)
            .finish_non_exhaustive()
    }
}

/// Where a carrier is searched.
struct SearchRegion {
    /// Largest change of the drift.
    drift_hz_per_s: f64,
    /// Largest change of the frequency at the pivot, as a share of the symbol rate.
    frequency_share: f64,
    /// How long before the middle of the symbols the frequency is known best, in seconds: another
    /// drift turns around that instant.
    pivot_s: f64,
    /// The quadratic phase, in radians at the ends, that may stay.
    quadratic_phase: f64,
}

/// Searches frequency and drift of a carrier over symbols raised to a power that frees them of data.
struct CarrierSearch {
    block: usize,
    symbol_s: f64,
    power: f64,
    fft: Arc<dyn Fft<f32>>,
    fft_scratch: Vec<Complex32>,
    transform: Vec<Complex32>,
    blocks: Vec<Complex32>,
    /// What turns the blocks' sums to each of the drifts near theirs, one after the other.
    near_drifts: Vec<Complex32>,
}

impl CarrierSearch {
    fn new(block: usize, symbol_s: f64, power: f64) -> Self {
        let length = TRANSFORM_SYMBOLS / block;
        let fft = FftPlanner::new().plan_fft_forward(length);
        Self {
            block,
            symbol_s,
            power,
            fft_scratch: vec![Complex32::default(); fft.get_inplace_scratch_len()],
            fft,
            transform: vec![Complex32::default(); length],
            blocks: Vec::new(),
            near_drifts: Vec::new(),
        }
    }

    /// The carrier near `carrier`, both described at the middle of `symbols`, whose removal adds the
    /// symbols up best, and the magnitude of their sum.
    fn best(
        &mut self,
        carrier: Carrier,
        symbols: &[Complex32],
        region: &SearchRegion,
    ) -> (Carrier, f64) {
        // 1. The drifts and frequencies to try.
        let half_s = symbols.len() as f64 * self.symbol_s / 2.0;
        let drift_step = 2.0 * region.quadratic_phase / (PI * self.power * half_s * half_s);
        // None where even the largest drift would not be seen over these symbols.
        let drift_steps = (region.drift_hz_per_s / drift_step).round() as i32;
        let bins_per_hz = self.power * TRANSFORM_SYMBOLS as f64 * self.symbol_s;
        let reach = (region.frequency_share * self.power * TRANSFORM_SYMBOLS as f64) as i32;
        self.prepare_near_drifts(symbols.len().div_ceil(self.block), drift_step, half_s);
        let groups = (drift_steps + NEAR_DRIFTS) / (2 * NEAR_DRIFTS + 1);
        let mut best = (carrier, 0.0);
        for middle in (-groups..=groups).map(|group| group * (2 * NEAR_DRIFTS + 1)) {
            // 2. Of a group of drifts, the middle one is mixed out of all symbols, which are summed by blocks.
            let drift = f64::from(middle) * drift_step;
            let shift_hz = drift * region.pivot_s;
            self.sum_blocks(symbols, drift, shift_hz);
            for near in -NEAR_DRIFTS..=NEAR_DRIFTS {
                let near_drift = f64::from(near) * drift_step;
                if (middle + near).abs() > drift_steps {
                    continue;
                }
                // 3. What a near drift differs by is mixed out of the blocks' sums; a transform tries all frequencies.
                self.transform_with(near);
                // 4. A drift moves the frequency at the middle of the known symbols: around that is looked.
                let expected = (near_drift * region.pivot_s * bins_per_hz).round() as i32;
                let (power, bin) = self.peak(expected, reach);
                if power > best.1 {
                    let frequency_hz =
                        carrier.frequency_hz + shift_hz + f64::from(bin) / bins_per_hz;
                    let drift_hz_per_s = carrier.drift_hz_per_s + drift + near_drift;
                    best = (Carrier { frequency_hz, drift_hz_per_s, ..carrier }, power);
                }
            }
        }
        (best.0, f64::from(best.1).sqrt())
    }

    /// A linear chirp with zero drift frequency in the middle, as the symbols' power sees it.
    fn chirp(&self, frequency_hz: f64, drift_hz_per_s: f64) -> Carrier {
        Carrier {
            time_s: 0.0,
            frequency_hz: self.power * frequency_hz,
            drift_hz_per_s: self.power * drift_hz_per_s,
        }
    }

    fn prepare_near_drifts(&mut self, blocks: usize, drift_step: f64, half_s: f64) {
        self.near_drifts.clear();
        let step_s = self.block as f64 * self.symbol_s;
        for near in -NEAR_DRIFTS..=NEAR_DRIFTS {
            let chirp = self.chirp(0.0, f64::from(near) * drift_step);
            let phasors =
                Oscillator::new(carrier_differences(&chirp, step_s / 2.0 - half_s, step_s));
            self.near_drifts.extend(phasors.take(blocks).map(to_c32));
        }
    }

    /// Sums the symbols up by blocks, a drift and a shift of the frequency mixed out.
    fn sum_blocks(&mut self, symbols: &[Complex32], drift_hz_per_s: f64, shift_hz: f64) {
        let half_s = symbols.len() as f64 * self.symbol_s / 2.0;
        let chirp = self.chirp(shift_hz, drift_hz_per_s);
        let first_s = self.symbol_s / 2.0 - half_s;
        let mut phasors = Oscillator::new(carrier_differences(&chirp, first_s, self.symbol_s));
        self.blocks.clear();
        self.blocks.extend(symbols.chunks(self.block).map(|block| {
            let derotated =
                block.iter().zip(&mut phasors).map(|(symbol, phasor)| symbol * to_c32(phasor));
            derotated.sum::<Complex32>()
        }));
    }

    /// Transforms the blocks' sums as one of the drifts near theirs has them.
    fn transform_with(&mut self, near: i32) {
        let count = self.blocks.len();
        let phasors = &self.near_drifts[(near + NEAR_DRIFTS) as usize * count..];
        let (sums, silence) = self.transform.split_at_mut(count);
        for ((out, block), phasor) in sums.iter_mut().zip(&self.blocks).zip(phasors) {
            *out = block * phasor;
        }
        silence.fill(Complex32::default());
        self.fft.process_with_scratch(&mut self.transform, &mut self.fft_scratch);
    }

    /// The largest power within reach of a bin, and its bin.
    fn peak(&self, expected: i32, reach: i32) -> (f32, i32) {
        // The length is a power of two.
        let last = self.transform.len() - 1;
        let power = |bin: i32| self.transform[bin as usize & last].norm_sqr();
        (expected - reach..=expected + reach)
            .map(|bin| (power(bin), bin))
            .fold((0.0, expected), |best, this| if this.0 > best.0 { this } else { best })
    }
}
