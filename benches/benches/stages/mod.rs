//! The stages of `nap-dsp` by themselves, at 100 bit/s: on noise, and on a frame that is well above
//! it.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use nap_benches::Recording;
use nap_dsp::channelizer::Channelizer;
use nap_dsp::demodulator::Demodulator;
use nap_dsp::detector::{Candidate, PreambleDetector};
use nap_dsp::noise_floor::NoiseFloor;
use nap_dsp::subbands::{SubbandGrid, SubbandHistory};
use nap_dsp::synchronizer::{Hypothesis, Synchronizer};
use nap_phy::receiver::stages::{LEAST_EVIDENCE, LEAST_SCORE};
use nap_phy::{FrameType, LengthClass};
use num_complex::Complex32;

const SYMBOL_RATE_HZ: f64 = 100.0;
const HALF_WIDTH_HZ: f64 = 96_000.0;
const DURATION_S: f64 = 8.0;
const MOST_DRIFT_HZ_PER_S: f64 = 60.0;

pub fn all(criterion: &mut Criterion) {
    let recordings = [0, 1].map(|messages| {
        Recording::sparse(messages, DURATION_S, 2).unwrap_or_else(|error| unreachable!("{error}"))
    });
    let [noise, signal] = recordings.each_ref().map(Subbands::of);
    filtering(criterion, &recordings[0], &noise);
    decoding(criterion, &noise, &signal);
}

/// What works on all samples.
fn filtering(criterion: &mut Criterion, recording: &Recording, subbands: &Subbands) {
    let mut group = criterion.benchmark_group("stages, eight seconds of noise");
    group.throughput(Throughput::Elements(recording.samples.len() as u64));
    group.bench_function("bare FFT", |bencher| bencher.iter(|| recording.bare_fft()));
    group.bench_function("channelizer", |bencher| {
        let mut channelizer = channelizer(recording);
        bencher.iter(|| {
            channelizer.push(&recording.samples, |column| {
                black_box(column);
            });
        });
    });
    group.bench_function("preamble detector", |bencher| {
        bencher.iter(|| subbands.search().0.len());
    });
    group.finish();
}

/// What works on places.
fn decoding(criterion: &mut Criterion, noise: &Subbands, signal: &Subbands) {
    let mut group = criterion.benchmark_group("stages, one place");
    let mut synchronizer =
        Synchronizer::new(SYMBOL_RATE_HZ, &words(), MOST_DRIFT_HZ_PER_S, LEAST_SCORE);
    for (name, subbands) in [("noise", noise), ("a frame", signal)] {
        let (candidate, density) = subbands.strongest();
        group.bench_function(format!("synchronizer, {name}"), |bencher| {
            bencher.iter(|| {
                let found =
                    synchronizer.search(&subbands.history, &subbands.grid, &candidate, density);
                found.len()
            });
        });
    }
    let (candidate, density) = signal.strongest();
    let found = synchronizer.search(&signal.history, &signal.grid, &candidate, density).to_vec();
    let Some(hypothesis) = found.first() else { unreachable!("the frame is strong") };
    let mut demodulator = Demodulator::new(SYMBOL_RATE_HZ, MOST_DRIFT_HZ_PER_S);
    group.bench_function("demodulator, a frame", |bencher| {
        bencher.iter(|| signal.demodulate(&mut demodulator, hypothesis));
    });
    group.finish();
}

fn channelizer(recording: &Recording) -> Channelizer {
    Channelizer::new(recording.sample_rate_hz, 0.0, HALF_WIDTH_HZ)
        .unwrap_or_else(|error| unreachable!("{error}"))
}

/// A recording behind the channelizer.
struct Subbands {
    grid: SubbandGrid,
    columns: Vec<Vec<Complex32>>,
    history: SubbandHistory,
}

impl Subbands {
    fn of(recording: &Recording) -> Self {
        let mut channelizer = channelizer(recording);
        let grid = channelizer.grid();
        let mut columns = Vec::new();
        channelizer.push(&recording.samples, |column| columns.push(column.to_vec()));
        let mut history = SubbandHistory::new(grid.subbands, columns.len());
        columns.iter().for_each(|column| history.push(column));
        Self { grid, columns, history }
    }

    /// All candidates, and the noise's density at each subband.
    fn search(&self) -> (Vec<Candidate>, NoiseFloor) {
        let channel_hz = -HALF_WIDTH_HZ..=HALF_WIDTH_HZ;
        let mut detector =
            PreambleDetector::new(self.grid, channel_hz, SYMBOL_RATE_HZ, LEAST_EVIDENCE);
        let mut noise = NoiseFloor::new(self.grid.subbands, detector.interval_s());
        let mut history = SubbandHistory::new(self.grid.subbands, self.columns.len());
        let mut candidates = Vec::new();
        for column in &self.columns {
            history.push(column);
            if detector.search(&history, &mut candidates) {
                noise.update(detector.densities());
            }
        }
        (candidates, noise)
    }

    fn strongest(&self) -> (Candidate, f64) {
        let (candidates, mut noise) = self.search();
        let strongest = candidates.into_iter().max_by(|a, b| a.strength.total_cmp(&b.strength));
        let Some(strongest) = strongest else { unreachable!("noise has candidates too") };
        (strongest, noise.density(self.grid.nearest(strongest.frequency_hz)))
    }

    fn demodulate(&self, demodulator: &mut Demodulator, hypothesis: &Hypothesis) -> usize {
        let start = (hypothesis.start_s, hypothesis.carrier);
        let words = words();
        let symbols = LengthClass::NineToTwelveBytes.frame_bits() + 1;
        let known = &words[hypothesis.word];
        let soft = demodulator.demodulate(&self.history, &self.grid, start, known, symbols);
        black_box(soft.symbols).len()
    }
}

/// Signs of the known symbols of all frame types, the reference symbol first.
fn words() -> Vec<Vec<f64>> {
    let signs = |frame_type: &FrameType| {
        let word = frame_type.sync_word();
        let flips = (0..32).rev().scan(1.0, move |sign, bit| {
            *sign = if word >> bit & 1 == 0 { -*sign } else { *sign };
            Some(*sign)
        });
        std::iter::once(1.0).chain(flips).collect()
    };
    FrameType::ALL.iter().map(signs).collect()
}
