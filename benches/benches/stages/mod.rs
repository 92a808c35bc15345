//! The stages of `nap-dsp` by themselves, at 100 bit/s: on noise, and on a frame that is well above
//! it.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use nap_benches::{Recording, Subbands};
use nap_dsp::demodulator::Demodulator;
use nap_dsp::synchronizer::{Hypothesis, Synchronizer};
use nap_phy::receiver::Tuning;
use nap_phy::receiver::stages::preamble;
use nap_phy::{FrameType, LengthClass};

const SYMBOL_RATE_HZ: f64 = 100.0;
const DURATION_S: f64 = 8.0;
const MAX_DRIFT_HZ_PER_S: f64 = 60.0;

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
        let mut channelizer = recording.channelizer();
        bencher.iter(|| {
            channelizer.push(&recording.samples, |column| {
                black_box(column);
            });
        });
    });
    group.bench_function("preamble detector", |bencher| {
        bencher.iter(|| subbands.search(SYMBOL_RATE_HZ).0.len());
    });
    group.finish();
}

/// What works on places.
fn decoding(criterion: &mut Criterion, noise: &Subbands, signal: &Subbands) {
    let mut group = criterion.benchmark_group("stages, one place");
    let least = Tuning::default().min_correlation;
    let mut synchronizer =
        Synchronizer::new((SYMBOL_RATE_HZ, preamble()), &sync_words(), MAX_DRIFT_HZ_PER_S, least);
    for (name, subbands) in [("noise", noise), ("a frame", signal)] {
        let (candidate, density) = subbands.strongest(SYMBOL_RATE_HZ);
        group.bench_function(format!("synchronizer, {name}"), |bencher| {
            bencher.iter(|| {
                let found =
                    synchronizer.search(&subbands.history, &subbands.grid, &candidate, density);
                found.len()
            });
        });
    }
    let (candidate, density) = signal.strongest(SYMBOL_RATE_HZ);
    let found = synchronizer.search(&signal.history, &signal.grid, &candidate, density).to_vec();
    let Some(hypothesis) = found.first() else { unreachable!("the frame is strong") };
    let mut demodulator = Demodulator::new(SYMBOL_RATE_HZ, MAX_DRIFT_HZ_PER_S);
    group.bench_function("demodulator, a frame", |bencher| {
        bencher.iter(|| demodulate(signal, &mut demodulator, hypothesis));
    });
    group.finish();
}

fn demodulate(
    subbands: &Subbands,
    demodulator: &mut Demodulator,
    hypothesis: &Hypothesis,
) -> usize {
    let start = (hypothesis.start_s, hypothesis.carrier);
    let sync_words = sync_words();
    let symbols = LengthClass::NineToTwelveBytes.frame_bits() + 1;
    let known = &sync_words[hypothesis.sync_word];
    let (history, grid) = (&subbands.history, &subbands.grid);
    let soft = demodulator.demodulate(history, grid, start, known, symbols);
    black_box(soft).map_or(0, |soft| soft.symbols.len())
}

/// Signs of the known symbols of all frame types, the reference symbol first.
fn sync_words() -> Vec<Vec<f64>> {
    let signs = |frame_type: &FrameType| {
        let sync_word = frame_type.sync_word();
        let flips = (0..32).rev().scan(1.0, move |sign, bit| {
            *sign = if sync_word >> bit & 1 == 0 { -*sign } else { *sign };
            Some(*sign)
        });
        std::iter::once(1.0).chain(flips).collect()
    };
    FrameType::ALL.iter().map(signs).collect()
}
