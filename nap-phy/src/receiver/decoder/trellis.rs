//! The code that binds the phases of a message's frames, and its most likely paths.
//!
//! The phases of the three frames of a message obey one code of four states. With `p` the phase bits
//! of frame 1 (0 or 180 degrees, relative to the last known symbol), those of frame 2 and 3 are
//! `p[n] + p[n-1] + p[n-2] + k2[n]` and `p[n] + p[n-2] + k3[n]` modulo 2, with constant sequences
//! `k2`, `k3` that stem from a 0 bit being the reversal. Differential coding thus costs nothing. With one
//! frame the same trellis lists that frame's most likely bits. It has eight states, for what a reversal adds
//! to the likelihood hangs on a frame's phase before as well.
//!
//! One pass forward (Viterbi's, and beside it the sum over all paths) is enough for a list of any
//! length: every further path leaves an earlier one at one place, going backwards, and what that
//! costs is known from the pass (the tree-trellis search of Soong and Huang, 1991).

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::template::Template;
use crate::uplink::rank::Rank;

/// States of the trellis: the last three phase bits, the newest in bit 0.
const STATES: usize = 8;
/// The oldest phase bit of a state.
const OLDEST: usize = STATES / 2;
/// Half the log likelihood ratio that a symbol may have at most. No model is right to more than that,
/// and sums over paths stay within the range of numbers.
const LLR_CLIP: f32 = 20.0;

/// What was received of one phase of a frame, as half log likelihood ratios, positive for the phase of
/// the last known symbol.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SoftPhase {
    /// What is received of the symbol, if the envelope is steady.
    pub(crate) value: f32,
    /// What a reversal before the symbol adds to the value: there the envelope may have a notch.
    pub(crate) reversal: f32,
    /// What a reversal adds to the likelihood whatever the phase, for the energy that a notch lacks.
    pub(crate) notch: f32,
}

impl SoftPhase {
    /// The same, saturated at the LLR clip: all parts by one factor, or notches would outweigh clear
    /// symbols.
    fn saturated(self) -> Self {
        let Self { value, reversal, notch } = self;
        let largest = value.abs().max(notch + (value + reversal).abs());
        let share = LLR_CLIP / largest.max(LLR_CLIP);
        Self { value: share * value, reversal: share * reversal, notch: share * notch }
    }

    /// What is received of the symbol, saturated as [`Self::branch_metrics`] counts it.
    pub(crate) fn bounded_value(self) -> f32 {
        self.saturated().value
    }

    /// What the symbol adds to the logarithm of the likelihood, by its phase in bit 0 and that before in
    /// bit 1.
    fn branch_metrics(self) -> [f64; 4] {
        let Self { value, reversal, notch } = self.saturated();
        [value, notch - (value + reversal), notch + (value + reversal), -value].map(f64::from)
    }
}

/// What was received of the phases of a frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SoftPhases<'a> {
    pub(crate) rank: Rank,
    pub(crate) phases: &'a [SoftPhase],
}

impl SoftPhases<'_> {
    /// By the newest phase bits of frame 1, the newest in bit 0: the phase of symbol `n` in bit 0 and that
    /// before in bit 1.
    fn transitions(&self, n: usize) -> [usize; 2 * STATES] {
        let before = n > 0 && constant(self.rank, n - 1);
        let constants = usize::from(constant(self.rank, n)) | usize::from(before) << 1;
        TRANSITIONS[self.rank.index()].map(|phases| phases ^ constants)
    }

    /// Logarithm of the likelihood if all phases were chosen by chance.
    pub(crate) fn ln_chance(&self) -> f64 {
        let (mut ln_sum, mut sums) = (0.0, [1.0, 0.0]);
        for phase in self.phases {
            let [stays, rises, falls, keeps] = phase.branch_metrics().map(f64::exp);
            let next = [sums[0] * stays + sums[1] * falls, sums[0] * rises + sums[1] * keeps];
            let total = next[0] + next[1];
            sums = next.map(|sum| sum / total);
            ln_sum += (total / 2.0).ln();
        }
        ln_sum
    }
}

/// The phase bit `n` of a frame of `rank` whose first frame has these phase bits.
pub(crate) fn phase(rank: Rank, first: &[bool], n: usize) -> bool {
    constant(rank, n) ^ tap(rank, first, n)
}

/// The constant sequences `k1` (zero), `k2` and `k3`.
pub(crate) fn constant(rank: Rank, n: usize) -> bool {
    match rank {
        Rank::First => false,
        Rank::Second => n > 0,
        Rank::Third => n > 0 && n.is_multiple_of(2),
    }
}

/// Bit `n` of `bits` convolved with the generator of a rank.
pub(crate) fn tap(rank: Rank, bits: &[bool], n: usize) -> bool {
    let back = |delay: usize| n.checked_sub(delay).is_some_and(|n| bits[n]);
    generate(rank, [back(0), back(1), back(2)])
}

/// By rank and the newest four bits, the newest in bit 0: what the generator makes of the newest three, in
/// bit 0, and of those without the newest, in bit 1.
const TRANSITIONS: [[usize; 2 * STATES]; 3] = {
    let mut transitions = [[0; 2 * STATES]; 3];
    let mut place = 0;
    while place < 3 * 2 * STATES {
        let (rank, bits) = (place / (2 * STATES), place % (2 * STATES));
        let [a, b, c, d] = [bits & 1 == 1, bits & 2 != 0, bits & 4 != 0, bits & 8 != 0];
        let rank_of = Rank::ALL[rank];
        transitions[rank][bits] =
            generate(rank_of, [a, b, c]) as usize | (generate(rank_of, [b, c, d]) as usize) << 1;
        place += 1;
    }
    transitions
};

/// What the generator of a rank makes of the newest three bits, the newest first.
pub(crate) const fn generate(rank: Rank, [newest, before, oldest]: [bool; 3]) -> bool {
    match rank {
        Rank::First => newest,
        Rank::Second => newest ^ before ^ oldest,
        Rank::Third => newest ^ oldest,
    }
}

/// ln cosh of a soft value as the trellis takes it: what it says about a phase that may be either.
pub(crate) fn ln_cosh(value: f32) -> f64 {
    ln_cosh_of(f64::from(value.abs().min(LLR_CLIP)))
}

/// ln cosh of a number that is not negative.
pub(crate) fn ln_cosh_of(size: f64) -> f64 {
    size + (-2.0 * size).exp().ln_1p() - std::f64::consts::LN_2
}

/// The survivors after one symbol: by state, the best way into it.
#[derive(Debug, Clone, Copy)]
struct Survivors {
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
pub(crate) struct Trellis {
    survivors: Vec<Survivors>,
    /// Metric of the best path into each state at the end.
    ends: [f64; STATES],
    ln_total: f64,
    min_metric: f64,
    branches: BinaryHeap<Branch>,
    /// The phase bits of the paths listed so far, one path after the other.
    paths: Vec<bool>,
}

impl Trellis {
    /// Weighs all paths that the template allows. All frames have the same number of symbols.
    ///
    /// Returns the logarithm of the sum over all of them, where a path counts exp(metric) and its
    /// metric is what its phases and reversals add to the likelihood.
    pub(crate) fn run(&mut self, frames: &[SoftPhases<'_>], template: &Template) -> f64 {
        let length = frames.iter().map(|frame| frame.phases.len()).min().unwrap_or(0);
        self.survivors.clear();
        self.ln_total = 0.0;
        let mut best = [f64::NEG_INFINITY; STATES];
        let mut sums = [0.0; STATES];
        (best[0], sums[0]) = (0.0, 1.0);
        for n in 0..length {
            // 1. Branch metrics.
            let Increments { branch_metrics, weights, ln_factor } = Increments::new(frames, n);
            let mut survivors = Survivors { oldest: 0, losses: [f64::INFINITY; STATES] };
            let mut next = [f64::NEG_INFINITY; STATES];
            let mut next_sums = [0.0; STATES];
            for state in (0..STATES).filter(|state| template.allows(n, is_one(*state))) {
                // 2. Add, compare, select; what the way not taken loses is kept for the list.
                let newer = state >> 1;
                let older = newer | OLDEST;
                let ways = [
                    best[newer] + branch_metrics[state],
                    best[older] + branch_metrics[state | STATES],
                ];
                let through = usize::from(ways[1] > ways[0]);
                survivors.oldest |= (through as u8) << state;
                next[state] = ways[through];
                if ways[1 - through] > f64::NEG_INFINITY {
                    survivors.losses[state] = ways[through] - ways[1 - through];
                }
                // 3. Forward recursion: the sum over both.
                next_sums[state] =
                    sums[newer] * weights[state] + sums[older] * weights[state | STATES];
            }
            // 4. Normalisation.
            let total: f64 = next_sums.iter().sum();
            self.ln_total += ln_factor + total.ln();
            sums = next_sums.map(|sum| sum / total.max(f64::MIN_POSITIVE));
            best = next;
            self.survivors.push(survivors);
        }
        self.ends = best;
        self.ln_total
    }

    /// Starts the list of the paths that were weighed last, down to `min_metric`.
    pub(crate) fn start_list(&mut self, min_metric: f64) {
        self.min_metric = min_metric;
        self.paths.clear();
        self.branches.clear();
        for (state, metric) in self.ends.into_iter().enumerate() {
            self.push(Branch { metric, origin: Origin::End { state } });
        }
    }

    /// The next most likely path: its metric and the phase bits of frame 1.
    pub(crate) fn next_path(&mut self) -> Option<(f64, &[bool])> {
        let Branch { metric, origin } = self.branches.pop()?;
        let (length, start) = (self.survivors.len(), self.paths.len());
        self.paths.resize(start + length, false);
        // 1. What the path shares with the one that it leaves: all after the detour.
        // The state after the first `n` symbols.
        let (mut state, mut n) = match origin {
            Origin::End { state } => (state, length),
            Origin::Detour { parent, at } => {
                self.paths.copy_within(parent + at..parent + length, start + at);
                let bit = |delay: usize| at >= delay && self.paths[parent + at - delay];
                let state = (0..3).map(|delay| usize::from(bit(delay)) << delay).sum();
                (self.state_before(at, state) ^ OLDEST, at)
            }
        };
        // 2. Traceback of what is its own; at each symbol a further path leaves it.
        while n > 0 {
            n -= 1;
            self.paths[start + n] = state & 1 == 1;
            let metric = metric - self.survivors[n].losses[state];
            self.push(Branch { metric, origin: Origin::Detour { parent: start, at: n } });
            state = self.state_before(n, state);
        }
        Some((metric, &self.paths[start..]))
    }

    /// The paths listed so far, the newest last.
    pub(crate) fn listed(&self) -> impl Iterator<Item = &[bool]> {
        self.paths.chunks_exact(self.survivors.len().max(1))
    }

    fn push(&mut self, branch: Branch) {
        if branch.metric > f64::NEG_INFINITY && branch.metric >= self.min_metric {
            self.branches.push(branch);
        }
    }

    /// The state before symbol `n` on the best way into a state.
    fn state_before(&self, n: usize, state: usize) -> usize {
        let newer = state >> 1;
        if self.survivors[n].oldest >> state & 1 == 1 { newer | OLDEST } else { newer }
    }
}

/// The bit that leads into a state: the phase stays with a 1.
const fn is_one(state: usize) -> bool {
    state & 1 == state >> 1 & 1
}

/// What a symbol adds to paths, by their newest four phase bits, the newest in bit 0.
struct Increments {
    /// To the metric.
    branch_metrics: [f64; 2 * STATES],
    /// The exponentials of these, without a factor.
    weights: [f64; 2 * STATES],
    ln_factor: f64,
}

impl Increments {
    fn new(frames: &[SoftPhases<'_>], n: usize) -> Self {
        let (branch_metrics, weights) = ([0.0; 2 * STATES], [1.0; 2 * STATES]);
        let mut all = Self { branch_metrics, weights, ln_factor: 0.0 };
        for frame in frames {
            let branch_metrics = frame.phases[n].branch_metrics();
            let highest = branch_metrics.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let weights = branch_metrics.map(|branch_metric| (branch_metric - highest).exp());
            all.ln_factor += highest;
            let places = all.branch_metrics.iter_mut().zip(&mut all.weights);
            for ((branch_metric, weight), transition) in places.zip(frame.transitions(n)) {
                *branch_metric += branch_metrics[transition];
                *weight *= weights[transition];
            }
        }
        all
    }
}

/// All sequences of so many bits.
#[cfg(test)]
pub(super) fn all_sequences(length: usize) -> impl Iterator<Item = Vec<bool>> {
    (0..1u32 << length).map(move |bits| (0..length).map(|n| bits >> n & 1 == 1).collect())
}

/// All phases of frame 1 that a template allows.
#[cfg(test)]
pub(super) fn allowed_phases(
    length: usize,
    template: &Template,
) -> impl Iterator<Item = Vec<bool>> {
    let is_allowed = |phases: &Vec<bool>| {
        phases.iter().enumerate().all(|(n, &phase)| {
            let before = n > 0 && phases[n - 1];
            template.allows(n, phase == before)
        })
    };
    all_sequences(length).filter(is_allowed)
}

/// Frames of these ranks, by which what is received of each is found, and a template with or without pinned bits.
#[cfg(test)]
pub(super) fn frames_and_template<'a>(
    received: &'a [Vec<SoftPhase>; 3],
    ranks: &[usize],
    is_pinned: bool,
) -> (Vec<SoftPhases<'a>>, Template) {
    use crate::uplink::length_class::LengthClass;
    let frame = |&rank: &usize| SoftPhases { rank: Rank::ALL[rank], phases: &received[rank] };
    let template =
        if is_pinned { Template::of_class(LengthClass::OneByte) } else { Template::default() };
    (ranks.iter().map(frame).collect(), template)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::uplink::length_class::LengthClass;

    const LENGTH: usize = 10;

    /// The metrics of all paths of ten symbols that a template allows, by trying all, best first.
    fn all_metrics(frames: &[SoftPhases<'_>], template: &Template) -> Vec<f64> {
        let phases = allowed_phases(LENGTH, template);
        let mut metrics: Vec<f64> = phases.map(|phases| metric(frames, &phases)).collect();
        metrics.sort_by(|a, b| b.total_cmp(a));
        metrics
    }

    fn metric(frames: &[SoftPhases<'_>], first: &[bool]) -> f64 {
        let signed = |frame: &SoftPhases<'_>| -> f64 {
            let phases: Vec<bool> = (0..LENGTH).map(|n| phase(frame.rank, first, n)).collect();
            likelihood(frame.phases, &phases)
        };
        frames.iter().map(signed).sum()
    }

    /// Logarithm of the likelihood of a frame's own phases.
    fn likelihood(received: &[SoftPhase], phases: &[bool]) -> f64 {
        let before = [false].iter().chain(phases);
        let branch_metric = |((received, &phase), &before): ((&SoftPhase, &bool), &bool)| {
            let (reversal, notch) =
                if phase == before { (0.0, 0.0) } else { (received.reversal, received.notch) };
            let value = received.value + reversal;
            f64::from(notch + if phase { -value } else { value })
        };
        received.iter().zip(phases).zip(before).map(branch_metric).sum()
    }

    fn received() -> impl Strategy<Value = Vec<SoftPhase>> {
        let phase = (-1.0f32..1.0, -0.5f32..0.5, 0.0f32..0.5);
        let phase = phase.prop_map(|(value, reversal, notch)| SoftPhase { value, reversal, notch });
        prop::collection::vec(phase, LENGTH)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        /// Against trying all paths, for every set of frames, with and without pinned bits.
        #[test]
        fn lists_the_paths_in_the_order_of_likelihood(
            received in [received(), received(), received()],
            ranks in prop::sample::subsequence(vec![0, 1, 2], 1..=3),
            pinned in any::<bool>(),
        ) {
            let (frames, template) = frames_and_template(&received, &ranks, pinned);
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

        /// Against trying all phases.
        #[test]
        fn chance_weighs_all_phases_alike(received in received()) {
            let all = all_sequences(LENGTH).map(|phases| likelihood(&received, &phases).exp());
            let mean = all.sum::<f64>() / f64::from(1 << LENGTH);
            let frame = SoftPhases { rank: Rank::First, phases: &received };
            prop_assert!((frame.ln_chance() - mean.ln()).abs() < 1e-6);
        }
    }

    #[test]
    fn no_symbol_exceeds_the_llr_clip() {
        for phase in [(1e30, -2e30, 0.0), (20.0, 0.0, 20.0), (-30.0, 40.0, 1e30), (3.0, -1.0, 1.0)]
        {
            let (value, reversal, notch) = phase;
            let branch_metrics = SoftPhase { value, reversal, notch }.branch_metrics();
            assert!(
                branch_metrics
                    .iter()
                    .all(|branch_metric| branch_metric.abs() <= f64::from(LLR_CLIP) + 1e-3),
                "{branch_metrics:?}"
            );
        }
    }

    #[test]
    fn sure_symbols_do_not_overflow() {
        let sure = SoftPhase { value: 1e30, reversal: -2e30, notch: 0.0 };
        let phases = [sure; LENGTH];
        let frame = |rank| SoftPhases { rank, phases: &phases };
        let mut trellis = Trellis::default();
        let template = Template::of_class(LengthClass::OneByte);
        let frames = [frame(Rank::First), frame(Rank::Second)];
        let ln_total = trellis.run(&frames, &template);
        assert!(ln_total.is_finite() && frames[0].ln_chance().is_finite());
        trellis.start_list(f64::NEG_INFINITY);
        assert!(trellis.next_path().is_some());
    }
}
