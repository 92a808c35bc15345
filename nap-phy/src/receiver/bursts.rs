//! Bursts: places where a preamble and a frame type were found, waiting for the ends of their frames.

use nap_dsp::subbands::SubbandGrid;
use nap_dsp::synchronizer::{Hypothesis, MOST_HYPOTHESES};

use super::decoder::rivals::Rivals;
use super::decoder::symbols::symbol_count;
use super::joint::fragment::Fragment;
use super::masking::{Cancelled, Cover, Place, SKIRT_POWER, SPOILING_POWER, skirt};
use super::statistics::Statistics;
use super::undecoded::UndecodedReason;
use crate::radio::bit_rate::BitRate;
use crate::uplink::frame_type::FrameType;
use crate::uplink::length_class::LengthClass;

/// Below this score a burst is so faint that it may decode together with others at best. So many of them
/// wait at once: in a crowded channel there are ever more that are none.
const FAINT_SCORE: f64 = 0.45;
const MOST_FAINT_BURSTS: usize = 96;
/// Below this score another, better hypothesis may still explain the same signal: wait for it.
const CERTAIN_SCORE: f64 = 0.65;
/// A burst waits for another that has this many times its power, if the other's skirts have at its
/// own carrier this share of its power.
const COVERING_POWER: f64 = 4.0;
const COVERED_POWER: f64 = 0.1;

/// A place with its hypotheses, best first, waiting for the end of the frame.
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
    pub(super) fragments: Vec<Fragment>,
    pub(super) rivals: Rivals,
    /// Whether decisions failed the check.
    pub(super) is_refuted: bool,
}

impl Attempt {
    /// Why the burst did not decode, if none of its hypotheses did.
    pub(super) fn reason(&self) -> UndecodedReason {
        if self.is_refuted {
            UndecodedReason::CheckFailed
        } else if self.fragments.is_empty() {
            UndecodedReason::NoCarrier
        } else if self.fragments.iter().any(Fragment::is_clear) {
            UndecodedReason::Unlikely
        } else {
            UndecodedReason::Faint
        }
    }
}

impl Burst {
    /// What one takes that waits with all hypotheses read but the last, in bytes at most.
    pub(super) fn memory_bytes(grid: &SubbandGrid, bit_rate: BitRate) -> usize {
        let fragments = MOST_HYPOTHESES * Fragment::memory_bytes(grid, bit_rate);
        Self::bare_bytes() + fragments
    }

    /// What one takes of which nothing was read.
    pub(super) fn bare_bytes() -> usize {
        size_of::<Self>() + MOST_HYPOTHESES * (size_of::<Hypothesis>() + size_of::<f64>())
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
        self.attempt.rivals.share(self.hypotheses.iter().map(|h| h.score))
    }
}

/// The bursts of one bit rate.
pub(super) struct Bursts {
    bit_rate: BitRate,
    most: usize,
    waiting: Vec<Burst>,
    /// Bursts that did not decode, to be tried again when something is taken from over them.
    missed: Vec<Burst>,
}

impl Bursts {
    /// No bursts yet, and at most so many at once.
    pub(super) fn new(bit_rate: BitRate, most: usize) -> Self {
        Self { bit_rate, most, waiting: Vec::new(), missed: Vec::new() }
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
    pub(super) fn covers(&self) -> impl Iterator<Item = Cover> {
        self.waiting.iter().filter_map(|burst| self.cover(burst.best()))
    }

    /// What a burst covers, if it is certain that it is there.
    pub(super) fn cover(&self, hypothesis: &Hypothesis) -> Option<Cover> {
        (hypothesis.score >= CERTAIN_SCORE).then(|| promised(hypothesis, self.bit_rate))
    }

    /// Adds a burst with these hypotheses, best first, that is not tried before `least_due_s`; of one
    /// that was seen in another window the better view stays.
    pub(super) fn add(
        &mut self,
        hypotheses: Vec<Hypothesis>,
        least_due_s: f64,
        statistics: &mut Statistics,
    ) {
        let symbol_s = self.bit_rate.symbol_s();
        let best = hypotheses[0];
        let same = |burst: &&mut Burst| {
            let other = burst.best();
            let distance_hz = other.carrier.frequency_hz - best.carrier.frequency_hz;
            other.word == best.word
                && (other.start_s - best.start_s).abs() < symbol_s
                && distance_hz.abs() * symbol_s < 1.0
        };
        if let Some(twin) = self.waiting.iter_mut().find(same) {
            if twin.attempt.tried == 0 && best.score > twin.best().score {
                twin.hypotheses = hypotheses;
            }
            return;
        }
        if best.score < FAINT_SCORE && self.faint() >= MOST_FAINT_BURSTS {
            statistics.dropped_bursts += 1;
            return;
        }
        statistics.bursts += 1;
        let end_s = if best.score >= CERTAIN_SCORE {
            due_s(&best, self.bit_rate)
        } else {
            best.start_s + longest_frame_s(self.bit_rate)
        };
        let due_s = end_s.max(least_due_s);
        self.waiting.push(Burst { hypotheses, due_s, attempt: Attempt::default() });
    }

    fn faint(&self) -> usize {
        self.waiting.iter().filter(|burst| burst.best().score < FAINT_SCORE).count()
    }

    /// Takes out those that match the known symbols worst if there are too many.
    pub(super) fn take_worst(&mut self) -> Vec<Burst> {
        if self.waiting.len() <= self.most {
            return Vec::new();
        }
        self.waiting.sort_by(|a, b| b.best().score.total_cmp(&a.best().score));
        self.waiting.split_off(self.most)
    }

    /// Takes the strongest burst that is due and not in a stronger one's shadow: that one is waited
    /// for, so that this one is seen without it.
    pub(super) fn take_due(&mut self, now_s: f64) -> Option<Burst> {
        let power = |&index: &usize| self.waiting[index].best().power;
        let next = (0..self.waiting.len())
            .filter(|&index| self.waiting[index].due_s <= now_s && !self.is_shadowed(index))
            .max_by(|a, b| power(a).total_cmp(&power(b)))?;
        Some(self.waiting.swap_remove(next))
    }

    /// Whether a burst that waits too is so much stronger and so near that it covers this one.
    fn is_shadowed(&self, index: usize) -> bool {
        let symbol_s = self.bit_rate.symbol_s();
        let burst = &self.waiting[index];
        let this = burst.best();
        self.waiting.iter().any(|other| {
            let rival = other.best();
            let distance = (rival.carrier.frequency_hz - this.carrier.frequency_hz) * symbol_s;
            rival.power > COVERING_POWER * this.power
                && rival.power * skirt(distance) > COVERED_POWER * this.power
                && rival.start_s < burst.due_s
                && this.start_s < other.due_s
        })
    }

    /// Lets a burst wait until its next hypothesis is due.
    pub(super) fn wait(&mut self, burst: Burst) {
        self.waiting.push(burst);
    }

    /// Keeps a burst that did not decode: it may when something else has been taken out. Of too many the oldest
    /// goes.
    pub(super) fn miss(&mut self, burst: Burst) {
        if self.missed.len() >= self.most.max(1) {
            self.missed.remove(0);
        }
        self.missed.push(Burst { attempt: Attempt::default(), ..burst });
    }

    /// Where a burst was taken out: forgets what is seen once more of it, and lets those that it spoilt
    /// and that did not decode wait again.
    pub(super) fn retry(&mut self, grid: &SubbandGrid, place: &Cancelled) {
        let (bit_rate, symbol_s) = (self.bit_rate, self.bit_rate.symbol_s());
        let spoilt = |burst: &Burst| {
            let Hypothesis { start_s, carrier, power, .. } = *burst.best();
            let seen = Place {
                window_s: start_s..due_s(burst.best(), bit_rate),
                ..Place::new(start_s, carrier.frequency_hz, symbol_s, grid)
            };
            start_s < place.cover.from_s
                && place.subbands.contains(&seen.subband)
                && place.cover.hides(&seen, SPOILING_POWER * power)
        };
        // What is found there once more is not what was taken out.
        let explained = |burst: &Burst| {
            let Hypothesis { carrier, power, .. } = *burst.best();
            let seen = Place::new(carrier.time_s, carrier.frequency_hz, symbol_s, grid);
            (place.cover.from_s..place.cover.to_s).contains(&carrier.time_s)
                && place.subbands.contains(&seen.subband)
                && place.cover.hides(&seen, SKIRT_POWER * power)
        };
        self.waiting.retain(|burst| !explained(burst));
        self.missed.retain(|burst| !explained(burst));
        self.waiting.extend(self.missed.extract_if(.., |burst| spoilt(burst)));
    }
}

/// Duration of a frame of the longest class with its reference symbol and ramp, in seconds.
pub(super) fn longest_frame_s(bit_rate: BitRate) -> f64 {
    LengthClass::ALL.iter().map(|class| class.airtime_s(bit_rate)).fold(0.0, f64::max)
        + 2.0 * bit_rate.symbol_s()
}

/// What the frame covers that a hypothesis promises.
pub(super) fn promised(hypothesis: &Hypothesis, bit_rate: BitRate) -> Cover {
    Cover {
        from_s: hypothesis.start_s,
        to_s: due_s(hypothesis, bit_rate),
        frequency_hz: hypothesis.carrier.frequency_hz,
        symbol_s: bit_rate.symbol_s(),
        power: hypothesis.power,
    }
}

/// When the last symbol of the hypothesis has passed, with one more for its ramp, in seconds.
pub(super) fn due_s(hypothesis: &Hypothesis, bit_rate: BitRate) -> f64 {
    let symbols = symbol_count(FrameType::ALL[hypothesis.word]) as f64 + 1.0;
    hypothesis.start_s + symbols * bit_rate.symbol_s()
}
