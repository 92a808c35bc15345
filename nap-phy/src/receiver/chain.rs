//! The way of the signals of one bit rate: from subbands to decoded frames.

use std::cmp::Ordering;
use std::ops::RangeInclusive;

use nap_dsp::canceller::KnownBurst;
use nap_dsp::channelizer::SubbandGrid;
use nap_dsp::demodulator::Demodulator;
use nap_dsp::detector::{Candidate, PreambleDetector};
use nap_dsp::noise::NoiseFloor;
use nap_dsp::synchronizer::{Hypothesis, Synchronizer};

use super::band::Band;
use super::config::Limits;
use super::decoded_frame::DecodedFrame;
use super::decoder::container_search::ContainerSearch;
use super::decoder::list_decoder::Search;
use super::decoder::rivals::Rivals;
use super::decoder::soft_container::SoftContainer;
use super::decoder::symbols::{SYNC_SYMBOLS, known_words, symbol_count, symbol_signs};
use super::joint::fragment::Fragment;
use super::joint::groups::Fragments;
use super::masking::{Cancelled, Cover, PREAMBLE_SYMBOLS, Place, SKIRT_POWER, skirt};
use super::statistics::Statistics;
use crate::{BitRate, Container, Decoder, FrameType, LengthClass};

/// Evidence of a preamble's lines and of the energy after them from which a place is looked at. In
/// white noise it is passed nine times a second over a whole channel.
pub const LEAST_EVIDENCE: f64 = 25.0;
/// Share of the energy that preamble and frame type must explain. Noise passes with the probability
/// (1 - 0.38)^32, two in ten million trials; what is made of it has to pass the budget of false
/// messages.
pub const LEAST_SCORE: f64 = 0.38;
/// Below this score a burst is so faint that it may decode together with others at best. So many of them
/// wait at once: in a crowded channel there are ever more that are none.
const FAINT_SCORE: f64 = 0.45;
const MOST_FAINT_BURSTS: usize = 96;
/// Below this score another, better hypothesis may still explain the same signal: wait for it.
const CERTAIN_SCORE: f64 = 0.65;

/// Hypotheses whose score is so much lower than the best are not tried. At the levels at which frames
/// decode together, the noise moves a score by 0.09: so these are one and a half standard deviations.
const RIVAL_DISTANCE: f64 = 0.14;
/// Symbols whose squares have less in common than this are noise. Those of a long frame that is just clear
/// enough to be kept have 0.4, noise a quarter, more in shorter frames.
const LEAST_COHERENCE: f64 = 0.245;
/// Symbols less clear than this (linear Es/N0) are not kept for decoding with other frames.
const LEAST_CLEARNESS: f64 = 0.7;
/// A burst waits for another that has this many times its power, if the other's skirts have at its
/// own carrier this share of its power.
const COVERING_POWER: f64 = 4.0;
const COVERED_POWER: f64 = 0.1;
/// A burst whose skirts have this share of a candidate's power may be all there is.
const HIDING_POWER: f64 = 0.2;
/// A burst that has less than this share of another's power at its carrier does it no harm.
const SPOILING_POWER: f64 = 0.1;
/// Searches in which a preamble can be seen.
const SEARCHES_A_PREAMBLE: f64 = 3.0;
/// More candidates than wait at once while nothing is on the air.
const QUIET_CANDIDATES: usize = 64;
/// How long a fragment is kept: the other two frames and their pauses, in seconds.
const FRAGMENT_AGE_S: f64 = 12.0;

/// A place with its hypotheses, best first, waiting for the end of the frame.
struct Burst {
    hypotheses: Vec<Hypothesis>,
    next: usize,
    due_s: f64,
    /// What the hypotheses before the next one gave.
    fragments: Vec<Fragment>,
    rivals: Rivals,
}

impl Burst {
    fn best(&self) -> &Hypothesis {
        &self.hypotheses[0]
    }
}

/// A candidate that waits for what covers it to be taken out.
#[derive(Debug, Clone, Copy)]
struct Covered {
    candidate: Candidate,
    /// Where among the covers the one was that hid it: mostly it still does.
    hidden_by: usize,
}

impl Covered {
    /// The order of searches, which does not depend on when candidates were found.
    fn strongest_first(
        Self { candidate: a, .. }: &Self,
        Self { candidate: b, .. }: &Self,
    ) -> Ordering {
        let power = b.power.total_cmp(&a.power);
        let time = a.time_s.total_cmp(&b.time_s);
        power.then(time).then(a.frequency_hz.total_cmp(&b.frequency_hz))
    }
}

/// The stages for one bit rate.
pub(super) struct Chain {
    bit_rate: BitRate,
    most_bursts: usize,
    words: Vec<Vec<f64>>,
    detector: PreambleDetector,
    /// Searches what lay under bursts that were decoded.
    second_detector: PreambleDetector,
    synchronizer: Synchronizer,
    demodulator: Demodulator,
    noise: NoiseFloor,
    /// What the detector has just found.
    found: Vec<Candidate>,
    /// Candidates that wait for their symbols.
    candidates: Vec<Candidate>,
    /// Those whose symbols have passed, the strongest first.
    covered: Vec<Covered>,
    /// Those that were searched in the current round.
    searched: Vec<Candidate>,
    bursts: Vec<Burst>,
    /// How long candidates wait for bursts of any bit rate to come to light that may cover them.
    patience_s: f64,
    /// Bursts that did not decode, to be tried again when something is taken from over them.
    missed: Vec<Burst>,
    /// Bursts taken out lately.
    decoded: Vec<Cancelled>,
    /// Frames decoded lately, so that no signal is decoded twice.
    recent: Vec<DecodedFrame>,
    fragments: Fragments,
    containers: ContainerSearch,
}

impl Chain {
    /// The chain for the channel at `channel_hz` from the centre.
    pub(super) fn new(
        bit_rate: BitRate,
        grid: SubbandGrid,
        channel_hz: RangeInclusive<f64>,
        limits: &Limits,
        (fragments, containers): (Fragments, ContainerSearch),
    ) -> Self {
        let symbol_rate_hz = f64::from(bit_rate.bits_per_s());
        let words = known_words();
        let detector =
            || PreambleDetector::new(grid, channel_hz.clone(), symbol_rate_hz, LEAST_EVIDENCE);
        let drift = limits.most_drift_hz_per_s;
        Self {
            bit_rate,
            most_bursts: limits.most_bursts,
            synchronizer: Synchronizer::new(symbol_rate_hz, &words, drift, LEAST_SCORE),
            words,
            demodulator: Demodulator::new(symbol_rate_hz, drift),
            noise: NoiseFloor::new(grid.subbands, detector().interval_s()),
            detector: detector(),
            second_detector: detector(),
            // As many as a quiet channel ever has, so that listening to it takes no more memory.
            found: Vec::with_capacity(QUIET_CANDIDATES),
            candidates: Vec::with_capacity(QUIET_CANDIDATES),
            covered: Vec::with_capacity(QUIET_CANDIDATES),
            searched: Vec::with_capacity(QUIET_CANDIDATES),
            bursts: Vec::new(),
            patience_s: 0.0,
            missed: Vec::new(),
            decoded: Vec::new(),
            recent: Vec::new(),
            fragments,
            containers,
        }
    }

    /// How long after a place in the skirts of a preamble the chain knows of the preamble too, whose
    /// best view may come some searches later, in seconds.
    pub(super) fn detection_s(&self) -> f64 {
        self.detector.latency_s() + SEARCHES_A_PREAMBLE * self.detector.interval_s()
    }

    /// Columns from one search to the next.
    pub(super) fn hop_columns(&self) -> u64 {
        self.detector.hop_columns()
    }

    /// Lets candidates wait until all chains know of the bursts that may cover them.
    pub(super) fn be_patient(&mut self, patience_s: f64) {
        self.patience_s = patience_s;
    }

    /// How far back the chain looks, in seconds: a frame of the longest class, one that began
    /// before it and ends with it, and the wait for both.
    pub(super) fn lookback_s(bit_rate: BitRate) -> f64 {
        2.0 * longest_frame_s(bit_rate) + 60.0 * bit_rate.symbol_s()
    }

    /// How much silence after the end of the last symbol the chain needs to see all of it, in
    /// seconds. The detector needs none: it looks no further than the shortest frame goes on.
    pub(super) fn latency_s(&self) -> f64 {
        2.0 * self.bit_rate.symbol_s()
    }

    /// Searches for preambles in what the newest column completes. Call it after every column.
    /// Returns whether a search took place.
    pub(super) fn search(&mut self, band: &Band, statistics: &mut Statistics) -> bool {
        let dropped = self.detector.dropped();
        if !self.detector.search(&band.history, &mut self.found) {
            return false;
        }
        self.noise.update(self.detector.densities());
        statistics.dropped_candidates += self.detector.dropped() - dropped;
        self.await_candidates(statistics);
        self.containers.advance(band.now_s());
        self.forget(band.now_s());
        true
    }

    /// Adds what the detector has found to the candidates.
    fn await_candidates(&mut self, statistics: &mut Statistics) {
        statistics.candidates += self.found.len() as u64;
        self.candidates.append(&mut self.found);
    }

    /// Looks again where a burst was taken out: for new candidates that it covered, and at bursts
    /// that it spoilt.
    pub(super) fn search_again(
        &mut self,
        band: &Band,
        place: &Cancelled,
        statistics: &mut Statistics,
    ) {
        self.decoded.push(place.clone());
        let symbol_s = self.bit_rate.symbol_s();
        let spoilt = |burst: &Burst| {
            let Hypothesis { start_s, carrier, power, .. } = *burst.best();
            let seen = Place {
                window_s: start_s..due_s(burst.best(), self.bit_rate),
                ..Place::new(start_s, carrier.frequency_hz, symbol_s, &band.grid)
            };
            start_s < place.cover.from_s
                && place.subbands.contains(&seen.subband)
                && place.cover.hides(&seen, SPOILING_POWER * power)
        };
        // What is found there once more is not what was taken out.
        let explained = |burst: &Burst| {
            let Hypothesis { carrier, power, .. } = *burst.best();
            let seen = Place::new(carrier.time_s, carrier.frequency_hz, symbol_s, &band.grid);
            (place.cover.from_s..place.cover.to_s).contains(&carrier.time_s)
                && place.subbands.contains(&seen.subband)
                && place.cover.hides(&seen, SKIRT_POWER * power)
        };
        self.bursts.retain(|burst| !explained(burst));
        self.missed.retain(|burst| !explained(burst));
        for mut burst in self.missed.extract_if(.., |burst| spoilt(burst)) {
            burst.next = 0;
            burst.rivals = Rivals::default();
            self.bursts.push(burst);
        }
        let from_s = place.cover.from_s - SYNC_SYMBOLS as f64 * symbol_s;
        // What the burst did not reach is as it was: beside noise, a little more does no harm.
        let noise = self.noise.density(band.grid.nearest(place.cover.frequency_hz)) / symbol_s;
        let spoilt = |candidate: &Candidate| {
            let Candidate { time_s, frequency_hz, power, .. } = *candidate;
            let seen = Place::new(time_s, frequency_hz, symbol_s, &band.grid);
            place.subbands.contains(&seen.subband)
                && place.cover.hides(&seen.with_word(), SPOILING_POWER * (power + noise))
        };
        self.candidates.retain(|candidate| !spoilt(candidate));
        self.covered.retain(|covered| !spoilt(&covered.candidate));
        let reach_hz = place.cover.reach_hz(symbol_s, SPOILING_POWER * noise);
        let lowest = band.grid.nearest(*reach_hz.start()).max(place.subbands.start);
        let end = (band.grid.nearest(*reach_hz.end()) + 1).min(place.subbands.end);
        let subbands = lowest..end.max(lowest);
        // The last preamble that the burst spoils begins before its end.
        let half_s = PREAMBLE_SYMBOLS / 2.0 * symbol_s;
        let last_s = place.cover.to_s + half_s + self.detector.latency_s();
        let columns = band.grid.column_at(from_s)..band.grid.column_at(last_s);
        let (live, part) = (&mut self.detector, (subbands, &reach_hz));
        self.second_detector.search_again(&band.history, part, columns, live, &mut self.found);
        self.found.retain(spoilt);
        self.await_candidates(statistics);
    }

    /// Whether candidates or bursts are left.
    pub(super) fn is_busy(&self) -> bool {
        !self.candidates.is_empty() || !self.covered.is_empty() || !self.bursts.is_empty()
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.recent.clear();
        self.decoded.clear();
        self.missed.clear();
        self.fragments.clear();
    }

    /// The bursts of which it is certain that they are there.
    pub(super) fn covers(&self) -> impl Iterator<Item = Cover> {
        self.bursts.iter().filter_map(|burst| self.cover(burst.best()))
    }

    fn cover(&self, hypothesis: &Hypothesis) -> Option<Cover> {
        (hypothesis.score >= CERTAIN_SCORE).then(|| Cover {
            from_s: hypothesis.start_s,
            to_s: due_s(hypothesis, self.bit_rate),
            frequency_hz: hypothesis.carrier.frequency_hz,
            symbol_s: self.bit_rate.symbol_s(),
            power: hypothesis.power,
        })
    }

    /// Turns the candidates whose known symbols have passed into bursts, the strongest first. Those
    /// that a burst covers wait until it is taken out or given up.
    pub(super) fn synchronize(
        &mut self,
        band: &Band,
        covers: &mut Vec<Cover>,
        now_s: f64,
        statistics: &mut Statistics,
    ) {
        let symbol_s = self.bit_rate.symbol_s();
        self.take_ready(now_s);
        self.searched.clear();
        let mut kept = 0;
        for index in 0..self.covered.len() {
            let mut covered = self.covered[index];
            let Some(place) = self.uncovered(&mut covered, &band.grid, covers) else {
                self.covered[kept] = covered;
                kept += 1;
                continue;
            };
            let Covered { candidate, .. } = covered;
            if self.is_rest(&place, &candidate) {
                continue;
            }
            self.searched.push(candidate);
            let density = self.noise.density(place.subband);
            let found = self.synchronizer.search(&band.history, &band.grid, &candidate, density);
            let Some(best) = found.first() else { continue };
            let may_be = |other: &&Hypothesis| other.score >= best.score - RIVAL_DISTANCE;
            let hypotheses: Vec<Hypothesis> = found.iter().filter(may_be).copied().collect();
            covers.extend(self.cover(&hypotheses[0]));
            // Not before a better view of the same preamble has had its turn.
            let least_due_s = candidate.time_s + self.patience_s + PREAMBLE_SYMBOLS * symbol_s;
            self.await_burst(hypotheses, least_due_s, statistics);
        }
        self.covered.truncate(kept);
        if self.bursts.len() > self.most_bursts {
            self.bursts.sort_by(|a, b| b.best().score.total_cmp(&a.best().score));
            statistics.dropped_bursts += (self.bursts.len() - self.most_bursts) as u64;
            self.bursts.truncate(self.most_bursts);
        }
    }

    /// Puts the candidates whose symbols have passed in line.
    fn take_ready(&mut self, now_s: f64) {
        let is_ready = |candidate: &mut Candidate| {
            let patient_s = candidate.time_s + self.patience_s;
            self.synchronizer.ready_s(candidate).max(patient_s) <= now_s
        };
        let ready = self.candidates.extract_if(.., is_ready);
        let before = self.covered.len();
        self.covered.extend(ready.map(|candidate| Covered { candidate, hidden_by: 0 }));
        if self.covered.len() > before {
            self.covered.sort_unstable_by(Covered::strongest_first);
        }
    }

    /// The place of a candidate, if no burst hides it.
    fn uncovered(
        &self,
        covered: &mut Covered,
        grid: &SubbandGrid,
        covers: &[Cover],
    ) -> Option<Place> {
        let Candidate { time_s, frequency_hz, power, .. } = covered.candidate;
        let place = Place::new(time_s, frequency_hz, self.bit_rate.symbol_s(), grid);
        let hides = |cover: &Cover| cover.hides(&place, HIDING_POWER * power);
        if covers.get(covered.hidden_by).is_some_and(hides) {
            return None;
        }
        let hiding = covers.iter().position(hides);
        covered.hidden_by = hiding.unwrap_or(covered.hidden_by);
        hiding.is_none().then_some(place)
    }

    /// Whether a candidate is what is left of a burst that was taken out, or lies in the skirts of a
    /// stronger one that was seen with it: should there be more, it shows when that is taken out.
    fn is_rest(&self, place: &Place, candidate: &Candidate) -> bool {
        let is_skirt = |stronger: &Candidate| {
            let distance = (candidate.frequency_hz - stronger.frequency_hz) * place.symbol_s;
            stronger.time_s == candidate.time_s
                && stronger.power * skirt(distance) > candidate.power
        };
        self.decoded.iter().any(|burst| burst.explains(place, candidate.power))
            || self.searched.iter().any(is_skirt)
    }

    /// Adds a burst; of one that was seen in another window the better view stays.
    fn await_burst(
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
        if let Some(twin) = self.bursts.iter_mut().find(same) {
            if twin.next == 0 && best.score > twin.best().score {
                twin.hypotheses = hypotheses;
            }
            return;
        }
        let is_faint = |hypothesis: &Hypothesis| hypothesis.score < FAINT_SCORE;
        let faint = || self.bursts.iter().filter(|burst| is_faint(burst.best())).count();
        if is_faint(&best) && faint() >= MOST_FAINT_BURSTS {
            statistics.dropped_bursts += 1;
            return;
        }
        statistics.bursts += 1;
        let end_s = if best.score >= CERTAIN_SCORE {
            due_s(&best, self.bit_rate)
        } else {
            best.start_s + longest_frame_s(self.bit_rate)
        };
        self.bursts.push(Burst {
            hypotheses,
            next: 0,
            due_s: end_s.max(least_due_s),
            fragments: Vec::new(),
            rivals: Rivals::default(),
        });
    }

    /// Tries the bursts that are due, the strongest first, until something is taken out of the band.
    /// Returns whether that was so.
    pub(super) fn decode_next(
        &mut self,
        band: &mut Band,
        now_s: f64,
        statistics: &mut Statistics,
        frames: &mut Vec<DecodedFrame>,
    ) -> bool {
        while !band.has_changed() {
            let Some(next) = self.next_due(now_s) else { return false };
            let burst = self.bursts.swap_remove(next);
            self.try_burst(burst, band, now_s, statistics, frames);
        }
        true
    }

    /// The strongest burst that is due and not in a stronger one's shadow: that one is waited for,
    /// so that this one is seen without it.
    fn next_due(&self, now_s: f64) -> Option<usize> {
        let power = |&index: &usize| self.bursts[index].best().power;
        (0..self.bursts.len())
            .filter(|&index| self.bursts[index].due_s <= now_s && !self.is_shadowed(index))
            .max_by(|a, b| power(a).total_cmp(&power(b)))
    }

    /// Whether a burst that waits too is so much stronger and so near that it covers this one.
    fn is_shadowed(&self, index: usize) -> bool {
        let symbol_s = self.bit_rate.symbol_s();
        let burst = &self.bursts[index];
        let this = burst.best();
        self.bursts.iter().any(|other| {
            let rival = other.best();
            let distance = (rival.carrier.frequency_hz - this.carrier.frequency_hz) * symbol_s;
            rival.power > COVERING_POWER * this.power
                && rival.power * skirt(distance) > COVERED_POWER * this.power
                && rival.start_s < burst.due_s
                && this.start_s < other.due_s
        })
    }

    /// Tries the burst's hypotheses that are due, and when none is left, what came of them together.
    fn try_burst(
        &mut self,
        mut burst: Burst,
        band: &mut Band,
        now_s: f64,
        statistics: &mut Statistics,
        frames: &mut Vec<DecodedFrame>,
    ) {
        self.load(band, &burst, now_s);
        while let Some(&hypothesis) = burst.hypotheses.get(burst.next) {
            burst.due_s = due_s(&hypothesis, self.bit_rate);
            if burst.due_s > now_s {
                self.bursts.push(burst);
                return;
            }
            burst.next += 1;
            statistics.hypotheses += 1;
            let Some(fragment) = self.demodulate_as(&hypothesis) else {
                // Nothing was decided, so that the rivals have no larger share of the budget.
                burst.rivals.refute(0.0);
                continue;
            };
            let share = burst.rivals.share(burst.hypotheses.iter().map(|h| h.score));
            let search = self.try_alone(&fragment, band, share, statistics, frames);
            if search.found.is_some() {
                if !band.has_changed() {
                    // It may come out when something else has.
                    self.missed.push(burst);
                }
                return;
            }
            burst.rivals.refute(search.refuted_probability);
            burst.fragments.push(fragment);
        }
        let fragments = std::mem::take(&mut burst.fragments);
        if !self.try_together(fragments, band, statistics, frames) {
            self.missed.push(burst);
        }
    }

    /// Takes the stretch of all of the burst's hypotheses that are due to the demodulator.
    fn load(&mut self, band: &Band, burst: &Burst, now_s: f64) {
        let end_s = |hypothesis: &Hypothesis| due_s(hypothesis, self.bit_rate);
        let due = burst.hypotheses[burst.next..].iter().filter(|h| end_s(h) <= now_s);
        let (from_s, to_s) = due.fold((f64::INFINITY, f64::NEG_INFINITY), |(from_s, to_s), h| {
            (from_s.min(h.start_s), to_s.max(end_s(h)))
        });
        if from_s < to_s {
            let carrier = &burst.best().carrier;
            self.demodulator.load(&band.history, &band.grid, carrier, (from_s, to_s));
        }
    }

    fn forget(&mut self, now_s: f64) {
        self.recent.retain(|frame| frame.end_s() >= now_s - FRAGMENT_AGE_S);
        self.fragments.forget(now_s - FRAGMENT_AGE_S);
        let oldest_s = now_s - Self::lookback_s(self.bit_rate);
        self.decoded.retain(|place| place.cover.to_s >= oldest_s);
        self.missed.retain(|burst| burst.best().start_s >= oldest_s);
    }

    /// The frame that a hypothesis promises, if there is a carrier all along it.
    fn demodulate_as(&mut self, hypothesis: &Hypothesis) -> Option<Fragment> {
        let frame_type = FrameType::ALL[hypothesis.word];
        let known = &self.words[hypothesis.word];
        let start = (hypothesis.start_s, hypothesis.carrier);
        let acquisition = self.demodulator.acquire(start, known, symbol_count(frame_type));
        let is_clear = acquisition.coherence >= LEAST_COHERENCE;
        is_clear.then(|| Fragment::new(acquisition.track(known), frame_type))
    }

    /// Decodes a frame by itself, and with it the fragments that prove to be of the same message.
    fn try_alone(
        &mut self,
        fragment: &Fragment,
        band: &mut Band,
        share: f64,
        statistics: &mut Statistics,
        frames: &mut Vec<DecodedFrame>,
    ) -> Search {
        let class = fragment.frame_type.class;
        let search = self.containers.in_frame(&fragment.container, class, share, statistics);
        if let Some(found) = &search.found {
            let decoder = if found.index == 0 { Decoder::Single } else { Decoder::List };
            let frame = self.report(fragment, band, &found.container, (decoder, true), frames);
            if let Some(frame) = frame {
                self.attach_siblings(&frame, band, frames);
            }
        }
        search
    }

    /// Decodes a frame by itself as that of a known device, and with it the fragments that prove to be
    /// of the same message.
    fn try_as_known(
        &mut self,
        fragment: &Fragment,
        band: &mut Band,
        statistics: &mut Statistics,
        frames: &mut Vec<DecodedFrame>,
    ) -> bool {
        let class = fragment.frame_type.class;
        let alone = (&[&fragment.container][..], 1.0);
        let found = self.containers.of_known_device(alone, class, statistics);
        let Some(found) = found else { return false };
        let frame = self.report(fragment, band, &found.container, (Decoder::APriori, true), frames);
        if let Some(frame) = frame {
            self.attach_siblings(&frame, band, frames);
        }
        true
    }

    /// Reports the fragments kept that prove to be of the decoded frame's message.
    fn attach_siblings(
        &mut self,
        frame: &DecodedFrame,
        band: &mut Band,
        frames: &mut Vec<DecodedFrame>,
    ) {
        for other in self.fragments.take_of_message(frame) {
            self.report(&other, band, &frame.container, (frame.decoder, false), frames);
        }
    }

    /// What becomes of a burst that did not decode alone: another frame of a message that is known,
    /// or a part of one that decodes together with fragments kept, or a fragment to keep. Returns
    /// whether it decoded.
    fn try_together(
        &mut self,
        fragments: Vec<Fragment>,
        band: &mut Band,
        statistics: &mut Statistics,
        frames: &mut Vec<DecodedFrame>,
    ) -> bool {
        for fragment in fragments {
            if fragment.soft.es_over_n0() < LEAST_CLEARNESS {
                continue;
            }
            let known = self.recent.iter().find(|frame| fragment.is_sibling_of(frame)).cloned();
            if let Some(known) = known {
                let decoder = (known.decoder, false);
                self.report(&fragment, band, &known.container, decoder, frames);
                self.attach_siblings(&known, band, frames);
                return true;
            }
            if self.try_as_known(&fragment, band, statistics, frames) {
                return true;
            }
            let groups = self.fragments.groups(&fragment, statistics);
            let decoded = groups.into_iter().find_map(|(group, likelihood_ratio)| {
                statistics.groups += 1;
                let kept = self.fragments.containers(&group);
                let all: Vec<&SoftContainer> = kept.chain([&fragment.container]).collect();
                let class = fragment.frame_type.class;
                let all = (&all[..], likelihood_ratio);
                let blind = self.containers.in_group(all, class, statistics);
                let (found, decoder) = match blind {
                    Some(found) => (found, Decoder::Joint),
                    None => {
                        let known = self.containers.of_known_device(all, class, statistics);
                        (known?, Decoder::APriori)
                    }
                };
                Some((group, found, decoder))
            });
            if let Some((group, found, decoder)) = decoded {
                let mut parts = self.fragments.take(&group);
                parts.push(fragment);
                parts.sort_by_key(|part| part.frame_type.rank);
                for part in &parts {
                    self.report(part, band, &found.container, (decoder, false), frames);
                }
                if let Some(known) = frames.last().cloned() {
                    self.attach_siblings(&known, band, frames);
                }
                return true;
            }
            statistics.dropped_fragments += self.fragments.keep(fragment);
        }
        false
    }

    /// Measures a frame that is now known to the last bit, takes it out of the band and reports it,
    /// unless that has been done before.
    fn report(
        &mut self,
        fragment: &Fragment,
        band: &mut Band,
        container: &Container,
        (decoder, crc_ok): (Decoder, bool),
        frames: &mut Vec<DecodedFrame>,
    ) -> Option<DecodedFrame> {
        let frame_type = fragment.frame_type;
        let signs = symbol_signs(&container.bitstream(frame_type.rank));
        let measurement = fragment.soft.measure(&signs);
        let frequency_hz = measurement.carrier.frequency_hz;
        let density = self.noise.density(band.grid.nearest(frequency_hz));
        let eb_over_n0 = if density > 0.0 {
            measurement.power * self.bit_rate.symbol_s() / density
        } else {
            fragment.soft.es_over_n0()
        };
        let symbol_s = self.bit_rate.symbol_s();
        let track = &measurement.track;
        let burst = KnownBurst { signs: &signs, symbol_s, track, es_over_n0: eb_over_n0 };
        band.cancel(&burst, measurement.power);
        if self.recent.iter().any(|frame| fragment.repeats(frame, container)) {
            return None;
        }
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
        frames.push(frame.clone());
        Some(frame)
    }
}

/// Duration of a frame of the longest class with its reference symbol and ramp, in seconds.
pub(super) fn longest_frame_s(bit_rate: BitRate) -> f64 {
    LengthClass::ALL.iter().map(|class| class.airtime_s(bit_rate)).fold(0.0, f64::max)
        + 2.0 * bit_rate.symbol_s()
}

/// When the last symbol of the hypothesis has passed, with one more for its ramp, in seconds.
fn due_s(hypothesis: &Hypothesis, bit_rate: BitRate) -> f64 {
    let symbols = symbol_count(FrameType::ALL[hypothesis.word]) as f64 + 1.0;
    hypothesis.start_s + symbols * bit_rate.symbol_s()
}
