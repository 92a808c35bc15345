//! What the code of a message's frames says of each symbol, beside what was received of it.
//!
//! The algorithm of Bahl, Cocke, Jelinek and Raviv in its max-log form over the four states of the code and
//! the signs of the frames: where a carrier was lost for a moment, a frame may go on with all its phases
//! turned by half a turn.

use super::template::Template;
use super::trellis::{SoftPhases, constant, generate};

/// States of the code: the last two phase bits of frame 1, the newest in bit 0.
const STATES: usize = 4;
/// Sets of signs of up to three frames.
const SIGNS: usize = 8;

/// By state of the code and signs of the frames, the metric of the best path.
type Metrics = [[f32; SIGNS]; STATES];

/// Works out extrinsic information; its memory is kept from one use to the next.
#[derive(Debug)]
pub(crate) struct CodeExtrinsic {
    /// What a half turn costs, as a logarithm.
    half_turn_cost: f32,
    /// Before each symbol, of the paths there.
    before: Vec<Metrics>,
    /// By frame and symbol.
    extrinsic: Vec<Vec<f32>>,
    /// By symbol, the signs of the frames on the best path, a bit a frame.
    signs: Vec<usize>,
}

impl CodeExtrinsic {
    /// For frames in which a half turn costs so much, as a logarithm.
    pub(crate) fn new(half_turn_cost: f32) -> Self {
        let (before, extrinsic, signs) = (Vec::new(), Vec::new(), Vec::new());
        Self { half_turn_cost, before, extrinsic, signs }
    }

    /// By frame and symbol, half the log likelihood ratio that the code and all other symbols give it,
    /// positive for the phase of the last known symbol. Notches of the envelope are left out.
    pub(crate) fn run(&mut self, frames: &[SoftPhases<'_>], template: &Template) -> &[Vec<f32>] {
        let sections = self.forward(frames, template);
        self.extrinsic.resize(frames.len(), Vec::new());
        self.extrinsic.iter_mut().for_each(|values| values.resize(sections.len(), 0.0));
        // 3. Backward recursion (beta), and with both the best path through each phase of each symbol.
        let mut after = [[0.0; SIGNS]; STATES];
        for (n, section) in sections.iter().enumerate().rev() {
            let (before, best) = section.backward(&self.before[n], &after);
            for (values, (best, frame)) in self.extrinsic.iter_mut().zip(best.iter().zip(frames)) {
                // 4. Extrinsic: the log-likelihood ratio less what was received of the symbol itself.
                values[n] = (best[0] - best[1]) / 2.0 - frame.phases[n].value;
            }
            after = before;
            slip(&mut after, frames.len(), self.half_turn_cost);
        }
        &self.extrinsic
    }

    /// Finds the best path of all, of equally likely ones any, for [`Self::turned`] and [`Self::ln_half_turns`].
    pub(crate) fn find_path(&mut self, frames: &[SoftPhases<'_>], template: &Template) {
        let sections = self.forward(frames, template);
        self.signs.clear();
        self.signs.resize(sections.len(), 0);
        // 3. Back from its end.
        let mut next = None;
        for (n, section) in sections.iter().enumerate().rev() {
            let (state, signs) = section.trace_back(&self.before[n], next, self.half_turn_cost);
            self.signs[n] = signs;
            next = Some((state, signs));
        }
    }

    /// The branch metrics of all symbols, and the metrics before each.
    fn forward(&mut self, frames: &[SoftPhases<'_>], template: &Template) -> Vec<Section> {
        let length = frames.iter().map(|frame| frame.phases.len()).min().unwrap_or(0);
        // 1. Branch metrics.
        let sections: Vec<Section> =
            (0..length).map(|n| Section::new(frames, template, n)).collect();
        // 2. Forward recursion (alpha), whose metrics are kept.
        self.before.clear();
        let mut metrics = [[f32::NEG_INFINITY; SIGNS]; STATES];
        metrics[0][0] = 0.0;
        for section in &sections {
            slip(&mut metrics, frames.len(), self.half_turn_cost);
            self.before.push(metrics);
            metrics = section.forward(&metrics);
        }
        sections
    }

    /// What the half turns on that path cost, as a logarithm.
    pub(crate) fn ln_half_turns(&self) -> f64 {
        let before = std::iter::once(&0).chain(&self.signs);
        let half_turns =
            before.zip(&self.signs).map(|(before, signs)| (before ^ signs).count_ones());
        -f64::from(self.half_turn_cost) * f64::from(half_turns.sum::<u32>())
    }

    /// By symbol, whether a frame goes on with its phases turned by half a turn, on the path that is likeliest
    /// for all of them.
    pub(crate) fn turned(&self, frame: usize) -> impl Iterator<Item = bool> {
        self.signs.iter().map(move |signs| signs >> frame & 1 == 1)
    }
}

/// Lets each frame go over to the other sign, at a price.
fn slip(metrics: &mut Metrics, frames: usize, cost: f32) {
    for signs in metrics {
        for bit in (0..frames).map(|frame| 1 << frame) {
            for low in (0..SIGNS).filter(|signs| signs & bit == 0) {
                let [here, other] = [signs[low], signs[low | bit]];
                signs[low] = here.max(other - cost);
                signs[low | bit] = other.max(here - cost);
            }
        }
    }
}

/// A symbol of all frames.
struct Section {
    /// By the phases received, a bit a frame, what they add to the metric.
    branch_metrics: [f32; SIGNS],
    /// By the code's newest three bits, the newest in bit 0, the phases sent; `None` where the template does
    /// not have the bit that they send.
    sent: [Option<usize>; 2 * STATES],
}

impl Section {
    fn new(frames: &[SoftPhases<'_>], template: &Template, n: usize) -> Self {
        let branch_metric = |phases: usize| {
            let of_frame = |(frame, soft): (usize, &SoftPhases<'_>)| {
                let value = soft.phases[n].value;
                if phases >> frame & 1 == 1 { -value } else { value }
            };
            frames.iter().enumerate().map(of_frame).sum()
        };
        let sent = |bits: usize| {
            let newest = [bits & 1 == 1, bits & 2 != 0, bits & 4 != 0];
            let phase =
                |soft: &SoftPhases<'_>| constant(soft.rank, n) ^ generate(soft.rank, newest);
            let phases =
                frames.iter().enumerate().map(|(frame, soft)| usize::from(phase(soft)) << frame);
            template.allows(n, newest[0] == newest[1]).then(|| phases.sum())
        };
        Self { branch_metrics: std::array::from_fn(branch_metric), sent: std::array::from_fn(sent) }
    }

    /// The code's transitions: the newest three bits, from which state to which, and the phases sent.
    fn transitions(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        let allowed = |(bits, sent): (usize, &Option<usize>)| {
            sent.map(|sent| (bits >> 1, bits & (STATES - 1), sent))
        };
        self.sent.iter().enumerate().filter_map(allowed)
    }

    /// From the metrics before the symbol to those after it.
    fn forward(&self, before: &Metrics) -> Metrics {
        let mut after = [[f32::NEG_INFINITY; SIGNS]; STATES];
        for (from, to, sent) in self.transitions() {
            for signs in 0..SIGNS {
                let metric = before[from][signs] + self.branch_metrics[sent ^ signs];
                after[to][signs] = after[to][signs].max(metric);
            }
        }
        after
    }

    /// From the metrics of what comes after the symbol to those of what comes from it on, and by frame and phase received,
    /// the metric of the best path through it.
    fn backward(&self, before: &Metrics, after: &Metrics) -> (Metrics, [[f32; 2]; 3]) {
        let mut from_here = [[f32::NEG_INFINITY; SIGNS]; STATES];
        let mut best = [[f32::NEG_INFINITY; 2]; 3];
        for (from, to, sent) in self.transitions() {
            for signs in 0..SIGNS {
                let received = sent ^ signs;
                let metric = after[to][signs] + self.branch_metrics[received];
                from_here[from][signs] = from_here[from][signs].max(metric);
                let path = before[from][signs] + metric;
                for (frame, best) in best.iter_mut().enumerate() {
                    let phase = received >> frame & 1;
                    best[phase] = best[phase].max(path);
                }
            }
        }
        (from_here, best)
    }

    /// The state and the signs from which the best path goes on to the next symbol's; behind the last one all are alike.
    fn trace_back(
        &self,
        before: &Metrics,
        next: Option<(usize, usize)>,
        half_turn_cost: f32,
    ) -> (usize, usize) {
        let (mut best, mut most) = ((0, 0), f32::NEG_INFINITY);
        for (from, to, sent) in self.transitions() {
            if next.is_some_and(|(state, _)| state != to) {
                continue;
            }
            for (signs, before) in before[from].iter().enumerate() {
                let goes_on = next.map_or(signs, |(_, signs)| signs);
                let half_turns = (signs ^ goes_on).count_ones() as f32;
                let metric =
                    before + self.branch_metrics[sent ^ signs] - half_turn_cost * half_turns;
                if metric > most {
                    (best, most) = ((from, signs), metric);
                }
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::receiver::decoder::trellis::{
        SoftPhase, all_sequences, allowed_phases, frames_and_template, phase,
    };

    const LENGTH: usize = 7;
    const HALF_TURN_COST: f32 = 2.0;

    /// The phases of all messages that a template allows, by frame.
    fn messages(frames: &[SoftPhases<'_>], template: &Template) -> Vec<Vec<Vec<bool>>> {
        let phases = |first: &[bool], frame: &SoftPhases<'_>| {
            (0..LENGTH).map(|n| phase(frame.rank, first, n)).collect()
        };
        let messages = allowed_phases(LENGTH, template);
        messages.map(|first| frames.iter().map(|frame| phases(&first, frame)).collect()).collect()
    }

    /// What a frame adds to the metric that has these phases and is turned so.
    fn metric(received: &[SoftPhase], phases: &[bool], turned: &[bool]) -> f32 {
        let signed =
            |n: usize| if phases[n] ^ turned[n] { -received[n].value } else { received[n].value };
        let half_turns = (0..LENGTH).filter(|&n| turned[n] != (n > 0 && turned[n - 1])).count();
        (0..LENGTH).map(signed).sum::<f32>() - HALF_TURN_COST * half_turns as f32
    }

    /// By symbol and phase received, the largest metric of a frame with these phases, by trying all ways to turn it.
    fn best_turns(received: &[SoftPhase], phases: &[bool]) -> [[f32; 2]; LENGTH] {
        let mut best = [[f32::NEG_INFINITY; 2]; LENGTH];
        for turned in all_sequences(LENGTH) {
            let metric = metric(received, phases, &turned);
            for (n, best) in best.iter_mut().enumerate() {
                let best = &mut best[usize::from(phases[n] ^ turned[n])];
                *best = best.max(metric);
            }
        }
        best
    }

    /// By frame and symbol, what [`CodeExtrinsic::run`] works out, and the largest metric, by trying all messages and all
    /// ways to turn each frame.
    fn all_paths(frames: &[SoftPhases<'_>], template: &Template) -> (Vec<Vec<f32>>, f32) {
        let mut most = vec![[[f32::NEG_INFINITY; 2]; LENGTH]; frames.len()];
        for phases in messages(frames, template) {
            let turns =
                frames.iter().zip(&phases).map(|(frame, phases)| best_turns(frame.phases, phases));
            let turns: Vec<_> = turns.collect();
            // One of both phases is on a frame's best path, at any symbol.
            let totals: Vec<f32> = turns.iter().map(|best| best[0][0].max(best[0][1])).collect();
            for (frame, (most, best)) in most.iter_mut().zip(&turns).enumerate() {
                let others = totals.iter().sum::<f32>() - totals[frame];
                for (most, best) in most.iter_mut().zip(best) {
                    *most = std::array::from_fn(|phase| most[phase].max(others + best[phase]));
                }
            }
        }
        let of_frame = |(most, frame): (&[[f32; 2]; LENGTH], &SoftPhases<'_>)| {
            let pairs = most.iter().zip(frame.phases);
            pairs.map(|(most, soft)| (most[0] - most[1]) / 2.0 - soft.value).collect()
        };
        let largest = most[0][0][0].max(most[0][0][1]);
        (most.iter().zip(frames).map(of_frame).collect(), largest)
    }

    fn received() -> impl Strategy<Value = Vec<SoftPhase>> {
        let phase = (-3.0f32..3.0).prop_map(|value| SoftPhase { value, ..SoftPhase::default() });
        prop::collection::vec(phase, LENGTH)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        /// Against trying all paths, for every set of frames, with and without pinned bits.
        #[test]
        fn says_what_the_best_paths_say(
            received in [received(), received(), received()],
            ranks in prop::sample::subsequence(vec![0, 1, 2], 1..=3),
            pinned in any::<bool>(),
        ) {
            let (frames, template) = frames_and_template(&received, &ranks, pinned);
            let (expected, largest) = all_paths(&frames, &template);
            let mut code = CodeExtrinsic::new(HALF_TURN_COST);
            let found = code.run(&frames, &template).to_vec();
            for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
                prop_assert!((found - expected).abs() < 1e-4, "{found} for {expected}");
            }
            // With the half turns of the path that it finds, a message has the largest metric.
            code.find_path(&frames, &template);
            let turned = |frame: usize| code.turned(frame).collect::<Vec<bool>>();
            let with_these = messages(&frames, &template).into_iter().map(|phases| {
                let of_frame = |(frame, phases): (usize, &Vec<bool>)| {
                    metric(frames[frame].phases, phases, &turned(frame))
                };
                phases.iter().enumerate().map(of_frame).sum::<f32>()
            });
            let found = with_these.fold(f32::NEG_INFINITY, f32::max);
            prop_assert!((found - largest).abs() < 1e-4, "{found} for {largest}");
        }
    }
}
