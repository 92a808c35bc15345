//! From a subband to the baseband of one burst.

use std::f64::consts::TAU;

use multiversion::multiversion;
use num_complex::{Complex32, Complex64};

use crate::channelizer::{SubbandGrid, SubbandHistory};
use crate::kernels::median::median;
use crate::kernels::sums::{count_from, narrow, sum, wide};
use crate::oscillator::{Oscillator, take_out};

/// Samples a symbol after decimation, about. Enough for a matched filter by integration.
const SAMPLES_A_SYMBOL: f64 = 16.0;
/// Samples among which impulses stand out: some 30 ms.
const IMPULSE_WINDOW: usize = 320;
/// Samples that have this many times the power of the median are part of an impulse. Of noise alone, one
/// in four thousand is taken for one.
const IMPULSE_POWER: f32 = 12.0;
/// Of so many samples one tells the median well enough.
const SAMPLED: usize = 4;
/// If more than this share stands out it is no impulse: another signal begins or ends.
const MOST_IMPULSES: f32 = 0.3;

/// A carrier whose frequency changes linearly with time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Carrier {
    /// The instant at which the frequency holds, in seconds from the start of the recording.
    pub time_s: f64,
    /// Frequency at that instant, in hertz from the centre of the recording.
    pub frequency_hz: f64,
    /// Change of the frequency.
    pub drift_hz_per_s: f64,
}

impl Carrier {
    /// The frequency at another instant.
    #[must_use]
    pub fn frequency_at(&self, time_s: f64) -> f64 {
        self.frequency_hz + self.drift_hz_per_s * (time_s - self.time_s)
    }

    /// The phase at another instant, in radians, relative to that at `time_s`.
    #[must_use]
    pub fn phase_at(&self, time_s: f64) -> f64 {
        let elapsed_s = time_s - self.time_s;
        TAU * elapsed_s * (self.frequency_hz + self.drift_hz_per_s * elapsed_s / 2.0)
    }

    /// The same carrier, described at another instant.
    #[must_use]
    pub fn described_at(&self, time_s: f64) -> Self {
        Self { time_s, frequency_hz: self.frequency_at(time_s), ..*self }
    }
}

/// A stretch of signal mixed to 0 Hz, kept as its running integral: the mean over any interval, and
/// so the matched filter of a rectangular symbol at any timing, is two look-ups.
#[derive(Debug, Clone)]
pub struct Baseband {
    start_s: f64,
    cell_s: f64,
    /// What was mixed out, from the centre of the subband.
    carrier: Carrier,
    subband_hz: f64,
    integral: Vec<Complex32>,
    samples: Vec<Complex32>,
    powers: Vec<f32>,
    some_powers: Vec<f32>,
}

impl Default for Baseband {
    fn default() -> Self {
        Self {
            start_s: 0.0,
            cell_s: 1.0,
            carrier: Carrier { time_s: 0.0, frequency_hz: 0.0, drift_hz_per_s: 0.0 },
            subband_hz: 0.0,
            integral: Vec::new(),
            samples: Vec::new(),
            powers: Vec::new(),
            some_powers: Vec::new(),
        }
    }
}

impl Baseband {
    /// Mixes the stretch `from_s`..`to_s` of the subband nearest to the carrier down to 0 Hz. What
    /// the history no longer or not yet has is zero, and so are impulses.
    pub fn extract(
        &mut self,
        history: &SubbandHistory,
        grid: &SubbandGrid,
        carrier: &Carrier,
        symbol_rate_hz: f64,
        (from_s, to_s): (f64, f64),
    ) {
        let b = grid.nearest(carrier.frequency_at((from_s + to_s) / 2.0));
        let rate_hz = grid.rate_hz();
        let decimation = ((rate_hz / (SAMPLES_A_SYMBOL * symbol_rate_hz)) as usize).max(1);
        let first = grid.column_at(from_s).max(history.oldest());
        let count = (grid.column_at(to_s).saturating_sub(first)) as usize;
        let (head, tail) = history.range(b, first, count);

        self.cell_s = decimation as f64 / rate_hz;
        // A sample stands for the time around it.
        self.start_s = grid.time_s(first) - 0.5 / rate_hz;
        self.subband_hz = grid.centre_hz(b);
        self.carrier = self.in_subband(carrier);
        self.samples.clear();
        self.samples.extend_from_slice(head);
        self.samples.extend_from_slice(tail);
        self.blank_impulses();
        take_out(
            &mut self.samples,
            (grid.time_s(first), rate_hz.recip()),
            |time_s| self.carrier.phase_at(time_s),
            |time_s| self.carrier.frequency_at(time_s),
        );
        let share = (decimation as f64).recip();
        let cells = self.samples.chunks_exact(decimation).map(|cell| wide(sum(cell)) * share);
        integrate(&mut self.integral, cells);
    }

    /// Erases impulses, and with them the moments when the chirps of a LoRa burst pass through the
    /// subband: what is erased is missing, but nothing false takes its place.
    fn blank_impulses(&mut self) {
        for samples in self.samples.chunks_mut(IMPULSE_WINDOW) {
            self.powers.resize(samples.len(), 0.0);
            write_powers(&mut self.powers, samples);
            self.some_powers.clear();
            self.some_powers.extend(self.powers.iter().step_by(SAMPLED));
            let least = IMPULSE_POWER * median(&self.some_powers);
            let impulses = count_from(&self.powers, least) as f32;
            // In silence anything stands out.
            let are_few = impulses > 0.0 && impulses <= MOST_IMPULSES * samples.len() as f32;
            if are_few && least > 0.0 {
                let marked = samples.iter_mut().zip(&self.powers);
                let marked = marked.filter(|(_, power)| **power >= least);
                marked.for_each(|(sample, _)| *sample = Complex32::default());
            }
        }
    }

    /// Mixes the same stretch with another carrier instead, which differs by little over a cell.
    pub fn retune(&mut self, carrier: &Carrier) {
        let (from, to) = (self.carrier, self.in_subband(carrier));
        self.samples.clear();
        self.samples.extend(self.integral.windows(2).map(|pair| pair[1] - pair[0]));
        take_out(
            &mut self.samples,
            (self.start_s + self.cell_s / 2.0, self.cell_s),
            |time_s| to.phase_at(time_s) - from.phase_at(time_s),
            |time_s| to.frequency_at(time_s) - from.frequency_at(time_s),
        );
        integrate(&mut self.integral, self.samples.iter().copied().map(wide));
        self.carrier = to;
    }

    /// A carrier as seen from the centre of the subband.
    fn in_subband(&self, carrier: &Carrier) -> Carrier {
        Carrier { frequency_hz: carrier.frequency_hz - self.subband_hz, ..*carrier }
    }

    /// The stretch by itself, without the room in which it was made.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        Self {
            start_s: self.start_s,
            cell_s: self.cell_s,
            carrier: self.carrier,
            subband_hz: self.subband_hz,
            integral: self.integral.clone(),
            ..Self::default()
        }
    }

    /// The means over `count` spans of `span_s` one after the other, the first from `from_s` on; zero
    /// outside the stretch.
    pub fn means(
        &self,
        from_s: f64,
        span_s: f64,
        count: usize,
    ) -> impl Iterator<Item = Complex32> + '_ {
        let cells = |time_s: f64| Position::new(time_s / self.cell_s);
        let (from, span) = (cells(from_s - self.start_s), cells(span_s));
        let share = (self.cell_s / span_s) as f32;
        let mut before = self.integral_at(from);
        (1..=count as i64).map(move |n| {
            let after = self.integral_at(Position(from.0.saturating_add(n * span.0)));
            let mean = (after - before) * share;
            before = after;
            mean
        })
    }

    /// The running integral at a position among the cells.
    fn integral_at(&self, position: Position) -> Complex32 {
        let last = self.integral.len().saturating_sub(1);
        match self.integral.get(position.index().min(last)..) {
            Some(&[before, after, ..]) => before + (after - before) * position.fraction(),
            Some(&[end, ..]) => end,
            _ => Complex32::default(),
        }
    }
}

/// A place between values that lie one apart, as a whole number of parts, with which reckoning is
/// fast and exact.
#[derive(Debug, Clone, Copy, Default)]
struct Position(i64);

impl Position {
    const BITS: u32 = 32;
    const PARTS: f64 = (1u64 << Self::BITS) as f64;

    fn new(value: f64) -> Self {
        Self((value * Self::PARTS) as i64)
    }

    /// The last value before, or the first.
    fn index(self) -> usize {
        (self.0.max(0) >> Self::BITS) as usize
    }

    /// How far it lies behind that.
    fn fraction(self) -> f32 {
        self.0.max(0) as u32 as f32 / Self::PARTS as f32
    }
}

/// Mixes stretches of signal to 0 Hz and keeps no more of them than means over even steps, which is
/// less work than a [`Baseband`].
#[derive(Debug, Default)]
pub(crate) struct StepMeans {
    /// See [`stretch`].
    copy: Vec<Complex32>,
    /// Ends of the steps among the samples, the start of the first before them.
    ends: Vec<Position>,
    /// The least of the whole numbers of samples that a step may have.
    shortest: usize,
    /// Of a sample in the mean over a step.
    share: f32,
    turns: Turns,
    spans: Vec<Span>,
    sums: Vec<Numbers>,
}

/// Steps have a sample more or less; rounding may add or take another.
const LENGTHS: usize = 4;

/// The samples of a step.
#[derive(Debug, Clone, Copy)]
struct Span {
    first: usize,
    /// How many there are above the shortest.
    longer: usize,
}

impl StepMeans {
    /// Writes the means over `count` steps of `step_s` from `from_s` on, of the subband nearest to a
    /// steady carrier. What the history no longer or not yet has is zero.
    pub(crate) fn extract(
        &mut self,
        history: &SubbandHistory,
        grid: &SubbandGrid,
        frequency_hz: f64,
        (from_s, step_s, count): (f64, f64, usize),
        means: &mut Vec<Complex32>,
    ) {
        let b = grid.nearest(frequency_hz);
        let step = step_s * grid.rate_hz();
        // A sample stands for the time around it.
        let start = (from_s - grid.time_s(0)) * grid.rate_hz() + 0.5;
        let first = start.floor();
        let (start, length) = (Position::new(start - first), Position::new(step));
        self.ends.clear();
        self.ends.extend((0..=count as i64).map(|n| Position(start.0 + n * length.0)));
        self.share = step.recip() as f32;
        self.shortest = length.index().saturating_sub(1);
        let cycles = (frequency_hz - grid.centre_hz(b)) / grid.rate_hz();
        let turns = Oscillator::new([0.0, TAU * cycles]).take(self.shortest + LENGTHS);
        self.turns.set(turns.map(narrow), self.shortest);
        let end = self.ends.last().copied().unwrap_or_default();
        let count = end.index() + self.turns.room();
        let mut copy = std::mem::take(&mut self.copy);
        self.write(stretch(history, b, (first as i64, count), &mut copy), means);
        self.copy = copy;
    }

    /// Writes the means over the steps of samples.
    fn write(&mut self, samples: &[Complex32], means: &mut Vec<Complex32>) {
        let ends = self.ends.iter().zip(&self.ends[1..]);
        self.spans.clear();
        self.spans.extend(ends.map(|(first, end)| {
            let length = end.index() - first.index();
            let longer = length.saturating_sub(self.shortest).min(LENGTHS - 1);
            Span { first: first.index(), longer }
        }));
        self.sums.resize(self.spans.len(), Numbers::default());
        sum_products(&mut self.sums, &self.spans, samples, &self.turns);
        // A sample across the end of a step counts by its parts for the one and for the next.
        let part = |end: Position, turn| samples[end.index()] * turn * end.fraction();
        let mut turn = Complex32::ONE;
        let mut before = part(self.ends[0], turn);
        let steps = self.spans.iter().zip(&self.sums).zip(&self.ends[1..]);
        means.clear();
        means.extend(steps.map(|((span, sum), end)| {
            let sum = sum_pairs(sum) * turn;
            turn *= self.turns.values[self.shortest + span.longer];
            let after = part(*end, turn);
            let mean = (sum + after - before) * self.share;
            before = after;
            mean
        }));
    }
}

/// The `count` samples of a subband from a column on, which may lie before the first, with zeros for
/// those that the history no longer or not yet has. They are copied only if they do not lie together.
fn stretch<'a>(
    history: &'a SubbandHistory,
    b: usize,
    (first, count): (i64, usize),
    copy: &'a mut Vec<Complex32>,
) -> &'a [Complex32] {
    let start = first.max(history.oldest() as i64);
    let missing = ((start - first) as usize).min(count);
    let (head, tail) = history.range(b, start as u64, count - missing);
    if head.len() == count {
        return head;
    }
    copy.clear();
    copy.resize(missing, Complex32::default());
    copy.extend_from_slice(head);
    copy.extend_from_slice(tail);
    copy.resize(count, Complex32::default());
    copy
}

#[multiversion(targets("x86_64+avx2"))]
fn write_powers(powers: &mut [f32], samples: &[Complex32]) {
    powers.iter_mut().zip(samples).for_each(|(power, sample)| *power = sample.norm_sqr());
}

/// Writes the running integral over cells.
fn integrate(integral: &mut Vec<Complex32>, cells: impl Iterator<Item = Complex64>) {
    integral.clear();
    integral.push(Complex32::default());
    let mut sum = Complex64::default();
    integral.extend(cells.map(|cell| {
        sum += cell;
        narrow(sum)
    }));
}

/// Samples that are worked on together.
const TOGETHER: usize = 4;
type Numbers = [f32; 2 * TOGETHER];

/// Turns of the samples of a step, laid out for [`sum_products`].
#[derive(Debug, Clone, Default)]
struct Turns {
    values: Vec<Complex32>,
    /// For each number of samples that a step may have, some turns at a time: as they are, and turned a
    /// quarter further. Those of samples behind the step are zero.
    lengths: [Vec<[Numbers; 2]>; LENGTHS],
}

impl Turns {
    /// Takes the turns of the longest step, from the number of samples of the shortest.
    fn set(&mut self, values: impl Iterator<Item = Complex32>, shortest: usize) {
        self.values.clear();
        self.values.extend(values);
        for (longer, groups) in self.lengths.iter_mut().enumerate() {
            let values = &self.values[..shortest + longer];
            groups.clear();
            groups.extend((0..self.values.len()).step_by(TOGETHER).map(|first| {
                let part = |n: usize, quarters: Complex32| {
                    let turn = values.get(first + n / 2).map_or(Complex32::ZERO, |t| t * quarters);
                    if n.is_multiple_of(2) { turn.re } else { turn.im }
                };
                [Complex32::ONE, Complex32::I].map(|q| std::array::from_fn(|n| part(n, q)))
            }));
        }
    }

    /// Samples that are looked at from the start of a step on.
    fn room(&self) -> usize {
        self.values.len().next_multiple_of(TOGETHER)
    }
}

/// Sums the samples of each span times their turns, some side by side. These are added up elsewhere:
/// together with that the compiler no longer sees that they are alike.
#[multiversion(targets("x86_64+avx2"))]
fn sum_products(sums: &mut [Numbers], spans: &[Span], samples: &[Complex32], turns: &Turns) {
    for (sum, span) in sums.iter_mut().zip(spans) {
        let mut lanes: Numbers = [0.0; 2 * TOGETHER];
        let samples = samples[span.first..].as_chunks::<TOGETHER>().0;
        for (samples, [straight, quarter]) in samples.iter().zip(&turns.lengths[span.longer]) {
            for n in 0..2 * TOGETHER {
                let sample = samples[n / 2];
                lanes[n] += sample.re * straight[n] + sample.im * quarter[n];
            }
        }
        *sum = lanes;
    }
}

/// The sum of numbers that are real and imaginary parts in turn.
fn sum_pairs(numbers: &Numbers) -> Complex32 {
    let [a, b, c, d] = [0, 2, 4, 6].map(|n| Complex32::new(numbers[n], numbers[n + 1]));
    (a + c) + (b + d)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: SubbandGrid =
        SubbandGrid { subbands: 1, spacing_hz: 5e3, first_centre_hz: 100.0, first_column_s: 0.004 };
    const TONE_HZ: f64 = 1_300.0;

    /// A tone of amplitude 1 over `columns`, of which the last second is kept.
    fn tone(columns: u64) -> SubbandHistory {
        let mut history = SubbandHistory::new(1, GRID.rate_hz() as usize);
        for column in 0..columns {
            let phase = TAU * (TONE_HZ - GRID.first_centre_hz) * GRID.time_s(column);
            history.push(&[narrow(Complex64::from_polar(1.0, phase))]);
        }
        history
    }

    fn step_means(history: &SubbandHistory, steps: (f64, f64, usize)) -> Vec<Complex32> {
        let mut means = Vec::new();
        StepMeans::default().extract(history, &GRID, TONE_HZ, steps, &mut means);
        means
    }

    #[test]
    fn a_tone_mixed_to_zero_stands_still_whatever_the_step() {
        let history = tone(15_000);
        // Whole numbers of samples, a little less, a little more, and what does not divide.
        for step in [25.0, 25.0f64.next_down(), 25.0f64.next_up(), 10.0 / 2.4, 2.5, 33.3] {
            for from_s in [0.6, 0.612_345, 0.7f64.next_down()] {
                let means = step_means(&history, (from_s, step / GRID.rate_hz(), 200));
                assert_eq!(means.len(), 200);
                for mean in &means {
                    let error = (mean - means[0]).norm() + (mean.norm() - 1.0).abs();
                    assert!(error < 1e-3, "step {step} from {from_s} s: {mean}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_in_the_history_is_silence() {
        let history = tone(15_000);
        let means = step_means(&history, (-0.1, 0.1, 20));
        // The tone begins 0.504 s and ends 1.504 s after the first sample.
        let is_silent = |mean: &Complex32| mean.norm() < 1e-6;
        assert!(means[..6].iter().all(is_silent) && means[17..].iter().all(is_silent), "{means:?}");
        assert!(
            (means[6].norm() - 0.96).abs() < 1e-2 && means[7..16].iter().all(|m| m.norm() > 0.99)
        );
    }

    #[test]
    fn impulses_are_blanked_and_beginnings_are_not() {
        let mut history = SubbandHistory::new(1, GRID.rate_hz() as usize);
        let loud = Complex32::new(40.0, -30.0);
        for column in 0..8_000u64 {
            // A carrier that begins after a quarter of the stretch, and ten impulses of half a
            // millisecond in the rest of it.
            let phase = TAU * (TONE_HZ - GRID.first_centre_hz) * GRID.time_s(column);
            let tone = narrow(Complex64::from_polar(1.0, phase));
            let (is_on, is_hit) = (column >= 2_000, column >= 4_000 && column % 400 < 5);
            history.push(&[if is_hit { loud } else { tone * f32::from(u8::from(is_on)) }]);
        }
        let carrier = Carrier { time_s: 0.0, frequency_hz: TONE_HZ, drift_hz_per_s: 0.0 };
        let mut baseband = Baseband::default();
        let (from_s, to_s) = (GRID.time_s(0), GRID.time_s(8_000));
        baseband.extract(&history, &GRID, &carrier, 100.0, (from_s, to_s));
        let mean = |column, span_s| {
            let means = baseband.means(GRID.time_s(column), span_s, 1);
            means.sum::<Complex32>().norm()
        };
        let beginning = mean(2_000, 0.01);
        assert!((beginning - 1.0).abs() < 0.02, "{beginning}");
        // Five samples of four hundred are missing.
        let hit = mean(4_000, 0.4);
        assert!((hit - 395.0 / 400.0).abs() < 2e-3, "{hit}");
    }
}
