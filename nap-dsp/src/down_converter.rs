//! From a subband to the baseband of one burst.

use std::f64::consts::TAU;

use num_complex::{Complex32, Complex64};

use crate::channelizer::{SubbandGrid, SubbandHistory};

/// Samples a symbol after decimation, about. Enough for a matched filter by integration.
const SAMPLES_A_SYMBOL: f64 = 16.0;

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
#[derive(Debug, Clone, Default)]
pub struct Baseband {
    start_s: f64,
    cell_s: f64,
    integral: Vec<Complex32>,
    turns: Vec<Complex32>,
    samples: Vec<Complex32>,
}

impl Baseband {
    /// Mixes the stretch `from_s`..`to_s` of the subband nearest to the carrier down to 0 Hz. What
    /// the history no longer or not yet has is zero.
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
        self.integral.clear();
        self.integral.push(Complex32::default());
        let relative =
            Carrier { frequency_hz: carrier.frequency_hz - grid.centre_hz(b), ..*carrier };
        let middle_s = grid.time_s(first) + (decimation as f64 - 1.0) / 2.0 / rate_hz;
        let mut mixer = Mixer::new(&relative, middle_s, self.cell_s);
        // Within a cell the frequency is taken as constant: the turns around the cell's middle.
        let stretch_middle_hz = relative.frequency_at((from_s + to_s) / 2.0);
        let turns = (0..decimation).map(|n| {
            let time_s = (n as f64 - (decimation as f64 - 1.0) / 2.0) / rate_hz;
            let turn =
                Complex64::from_polar(1.0 / decimation as f64, -TAU * stretch_middle_hz * time_s);
            Complex32::new(turn.re as f32, turn.im as f32)
        });
        self.turns.clear();
        self.turns.extend(turns);

        self.samples.clear();
        self.samples.extend_from_slice(head);
        self.samples.extend_from_slice(tail);
        let mut integral = Complex64::default();
        for cell in self.samples.chunks_exact(decimation) {
            let sum = dot(cell, &self.turns);
            integral += Complex64::new(sum.re.into(), sum.im.into()) * mixer.next();
            self.integral.push(Complex32::new(integral.re as f32, integral.im as f32));
        }
    }

    /// The stretch by itself, without the room in which it was made.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        Self {
            start_s: self.start_s,
            cell_s: self.cell_s,
            integral: self.integral.clone(),
            ..Self::default()
        }
    }

    /// The mean over `from_s`..`from_s + span_s`; zero outside the stretch.
    #[must_use]
    pub fn mean(&self, from_s: f64, span_s: f64) -> Complex64 {
        (self.integral_at(from_s + span_s) - self.integral_at(from_s)) * (self.cell_s / span_s)
    }

    /// The running integral at an instant, in units of cells.
    fn integral_at(&self, time_s: f64) -> Complex64 {
        let position = ((time_s - self.start_s) / self.cell_s).max(0.0);
        let index = position as usize;
        let wide = |value: Complex32| Complex64::new(value.re.into(), value.im.into());
        match self.integral.get(index..) {
            Some(&[before, after, ..]) => {
                wide(before) + wide(after - before) * (position - index as f64)
            }
            _ => wide(self.integral.last().copied().unwrap_or_default()),
        }
    }
}

/// The sum of products, two at a time.
fn dot(a: &[Complex32], b: &[Complex32]) -> Complex32 {
    let (a_pairs, a_rest) = a.as_chunks::<2>();
    let (b_pairs, b_rest) = b.as_chunks::<2>();
    let (mut straight, mut crossed) = ([0.0; 4], [0.0; 4]);
    for ([a, c], [b, d]) in a_pairs.iter().zip(b_pairs) {
        let left = [a.re, a.im, c.re, c.im];
        let (re, im) = ([b.re, b.re, d.re, d.re], [b.im, b.im, d.im, d.im]);
        for n in 0..4 {
            straight[n] += left[n] * re[n];
            crossed[n] += left[n] * im[n];
        }
    }
    let pairs = Complex32::new(
        straight[0] + straight[2] - crossed[1] - crossed[3],
        straight[1] + straight[3] + crossed[0] + crossed[2],
    );
    a_rest.iter().zip(b_rest).map(|(a, b)| a * b).fold(pairs, |sum, product| sum + product)
}

/// A numerically controlled oscillator that follows a carrier's conjugate in even steps.
struct Mixer {
    value: Complex64,
    step: Complex64,
    step_change: Complex64,
}

impl Mixer {
    fn new(carrier: &Carrier, first_s: f64, step_s: f64) -> Self {
        let turn = |cycles: f64| Complex64::from_polar(1.0, -TAU * cycles);
        Self {
            value: Complex64::from_polar(1.0, -carrier.phase_at(first_s)),
            // Over one step the mean frequency is that of its middle.
            step: turn(carrier.frequency_at(first_s + 0.5 * step_s) * step_s),
            step_change: turn(carrier.drift_hz_per_s * step_s * step_s),
        }
    }

    fn next(&mut self) -> Complex64 {
        let out = self.value;
        self.value *= self.step;
        self.step *= self.step_change;
        out
    }
}
