//! Bursts: places where a preamble and a frame type were found, waiting for the ends of their frames.

use nap_dsp::subbands::SubbandGrid;
use nap_dsp::synchronizer::{Hypothesis, MAX_HYPOTHESES};

use super::decoder::competing_hypotheses::CompetingHypotheses;
use super::decoder::symbols::symbol_count;
use super::joint::tuning::JointTuning;
use super::joint::undecoded_frame::UndecodedFrame;
use super::masking::{Cancelled, Effect, Mask, Region};
use super::statistics::Statistics;
use super::tuning::Tuning;
use super::undecoded::UndecodedReason;
use crate::radio::bit_rate::BitRate;
use crate::uplink::frame_type::FrameType;
use crate::uplink::length_class::LengthClass;

/// So many faint bursts wait at once: in a crowded channel there are ever more that are none.
const MAX_FAINT_BURSTS: usize = 96;

/// A start with its hypotheses, best first, waiting for the end of the frame.
pub(super) struct Burst {
    hypotheses: Vec<Hypothesis>,
    /// When the next hypothesis can be tried, in seconds.
    due_s: f64,
    pub(super) attempt: Attempt,
}

/// What came of the hypotheses that were tried.
#[derive(Default)]
pub(super) struct Attempt {
    /// How many were.
    tried: usize,
    /// Of those that did not decode.
    pub(super) undecoded_frames: Vec<UndecodedFrame>,
    pub(super) competing: CompetingHypotheses,
    /// Whether decisions failed the check.
    pub(super) is_rejected: bool,
}

impl Attempt {
    /// Why the burst did not decode, if none of its hypotheses did.
    pub(super) fn reason(&self, tuning: &JointTuning) -> UndecodedReason {
        if self.is_rejected {
            UndecodedReason::CheckFailed
        } else if self.undecoded_frames.is_empty() {
            UndecodedReason::NoCarrier
        } else if self.undecoded_frames.iter().any(|frame| frame.is_clear(tuning)) {
            UndecodedReason::Unlikely
        } else {
            UndecodedReason::Faint
        }
    }
}

impl Burst {
    /// What one takes that waits with all hypotheses read but the last, in bytes at most.
    pub(super) fn memory_bytes(grid: &SubbandGrid, bit_rate: BitRate) -> usize {
        let undecoded_frames = MAX_HYPOTHESES * UndecodedFrame::memory_bytes(grid, bit_rate);
        Self::bare_bytes() + undecoded_frames
    }

    /// What one takes of which nothing was read.
    pub(super) fn bare_bytes() -> usize {
        size_of::<Self>() + MAX_HYPOTHESES * (size_of::<Hypothesis>() + size_of::<f64>())
    }

    pub(super) fn best(&self) -> &Hypothesis {
        &self.hypotheses[0]
    }

    /// The hypotheses that were not tried yet.
    pub(super) fn untried(&self) -> &[Hypothesis] {
        &self.hypotheses[self.attempt.tried..]
    }

    /// The next hypothesis if its frame has ended by `now_s`; it counts as tried from now on.
    pub(super) fn try_next(&mut self, now_s: f64, bit_rate: BitRate) -> Option<Hypothesis> {
        let next = *self.untried().first()?;
        self.due_s = due_s(&next, bit_rate);
        if self.due_s > now_s {
            return None;
        }
        self.attempt.tried += 1;
        Some(next)
    }

    /// The probability that the hypothesis just taken is right if any is.
    pub(super) fn share(&self) -> f64 {
        self.attempt.competing.share(self.hypotheses.iter().map(|h| h.correlation))
    }
}

/// The bursts of one bit rate.
pub(super) struct Bursts {
    bit_rate: BitRate,
    most: usize,
    tuning: Tuning,
    waiting: Vec<Burst>,
    /// Bursts that did not decode, to be tried again when something is taken from over them.
    missed: Vec<Burst>,
}

impl Bursts {
    /// No bursts yet, and at most so many at once.
    pub(super) fn new(bit_rate: BitRate, most: usize, tuning: &Tuning) -> Self {
        Self { bit_rate, most, tuning: *tuning, waiting: Vec::new(), missed: Vec::new() }
    }

    /// Whether none wait.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Forgets all that do not wait.
    pub(super) fn clear(&mut self) {
        self.missed.clear();
    }

    /// Forgets what did not decode and starts before `time_s`.
    pub(super) fn forget(&mut self, time_s: f64) {
        self.missed.retain(|burst| burst.best().start_s >= time_s);
    }

    /// The bursts of which it is certain that they are there.
    pub(super) fn masks(&self) -> impl Iterator<Item = Mask> {
        self.waiting.iter().filter_map(|burst| self.mask(burst.best()))
    }

    /// What a burst masks, if it is certain that it is there.
    pub(super) fn mask(&self, hypothesis: &Hypothesis) -> Option<Mask> {
        (hypothesis.correlation >= self.tuning.certain_correlation)
            .then(|| expected_mask(hypothesis, self.bit_rate))
    }

    /// Adds a burst with these hypotheses, best first, that is not tried before `min_due_s`; of one
    /// that was seen in another window the better view stays.
    pub(super) fn add(
        &mut self,
        hypotheses: Vec<Hypothesis>,
        min_due_s: f64,
        statistics: &mut Statistics,
    ) {
        let symbol_s = self.bit_rate.symbol_s();
        let best = hypotheses[0];
        let same = |burst: &&mut Burst| {
            let other = burst.best();
            let distance_hz = other.carrier.frequency_hz - best.carrier.frequency_hz;
            other.sync_word == best.sync_word
                && (other.start_s - best.start_s).abs() < symbol_s
                && distance_hz.abs() * symbol_s < 1.0
        };
        if let Some(twin) = self.waiting.iter_mut().find(same) {
            if twin.attempt.tried == 0 && best.correlation > twin.best().correlation {
                twin.hypotheses = hypotheses;
            }
            return;
        }
        if self.is_faint(&best) && self.faint() >= MAX_FAINT_BURSTS {
            statistics.dropped_bursts += 1;
            return;
        }
        statistics.bursts += 1;
        let end_s = if best.correlation >= self.tuning.certain_correlation {
            due_s(&best, self.bit_rate)
        } else {
            best.start_s + longest_frame_s(self.bit_rate)
        };
        let due_s = end_s.max(min_due_s);
        self.waiting.push(Burst { hypotheses, due_s, attempt: Attempt::default() });
    }

    fn faint(&self) -> usize {
        self.waiting.iter().filter(|burst| self.is_faint(burst.best())).count()
    }

    fn is_faint(&self, hypothesis: &Hypothesis) -> bool {
        hypothesis.correlation < self.tuning.faint_correlation
    }

    /// Takes out those that match the known symbols worst if there are too many.
    pub(super) fn take_worst(&mut self) -> Vec<Burst> {
        if self.waiting.len() <= self.most {
            return Vec::new();
        }
        self.waiting.sort_by(|a, b| b.best().correlation.total_cmp(&a.best().correlation));
        self.waiting.split_off(self.most)
    }

    /// Takes the strongest burst that is due and not blocked by a stronger one: that one is waited
    /// for, so that this one is seen without it.
    pub(super) fn take_due(&mut self, now_s: f64, grid: &SubbandGrid) -> Option<Burst> {
        let power = |&index: &usize| self.waiting[index].best().power;
        let next = (0..self.waiting.len())
            .filter(|&index| self.waiting[index].due_s <= now_s && !self.is_blocked(index, grid))
            .max_by(|a, b| power(a).total_cmp(&power(b)))?;
        Some(self.waiting.swap_remove(next))
    }

    /// Whether a burst that waits too blocks this one, each until it is due.
    fn is_blocked(&self, index: usize, grid: &SubbandGrid) -> bool {
        let burst = &self.waiting[index];
        let this = burst.best();
        let seen = expected_region(this, burst.due_s, self.bit_rate, grid);
        self.waiting.iter().any(|other| {
            let mask = Mask { to_s: other.due_s, ..expected_mask(other.best(), self.bit_rate) };
            self.tuning.masking.blocks(&mask, &seen, this.power)
        })
    }

    /// Lets a burst wait until its next hypothesis is due.
    pub(super) fn wait(&mut self, burst: Burst) {
        self.waiting.push(burst);
    }

    /// Keeps a burst that did not decode: it may when something else has been cancelled. Of too many the oldest
    /// goes.
    pub(super) fn miss(&mut self, burst: Burst) {
        if self.missed.len() >= self.most.max(1) {
            self.missed.remove(0);
        }
        self.missed.push(Burst { attempt: Attempt::default(), ..burst });
    }

    /// Where a burst was cancelled: forgets what is seen once more of it, and lets those that it corrupted
    /// and that did not decode wait again.
    pub(super) fn retry(&mut self, grid: &SubbandGrid, cancelled: &Cancelled) {
        let (bit_rate, symbol_s) = (self.bit_rate, self.bit_rate.symbol_s());
        let (mask, masking) = (&cancelled.mask, self.tuning.masking);
        let corrupted = |burst: &Burst| {
            let best = burst.best();
            let seen = expected_region(best, due_s(best, bit_rate), bit_rate, grid);
            best.start_s < mask.from_s
                && cancelled.subbands.contains(&seen.subband)
                && masking.does(mask, Effect::Corrupts, &seen, best.power)
        };
        // What is found there once more is not what was cancelled.
        let is_residue = |burst: &Burst| {
            let Hypothesis { carrier, power, .. } = *burst.best();
            let seen = Region::new(carrier.time_s, carrier.frequency_hz, symbol_s, grid);
            (mask.from_s..mask.to_s).contains(&carrier.time_s)
                && cancelled.subbands.contains(&seen.subband)
                && masking.does(mask, Effect::Imitates, &seen, power)
        };
        self.waiting.retain(|burst| !is_residue(burst));
        self.missed.retain(|burst| !is_residue(burst));
        self.waiting.extend(self.missed.extract_if(.., |burst| corrupted(burst)));
    }
}

/// Duration of a frame of the longest class with its reference symbol and ramp, in seconds.
pub(super) fn longest_frame_s(bit_rate: BitRate) -> f64 {
    LengthClass::ALL.iter().map(|class| class.airtime_s(bit_rate)).fold(0.0, f64::max)
        + 2.0 * bit_rate.symbol_s()
}

/// What the frame masks that a hypothesis expects.
pub(super) fn expected_mask(hypothesis: &Hypothesis, bit_rate: BitRate) -> Mask {
    Mask {
        from_s: hypothesis.start_s,
        to_s: due_s(hypothesis, bit_rate),
        frequency_hz: hypothesis.carrier.frequency_hz,
        symbol_s: bit_rate.symbol_s(),
        power: hypothesis.power,
    }
}

/// Where the frame lies that a hypothesis expects, up to an instant.
fn expected_region(
    hypothesis: &Hypothesis,
    to_s: f64,
    bit_rate: BitRate,
    grid: &SubbandGrid,
) -> Region {
    let Hypothesis { start_s, carrier, .. } = *hypothesis;
    Region {
        window_s: start_s..to_s,
        ..Region::new(start_s, carrier.frequency_hz, bit_rate.symbol_s(), grid)
    }
}

/// When the last symbol of the hypothesis has passed, with one more for its ramp, in seconds.
pub(super) fn due_s(hypothesis: &Hypothesis, bit_rate: BitRate) -> f64 {
    let symbols = symbol_count(FrameType::ALL[hypothesis.sync_word]) as f64 + 1.0;
    hypothesis.start_s + symbols * bit_rate.symbol_s()
}
