//! From a subband to the baseband of one burst.

use std::f64::consts::TAU;

use num_complex::{Complex32, Complex64};

use crate::channelizer::{SubbandGrid, SubbandHistory};
use crate::oscillator::{Oscillator, carrier_differences};
use crate::sample::narrow;

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
#[derive(Debug, Clone)]
pub struct Baseband {
    start_s: f64,
    cell_s: f64,
    /// What was mixed out, from the centre of the subband.
    carrier: Carrier,
    subband_hz: f64,
    integral: Vec<Complex32>,
    turns: Vec<Complex32>,
    samples: Vec<Complex32>,
}

impl Default for Baseband {
    fn default() -> Self {
        Self {
            start_s: 0.0,
            cell_s: 1.0,
            carrier: Carrier { time_s: 0.0, frequency_hz: 0.0, drift_hz_per_s: 0.0 },
            subband_hz: 0.0,
            integral: Vec::new(),
            turns: Vec::new(),
            samples: Vec::new(),
        }
    }
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
        self.subband_hz = grid.centre_hz(b);
        self.carrier = self.in_subband(carrier);
        // Within a cell the frequency is taken as constant: the turns around the cell's middle.
        let stretch_middle_hz = self.carrier.frequency_at((from_s + to_s) / 2.0);
        let turns = (0..decimation).map(|n| {
            let time_s = (n as f64 - (decimation as f64 - 1.0) / 2.0) / rate_hz;
            let phase = -TAU * stretch_middle_hz * time_s;
            narrow(Complex64::from_polar(1.0 / decimation as f64, phase))
        });
        self.turns.clear();
        self.turns.extend(turns);

        let samples = if tail.is_empty() {
            head
        } else {
            self.samples.clear();
            self.samples.extend_from_slice(head);
            self.samples.extend_from_slice(tail);
            &self.samples
        };
        let mixer = Oscillator::new(carrier_differences(
            &self.carrier,
            self.start_s + self.cell_s / 2.0,
            self.cell_s,
        ));
        let cells = samples.chunks_exact(decimation).map(|cell| dot(cell, &self.turns));
        integrate(&mut self.integral, cells.zip(mixer));
    }

    /// Mixes the same stretch with another carrier instead, which differs by little over a cell.
    pub fn retune(&mut self, carrier: &Carrier) {
        let (from, to) = (self.carrier, self.in_subband(carrier));
        let differences =
            |carrier| carrier_differences(carrier, self.start_s + self.cell_s / 2.0, self.cell_s);
        let (old, new) = (differences(&from), differences(&to));
        let mixer = Oscillator::new([new[0] - old[0], new[1] - old[1], new[2] - old[2]]);
        self.samples.clear();
        self.samples.extend(self.integral.windows(2).map(|pair| pair[1] - pair[0]));
        integrate(&mut self.integral, self.samples.iter().copied().zip(mixer));
        self.carrier = to;
    }

    /// A carrier as seen from the centre of the subband.
    fn in_subband(&self, carrier: &Carrier) -> Carrier {
        Carrier { frequency_hz: carrier.frequency_hz - self.subband_hz, ..*carrier }
    }

    /// The stretch by itself, without the room in which it was made.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        Self { integral: self.integral.clone(), turns: Vec::new(), samples: Vec::new(), ..*self }
    }

    /// The mean over `from_s`..`from_s + span_s`; zero outside the stretch.
    #[must_use]
    pub fn mean(&self, from_s: f64, span_s: f64) -> Complex64 {
        (self.integral_at(from_s + span_s) - self.integral_at(from_s)) * (self.cell_s / span_s)
    }

    /// The means over `count` spans of `span_s` one after the other, the first from `from_s` on; zero
    /// outside the stretch.
    pub fn means(
        &self,
        from_s: f64,
        span_s: f64,
        count: usize,
    ) -> impl Iterator<Item = Complex64> + '_ {
        let mut before = self.integral_at(from_s);
        (1..=count).map(move |n| {
            let after = self.integral_at(from_s + n as f64 * span_s);
            let mean = (after - before) * (self.cell_s / span_s);
            before = after;
            mean
        })
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

/// Writes the running integral over cells, each turned by what the mixer says.
fn integrate(integral: &mut Vec<Complex32>, cells: impl Iterator<Item = (Complex32, Complex64)>) {
    integral.clear();
    integral.push(Complex32::default());
    let mut sum = Complex64::default();
    integral.extend(cells.map(|(cell, turn)| {
        sum += Complex64::new(cell.re.into(), cell.im.into()) * turn;
        narrow(sum)
    }));
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
