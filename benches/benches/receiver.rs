//! The whole receiver beside a bare FFT pass over the same samples, and its stages by themselves.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

mod stages;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nap_benches::Recording;

const DURATION_S: f64 = 10.0;

fn whole_receiver(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ten seconds of a channel");
    group.sample_size(10);
    for at_once in [0, 2, 20, 80] {
        let recording =
            Recording::busy(at_once, DURATION_S, 1).unwrap_or_else(|error| unreachable!("{error}"));
        let name = if at_once == 0 { "noise".to_owned() } else { format!("{at_once} at a time") };
        group.throughput(Throughput::Elements(recording.samples.len() as u64));
        group.bench_function(format!("bare FFT, {name}"), |bencher| {
            bencher.iter(|| recording.bare_fft());
        });
        group.bench_function(format!("receiver, {name}"), |bencher| {
            bencher.iter(|| recording.receive());
        });
    }
    group.finish();
}

criterion_group!(benches, whole_receiver, stages::all);
criterion_main!(benches);
