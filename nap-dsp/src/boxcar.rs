//! Means of a subband over even steps, mixed to 0 Hz: integrate and dump.

use std::f64::consts::TAU;

use multiversion::multiversion;
use num_complex::Complex32;

use crate::kernels::fixed_point::Position;
use crate::kernels::sums::to_c32;
use crate::oscillator::Oscillator;
use crate::subbands::{SubbandGrid, SubbandHistory, read_stretch};

/// Mixes stretches of signal to 0 Hz and keeps no more of them than means over even steps, which is
/// less work than a [`Baseband`](crate::baseband::Baseband).
#[derive(Debug, Default)]
pub(crate) struct IntegrateAndDump {
    /// The stretch of the subband.
    samples: Vec<Complex32>,
    /// Ends of the steps among the samples, the start of the first before them.
    ends: Vec<Position>,
    /// The least of the whole numbers of samples that a step may have.
    shortest: usize,
    /// Of a sample in the mean over a step.
    share: f32,
    phasors: Phasors,
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

impl IntegrateAndDump {
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
        let cycles = (frequency_hz - grid.center_hz(b)) / grid.rate_hz();
        let phasors = Oscillator::new([0.0, TAU * cycles]).take(self.shortest + LENGTHS);
        self.phasors.set(phasors.map(to_c32), self.shortest);
        let end = self.ends.last().copied().unwrap_or_default();
        let count = end.index() + self.phasors.room();
        read_stretch(history, b, (first as i64, count), &mut self.samples);
        self.write(means);
    }

    /// Writes the means over the steps of the stretch.
    fn write(&mut self, means: &mut Vec<Complex32>) {
        // 1. Which whole samples belong to each step.
        let samples = &self.samples;
        let ends = self.ends.iter().zip(&self.ends[1..]);
        self.spans.clear();
        self.spans.extend(ends.map(|(first, end)| {
            let length = end.index() - first.index();
            let longer = length.saturating_sub(self.shortest).min(LENGTHS - 1);
            Span { first: first.index(), longer }
        }));
        // 2. Their sums, each step mixed down from the phase 0 on.
        self.sums.resize(self.spans.len(), Numbers::default());
        sum_products(&mut self.sums, &self.spans, samples, &self.phasors);
        // 3. Each step's own phase, and the samples across its ends, which count by their parts for the one and for the next.
        let part = |end: Position, phasor| samples[end.index()] * phasor * end.fraction();
        let mut phasor = Complex32::ONE;
        let mut before = part(self.ends[0], phasor);
        let steps = self.spans.iter().zip(&self.sums).zip(&self.ends[1..]);
        means.clear();
        means.extend(steps.map(|((span, sum), end)| {
            let sum = sum_pairs(sum) * phasor;
            phasor *= self.phasors.values[self.shortest + span.longer];
            let after = part(*end, phasor);
            let mean = (sum + after - before) * self.share;
            before = after;
            mean
        }));
    }
}

/// Samples that are worked on together.
const TOGETHER: usize = 4;
type Numbers = [f32; 2 * TOGETHER];

/// Phasors of the samples of a step, laid out for [`sum_products`].
#[derive(Debug, Clone, Default)]
struct Phasors {
    values: Vec<Complex32>,
    /// For each number of samples that a step may have, some phasors at a time: as they are, and turned a
    /// quarter further. Those of samples behind the step are zero.
    lengths: [Vec<[Numbers; 2]>; LENGTHS],
}

impl Phasors {
    /// Takes the phasors of the longest step, from the number of samples of the shortest.
    fn set(&mut self, values: impl Iterator<Item = Complex32>, shortest: usize) {
        self.values.clear();
        self.values.extend(values);
        for (longer, groups) in self.lengths.iter_mut().enumerate() {
            let values = &self.values[..shortest + longer];
            groups.clear();
            groups.extend((0..self.values.len()).step_by(TOGETHER).map(|first| {
                let part = |n: usize, quarters: Complex32| {
                    let phasor =
                        values.get(first + n / 2).map_or(Complex32::ZERO, |t| t * quarters);
                    if n.is_multiple_of(2) { phasor.re } else { phasor.im }
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

/// Sums the samples of each span times their phasors, some side by side. These are added up elsewhere:
/// together with that the compiler no longer sees that they are alike.
#[multiversion(targets("x86_64+avx2"))]
fn sum_products(sums: &mut [Numbers], spans: &[Span], samples: &[Complex32], phasors: &Phasors) {
    for (sum, span) in sums.iter_mut().zip(spans) {
        let mut lanes: Numbers = [0.0; 2 * TOGETHER];
        let samples = samples[span.first..].as_chunks::<TOGETHER>().0;
        for (samples, [straight, quarter]) in samples.iter().zip(&phasors.lengths[span.longer]) {
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
    use num_complex::Complex64;

    use super::*;

    const GRID: SubbandGrid =
        SubbandGrid { subbands: 1, spacing_hz: 5e3, first_center_hz: 100.0, first_column_s: 0.004 };
    const TONE_HZ: f64 = 1_300.0;

    /// A tone of amplitude 1 over `columns`, of which the last second is kept.
    fn tone(columns: u64) -> SubbandHistory {
        let mut history = SubbandHistory::new(1, GRID.rate_hz() as usize);
        for column in 0..columns {
            let phase = TAU * (TONE_HZ - GRID.first_center_hz) * GRID.time_s(column);
            history.push(&[to_c32(Complex64::from_polar(1.0, phase))]);
        }
        history
    }

    fn integrate_and_dump(history: &SubbandHistory, steps: (f64, f64, usize)) -> Vec<Complex32> {
        let mut means = Vec::new();
        IntegrateAndDump::default().extract(history, &GRID, TONE_HZ, steps, &mut means);
        means
    }

    #[test]
    fn a_tone_mixed_to_zero_stands_still_whatever_the_step() {
        let history = tone(15_000);
        // Whole numbers of samples, a little less, a little more, and what does not divide.
        for step in [25.0, 25.0f64.next_down(), 25.0f64.next_up(), 10.0 / 2.4, 2.5, 33.3] {
            for from_s in [0.6, 0.612_345, 0.7f64.next_down()] {
                let means = integrate_and_dump(&history, (from_s, step / GRID.rate_hz(), 200));
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
        let means = integrate_and_dump(&history, (-0.1, 0.1, 20));
        // The tone begins 0.504 s and ends 1.504 s after the first sample.
        let is_silent = |mean: &Complex32| mean.norm() < 1e-6;
        assert!(means[..6].iter().all(is_silent) && means[17..].iter().all(is_silent), "{means:?}");
        assert!(
            (means[6].norm() - 0.96).abs() < 1e-2 && means[7..16].iter().all(|m| m.norm() > 0.99)
        );
    }
}
