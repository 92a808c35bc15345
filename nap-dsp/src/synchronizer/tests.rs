//! The synchronizer's fast sums and its shortcuts against plain ones, in the formulas of the textbook.

use num_complex::Complex64;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::kernels::lanes::LANES;
use crate::kernels::sums::to_c64;
use crate::synchronizer::trials::Trials;

/// Any would do: all is counted in symbols.
const SYMBOL_RATE_HZ: f64 = 100.0;
/// As long as in receivers of 100 bit/s, so that the trials are theirs.
const PREAMBLE: Preamble = Preamble { symbols: 20, following: 70 };
/// Symbols of a sync word: the preamble and 13 of a frame type.
const LENGTH: usize = 33;
/// Steps at which a sync word may start here.
const STARTS: usize = 24;
const STEPS: usize = STARTS + LENGTH * STEPS_PER_SYMBOL - 1;

/// The sync word's symbols: a preamble that repeats after four, and a frame type.
fn signs(frame_type: u16) -> Vec<f64> {
    let preamble = [1.0, -1.0, -1.0, 1.0].into_iter().cycle().take(PREAMBLE.symbols);
    let bits = (0..LENGTH - PREAMBLE.symbols).map(|n| frame_type >> n & 1 == 1);
    preamble.chain(bits.map(|bit| if bit { 1.0 } else { -1.0 })).collect()
}

/// A synchronizer that has taken in what `received` tells: steps of noise, and in it a sync word.
fn loaded(received: &Received) -> Synchronizer {
    let frame_types = [0x0b3c, 0x1e55, 0x02a7];
    let sync_words: Vec<Vec<f64>> = frame_types.into_iter().map(signs).collect();
    let sent = &sync_words[received.sync_word];
    let mut synchronizer = Synchronizer::new((SYMBOL_RATE_HZ, PREAMBLE), &sync_words, 25.0, 0.45);
    let steps = received.noise.iter().enumerate().map(|(step, &(re, im))| {
        let symbol = (step.checked_sub(received.start)).map(|step| step / STEPS_PER_SYMBOL);
        let sign = symbol.and_then(|symbol| sent.get(symbol)).copied().unwrap_or(0.0);
        let symbols = step as f64 / STEPS_PER_SYMBOL as f64;
        let cycles = received.cycles * symbols + received.bend * symbols * symbols;
        to_c32(Complex64::from_polar(sign * received.amplitude, TAU * cycles))
            + Complex32::new(re, im)
    });
    synchronizer.work.steps = steps.collect();
    synchronizer.sum_steps();
    synchronizer
}

#[derive(Debug, Clone)]
struct Received {
    noise: Vec<(f32, f32)>,
    amplitude: f64,
    sync_word: usize,
    /// In steps.
    start: usize,
    /// Of the carrier: cycles a symbol, and a symbol squared.
    cycles: f64,
    bend: f64,
}

fn received() -> impl Strategy<Value = Received> {
    let noise = vec((-1.0f32..1.0, -1.0f32..1.0), STEPS);
    let carrier = (0.0..1.5, -0.06..0.06, -0.001..0.001);
    (noise, carrier, 0..3usize, 0..STARTS).prop_map(
        |(noise, (amplitude, cycles, bend), sync_word, start)| Received {
            noise,
            amplitude,
            sync_word,
            start,
            cycles,
            bend,
        },
    )
}

/// The symbols from a step on: means over four steps.
fn symbols(synchronizer: &Synchronizer, start: usize, length: usize) -> Vec<Complex64> {
    let steps = &synchronizer.work.steps[start..][..length * STEPS_PER_SYMBOL];
    let mean =
        |steps: &[Complex32]| steps.iter().map(|&step| to_c64(step)).sum::<Complex64>() / 4.0;
    steps.chunks(STEPS_PER_SYMBOL).map(mean).collect()
}

/// The square of the sum of symbols, signs and carrier removed; the carrier has one phase a segment.
fn power(symbols: &[Complex64], signs: &[f32], (frequency_hz, drift_hz_per_s): (f64, f64)) -> f64 {
    let symbol_s = 1.0 / SYMBOL_RATE_HZ;
    let sum = segments(symbols.len()).flat_map(|(from, to)| {
        let time_s = ((from + to) as f64 - symbols.len() as f64) / 2.0 * symbol_s;
        let cycles = frequency_hz * time_s + drift_hz_per_s * time_s * time_s / 2.0;
        let phasor = Complex64::from_polar(1.0, -TAU * cycles);
        (from..to).map(move |n| symbols[n] * f64::from(signs[n]) * phasor)
    });
    sum.sum::<Complex64>().norm_sqr()
}

fn energy(symbols: &[Complex64]) -> f64 {
    symbols.iter().map(Complex64::norm_sqr).sum()
}

/// Both within a hundred thousandth of a scale.
fn close(a: f64, b: f64, scale: f64) -> bool {
    (a - b).abs() < 1e-5 * scale
}

/// The normalized correlation of the preamble at a start, the largest of all trial carriers.
fn preamble_correlation(synchronizer: &Synchronizer, start: usize) -> f64 {
    let Trials { length, ref carriers, .. } = synchronizer.trials.preamble;
    let symbols = symbols(synchronizer, start, length);
    let powers = carriers.iter().map(|&at| power(&symbols, &synchronizer.sync_words[0], at));
    powers.fold(0.0, f64::max) / (length as f64 * energy(&symbols))
}

/// The products of neighbouring symbols from a start on, a sync word's signs removed.
fn products(synchronizer: &Synchronizer, start: usize, sync_word: usize) -> Vec<Complex64> {
    let signs = &synchronizer.sync_words[sync_word];
    let symbols = symbols(synchronizer, start, LENGTH);
    let product =
        |n: usize| symbols[n] * symbols[n - 1].conj() * f64::from(signs[n] * signs[n - 1]);
    (1..LENGTH).map(product).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// All trial carriers of a sync word at once.
    #[test]
    fn gathers_what_plain_sums_do(received in received(), sync_word in 0..3usize) {
        let mut synchronizer = loaded(&received);
        let symbols = symbols(&synchronizer, received.start, LENGTH);
        let signs = &synchronizer.sync_words[sync_word];
        let Work { sums, symbols: from_steps, gathered, .. } = &mut synchronizer.work;
        segment_sums(sums, &from_steps[received.start..], signs, 0);
        let trials = &synchronizer.trials.sync_word;
        let peak = trials.gather(sums, gathered);
        let scale = LENGTH as f64 * energy(&symbols);
        let mut largest = 0.0f64;
        for (trial, &carrier) in trials.carriers.iter().enumerate() {
            let (lanes, n) = (&gathered[trial / LANES], trial % LANES);
            let found = Complex32::new(lanes.re[n], lanes.im[n]).norm_sqr().into();
            let expected = power(&symbols, signs, carrier);
            largest = largest.max(expected);
            prop_assert!(close(found, expected, scale), "{found} for {expected} of {carrier:?}");
        }
        prop_assert!(close(peak, largest, scale));
        let at_peak = power(&symbols, signs, trials.carriers[peak_position(gathered)]);
        prop_assert!(close(at_peak, largest, scale));
    }

    /// No bound that spares work leaves out a start at which the preamble fits, and none is let in.
    #[test]
    fn finds_the_starts_that_plain_correlations_do(received in received()) {
        let mut synchronizer = loaded(&received);
        synchronizer.tuning.max_starts = STARTS;
        // Without noise what is asked is the same everywhere.
        synchronizer.find_starts(STARTS, 0.0);
        let tuning = synchronizer.tuning;
        let least = tuning.expected(0.0, 1.0).max(tuning.min_preamble_correlation);
        let correlation = |start| preamble_correlation(&synchronizer, start);
        let expected: Vec<f64> = (0..STARTS).map(correlation).collect();
        for fit in &synchronizer.work.starts {
            prop_assert!(close(fit.correlation, expected[fit.step], 1.0));
            prop_assert!(close(fit.least, least, 1.0));
        }
        for (start, &correlation) in expected.iter().enumerate() {
            let near = &expected[start.saturating_sub(2)..(start + 3).min(STARTS)];
            let highest = near.iter().fold(0.0, |highest: f64, &other| highest.max(other));
            let found = synchronizer.work.starts.iter().any(|fit| fit.step == start);
            // What a rounding may decide is left open.
            let is_single = near.iter().filter(|&&other| other > highest - 1e-5).count() == 1;
            if correlation > least + 1e-5 && is_single {
                prop_assert_eq!(found, correlation == highest, "start {}", start);
            }
            prop_assert!(!found || correlation > least - 1e-5);
        }
    }

    /// No bound leaves out a sync word that correlates on one of the carriers that suit the preamble.
    #[test]
    fn finds_the_sync_words_that_plain_correlations_do(received in received()) {
        let mut synchronizer = loaded(&received);
        let step = received.start;
        let fit = PreambleFit { step, correlation: 0.0, least: 0.0 };
        synchronizer.try_sync_words(fit, (0.0, 0.0), 0.0);
        let tuning = &synchronizer.tuning;
        let coarse = tuning.coarse_share * synchronizer.threshold;
        let threshold = coarse.max(tuning.expected(0.0, 1.0));
        let symbols = symbols(&synchronizer, step, LENGTH);
        let (choice, _) = synchronizer.gather_preamble(step);
        let Trials { ref carriers, .. } = synchronizer.trials.sync_word;
        let suitable = &synchronizer.trials.choices[choice].trials;
        for (sync_word, signs) in synchronizer.sync_words.iter().enumerate() {
            let powers = suitable.iter().map(|&trial| power(&symbols, signs, carriers[trial]));
            let expected = powers.fold(0.0, f64::max) / (LENGTH as f64 * energy(&symbols));
            let found = synchronizer.work.found.iter().find(|found| found.sync_word == sync_word);
            match found {
                Some(found) => prop_assert!(close(found.correlation, expected, 1.0)),
                None => prop_assert!(expected < threshold + 1e-5, "{expected} of {sync_word}"),
            }
        }
    }

    /// The changes of the phase: the sums of products, with the chirp that suits them best.
    #[test]
    fn finds_the_changes_that_plain_sums_do(received in received()) {
        let mut synchronizer = loaded(&received);
        let step = received.start;
        synchronizer.sum_products(STARTS);
        synchronizer.work.changes.clear();
        synchronizer.find_changes(step, 0.0);
        let tuning = synchronizer.tuning;
        for sync_word in 0..synchronizer.sync_words.len() {
            let products = products(&synchronizer, step, sync_word);
            let all: f64 = products.iter().map(|product| product.norm()).sum();
            let squares: f64 = products.iter().map(Complex64::norm_sqr).sum();
            let preamble: Complex64 = products[..PREAMBLE.symbols - 1].iter().sum();
            let of_preamble: f64 = products[..PREAMBLE.symbols - 1].iter().map(|z| z.norm()).sum();
            // By chirp, the sum in which each eight products are turned by eighths of a turn more.
            let sum = |chirp: i32| -> f64 {
                let turned = products.iter().enumerate().map(|(n, product)| {
                    let eighths = f64::from(chirp) * (1.5 - (n / LOCAL_PRODUCTS) as f64);
                    product * Complex64::from_polar(1.0, TAU * eighths / 8.0)
                });
                turned.sum::<Complex64>().norm()
            };
            let chirps = -chirps::MAX_CHIRP..=chirps::MAX_CHIRP;
            let (chirp, largest) = chirps.map(|chirp| (chirp, sum(chirp))).fold(
                (0, 0.0),
                |best: (i32, f64), this| if this.1 > best.1 { this } else { best },
            );
            let Tuning { min_differential_power, min_chirped_power, .. } = tuning;
            let asked = if chirp == 0 { min_differential_power } else { min_chirped_power };
            let share = tuning.differential_expected_share.max(tuning.min_differential_share);
            let margin = (preamble.norm() / (f64::from(tuning.min_preamble_share) * of_preamble))
                .min(largest / (share * all))
                .min(largest / (f64::from(asked) * squares).sqrt());
            let found = synchronizer.work.changes.iter().find(|found| found.sync_word == sync_word);
            match found {
                Some(found) => {
                    prop_assert!(margin > 1.0 - 1e-4, "{margin}");
                    prop_assert!(close(f64::from(found.share) * all, largest, all));
                    prop_assert!(close(sum(found.chirp), largest, all));
                }
                None => prop_assert!(margin < 1.0 + 1e-4, "{margin} of {sync_word}"),
            }
        }
    }
}
