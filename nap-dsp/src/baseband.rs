//! From a subband to the baseband of one burst.

use multiversion::multiversion;
use num_complex::{Complex32, Complex64};

use crate::carrier::Carrier;
use crate::kernels::fixed_point::Position;
use crate::kernels::median::median;
use crate::kernels::sums::{count_from, sum, to_c32, to_c64};
use crate::oscillator::mix_down;
use crate::subbands::{SubbandGrid, SubbandHistory};

/// Samples a symbol after decimation, about. Enough for a matched filter by integration.
const SAMPLES_PER_SYMBOL: f64 = 16.0;
/// Samples among which impulses stand out: some 30 ms.
const IMPULSE_WINDOW: usize = 320;
/// Samples that have this many times the power of the median are part of an impulse. Of noise alone, one
/// in four thousand is taken for one.
const IMPULSE_POWER: f32 = 12.0;
/// Of so many samples one tells the median well enough.
const SAMPLED: usize = 4;
/// If more than this share stands out it is no impulse: another signal begins or ends.
const MAX_IMPULSES: f32 = 0.3;

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
        let decimation = decimation(grid, symbol_rate_hz);
        let first = grid.column_at(from_s).max(history.oldest());
        let count = (grid.column_at(to_s).saturating_sub(first)) as usize;

        self.cell_s = decimation as f64 / rate_hz;
        // A sample stands for the time around it.
        self.start_s = grid.time_s(first) - 0.5 / rate_hz;
        self.subband_hz = grid.center_hz(b);
        self.carrier = self.in_subband(carrier);
        self.samples.clear();
        history.read(b, first, count, &mut self.samples);
        self.blank_impulses();
        mix_down(
            &mut self.samples,
            (grid.time_s(first), rate_hz.recip()),
            |time_s| self.carrier.phase_at(time_s),
            |time_s| self.carrier.frequency_at(time_s),
        );
        let share = (decimation as f64).recip();
        let cells = self.samples.chunks_exact(decimation).map(|cell| to_c64(sum(cell)) * share);
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
            let are_few = impulses > 0.0 && impulses <= MAX_IMPULSES * samples.len() as f32;
            if are_few && least > 0.0 {
                let marked = samples.iter_mut().zip(&self.powers);
                let marked = marked.filter(|(_, power)| **power >= least);
                marked.for_each(|(sample, _)| *sample = Complex32::default());
            }
        }
    }

    /// Mixes the same stretch with another carrier instead, which differs by little over a cell.
    pub(crate) fn retune(&mut self, carrier: &Carrier) {
        let (from, to) = (self.carrier, self.in_subband(carrier));
        self.samples.clear();
        self.samples.extend(self.integral.windows(2).map(|pair| pair[1] - pair[0]));
        mix_down(
            &mut self.samples,
            (self.start_s + self.cell_s / 2.0, self.cell_s),
            |time_s| to.phase_at(time_s) - from.phase_at(time_s),
            |time_s| to.frequency_at(time_s) - from.frequency_at(time_s),
        );
        integrate(&mut self.integral, self.samples.iter().copied().map(to_c64));
        self.carrier = to;
    }

    /// A carrier as seen from the centre of the subband.
    fn in_subband(&self, carrier: &Carrier) -> Carrier {
        Carrier { frequency_hz: carrier.frequency_hz - self.subband_hz, ..*carrier }
    }

    /// The stretch by itself, without the room in which it was made.
    pub(crate) fn snapshot(&self) -> Self {
        Self {
            start_s: self.start_s,
            cell_s: self.cell_s,
            carrier: self.carrier,
            subband_hz: self.subband_hz,
            integral: self.integral.clone(),
            ..Self::default()
        }
    }

    /// What a snapshot of a stretch takes beside itself, in bytes at most.
    pub(crate) fn snapshot_bytes(
        grid: &SubbandGrid,
        symbol_rate_hz: f64,
        duration_s: f64,
    ) -> usize {
        let cell_s = decimation(grid, symbol_rate_hz) as f64 / grid.rate_hz();
        // Its ends lie anywhere in cells, and the integral begins with a zero.
        ((duration_s / cell_s).ceil() as usize + 2) * size_of::<Complex32>()
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

/// Samples of a subband that make a cell.
fn decimation(grid: &SubbandGrid, symbol_rate_hz: f64) -> usize {
    ((grid.rate_hz() / (SAMPLES_PER_SYMBOL * symbol_rate_hz)) as usize).max(1)
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
        to_c32(sum)
    }));
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    const GRID: SubbandGrid =
        SubbandGrid { subbands: 1, spacing_hz: 5e3, first_center_hz: 100.0, first_column_s: 0.004 };
    const TONE_HZ: f64 = 1_300.0;

    #[test]
    fn impulses_are_blanked_and_beginnings_are_not() {
        let mut history = SubbandHistory::new(1, GRID.rate_hz() as usize);
        let loud = Complex32::new(40.0, -30.0);
        for column in 0..8_000u64 {
            // A carrier that begins after a quarter of the stretch, and ten impulses of half a
            // millisecond in the rest of it.
            let phase = TAU * (TONE_HZ - GRID.first_center_hz) * GRID.time_s(column);
            let tone = to_c32(Complex64::from_polar(1.0, phase));
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
