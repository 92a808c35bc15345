//! The way of the signals of one bit rate: from subbands to decoded frames.

use std::ops::RangeInclusive;

use nap_dsp::channelizer::{SubbandGrid, SubbandHistory};
use nap_dsp::demodulator::{Demodulator, Measurement};
use nap_dsp::detector::{Candidate, PreambleDetector};
use nap_dsp::noise::NoiseFloor;
use nap_dsp::synchronizer::{Hypothesis, Synchronizer};

use super::fragments::{Fragment, Fragments};
use super::frame_decoder::{SoftContainer, decode, explained_by, symbol_count, symbol_signs};
use super::{Limits, Statistics};
use crate::{BitRate, Container, Decoder, FrameType, LengthClass};

/// Evidence of a preamble's lines and of the energy after them from which a place is looked at. In
/// white noise it is passed seven times a second over a whole channel.
const LEAST_EVIDENCE: f64 = 26.0;
/// Share of the energy that preamble and frame type must explain. Noise passes with the probability
/// (1 - 0.42)^32, three in a hundred million trials.
const LEAST_SCORE: f64 = 0.42;
/// Below this score another, better hypothesis may still explain the same signal: wait for it.
const CERTAIN_SCORE: f64 = 0.65;
/// Carriers closer than this many symbol rates are the same signal if they overlap in time.
const SAME_SIGNAL_SYMBOL_RATES: f64 = 1.5;

/// Decisions tried on one frame, in the order of likelihood, until the check sum is right.
const SINGLE_LIST: usize = 32;
/// Decisions tried on two or three frames together.
const JOINT_LIST: usize = 8;
/// Share of the energy that a container must explain, by the number of frames it was decoded from.
/// Decisions on noise explain a third of one frame, and less of several, as the code binds them.
const LEAST_EXPLAINED: [f64; 3] = [0.5, 0.42, 0.35];
/// The same for a single frame that needed corrections: a list finds a right check sum by chance, in
/// a weak frame as well as in noise.
const LEAST_EXPLAINED_BY_LIST: f64 = 0.65;
/// Share of the energy that a known container must explain of another frame of its message.
const LEAST_EXPLAINED_KNOWN: f64 = 0.25;
/// Hypotheses that score less than this share of the best are not kept for decoding with others.
const RIVAL_SCORE: f64 = 0.85;
/// Symbols less clear than this (linear Es/N0) are not kept for decoding with other frames.
const LEAST_CLEARNESS: f64 = 0.7;
/// How long a fragment is kept: the other two frames and their pauses, in seconds.
const FRAGMENT_AGE_S: f64 = 12.0;

/// A frame whose check sum is right, and its signal.
#[derive(Debug, Clone)]
pub(super) struct DecodedFrame {
    pub(super) frame_type: FrameType,
    pub(super) container: Container,
    pub(super) bit_rate: BitRate,
    pub(super) decoder: Decoder,
    /// Whether the frame decoded alone.
    pub(super) crc_ok: bool,
    pub(super) measurement: Measurement,
    /// Energy of a bit over the noise density (linear).
    pub(super) eb_over_n0: f64,
}

impl DecodedFrame {
    /// When the last symbol ends, in seconds.
    pub(super) fn end_s(&self) -> f64 {
        let symbols = symbol_count(self.frame_type) as f64;
        self.measurement.start_s + symbols * self.bit_rate.symbol_s()
    }

    /// Whether the fragment is another frame of the same message: at the right time and with its
    /// bits.
    pub(super) fn has_sibling(&self, fragment: &Fragment) -> bool {
        fragment.may_follow(self)
            && explained_by(&fragment.container, &self.container) >= LEAST_EXPLAINED_KNOWN
    }
}

/// A place with its hypotheses, best first, waiting for the end of the frame.
struct Burst {
    hypotheses: Vec<Hypothesis>,
    next: usize,
    due_s: f64,
    /// What the hypotheses before the next one gave.
    fragments: Vec<Fragment>,
}

/// The stages for one bit rate.
pub(super) struct Chain {
    bit_rate: BitRate,
    grid: SubbandGrid,
    most_bursts: usize,
    words: Vec<Vec<f64>>,
    detector: PreambleDetector,
    synchronizer: Synchronizer,
    demodulator: Demodulator,
    noise: NoiseFloor,
    candidates: Vec<Candidate>,
    bursts: Vec<Burst>,
    /// Frames decoded lately, so that no signal is decoded twice.
    recent: Vec<DecodedFrame>,
    fragments: Fragments,
}

impl Chain {
    /// The chain for the channel at `channel_hz` from the centre.
    pub(super) fn new(
        bit_rate: BitRate,
        grid: SubbandGrid,
        channel_hz: RangeInclusive<f64>,
        limits: &Limits,
    ) -> Self {
        let symbol_rate_hz = f64::from(bit_rate.bits_per_s());
        let words: Vec<Vec<f64>> =
            FrameType::ALL.iter().map(|t| symbol_signs(&t.sync_word().to_be_bytes())).collect();
        let detector = PreambleDetector::new(grid, channel_hz, symbol_rate_hz, LEAST_EVIDENCE);
        let drift = limits.most_drift_hz_per_s;
        Self {
            bit_rate,
            grid,
            most_bursts: limits.most_bursts,
            synchronizer: Synchronizer::new(symbol_rate_hz, &words, drift, LEAST_SCORE),
            words,
            demodulator: Demodulator::new(symbol_rate_hz, drift),
            noise: NoiseFloor::new(grid.subbands, detector.interval_s()),
            detector,
            candidates: Vec::new(),
            bursts: Vec::new(),
            recent: Vec::new(),
            fragments: Fragments::new(bit_rate),
        }
    }

    /// How far back the chain looks, in seconds: a frame of the longest class, and the wait for it.
    pub(super) fn lookback_s(bit_rate: BitRate) -> f64 {
        longest_frame_s(bit_rate) + 60.0 * bit_rate.symbol_s()
    }

    /// How much silence after the end of the last symbol the chain needs to see all of it, in
    /// seconds. The detector needs none: it looks no further than the shortest frame goes on.
    pub(super) fn latency_s(&self) -> f64 {
        2.0 * self.bit_rate.symbol_s()
    }

    /// Works on what the newest column completes. Call it after every column.
    pub(super) fn advance(
        &mut self,
        history: &SubbandHistory,
        statistics: &mut Statistics,
        frames: &mut Vec<DecodedFrame>,
    ) {
        let (known, dropped) = (self.candidates.len(), self.detector.dropped());
        if !self.detector.search(history, &mut self.candidates) {
            return;
        }
        self.noise.update(self.detector.densities());
        statistics.dropped_candidates += self.detector.dropped() - dropped;
        statistics.candidates += (self.candidates.len() - known) as u64;
        let now_s = self.grid.time_s(history.columns());
        self.synchronize(history, now_s, statistics);
        self.demodulate(history, now_s, statistics, frames);
    }

    /// Works on all that is left, whether complete or not.
    pub(super) fn finish(
        &mut self,
        history: &SubbandHistory,
        statistics: &mut Statistics,
        frames: &mut Vec<DecodedFrame>,
    ) {
        self.synchronize(history, f64::INFINITY, statistics);
        self.demodulate(history, f64::INFINITY, statistics, frames);
        self.recent.clear();
        self.fragments.clear();
    }

    /// Turns the candidates whose known symbols have passed into bursts.
    fn synchronize(&mut self, history: &SubbandHistory, now_s: f64, statistics: &mut Statistics) {
        let mut index = 0;
        while let Some(&candidate) = self.candidates.get(index) {
            if self.synchronizer.ready_s(&candidate) > now_s {
                index += 1;
                continue;
            }
            self.candidates.remove(index);
            let density = self.noise.density(self.grid.nearest(candidate.frequency_hz));
            let found = self.synchronizer.search(history, &self.grid, &candidate, density);
            let Some(best) = found.first() else { continue };
            let symbol_s = self.bit_rate.symbol_s();
            let same = |burst: &Burst| {
                let other = &burst.hypotheses[0];
                let distance_hz = other.carrier.frequency_hz - best.carrier.frequency_hz;
                other.word == best.word
                    && (other.start_s - best.start_s).abs() < symbol_s
                    && distance_hz.abs() * symbol_s < 1.0
            };
            // The same burst seen in another window: the better view of it stays.
            if let Some(twin) = self.bursts.iter_mut().find(|burst| same(burst)) {
                if twin.next == 0 && best.score > twin.hypotheses[0].score {
                    twin.hypotheses = found.to_vec();
                }
                continue;
            }
            statistics.bursts += 1;
            let due_s = if best.score >= CERTAIN_SCORE {
                due_s(best, self.bit_rate)
            } else {
                best.start_s + longest_frame_s(self.bit_rate)
            };
            self.bursts.push(Burst {
                hypotheses: found.to_vec(),
                next: 0,
                due_s,
                fragments: Vec::new(),
            });
        }
        if self.bursts.len() > self.most_bursts {
            self.bursts.sort_by(|a, b| b.hypotheses[0].score.total_cmp(&a.hypotheses[0].score));
            statistics.dropped_bursts += (self.bursts.len() - self.most_bursts) as u64;
            self.bursts.truncate(self.most_bursts);
        }
    }

    /// Tries the bursts that are due, the earliest first.
    fn demodulate(
        &mut self,
        history: &SubbandHistory,
        now_s: f64,
        statistics: &mut Statistics,
        frames: &mut Vec<DecodedFrame>,
    ) {
        self.bursts.sort_by(|a, b| a.due_s.total_cmp(&b.due_s));
        while self.bursts.first().is_some_and(|burst| burst.due_s <= now_s) {
            let mut burst = self.bursts.remove(0);
            let Some(hypothesis) = burst.hypotheses.get(burst.next).copied() else {
                self.try_together(burst.fragments, statistics, frames);
                continue;
            };
            burst.due_s = due_s(&hypothesis, self.bit_rate);
            if burst.due_s <= now_s {
                if self.is_explained(&hypothesis) {
                    continue;
                }
                statistics.hypotheses += 1;
                let fragment = self.demodulate_as(history, &hypothesis);
                if self.try_alone(&fragment, frames) {
                    continue;
                }
                if hypothesis.score >= RIVAL_SCORE * burst.hypotheses[0].score {
                    burst.fragments.push(fragment);
                }
                burst.next += 1;
            }
            let at = self.bursts.partition_point(|other| other.due_s <= burst.due_s);
            self.bursts.insert(at, burst);
        }
        self.forget(history);
    }

    fn forget(&mut self, history: &SubbandHistory) {
        let now_s = self.grid.time_s(history.columns());
        self.recent.retain(|frame| frame.end_s() >= now_s - FRAGMENT_AGE_S);
        self.fragments.forget(now_s - FRAGMENT_AGE_S);
    }

    /// Whether the hypothesis lies on a frame that has been decoded already.
    fn is_explained(&self, hypothesis: &Hypothesis) -> bool {
        let symbol_s = self.bit_rate.symbol_s();
        let near_hz = SAME_SIGNAL_SYMBOL_RATES / symbol_s;
        self.recent.iter().any(|frame| {
            let carrier = &frame.measurement.carrier;
            let distance_hz =
                hypothesis.carrier.frequency_hz - carrier.frequency_at(hypothesis.carrier.time_s);
            distance_hz.abs() < near_hz
                && hypothesis.carrier.time_s > frame.measurement.start_s
                && hypothesis.start_s < frame.end_s()
        })
    }

    fn demodulate_as(&mut self, history: &SubbandHistory, hypothesis: &Hypothesis) -> Fragment {
        let frame_type = FrameType::ALL[hypothesis.word];
        let soft = self.demodulator.demodulate(
            history,
            &self.grid,
            (hypothesis.start_s, hypothesis.carrier),
            &self.words[hypothesis.word],
            symbol_count(frame_type),
        );
        Fragment::new(soft, frame_type)
    }

    /// Decodes a frame by itself, and with it the fragments that prove to be of the same message.
    fn try_alone(&mut self, fragment: &Fragment, frames: &mut Vec<DecodedFrame>) -> bool {
        let class = fragment.frame_type.class;
        let explainable = fragment.container.explainable();
        let list = if explainable >= LEAST_EXPLAINED_BY_LIST { SINGLE_LIST } else { 1 };
        let found = (explainable >= LEAST_EXPLAINED[0])
            .then(|| decode(&[&fragment.container], class, list))
            .flatten()
            .filter(|found| found.index == 0 || found.explained >= LEAST_EXPLAINED_BY_LIST);
        let Some(found) = found else { return false };
        let decoder = if found.index == 0 { Decoder::Single } else { Decoder::List };
        let frame = self.report(fragment, &found.container, (decoder, true));
        frames.push(frame.clone());
        self.attach_siblings(&frame, frames);
        true
    }

    /// Reports the fragments kept that prove to be of the decoded frame's message.
    fn attach_siblings(&mut self, frame: &DecodedFrame, frames: &mut Vec<DecodedFrame>) {
        for other in self.fragments.take_of_message(frame) {
            frames.push(self.report(&other, &frame.container, (frame.decoder, false)));
        }
    }

    /// What becomes of a burst that did not decode alone: another frame of a message that is known,
    /// or a part of one that decodes together with fragments kept, or a fragment to keep.
    fn try_together(
        &mut self,
        fragments: Vec<Fragment>,
        statistics: &mut Statistics,
        frames: &mut Vec<DecodedFrame>,
    ) {
        for fragment in fragments {
            if fragment.soft.es_over_n0() < LEAST_CLEARNESS {
                continue;
            }
            let known = self.recent.iter().find(|frame| frame.has_sibling(&fragment)).cloned();
            if let Some(known) = known {
                let decoder = (known.decoder, false);
                frames.push(self.report(&fragment, &known.container, decoder));
                self.attach_siblings(&known, frames);
                return;
            }
            for group in self.fragments.groups(&fragment) {
                statistics.groups += 1;
                let all: Vec<&Fragment> = group.iter().chain([&fragment]).collect();
                let soft: Vec<&SoftContainer> = all.iter().map(|f| &f.container).collect();
                let least = LEAST_EXPLAINED[all.len() - 1];
                let found = decode(&soft, fragment.frame_type.class, JOINT_LIST)
                    .filter(|found| found.explained >= least);
                let Some(found) = found else { continue };
                let mut parts: Vec<&Fragment> = all;
                parts.sort_by_key(|part| part.frame_type.rank);
                for part in parts {
                    let decoder = (Decoder::Joint, false);
                    frames.push(self.report(part, &found.container, decoder));
                }
                self.fragments.remove(&group);
                if let Some(known) = frames.last().cloned() {
                    self.attach_siblings(&known, frames);
                }
                return;
            }
            statistics.dropped_fragments += self.fragments.keep(fragment);
        }
    }

    /// The frame of a container that is now known to the last bit, measured.
    fn report(
        &mut self,
        fragment: &Fragment,
        container: &Container,
        (decoder, crc_ok): (Decoder, bool),
    ) -> DecodedFrame {
        let frame_type = fragment.frame_type;
        let signs = symbol_signs(&container.bitstream(frame_type.rank));
        let measurement = fragment.soft.measure(&signs);
        let frequency_hz = measurement.carrier.frequency_hz;
        let density = self.noise.density(self.grid.nearest(frequency_hz));
        let eb_over_n0 = if density > 0.0 {
            measurement.power * self.bit_rate.symbol_s() / density
        } else {
            fragment.soft.es_over_n0()
        };
        let frame = DecodedFrame {
            frame_type,
            container: container.clone(),
            bit_rate: self.bit_rate,
            decoder,
            crc_ok,
            measurement,
            eb_over_n0,
        };
        self.recent.push(frame.clone());
        frame
    }
}

/// Duration of a frame of the longest class with its reference symbol and ramp, in seconds.
fn longest_frame_s(bit_rate: BitRate) -> f64 {
    LengthClass::ALL.iter().map(|class| class.airtime_s(bit_rate)).fold(0.0, f64::max)
        + 2.0 * bit_rate.symbol_s()
}

/// When the last symbol of the hypothesis has passed, with one more for its ramp, in seconds.
fn due_s(hypothesis: &Hypothesis, bit_rate: BitRate) -> f64 {
    let symbols = symbol_count(FrameType::ALL[hypothesis.word]) as f64 + 1.0;
    hypothesis.start_s + symbols * bit_rate.symbol_s()
}
