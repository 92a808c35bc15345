//! What interference looks like in soft symbols.
//!
//! Remote controls, meters and switching supplies send lines and pulses at even distances. Where a receiver
//! takes such a place for a carrier, the phases that it sees are those of noise, or they recur after some
//! symbols. Frames do not: whatever the payload, header, identity, tag and check sum do not repeat each other.

use super::frame_priors::FramePriors;
use super::trellis::{SoftPhases, ln_cosh_of};

/// The longest period that is looked for, in symbols.
const MAX_PERIOD: usize = 16;

/// Logarithm of the likelihood of a frame's phases if there is no frame, as
/// [`SoftPhases::ln_chance`] counts: each phase by chance, or all after the same pattern of a few symbols.
pub(super) fn ln_interference(frame: SoftPhases<'_>, priors: &FramePriors) -> f64 {
    let ln_chance = frame.ln_chance();
    let values: Vec<f64> =
        frame.phases.iter().map(|phase| f64::from(phase.bounded_value())).collect();
    let patterns = (1..=MAX_PERIOD).flat_map(|period| [(period, 1.0), (period, -1.0)]);
    let ln_share = (priors.periodic_share / (2 * MAX_PERIOD) as f64).ln();
    let ln_periodic = |(period, turn)| ln_share + ln_of_pattern(&values, period, turn);
    patterns.map(ln_periodic).fold(ln_chance, ln_sum)
}

/// The same if the phases recur after `period` symbols, each time multiplied by `turn`, 1 or -1.
fn ln_of_pattern(values: &[f64], period: usize, turn: f64) -> f64 {
    let of_place = |first: usize| {
        let recurring = values.iter().skip(first).step_by(period);
        recurring.fold((0.0, 1.0), |(sum, sign), value| (sum + sign * value, sign * turn)).0
    };
    (0..period.min(values.len())).map(|first| ln_cosh_of(of_place(first).abs())).sum()
}

/// The logarithm of the sum of two numbers of which the logarithms are given.
fn ln_sum(a: f64, b: f64) -> f64 {
    a.max(b) + (-(a - b).abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receiver::decoder::trellis::SoftPhase;
    use crate::uplink::rank::Rank;

    const LENGTH: usize = 176;

    /// How much likelier the phases are than by chance, if they are these.
    fn ln_ratio(phase: impl Fn(usize) -> bool, soft_sign: f32) -> f64 {
        let value = |n| if phase(n) { -soft_sign } else { soft_sign };
        let soft = |n| SoftPhase { value: value(n), ..SoftPhase::default() };
        let phases: Vec<SoftPhase> = (0..LENGTH).map(soft).collect();
        let frame = SoftPhases { rank: Rank::First, phases: &phases };
        ln_interference(frame, &FramePriors::default()) - frame.ln_chance()
    }

    /// A number without any order in its bits.
    fn is_odd(n: usize) -> bool {
        (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).count_ones() % 2 == 1
    }

    #[test]
    fn phases_that_recur_are_likely_under_interference() {
        let chance = LENGTH as f64 * std::f64::consts::LN_2;
        // Bits 0101..., a pattern that turns each time, and one of 13 symbols.
        let patterns: [&dyn Fn(usize) -> bool; 3] =
            [&|n| n / 2 % 2 == 1, &|n| is_odd(n % 5) ^ (n / 5 % 2 == 1), &|n| is_odd(n % 13)];
        for pattern in patterns {
            assert!(ln_ratio(pattern, 8.0) > chance - 13.0 - 10.0);
            assert!(ln_ratio(pattern, 1.0) > 0.25 * chance);
        }
    }

    #[test]
    fn those_of_a_frame_are_not_even_if_half_of_it_recurs() {
        for soft_sign in [0.5, 1.0, 8.0, 100.0] {
            assert!(ln_ratio(is_odd, soft_sign) < 0.1);
            let of_half = |n: usize| if n < LENGTH / 2 { n % 2 == 1 } else { is_odd(n) };
            assert!(ln_ratio(of_half, soft_sign) < 0.5 * LENGTH as f64 * std::f64::consts::LN_2);
        }
    }
}
