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
        let length = frames.iter().map(|frame| frame.phases.len()).min().unwrap_or(0);
        self.extrinsic.resize(frames.len(), Vec::new());
        self.extrinsic.iter_mut().for_each(|values| values.resize(length, 0.0));
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
        // 3. Backward recursion (beta), and with both the best path through each phase of each symbol.
        self.signs.clear();
        self.signs.resize(length, 0);
        let mut after = [[0.0; SIGNS]; STATES];
        for (n, section) in sections.iter().enumerate().rev() {
            let (before, best) = section.backward(&self.before[n], &after);
            for (values, (best, frame)) in
                self.extrinsic.iter_mut().zip(best.phases.iter().zip(frames))
            {
                // 4. Extrinsic: the log-likelihood ratio less what was received of the symbol itself.
                values[n] = (best[0] - best[1]) / 2.0 - frame.phases[n].value;
            }
            self.signs[n] = best.signs;
            after = before;
            slip(&mut after, frames.len(), self.half_turn_cost);
        }
        &self.extrinsic
    }

    /// What the half turns on that path cost, as a logarithm.
    pub(crate) fn ln_half_turns(&self) -> f64 {
        let half_turns = self.signs.windows(2).map(|signs| (signs[0] ^ signs[1]).count_ones());
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

/// The best paths through a symbol.
struct Best {
    /// By frame and phase received, their metrics.
    phases: [[f32; 2]; 3],
    /// The signs of the frames on the best of all.
    signs: usize,
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

    /// From the metrics of what comes after the symbol to those of what comes from it on, and the best paths
    /// through it.
    fn backward(&self, before: &Metrics, after: &Metrics) -> (Metrics, Best) {
        let mut from_here = [[f32::NEG_INFINITY; SIGNS]; STATES];
        let mut best = Best { phases: [[f32::NEG_INFINITY; 2]; 3], signs: 0 };
        let mut most = f32::NEG_INFINITY;
        for (from, to, sent) in self.transitions() {
            for signs in 0..SIGNS {
                let received = sent ^ signs;
                let metric = after[to][signs] + self.branch_metrics[received];
                from_here[from][signs] = from_here[from][signs].max(metric);
                let path = before[from][signs] + metric;
                if path > most {
                    (most, best.signs) = (path, signs);
                }
                for (frame, best) in best.phases.iter_mut().enumerate() {
                    let phase = received >> frame & 1;
                    best[phase] = best[phase].max(path);
                }
            }
        }
        (from_here, best)
    }
}
