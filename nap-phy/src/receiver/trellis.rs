//! The code that binds the phases of a message's frames, and its most likely paths.
//!
//! The phases of the three frames of a message obey one code of four states. With `p` the phase bits
//! of frame 1 (0 or 180 degrees, relative to the last known symbol), those of frame 2 and 3 are
//! `p[n] + p[n-1] + p[n-2] + k2[n]` and `p[n] + p[n-2] + k3[n]` modulo 2, with constant sequences
//! `k2`, `k3` that stem from a 0 bit being the flip. Differential coding thus costs nothing. With one
//! frame the same trellis lists that frame's most likely bits.
//!
//! One pass forward (Viterbi's, and beside it the sum over all paths) is enough for a list of any
//! length: every further path leaves an earlier one at one place, going backwards, and what that
//! costs is known from the pass (the tree-trellis search of Soong and Huang, 1991).

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::template::Template;
use crate::Rank;

/// States of the code: the last two phase bits, the newest in bit 0.
const STATES: usize = 4;
/// Half the log likelihood ratio that a symbol may have at most. No model is right to more than that,
/// and sums over paths stay within the range of numbers.
const SUREST: f32 = 20.0;

/// Soft phases of a frame: half log likelihood ratios, positive for the phase of the last known
/// symbol.
pub(super) type SoftPhases<'a> = (Rank, &'a [f32]);

/// The phase bit `n` of a frame of `rank` whose first frame has these phase bits.
pub(super) fn phase(rank: Rank, first: &[bool], n: usize) -> bool {
    constant(rank, n) ^ tap(rank, first, n)
}

/// The constant sequences `k1` (zero), `k2` and `k3`.
pub(super) fn constant(rank: Rank, n: usize) -> bool {
    match rank {
        Rank::First => false,
        Rank::Second => n > 0,
        Rank::Third => n > 0 && n.is_multiple_of(2),
    }
}

/// Bit `n` of `bits` convolved with the generator of a rank.
pub(super) fn tap(rank: Rank, bits: &[bool], n: usize) -> bool {
    let back = |delay: usize| n.checked_sub(delay).is_some_and(|n| bits[n]);
    generate(rank, [back(0), back(1), back(2)])
}

/// What the generator of a rank makes of the newest three bits, the newest first.
fn generate(rank: Rank, [newest, before, oldest]: [bool; 3]) -> bool {
    match rank {
        Rank::First => newest,
        Rank::Second => newest ^ before ^ oldest,
        Rank::Third => newest ^ oldest,
    }
}

/// ln cosh of a soft value as the trellis takes it: what it says about a phase that may be either.
pub(super) fn ln_cosh(value: f32) -> f64 {
    let size = f64::from(value.abs().min(SUREST));
    size + (-2.0 * size).exp().ln_1p() - std::f64::consts::LN_2
}

/// The ways into the states after one symbol.
#[derive(Debug, Clone, Copy)]
struct Step {
    /// Bit `s`: the oldest phase bit of the best way into state `s`.
    oldest: u8,
    /// By state, how much less likely the other way is.
    losses: [f64; STATES],
}

/// Where a path leaves the one that it is derived from.
#[derive(Debug, Clone, Copy)]
enum Origin {
    /// Nowhere: the best path into this state at the end.
    End { state: usize },
    /// The path that starts here in the store, left going backwards at symbol `at`.
    Detour { parent: usize, at: usize },
}

/// A path that has not been traced yet.
#[derive(Debug, Clone, Copy)]
struct Branch {
    metric: f64,
    origin: Origin,
}

impl Ord for Branch {
    fn cmp(&self, other: &Self) -> Ordering {
        self.metric.total_cmp(&other.metric)
    }
}

impl PartialOrd for Branch {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Branch {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Branch {}

/// The trellis over some frames of a message. Its memory is kept from one use to the next.
#[derive(Debug, Default)]
pub(super) struct Trellis {
    steps: Vec<Step>,
    /// Metric of the best path into each state at the end.
    ends: [f64; STATES],
    ln_total: f64,
    least_metric: f64,
    branches: BinaryHeap<Branch>,
    /// The phase bits of the paths listed so far, one path after the other.
    paths: Vec<bool>,
}

impl Trellis {
    /// Weighs all paths that the template allows. All frames have the same number of symbols.
    ///
    /// Returns the logarithm of the sum over all of them, where a path counts exp(metric) and its
    /// metric is the sum of soft values with the signs of its phases.
    pub(super) fn run(&mut self, frames: &[SoftPhases<'_>], template: &Template) -> f64 {
        let length = frames.iter().map(|(_, values)| values.len()).min().unwrap_or(0);
        self.steps.clear();
        self.ln_total = 0.0;
        let mut best = [0.0, f64::NEG_INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
        let mut sums = [1.0, 0.0, 0.0, 0.0];
        for n in 0..length {
            let gains = gains(frames, n);
            let highest = gains.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let weights = gains.map(|gain| (gain - highest).exp());
            let mut step = Step { oldest: 0, losses: [f64::INFINITY; STATES] };
            let mut next = [f64::NEG_INFINITY; STATES];
            let mut next_sums = [0.0; STATES];
            for state in (0..STATES).filter(|state| template.allows(n, is_one(*state))) {
                let (newer, older) = (state >> 1, state >> 1 | 2);
                let ways = [best[newer] + gains[state], best[older] + gains[state | 4]];
                let through = usize::from(ways[1] > ways[0]);
                step.oldest |= (through as u8) << state;
                next[state] = ways[through];
                if ways[1 - through] > f64::NEG_INFINITY {
                    step.losses[state] = ways[through] - ways[1 - through];
                }
                next_sums[state] = sums[newer] * weights[state] + sums[older] * weights[state | 4];
            }
            let total: f64 = next_sums.iter().sum();
            self.ln_total += highest + total.ln();
            sums = next_sums.map(|sum| sum / total.max(f64::MIN_POSITIVE));
            best = next;
            self.steps.push(step);
        }
        self.ends = best;
        self.ln_total
    }

    /// Starts the list of the paths that were weighed last, down to `least_metric`.
    pub(super) fn start_list(&mut self, least_metric: f64) {
        self.least_metric = least_metric;
        self.paths.clear();
        self.branches.clear();
        for (state, metric) in self.ends.into_iter().enumerate() {
            self.push(Branch { metric, origin: Origin::End { state } });
        }
    }

    /// The next most likely path: its metric and the phase bits of frame 1.
    pub(super) fn next_path(&mut self) -> Option<(f64, &[bool])> {
        let Branch { metric, origin } = self.branches.pop()?;
        let (length, start) = (self.steps.len(), self.paths.len());
        self.paths.resize(start + length, false);
        // The state after the first `n` symbols.
        let (mut state, mut n) = match origin {
            Origin::End { state } => (state, length),
            Origin::Detour { parent, at } => {
                self.paths.copy_within(parent + at..parent + length, start + at);
                let newest = usize::from(self.paths[parent + at]);
                let before = usize::from(at > 0 && self.paths[parent + at - 1]);
                (self.state_before(at, newest | before << 1) ^ 2, at)
            }
        };
        while n > 0 {
            n -= 1;
            self.paths[start + n] = state & 1 == 1;
            let metric = metric - self.steps[n].losses[state];
            self.push(Branch { metric, origin: Origin::Detour { parent: start, at: n } });
            state = self.state_before(n, state);
        }
        Some((metric, &self.paths[start..]))
    }

    fn push(&mut self, branch: Branch) {
        if branch.metric > f64::NEG_INFINITY && branch.metric >= self.least_metric {
            self.branches.push(branch);
        }
    }

    /// The state before symbol `n` on the best way into a state.
    fn state_before(&self, n: usize, state: usize) -> usize {
        state >> 1 | usize::from(self.steps[n].oldest >> state & 1) << 1
    }
}

/// The bit that leads into a state: the phase stays with a 1.
const fn is_one(state: usize) -> bool {
    matches!(state, 0 | 3)
}

/// What symbol `n` adds to the metric of a path, by its newest three phase bits, the newest in bit 0.
fn gains(frames: &[SoftPhases<'_>], n: usize) -> [f64; 2 * STATES] {
    let mut gains = [0.0; 2 * STATES];
    for &(rank, values) in frames {
        let value = f64::from(values[n].clamp(-SUREST, SUREST));
        for (bits, gain) in gains.iter_mut().enumerate() {
            let phases = [0, 1, 2].map(|delay| bits >> delay & 1 == 1);
            *gain += if constant(rank, n) ^ generate(rank, phases) { -value } else { value };
        }
    }
    gains
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::LengthClass;

    const LENGTH: usize = 10;

    /// The metrics of all paths of ten symbols that a template allows, by trying all, best first.
    fn all_metrics(frames: &[SoftPhases<'_>], template: &Template) -> Vec<f64> {
        let mut metrics: Vec<f64> = (0..1u32 << LENGTH)
            .map(|bits| (0..LENGTH).map(|n| bits >> n & 1 == 1).collect::<Vec<bool>>())
            .filter(|phases| {
                (0..LENGTH).all(|n| {
                    let before = n > 0 && phases[n - 1];
                    template.allows(n, phases[n] == before)
                })
            })
            .map(|phases| metric(frames, &phases))
            .collect();
        metrics.sort_by(|a, b| b.total_cmp(a));
        metrics
    }

    fn metric(frames: &[SoftPhases<'_>], phases: &[bool]) -> f64 {
        let signed = |&(rank, values): &SoftPhases<'_>| -> f64 {
            (0..LENGTH)
                .map(|n| f64::from(if phase(rank, phases, n) { -values[n] } else { values[n] }))
                .sum()
        };
        frames.iter().map(signed).sum()
    }

    fn values() -> impl Strategy<Value = Vec<f32>> {
        prop::collection::vec(-1.0f32..1.0, LENGTH)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        /// Against trying all paths, for every set of frames, with and without pinned bits.
        #[test]
        fn lists_the_paths_in_the_order_of_likelihood(
            values in [values(), values(), values()],
            ranks in prop::sample::subsequence(vec![0, 1, 2], 1..=3),
            pinned in any::<bool>(),
        ) {
            let frames: Vec<SoftPhases<'_>> =
                ranks.into_iter().map(|rank| (Rank::ALL[rank], &values[rank][..])).collect();
            let template =
                if pinned { Template::of_class(LengthClass::OneByte) } else { Template::default() };
            let expected = all_metrics(&frames, &template);
            let mut trellis = Trellis::default();
            let ln_total = trellis.run(&frames, &template);
            let total: f64 = expected.iter().map(|metric| metric.exp()).sum();
            prop_assert!((ln_total - total.ln()).abs() < 1e-6);
            trellis.start_list(f64::NEG_INFINITY);
            let mut listed = Vec::new();
            while let Some((found, phases)) = trellis.next_path() {
                let phases = phases.to_vec();
                prop_assert!((found - metric(&frames, &phases)).abs() < 1e-5);
                listed.push(found);
            }
            prop_assert_eq!(listed.len(), expected.len());
            for (found, expected) in listed.iter().zip(&expected) {
                prop_assert!((found - expected).abs() < 1e-5);
            }
            // With a least metric, the same list is cut.
            trellis.start_list(expected[5]  - 1e-5);
            prop_assert!((0..6).all(|_| trellis.next_path().is_some()));
        }
    }

    #[test]
    fn sure_symbols_do_not_overflow() {
        let values = [1e30f32; LENGTH];
        let mut trellis = Trellis::default();
        let template = Template::of_class(LengthClass::OneByte);
        let ln_total = trellis.run(&[(Rank::First, &values), (Rank::Second, &values)], &template);
        assert!(ln_total.is_finite());
        trellis.start_list(f64::NEG_INFINITY);
        assert!(trellis.next_path().is_some());
    }
}
