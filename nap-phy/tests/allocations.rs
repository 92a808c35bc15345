//! Memory that the receiver asks for while it only listens: none.
#![cfg(feature = "receiver")]
#![allow(clippy::unwrap_used, reason = "a panic in a test is a failed test")]

use nap_phy::{Receiver, ReceiverConfig};
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

#[test]
fn listening_to_noise_allocates_nothing() {
    let mut receiver = Receiver::new(ReceiverConfig::new(SAMPLE_RATE_HZ, 868_130_000.0)).unwrap();
    let mut rng = ChaCha12Rng::seed_from_u64(4);
    let mut block = vec![Complex32::default(); BLOCK];
    let mut push_seconds = |receiver: &mut Receiver, duration_s: f64| {
        let mut allocations = 0;
        for _ in 0..(duration_s * SAMPLE_RATE_HZ) as usize / BLOCK {
            noise(&mut rng, &mut block);
            let before = receiver.statistics();
            let push = allocation_counter::measure(|| assert!(receiver.push(&block).is_empty()));
            // What looks like a burst is kept until it has been demodulated; nothing else is.
            let after = receiver.statistics();
            if (before.bursts, before.hypotheses) == (after.bursts, after.hypotheses) {
                allocations += push.count_total;
            }
        }
        allocations
    };
    assert!(push_seconds(&mut receiver, 12.0) > 0, "the first candidates need room");
    let candidates = receiver.statistics().candidates;
    assert_eq!(push_seconds(&mut receiver, 10.0), 0);
    assert!(receiver.statistics().candidates > candidates, "there was something to look at");
}
