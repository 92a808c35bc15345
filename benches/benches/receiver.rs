//! The whole receiver beside a bare FFT pass over the same samples.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nap_phy::scene::Scene;
use nap_phy::{Receiver, ReceiverConfig};
use num_complex::Complex32;
use rustfft::FftPlanner;

const SAMPLE_RATE_HZ: f64 = 250_000.0;
const CENTRE_HZ: f64 = 868_130_000.0;
/// Length of the bare pass's transforms, which overlap by half.
const FFT_LENGTH: usize = 65_536;

/// Ten seconds of the channel with this many messages of random devices in it.
fn samples(messages: u32) -> Vec<Complex32> {
    let traffic = if messages > 0 {
        format!("[traffic]\nmessages = {messages}\nlevel_dbm = [-125, -115]\nbit_rates = [100]")
    } else {
        String::new()
    };
    let text = format!("sample_rate_hz = {SAMPLE_RATE_HZ}\nduration_s = 10\nseed = 1\n{traffic}");
    let scene: Scene = toml::from_str(&text).unwrap_or_else(|error| unreachable!("{error}"));
    let (mut simulator, _) = scene.build().unwrap_or_else(|error| unreachable!("{error}"));
    let mut samples = vec![Complex32::default(); scene.samples() as usize];
    simulator.render(&mut samples);
    samples
}

fn bare_fft(samples: &[Complex32]) -> f32 {
    let fft = FftPlanner::new().plan_fft_forward(FFT_LENGTH);
    let mut scratch = vec![Complex32::default(); fft.get_inplace_scratch_len()];
    let mut block = vec![Complex32::default(); FFT_LENGTH];
    let mut sum = 0.0;
    for start in (0..=samples.len() - FFT_LENGTH).step_by(FFT_LENGTH / 2) {
        block.copy_from_slice(&samples[start..start + FFT_LENGTH]);
        fft.process_with_scratch(&mut block, &mut scratch);
        sum += block[0].re;
    }
    sum
}

fn receive(samples: &[Complex32]) -> usize {
    let config = ReceiverConfig::new(SAMPLE_RATE_HZ, CENTRE_HZ);
    let Ok(mut receiver) = Receiver::new(config) else { return 0 };
    receiver.push(samples).len() + receiver.flush().len()
}

fn whole_receiver(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ten seconds of a channel");
    group.sample_size(10);
    for (name, messages) in [("noise alone", 0), ("two messages", 2), ("20 messages", 20)] {
        let samples = samples(messages);
        group.throughput(Throughput::Elements(samples.len() as u64));
        group.bench_function(format!("bare FFT, {name}"), |bencher| {
            bencher.iter(|| bare_fft(black_box(&samples)));
        });
        group.bench_function(format!("receiver, {name}"), |bencher| {
            bencher.iter(|| receive(black_box(&samples)));
        });
    }
    group.finish();
}

criterion_group!(benches, whole_receiver);
criterion_main!(benches);
