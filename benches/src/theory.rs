//! What ideal receivers lose in white noise: perfect timing, frequency, drift and detection.
//!
//! Es/N0 of a symbol is Eb/N0 of a frame throughout, as a symbol carries one coded bit.

use nap_phy::Rank;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;
use rand_distr::StandardNormal;
use rayon::prelude::*;

/// Trials between two looks at the number of losses.
const TRIALS_PER_BATCH: usize = 500;
/// Losses after which a rate is known well enough: to some 6 %.
const ENOUGH_LOSSES: usize = 300;

/// From dB to a ratio of powers.
fn ratio(db: f64) -> f64 {
    10f64.powf(db / 10.0)
}

/// Loss of a frame of `bits` unknown bits, each phase compared with the one before and decided at
/// once: the error rate of a bit is `exp(-Eb/N0) / 2` (J. Proakis, M. Salehi, "Digital
/// Communications", 5th ed., 4.5-5; neighbouring errors are taken as independent).
#[must_use]
pub fn differential_loss(eb_over_n0_db: f64, bits: usize) -> f64 {
    let error_rate = 0.5 * (-ratio(eb_over_n0_db)).exp();
    1.0 - (1.0 - error_rate).powf(bits as f64)
}

/// Frames decided from the best of several sequences, their carriers' phases known.
///
/// The phases of the three frames of a message are code words of one convolutional code: with
/// `p[n]` the phase (0 or 1) after bit n in the first frame, they are up to a known sequence
/// `p[n]`, `p[n] + p[n-1] + p[n-2]` and `p[n] + p[n-2]`, since the convolution of frames 2 and 3 and
/// the summing of differential coding can change places. `p` before the first bit is known.
#[derive(Debug, Clone, Copy)]
pub struct CoherentDecoder {
    /// Frames of the message, 1 to 3, of equal level.
    pub frames: usize,
    /// Unknown bits of each.
    pub bits: usize,
    /// How many sequences the check sum may choose from; a check sum that is right by chance is not
    /// counted as a loss.
    pub list: usize,
}

impl CoherentDecoder {
    /// Share of messages lost, by simulation; at most `max_trials` messages are drawn. All of a
    /// linear code's words are lost equally often, so all bits are 0 here.
    #[must_use]
    pub fn loss(&self, eb_over_n0_db: f64, max_trials: usize, seed: u64) -> f64 {
        let (mut trials, mut losses) = (0, 0);
        while trials < max_trials && losses < ENOUGH_LOSSES {
            let batch = (trials..trials + TRIALS_PER_BATCH).into_par_iter();
            losses += batch.filter(|&n| self.is_lost(eb_over_n0_db, seed, n as u64)).count();
            trials += TRIALS_PER_BATCH;
        }
        losses as f64 / trials as f64
    }

    fn is_lost(&self, eb_over_n0_db: f64, seed: u64, trial: u64) -> bool {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        rng.set_stream(trial);
        let deviation = (0.5 / ratio(eb_over_n0_db)).sqrt();
        let mut survivors = Survivors::new(self.list);
        let mut sent = 0.0;
        for _ in 0..self.bits {
            let mut soft = [0.0; 3];
            for symbol in &mut soft[..self.frames] {
                *symbol = 1.0 + deviation * rng.sample::<f64, _>(StandardNormal);
            }
            sent += soft.iter().sum::<f64>();
            survivors.step(&soft);
        }
        survivors.better_than(sent) >= self.list
    }
}

/// The correlations of the best paths into each state, best first: a list
/// Viterbi algorithm without its traceback (N. Seshadri, C.-E. Sundberg, "List Viterbi Decoding
/// Algorithms with Applications", IEEE Trans. Communications 42, 1994).
struct Survivors {
    list: usize,
    /// By the last two phases, the newest in bit 0.
    states: [Vec<f64>; 4],
    next: [Vec<f64>; 4],
}

impl Survivors {
    fn new(list: usize) -> Self {
        let mut states: [Vec<f64>; 4] = Default::default();
        states[0].push(0.0);
        Self { list, states, next: Default::default() }
    }

    fn step(&mut self, soft: &[f64; 3]) {
        for (state, merged) in self.next.iter_mut().enumerate() {
            // The phase that leaves the memory may have been either.
            let branches = [0, 1].map(|oldest| {
                let register = oldest << 2 | state;
                let gains = Rank::ALL.iter().zip(soft).map(|(rank, symbol)| {
                    let flips = usize::from(rank.generator()) & register;
                    if flips.count_ones() % 2 == 0 { *symbol } else { -symbol }
                });
                (self.states[register >> 1].as_slice(), gains.sum())
            });
            merge(branches, self.list, merged);
        }
        std::mem::swap(&mut self.states, &mut self.next);
    }

    /// How many paths fit better than one with this correlation.
    fn better_than(&self, correlation: f64) -> usize {
        // What was summed up in another order may differ in the last digits.
        let least = correlation + 1e-9;
        self.states.iter().flatten().filter(|&&other| other > least).count()
    }
}

/// The best `list` of two descending lists, each with a gain added.
fn merge([a, b]: [(&[f64], f64); 2], list: usize, merged: &mut Vec<f64>) {
    merged.clear();
    let (mut i, mut j) = (0, 0);
    while merged.len() < list {
        let (x, y) = (a.0.get(i).map(|value| value + a.1), b.0.get(j).map(|value| value + b.1));
        match (x, y) {
            (Some(x), y) if y.is_none_or(|y| x >= y) => {
                merged.push(x);
                i += 1;
            }
            (_, Some(y)) => {
                merged.push(y);
                j += 1;
            }
            _ => break,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Upper tail of the normal distribution, by integration.
    fn tail(x: f64) -> f64 {
        let step = 1e-3;
        let density = |t: f64| (-0.5 * t * t).exp() / std::f64::consts::TAU.sqrt();
        (0..10_000).map(|n| density(x + (f64::from(n) + 0.5) * step) * step).sum()
    }

    fn assert_near(found: f64, expected: f64, share: f64) {
        assert!((found / expected - 1.0).abs() < share, "{found} for {expected}");
    }

    #[test]
    fn differential_detection_loses_as_its_formula_says() {
        // exp(-10) / 2 at 10 dB: 176 bits lose 176 times that, nearly.
        assert_near(differential_loss(10.0, 176), 176.0 * 0.5 * (-10f64).exp(), 0.01);
        assert_near(differential_loss(6.6, 176), 0.5, 0.2);
    }

    #[test]
    fn one_frame_alone_is_decided_symbol_by_symbol() {
        let decoder = CoherentDecoder { frames: 1, bits: 176, list: 1 };
        for db in [5.4, 7.2] {
            let error_rate = tail((2.0 * ratio(db)).sqrt());
            let expected = 1.0 - (1.0 - error_rate).powi(176);
            assert_near(decoder.loss(db, 4000, 1), expected, 0.15);
        }
    }

    /// The last bits are protected least: an error in the very last symbol alone costs one symbol of
    /// each frame, as the code has no tail, so the loss is at least that of three symbols' energy.
    #[test]
    fn three_frames_are_worth_more_than_their_energy_but_for_the_end() {
        let decoder = CoherentDecoder { frames: 3, bits: 176, list: 1 };
        let loss = decoder.loss(0.0, 4000, 1);
        let last = tail((2.0 * 3.0 * ratio(0.0)).sqrt());
        let uncoded = 1.0 - (1.0 - last).powi(176);
        assert!(last < loss && loss < 0.5 * uncoded, "{last} < {loss} < {uncoded}");
    }

    #[test]
    fn a_list_only_helps() {
        let losses =
            [1, 2, 8].map(|list| CoherentDecoder { frames: 3, bits: 80, list }.loss(-1.5, 2000, 1));
        assert!(losses[0] > losses[1] && losses[1] > losses[2], "{losses:?}");
    }

    #[test]
    fn merging_keeps_the_best_in_order() {
        let mut merged = Vec::new();
        merge([(&[5.0, 1.0], 1.0), (&[4.0, 3.5], 0.0)], 3, &mut merged);
        assert_eq!(merged, [6.0, 4.0, 3.5]);
        merge([(&[], 0.0), (&[4.0], 0.5)], 3, &mut merged);
        assert_eq!(merged, [4.5]);
    }
}
