//! Memory that the receiver asks for: in noise none but for what looks like a burst, and so much for a burst.
#![cfg(feature = "scene")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]

use nap_phy::receiver::Statistics;
use nap_phy::scene::Scene;
use nap_phy::{Error, Event, Receiver, ReceiverConfig};
use num_complex::Complex32;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

const SAMPLE_RATE_HZ: f64 = 250_000.0;
/// Odd, so that blocks begin anywhere between columns.
const BLOCK: usize = 10_007;

/// Noise, nearly normal.
fn noise(rng: &mut ChaCha12Rng, block: &mut [Complex32]) {
    let mut part = || (0..4).map(|_| rng.random_range(-0.01f32..0.01)).sum();
    block.fill_with(|| Complex32::new(part(), part()));
}

/// In noise memory is asked for only where something looks like a burst, and how often that is stands in the
/// documentation of `receiver`.
#[test]
fn noise_allocates_only_for_what_looks_like_a_burst() {
    const MAX_PER_S: f64 = 4.0;
    const DURATION_S: f64 = 10.0;
    let mut receiver = Receiver::new(ReceiverConfig::new(SAMPLE_RATE_HZ, 868_130_000.0)).unwrap();
    let mut rng = ChaCha12Rng::seed_from_u64(4);
    let mut block = vec![Complex32::default(); BLOCK];
    let mut push_seconds = |receiver: &mut Receiver, duration_s: f64| {
        let (mut allocations, mut looked_alike) = (0, 0);
        for _ in 0..(duration_s * SAMPLE_RATE_HZ) as usize / BLOCK {
            noise(&mut rng, &mut block);
            let before = receiver.statistics();
            let push = allocation_counter::measure(|| assert!(receiver.push(&block).is_empty()));
            // What looks like a burst is kept until it has been demodulated; nothing else is.
            let after = receiver.statistics();
            if (before.bursts, before.hypotheses) == (after.bursts, after.hypotheses) {
                allocations += push.count_total;
            } else if push.count_total > 0 {
                looked_alike += 1;
            }
        }
        (allocations, looked_alike)
    };
    assert!(push_seconds(&mut receiver, 12.0).0 > 0, "the first candidates need room");
    let Statistics { candidates, bursts, .. } = receiver.statistics();
    let (allocations, looked_alike) = push_seconds(&mut receiver, DURATION_S);
    let pushes = (DURATION_S * SAMPLE_RATE_HZ) as usize / BLOCK;
    let alike = receiver.statistics().bursts - bursts;
    println!("{looked_alike} of {pushes} pushes, for {alike} that looked like a burst");
    assert_eq!(allocations, 0);
    let per_s = f64::from(looked_alike) / DURATION_S;
    assert!(per_s <= MAX_PER_S, "{per_s} a second");
    assert!(receiver.statistics().candidates > candidates, "there was something to look at");
}

/// Noise, and in it one frame of 100 bit/s with a payload of 12 bytes if `devices` has it.
fn samples(devices: &str) -> Vec<Complex32> {
    let noise = r#"
        sample_rate_hz = 250_000
        duration_s = 32
        full_scale_dbm = -90
        noise_figure_db = 6
        seed = 5
    "#;
    let scene: Scene = toml::from_str(&format!("{noise}{devices}")).unwrap();
    let (mut simulator, _) = scene.build().unwrap();
    let mut samples = vec![Complex32::default(); scene.samples() as usize];
    simulator.render(&mut samples);
    samples
}

/// Allocations from 12 s on, and the messages that were told of and completed.
fn allocations(samples: &[Complex32]) -> (u64, [u32; 2]) {
    let (before, after) = samples.split_at(12 * SAMPLE_RATE_HZ as usize);
    let mut receiver = Receiver::new(ReceiverConfig::new(SAMPLE_RATE_HZ, 868_130_000.0)).unwrap();
    assert_eq!(receiver.push(before), []);
    let mut told = [0, 0];
    let measured = allocation_counter::measure(|| {
        receiver.push_with(after, |event| match event {
            Event::Message(_) => told[0] += 1,
            Event::Complete(_) => told[1] += 1,
            _ => panic!("{event:?}"),
        });
    });
    (measured.count_total, told)
}

/// How many allocations a burst costs, from its preamble to its last event, beside those for what looks
/// like a burst in the same noise. It is written down here and in the documentation of `receiver`, so that
/// it does not grow unnoticed.
#[test]
fn a_burst_allocates_so_often() {
    const MAX_ALLOCATIONS: u64 = 310;
    let device = r#"
        [[device]]
        id = "FEDCBA98"
        key = "0123456789ABCDEF0123456789ABCDEF"
        shape = "rect"
        level_dbm = -125
        message = [{ time_s = 12.5, sequence_number = 9, kind = "bytes",
                     payload = "000102030405060708090a0b", frames = 1,
                     frequencies_hz = [868_134_040.0] }]
    "#;
    let (quiet, none) = allocations(&samples(""));
    let (busy, one) = allocations(&samples(device));
    println!("{busy} allocations, {quiet} of them for noise");
    assert_eq!((none, one), ([0, 0], [1, 1]));
    let burst = busy - quiet;
    assert!(burst <= MAX_ALLOCATIONS, "{burst} allocations");
}

/// What a receiver takes at most in a crowd, beside what its limits allow.
#[test]
fn a_crowd_keeps_within_the_memory_that_was_promised() {
    let crowd = r#"
        sample_rate_hz = 250_000
        duration_s = 20
        full_scale_dbm = -90
        noise_figure_db = 6
        seed = 5
        [traffic]
        messages = 60
        level_dbm = [-130, -100]
        bit_rates = [100]
        shapes = ["rect"]
    "#;
    let scene: Scene = toml::from_str(crowd).unwrap();
    let (mut simulator, _) = scene.build().unwrap();
    let mut samples = vec![Complex32::default(); scene.samples() as usize];
    simulator.render(&mut samples);
    let mut config = ReceiverConfig::new(SAMPLE_RATE_HZ, 868_130_000.0);
    config.limits.max_bursts = 48;
    config.limits.max_undecoded_frames = 16;
    config.max_memory_bytes = Some(1);
    let Err(Error::MemoryBound { needed_bytes, max_bytes: 1 }) = Receiver::new(config.clone())
    else {
        panic!("one byte is enough");
    };
    config.max_memory_bytes = Some(needed_bytes - 1);
    assert!(Receiver::new(config.clone()).is_err());
    config.max_memory_bytes = Some(needed_bytes);
    let mut statistics = Statistics::default();
    let taken = allocation_counter::measure(|| {
        let mut receiver = Receiver::new(config).unwrap();
        receiver.push_with(&samples, |_| {});
        receiver.flush_with(|_| {});
        statistics = receiver.statistics();
    });
    println!("{} of {needed_bytes} bytes", taken.bytes_max);
    assert!(taken.bytes_max <= needed_bytes, "{} of {needed_bytes} bytes", taken.bytes_max);
    assert!(statistics.dropped_fragments > 0, "no limit was reached: {statistics:?}");
    assert_eq!(statistics.messages, 60);
}
