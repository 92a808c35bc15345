//! Coherent soft demodulation of a burst, and the measurement of one whose symbols are known.
//!
//! The carrier's phase over a frame is a low-order polynomial (phase, frequency, drift and one
//! curvature): few parameters, estimated from all symbols together. The first estimate comes from
//! the known symbols and from the squared symbols, which carry no data; then decisions and phase
//! are improved in turn.

mod beginning;
mod envelope;
mod symbol_weights;

use std::f64::consts::{PI, TAU};
use std::fmt;
use std::sync::Arc;

use num_complex::{Complex32, Complex64};
use rustfft::{Fft, FftPlanner};

use crate::baseband::Baseband;
use crate::carrier::{Carrier, carrier_differences};
use crate::demodulator::envelope::Parts;
use crate::kernels::sums::{narrow, wide};
use crate::oscillator::Oscillator;
use crate::subbands::{SubbandGrid, SubbandHistory};

pub use envelope::Dips;

/// Symbols in the transforms that find a carrier, with silence after the frame's: some 200.
const TRANSFORM_SYMBOLS: usize = 512;
/// Symbols that are summed before they are transformed: what is searched lies within a tenth of the
/// symbol rate for the known symbols, and of the squares much nearer.
const KNOWN_BLOCK: usize = 2;
const SQUARES_BLOCK: usize = 8;
/// Drifts on each side of one that are told from it by what is left in the blocks' sums.
const NEAR_DRIFTS: i32 = 4;
/// The quadratic phase, in radians at the ends of the stretch, that a drift search may leave: over
/// the known symbols, and over all squared ones, where tracking follows.
const QUADRATIC_PHASE: f64 = 0.25;
const QUADRATIC_PHASE_SQUARED: f64 = 0.6;
/// Frequency error with which a burst may be handed in, as a share of the symbol rate.
const START_REACH: f64 = 0.1;
/// Drift error that the known symbols may leave: half of it times the square of half their length,
/// in cycles.
const DRIFT_REACH_CYCLES: f64 = 0.4;
/// Frequency error that the known symbols may leave at their middle, as a share of the symbol rate.
const FREQUENCY_REACH: f64 = 0.015;
/// Timing offsets at which the fit is tried, as shares of a symbol, one round after the other.
const TIMING_STEPS: [f64; 3] = [0.125, 0.0625, 0.0625];

/// The symbols of one burst, turned so that the data lies on the real axis.
#[derive(Debug, Clone)]
pub struct SoftFrame {
    /// One value a symbol; its real part is `±amplitude` and noise.
    pub symbols: Vec<Complex64>,
    /// Start of the first symbol, in seconds from the start of the recording.
    pub start_s: f64,
    /// The carrier, described at the middle of the burst.
    pub carrier: Carrier,
    /// Amplitude of the symbols, 1 is full scale.
    pub amplitude: f64,
    /// Variance of the noise in each of the two dimensions of a symbol, where nothing else is on the
    /// air.
    pub noise_variance: f64,
    /// By symbol, the share of that in the variance there: 1, and less where a burst of another system
    /// lies over this one.
    pub weights: Vec<f32>,
    /// How the envelope dips where the phase flips.
    pub dips: Dips,
    symbol_s: f64,
    /// What the symbols were taken from.
    baseband: Baseband,
    /// The carrier that was mixed out of it.
    mixed: Carrier,
}

impl SoftFrame {
    /// Energy of a symbol over the density of the noise that the burst itself shows (linear).
    #[must_use]
    pub fn es_over_n0(&self) -> f64 {
        self.amplitude * self.amplitude / (2.0 * self.noise_variance).max(f64::MIN_POSITIVE)
    }

    /// Measures the burst again, now that the signs (±1) of all its symbols are known.
    #[must_use]
    pub fn measure(&self, signs: &[f64]) -> Measurement {
        let mut track = Track::new(self.mixed, self.start_s, self.symbol_s, signs.len());
        track.seed(&self.baseband, signs);
        track.follow(&self.baseband, signs);
        let parts = track.parts(&self.baseband);
        let loss = envelope::loss(&parts, &track.signs, &track.weights);
        let lead = beginning::lead(track.before(&self.baseband), self.es_over_n0(), loss);
        Measurement {
            start_s: track.phase.start_s - lead * self.symbol_s,
            carrier: track.phase.carrier_at_middle(),
            power: envelope::power(&parts, signs),
            track: track.phase,
        }
    }
}

/// What was measured on a burst whose symbols are known.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Measurement {
    /// When the transmission began, in seconds from the start of the recording: with its first symbol, which
    /// of a polar transmitter is the ramp. Where the amplitude rises smoothly, that is where it has risen to
    /// half.
    pub start_s: f64,
    /// The carrier, described at the middle of the burst.
    pub carrier: Carrier,
    /// Mean power, 1 is that of a carrier at full scale.
    pub power: f64,
    /// Phase, and the start of the first of the symbols between which it turns.
    pub track: PhaseTrack,
}

/// The phase of a burst as a function of time: a carrier, and on top of it a sum of Legendre
/// polynomials over the burst. These are orthogonal, or nearly where some symbols count less, so that
/// each coefficient can be improved by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PhaseTrack {
    /// Start of the first symbol, in seconds from the start of the recording.
    pub start_s: f64,
    /// From the start of the first symbol to the end of the last, in seconds.
    pub duration_s: f64,
    carrier: Carrier,
    /// Radians.
    coefficients: [f64; 4],
}

impl PhaseTrack {
    fn new(carrier: Carrier, start_s: f64, duration_s: f64) -> Self {
        Self { start_s, duration_s, carrier, coefficients: [0.0; 4] }
    }

    /// The phase in radians at an instant as seen in a subband, relative to a constant of the
    /// subband. `centre_hz` is the subband's centre.
    #[must_use]
    pub fn phase_at(&self, time_s: f64, centre_hz: f64) -> f64 {
        let relative =
            Carrier { frequency_hz: self.carrier.frequency_hz - centre_hz, ..self.carrier };
        relative.phase_at(time_s) + self.correction_at(time_s)
    }

    /// The frequency at an instant, in hertz from the centre of the recording.
    #[must_use]
    pub fn frequency_at(&self, time_s: f64) -> f64 {
        let x = self.position(time_s);
        let [_, a1, a2, a3] = self.coefficients;
        let slope = a1 + a2 * 3.0 * x + a3 * (7.5 * x * x - 1.5);
        self.carrier.frequency_at(time_s) + slope * 2.0 / (TAU * self.duration_s)
    }

    /// Position of an instant within the burst: -1 at its start, 1 at its end.
    fn position(&self, time_s: f64) -> f64 {
        2.0 * (time_s - self.start_s) / self.duration_s - 1.0
    }

    /// What the polynomials add to the carrier's phase.
    fn correction_at(&self, time_s: f64) -> f64 {
        legendre(self.position(time_s)).iter().zip(&self.coefficients).map(|(p, a)| p * a).sum()
    }

    /// The carrier that the phase amounts to at the middle of the burst.
    fn carrier_at_middle(&self) -> Carrier {
        let half_s = self.duration_s / 2.0;
        let middle_s = self.start_s + half_s;
        // The second derivative of P2 is 3, that of P3 is zero in the middle.
        let [_, _, a2, _] = self.coefficients;
        Carrier {
            time_s: middle_s,
            frequency_hz: self.frequency_at(middle_s),
            drift_hz_per_s: self.carrier.drift_hz_per_s + 3.0 * a2 / (TAU * half_s * half_s),
        }
    }
}

/// Turns bursts of one symbol rate into soft symbols.
pub struct Demodulator {
    symbol_s: f64,
    most_drift_hz_per_s: f64,
    baseband: Baseband,
    known_search: CarrierSearch,
    squares_search: CarrierSearch,
    /// What the symbols are worth, see [`symbol_weights::weigh`].
    weights: Vec<f32>,
}

impl Demodulator {
    /// A demodulator for `symbol_rate_hz` that expects drifts up to `most_drift_hz_per_s`.
    #[must_use]
    pub fn new(symbol_rate_hz: f64, most_drift_hz_per_s: f64) -> Self {
        let symbol_s = 1.0 / symbol_rate_hz;
        Self {
            symbol_s,
            most_drift_hz_per_s,
            baseband: Baseband::default(),
            known_search: CarrierSearch::new(KNOWN_BLOCK, symbol_s, 1.0),
            squares_search: CarrierSearch::new(SQUARES_BLOCK, symbol_s, 2.0),
            weights: Vec::new(),
        }
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
    ) -> SoftFrame {
        let end_s = start_s + count as f64 * self.symbol_s;
        self.load(history, grid, &carrier, (start_s, end_s));
        self.acquire((start_s, carrier), known, count).track(known)
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
        let margin_s = 2.0 * self.symbol_s;
        let stretch = (from_s - margin_s, to_s + margin_s);
        self.baseband.extract(history, grid, carrier, 1.0 / self.symbol_s, stretch);
    }

    /// Finds the carrier of a burst in the stretch that was loaded, with the parameters of
    /// [`Demodulator::demodulate`].
    pub fn acquire(
        &mut self,
        (start_s, carrier): (f64, Carrier),
        known: &[f64],
        count: usize,
    ) -> Acquisition<'_> {
        let carrier = self.refine_on_known((start_s, carrier), known);
        let (carrier, coherence) = self.refine_on_squares(carrier, start_s, count, known.len());
        let (symbol_s, baseband) = (self.symbol_s, &mut self.baseband);
        Acquisition { coherence, carrier, start_s, symbol_s, count, baseband }
    }

    /// Frequency and drift by a search over the known symbols.
    fn refine_on_known(&mut self, (start_s, carrier): (f64, Carrier), known: &[f64]) -> Carrier {
        self.baseband.retune(&carrier);
        let symbols = self.baseband.means(start_s, self.symbol_s, known.len());
        let symbols: Vec<Complex32> =
            symbols.zip(known).map(|(z, &sign)| z * sign as f32).collect();
        let half_s = known.len() as f64 * self.symbol_s / 2.0;
        let region = Region {
            drift_hz_per_s: self.drift_reach(half_s),
            frequency_share: START_REACH,
            pivot_s: 0.0,
            quadratic_phase: QUADRATIC_PHASE,
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
        symbol_weights::weigh(&mut self.weights, symbols.iter().map(Complex32::norm_sqr));
        let squares = symbols.iter().map(|z| z * z / z.norm_sqr().sqrt().max(f32::MIN_POSITIVE));
        let squares: Vec<Complex32> = squares.zip(&self.weights).map(|(z, w)| z * w).collect();
        let all: f64 = squares.iter().map(|z| f64::from(z.norm_sqr().sqrt())).sum();
        let known_s = known as f64 * self.symbol_s / 2.0;
        let middle_s = count as f64 * self.symbol_s / 2.0;
        let region = Region {
            drift_hz_per_s: self.drift_reach(known_s),
            frequency_share: FREQUENCY_REACH,
            pivot_s: middle_s - known_s,
            quadratic_phase: QUADRATIC_PHASE_SQUARED,
        };
        let carrier = carrier.described_at(start_s + middle_s);
        let (carrier, gathered) = self.squares_search.best(carrier, &squares, &region);
        (carrier, gathered / all.max(f64::MIN_POSITIVE))
    }

    /// How far off the drift may be after a search over known symbols of this half length, in Hz/s.
    fn drift_reach(&self, half_s: f64) -> f64 {
        self.most_drift_hz_per_s.min(DRIFT_REACH_CYCLES / (half_s * half_s))
    }
}

impl fmt::Debug for Demodulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Demodulator")
            .field("symbol_s", &self.symbol_s)
            .field("most_drift_hz_per_s", &self.most_drift_hz_per_s)
            .finish_non_exhaustive()
    }
}

/// A carrier that was found over a whole burst, to be tracked.
#[derive(Debug)]
pub struct Acquisition<'a> {
    /// Share of the squared symbols that adds up on this carrier, 0 to 1. In noise it is the largest of
    /// all carriers tried, a quarter over 200 symbols.
    pub coherence: f64,
    carrier: Carrier,
    start_s: f64,
    symbol_s: f64,
    count: usize,
    baseband: &'a mut Baseband,
}

impl Acquisition<'_> {
    /// Follows the phase and the timing over the burst, of which the first symbols are known (±1).
    #[must_use]
    pub fn track(self, known: &[f64]) -> SoftFrame {
        self.baseband.retune(&self.carrier);
        let mut track = Track::new(self.carrier, self.start_s, self.symbol_s, self.count);
        track.seed(self.baseband, known);
        let symbols = track.follow(self.baseband, known);
        let dips = Dips::measure(&track.parts(self.baseband), &track.signs, &track.weights);
        SoftFrame {
            symbols: symbols.into_iter().map(wide).collect(),
            start_s: track.phase.start_s,
            carrier: track.phase.carrier_at_middle(),
            amplitude: track.amplitude,
            noise_variance: track.noise_variance,
            weights: track.weights,
            dips,
            symbol_s: self.symbol_s,
            baseband: self.baseband.snapshot(),
            mixed: self.carrier,
        }
    }
}

/// Where a carrier is searched.
struct Region {
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
    fn best(&mut self, carrier: Carrier, symbols: &[Complex32], region: &Region) -> (Carrier, f64) {
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
            let drift = f64::from(middle) * drift_step;
            let shift_hz = drift * region.pivot_s;
            self.sum_blocks(symbols, drift, shift_hz);
            for near in -NEAR_DRIFTS..=NEAR_DRIFTS {
                let near_drift = f64::from(near) * drift_step;
                if (middle + near).abs() > drift_steps {
                    continue;
                }
                self.transform_with(near);
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
            let turns = Oscillator::new(carrier_differences(&chirp, step_s / 2.0 - half_s, step_s));
            self.near_drifts.extend(turns.take(blocks).map(narrow));
        }
    }

    /// Sums the symbols up by blocks, freed of a drift and a shift of the frequency.
    fn sum_blocks(&mut self, symbols: &[Complex32], drift_hz_per_s: f64, shift_hz: f64) {
        let half_s = symbols.len() as f64 * self.symbol_s / 2.0;
        let chirp = self.chirp(shift_hz, drift_hz_per_s);
        let first_s = self.symbol_s / 2.0 - half_s;
        let mut turns = Oscillator::new(carrier_differences(&chirp, first_s, self.symbol_s));
        self.blocks.clear();
        self.blocks.extend(symbols.chunks(self.block).map(|block| {
            let freed = block.iter().zip(&mut turns).map(|(symbol, turn)| symbol * narrow(turn));
            freed.sum::<Complex32>()
        }));
    }

    /// Transforms the blocks' sums as one of the drifts near theirs has them.
    fn transform_with(&mut self, near: i32) {
        let count = self.blocks.len();
        let turns = &self.near_drifts[(near + NEAR_DRIFTS) as usize * count..];
        let (sums, silence) = self.transform.split_at_mut(count);
        for ((out, block), turn) in sums.iter_mut().zip(&self.blocks).zip(turns) {
            *out = block * turn;
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

/// The hyperbolic tangent to 0.024, by the first terms of its continued fraction.
fn soft_sign(x: f32) -> f32 {
    let x = x.clamp(-3.0, 3.0);
    x * (27.0 + x * x) / (27.0 + 9.0 * x * x)
}

/// The state of tracking: timing, phase and level.
struct Track {
    phase: PhaseTrack,
    symbol_s: f64,
    count: usize,
    amplitude: f64,
    noise_variance: f64,
    /// Expected signs of the symbols.
    signs: Vec<f32>,
    /// What the symbols are worth, see [`symbol_weights::weigh`].
    weights: Vec<f32>,
}

impl Track {
    fn new(mixed: Carrier, start_s: f64, symbol_s: f64, count: usize) -> Self {
        Self {
            phase: PhaseTrack::new(mixed, start_s, count as f64 * symbol_s),
            symbol_s,
            count,
            amplitude: 0.0,
            noise_variance: 0.0,
            signs: Vec::with_capacity(count),
            weights: vec![1.0; count],
        }
    }

    /// What takes the tracked phase out of each symbol.
    fn turns(&self) -> Vec<Complex32> {
        self.turning().take(self.count).map(narrow).collect()
    }

    /// The same one after the other.
    fn turning(&self) -> Oscillator<4> {
        let middle_s = |n: f64| self.phase.start_s + (n + 0.5) * self.symbol_s;
        Oscillator::following(|n| self.phase.correction_at(middle_s(n)))
    }

    /// The symbols at another timing, turned.
    fn symbols_at(
        &self,
        baseband: &Baseband,
        offset_s: f64,
        turns: &[Complex32],
    ) -> Vec<Complex32> {
        let means = baseband.means(self.phase.start_s + offset_s, self.symbol_s, self.count);
        means.zip(turns).map(|(mean, turn)| mean * turn).collect()
    }

    fn symbols(&self, baseband: &Baseband) -> Vec<Complex32> {
        self.symbols_at(baseband, 0.0, &self.turns())
    }

    /// The symbols in parts. Within a symbol the phase stands still.
    fn parts(&self, baseband: &Baseband) -> Vec<Parts> {
        let part_s = self.symbol_s / envelope::PARTS as f64;
        let count = envelope::PARTS * self.count;
        let means: Vec<Complex32> = baseband.means(self.phase.start_s, part_s, count).collect();
        let parts = means.as_chunks::<{ envelope::PARTS }>().0.iter().zip(self.turns());
        parts.map(|(parts, turn)| parts.map(|part| part * turn)).collect()
    }

    /// The mean before the first symbol over the amplitude, turned to that symbol's sign.
    fn before(&self, baseband: &Baseband) -> f64 {
        let span_s = beginning::BEFORE * self.symbol_s;
        let mean = baseband.means(self.phase.start_s - span_s, span_s, 1).next();
        let turn = self.turning().next();
        let (Some(mean), Some(turn), Some(sign)) = (mean, turn, self.signs.first()) else {
            return 0.0;
        };
        f64::from((mean * narrow(turn)).re * sign) / self.amplitude.max(f64::MIN_POSITIVE)
    }

    /// The first phase: its double from the squares of all symbols, its sign from the known ones.
    fn seed(&mut self, baseband: &Baseband, known: &[f64]) {
        let symbols = self.symbols(baseband);
        // Before the phase is known, the noise shows in the power only.
        symbol_weights::weigh(&mut self.weights, symbols.iter().map(Complex32::norm_sqr));
        let weighted = symbols.iter().zip(&self.weights).map(|(symbol, weight)| symbol * weight);
        let symbols: Vec<Complex64> = weighted.map(wide).collect();
        let squares: Complex64 = symbols.iter().map(|z| z * z).sum();
        let coherent: Complex64 = symbols.iter().zip(known).map(|(z, sign)| z * sign).sum();
        let half = squares.arg() / 2.0;
        let agrees = (coherent * Complex64::from_polar(1.0, -half)).re >= 0.0;
        let all_known = known.len() >= symbols.len();
        self.phase.coefficients[0] = match (all_known, agrees) {
            (true, _) => coherent.arg(),
            (false, true) => half,
            (false, false) => half + PI,
        };
        let turn = Complex64::from_polar(1.0, -self.phase.coefficients[0]);
        let noise = symbols.iter().map(|z| (z * turn).im.powi(2)).sum::<f64>();
        let worth = |count: usize| self.weights.iter().take(count).sum::<f32>().into();
        self.amplitude = coherent.norm() / f64::max(worth(known.len()), f64::MIN_POSITIVE);
        self.noise_variance = noise / f64::max(worth(symbols.len()), f64::MIN_POSITIVE);
    }

    /// Improves phase and timing in turn; returns the symbols at the end.
    fn follow(&mut self, baseband: &Baseband, known: &[f64]) -> Vec<Complex32> {
        for step in TIMING_STEPS {
            self.improve(&self.symbols(baseband), known);
            self.adjust_timing(baseband, known, step);
        }
        let symbols = self.symbols(baseband);
        symbol_weights::weigh(
            &mut self.weights,
            symbols.iter().map(|symbol| symbol.im * symbol.im),
        );
        self.improve(&symbols, known);
        let symbols = self.symbols(baseband);
        self.fit_level(&symbols, known);
        symbols
    }

    /// One round: decide softly, then move the phase and amplitude to what the decisions say.
    fn improve(&mut self, symbols: &[Complex32], known: &[f64]) {
        self.fit_level(symbols, known);
        self.expect_signs(symbols, known);
        let mut numerator = [0.0; 4];
        let mut denominator = [0.0; 4];
        let worth = self.signs.iter().zip(&self.weights);
        for (k, (symbol, (&sign, &weight))) in symbols.iter().zip(worth).enumerate() {
            let error = f64::from(symbol.im * sign * weight);
            let weight = self.amplitude * f64::from(sign * sign * weight);
            let x = (2.0 * k as f64 + 1.0) / self.count as f64 - 1.0;
            for (i, p) in legendre(x).into_iter().enumerate() {
                numerator[i] += error * p;
                denominator[i] += weight * p * p;
            }
        }
        let sums = numerator.iter().zip(&denominator);
        for (coefficient, (n, d)) in self.phase.coefficients.iter_mut().zip(sums) {
            *coefficient += (n / d.max(f64::MIN_POSITIVE)).clamp(-0.7, 0.7);
        }
    }

    /// Notes the expected signs of symbols, -1 to 1: known for the first, from the symbols themselves
    /// for the rest.
    fn expect_signs(&mut self, symbols: &[Complex32], known: &[f64]) {
        let reliability = (self.amplitude / self.noise_variance.max(f64::MIN_POSITIVE)) as f32;
        self.signs.clear();
        self.signs.extend(known.iter().take(symbols.len()).map(|&sign| sign as f32));
        let known = self.signs.len();
        let unknown = symbols[known..].iter().zip(&self.weights[known..]);
        self.signs.extend(unknown.map(|(z, weight)| soft_sign(reliability * weight * z.re)));
    }

    fn fit_level(&mut self, symbols: &[Complex32], known: &[f64]) {
        self.expect_signs(symbols, known);
        let (mut product, mut power, mut noise, mut worth) = (0.0, 0.0, 0.0, 0.0);
        for (symbol, (&sign, &weight)) in symbols.iter().zip(self.signs.iter().zip(&self.weights)) {
            product += f64::from(symbol.re * sign * weight);
            power += f64::from(sign * sign * weight);
            noise += f64::from(symbol.im * symbol.im * weight);
            worth += f64::from(weight);
        }
        self.amplitude = (product / power.max(f64::MIN_POSITIVE)).max(0.0);
        self.noise_variance = noise / worth.max(f64::MIN_POSITIVE);
    }

    /// Moves the timing by up to `step` of a symbol to where the symbols are largest.
    fn adjust_timing(&mut self, baseband: &Baseband, known: &[f64], step: f64) {
        let step_s = step * self.symbol_s;
        let turns = self.turns();
        let mut strength = |offset_s: f64| -> f64 {
            let symbols = self.symbols_at(baseband, offset_s, &turns);
            self.expect_signs(&symbols, known);
            let worth = self.signs.iter().zip(&self.weights);
            symbols
                .iter()
                .zip(worth)
                .map(|(z, (sign, weight))| f64::from(z.re * sign * weight))
                .sum()
        };
        let (early, here, late) = (strength(-step_s), strength(0.0), strength(step_s));
        let curvature = early - 2.0 * here + late;
        let offset = if curvature < 0.0 {
            ((early - late) / (2.0 * curvature)).clamp(-1.0, 1.0)
        } else {
            (late - early).signum()
        };
        self.phase.start_s += offset * step_s;
    }
}

/// The Legendre polynomials of degree 0 to 3.
fn legendre(x: f64) -> [f64; 4] {
    [1.0, x, 1.5 * x * x - 0.5, (2.5 * x * x - 1.5) * x]
}
