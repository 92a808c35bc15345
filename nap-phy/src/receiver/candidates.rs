//! Places where a frame might begin: found, waiting for their symbols, and masked by stronger bursts.

use std::cmp::Ordering;
use std::ops::RangeInclusive;

use nap_dsp::detector::{Candidate, PreambleDetector};
use nap_dsp::subbands::SubbandGrid;
use nap_dsp::synchronizer::Synchronizer;

use super::band::Band;
use super::decoder::symbols::{SYNC_SYMBOLS, preamble};
use super::masking::{Cancelled, Effect, Mask, MaskingTuning, PREAMBLE_SYMBOLS, Region};
use super::statistics::Statistics;
use super::tuning::Tuning;
use crate::radio::bit_rate::BitRate;

/// Searches in which a preamble can be seen.
const SEARCHES_PER_PREAMBLE: f64 = 3.0;
/// More candidates than wait at once while nothing is on the air.
const QUIET_CANDIDATES: usize = 64;

/// A candidate all of whose symbols have come: it is searched unless something masks it.
#[derive(Debug, Clone, Copy)]
struct Ready {
    candidate: Candidate,
    /// Index of the burst that masked it when it was last looked at: mostly it still does.
    masked_by: usize,
}

impl Ready {
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

/// How far a round through the candidates has come.
#[derive(Debug, Default)]
pub(super) struct Round {
    next: usize,
    /// Of those before, so many stay.
    kept: usize,
}

/// The preamble detector of one bit rate and what it has found.
pub(super) struct Candidates {
    symbol_s: f64,
    masking: MaskingTuning,
    detector: PreambleDetector,
    /// Searches what lay under bursts that were decoded.
    second_detector: PreambleDetector,
    /// What the detector has just found.
    found: Vec<Candidate>,
    /// Candidates that wait for their symbols.
    waiting: Vec<Candidate>,
    /// Those whose symbols have passed, the strongest first.
    ready: Vec<Ready>,
    /// Those that were searched in the current round.
    searched: Vec<Candidate>,
    /// How long candidates wait for bursts of any bit rate to come to light that may mask them.
    hold_off_s: f64,
    /// Bursts cancelled lately.
    cancelled: Vec<Cancelled>,
}

impl Candidates {
    /// Candidates in the channel at `channel_hz` from the centre.
    pub(super) fn new(
        bit_rate: BitRate,
        grid: SubbandGrid,
        channel_hz: &RangeInclusive<f64>,
        tuning: &Tuning,
    ) -> Self {
        let symbol_rate_hz = f64::from(bit_rate.bits_per_s());
        let hz = channel_hz.clone();
        let bursts = (symbol_rate_hz, preamble());
        let least = tuning.min_detection_statistic;
        let detector = PreambleDetector::new(grid, hz.clone(), bursts, least);
        let second_detector = PreambleDetector::for_searching_again(grid, hz, bursts, least);
        Self {
            symbol_s: bit_rate.symbol_s(),
            masking: tuning.masking,
            detector: detector.tuned(tuning.detector),
            second_detector: second_detector.tuned(tuning.detector),
            // As many as a quiet channel ever has, so that listening to it takes no more memory.
            found: Vec::with_capacity(QUIET_CANDIDATES),
            waiting: Vec::with_capacity(QUIET_CANDIDATES),
            ready: Vec::with_capacity(QUIET_CANDIDATES),
            searched: Vec::with_capacity(QUIET_CANDIDATES),
            hold_off_s: 0.0,
            cancelled: Vec::new(),
        }
    }

    /// How long after a candidate in the sidelobes of a preamble the preamble is known too, whose best view
    /// may come some searches later, in seconds.
    pub(super) fn detection_s(&self) -> f64 {
        self.detector.latency_s() + SEARCHES_PER_PREAMBLE * self.detector.interval_s()
    }

    /// Sets the hold-off: candidates wait until the bursts of all bit rates are known that may mask them.
    pub(super) fn set_hold_off(&mut self, hold_off_s: f64) {
        self.hold_off_s = hold_off_s;
    }

    /// Begins at a column of a longer stream.
    pub(super) fn begin_at(&mut self, column: u64) {
        self.detector.begin_at(column);
    }

    /// Columns from one search to the next.
    pub(super) fn hop_columns(&self) -> u64 {
        self.detector.hop_columns()
    }

    /// Seconds between two searches.
    pub(super) fn interval_s(&self) -> f64 {
        self.detector.interval_s()
    }

    /// The noise density of every subband in the newest search, in (full scale)² per hertz.
    pub(super) fn densities(&self) -> &[f32] {
        self.detector.densities()
    }

    /// Whether any are left.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.ready.is_empty()
    }

    /// Forgets which bursts were cancelled.
    pub(super) fn clear(&mut self) {
        self.cancelled.clear();
    }

    /// Forgets which bursts were cancelled if they ended before `time_s`.
    pub(super) fn forget(&mut self, time_s: f64) {
        self.cancelled.retain(|burst| burst.mask.to_s >= time_s);
    }

    /// Searches for preambles in what the newest column completes. Call it after every column.
    /// Returns whether a search took place.
    pub(super) fn detect(&mut self, band: &Band, statistics: &mut Statistics) -> bool {
        let dropped = self.detector.dropped();
        if !self.detector.search(&band.history, &mut self.found) {
            return false;
        }
        statistics.dropped_candidates += self.detector.dropped() - dropped;
        self.await_symbols(statistics);
        true
    }

    /// Adds what the detector has found to those that wait for their symbols.
    fn await_symbols(&mut self, statistics: &mut Statistics) {
        statistics.candidates += self.found.len() as u64;
        self.waiting.append(&mut self.found);
    }

    /// Looks where a burst was cancelled for preambles that it masked. `density` is that of the
    /// noise there.
    pub(super) fn detect_again(
        &mut self,
        band: &Band,
        cancelled: &Cancelled,
        density: f64,
        statistics: &mut Statistics,
    ) {
        self.cancelled.push(cancelled.clone());
        let (symbol_s, masking) = (self.symbol_s, self.masking);
        // What the burst did not reach is as it was: beside noise, a little more does no harm.
        let noise = density / symbol_s;
        let corrupted = |candidate: &Candidate| {
            let Candidate { time_s, frequency_hz, power, .. } = *candidate;
            let seen = Region::new(time_s, frequency_hz, symbol_s, &band.grid).with_frame_type();
            cancelled.subbands.contains(&seen.subband)
                && masking.does(&cancelled.mask, Effect::Corrupts, &seen, power + noise)
        };
        self.waiting.retain(|candidate| !corrupted(candidate));
        self.ready.retain(|ready| !corrupted(&ready.candidate));
        let reach_hz = masking.reach_hz(&cancelled.mask, Effect::Corrupts, symbol_s, noise);
        let lowest = band.grid.nearest(*reach_hz.start()).max(cancelled.subbands.start);
        let end = (band.grid.nearest(*reach_hz.end()) + 1).min(cancelled.subbands.end);
        let subbands = lowest..end.max(lowest);
        let from_s = cancelled.mask.from_s - SYNC_SYMBOLS as f64 * symbol_s;
        // The last preamble that the burst corrupts begins before its end.
        let half_s = PREAMBLE_SYMBOLS / 2.0 * symbol_s;
        let last_s = cancelled.mask.to_s + half_s + self.detector.latency_s();
        let columns = band.grid.column_at(from_s)..band.grid.column_at(last_s);
        let (live, part) = (&mut self.detector, (subbands, &reach_hz));
        self.second_detector.search_again(&band.history, part, columns, live, &mut self.found);
        self.found.retain(corrupted);
        self.await_symbols(statistics);
    }

    /// Begins a round through the candidates whose symbols have passed.
    pub(super) fn start_round(&mut self, synchronizer: &Synchronizer, now_s: f64) -> Round {
        let is_ready = |candidate: &mut Candidate| {
            let held_off_until_s = candidate.time_s + self.hold_off_s;
            synchronizer.ready_s(candidate).max(held_off_until_s) <= now_s
        };
        let ready = self.waiting.extract_if(.., is_ready);
        let before = self.ready.len();
        self.ready.extend(ready.map(|candidate| Ready { candidate, masked_by: 0 }));
        if self.ready.len() > before {
            self.ready.sort_unstable_by(Ready::strongest_first);
        }
        self.searched.clear();
        Round::default()
    }

    /// The next candidate of the round that no burst masks, the strongest first. Those that are
    /// masked wait until what masks them is cancelled or given up. Call it until it returns `None`.
    pub(super) fn next(
        &mut self,
        round: &mut Round,
        grid: &SubbandGrid,
        masks: &[Mask],
    ) -> Option<Candidate> {
        while let Some(mut ready) = self.ready.get(round.next).copied() {
            round.next += 1;
            let Ready { candidate, .. } = ready;
            let region = Region::new(candidate.time_s, candidate.frequency_hz, self.symbol_s, grid);
            if ready.is_masked(&region, masks, &self.masking) {
                self.ready[round.kept] = ready;
                round.kept += 1;
            } else if !self.is_residue(&region, &candidate) {
                self.searched.push(candidate);
                return Some(candidate);
            }
        }
        self.ready.truncate(round.kept);
        None
    }

    /// When the frames of a candidate may be tried: not before a better view of the same preamble has
    /// had its turn.
    pub(super) fn held_off_until_s(&self, candidate: &Candidate) -> f64 {
        candidate.time_s + self.hold_off_s + PREAMBLE_SYMBOLS * self.symbol_s
    }

    /// Whether a candidate is what is left of a burst that was cancelled, or lies in the sidelobes of a
    /// stronger one that was seen with it: should there be more, it shows when that is cancelled.
    fn is_residue(&self, region: &Region, candidate: &Candidate) -> bool {
        let (masking, power) = (&self.masking, candidate.power);
        let is_sidelobe = |stronger: &Candidate| {
            let mask = Mask::of_candidate(stronger, region);
            stronger.time_s == candidate.time_s
                && masking.does(&mask, Effect::Outshines, region, power)
        };
        self.cancelled.iter().any(|burst| masking.may_be_left_of(burst, region, power))
            || self.searched.iter().any(is_sidelobe)
    }
}

impl Ready {
    /// Whether a burst masks the candidate, which lies at `region`.
    fn is_masked(&mut self, region: &Region, masks: &[Mask], masking: &MaskingTuning) -> bool {
        let power = self.candidate.power;
        let does_mask = |mask: &Mask| masking.does(mask, Effect::Masks, region, power);
        if masks.get(self.masked_by).is_some_and(does_mask) {
            return true;
        }
        let masked_by = masks.iter().position(does_mask);
        self.masked_by = masked_by.unwrap_or(self.masked_by);
        masked_by.is_some()
    }
}
