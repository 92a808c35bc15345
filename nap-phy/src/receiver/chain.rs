//! The way of the signals of one bit rate: from subbands to decoded frames.

use std::sync::Arc;

use nap_dsp::detector::Candidate;
use nap_dsp::noise_floor::NoiseFloor;
use nap_dsp::subbands::SubbandGrid;
use nap_dsp::synchronizer::{Hypothesis, Synchronizer};

use super::burst_decoder::{BurstDecoder, Trial};
use super::bursts::{Burst, Bursts, longest_frame_s};
use super::candidates::{Candidates, Round};
use super::config::ReceiverConfig;
use super::context::Context;
use super::decision::{Decision, Reading};
use super::decoded_frame::DecodedFrame;
use super::decoder::container_search::ContainerSearch;
use super::decoder::symbols::{preamble, sync_words};
use super::frame_reporter::FrameReporter;
use super::joint::tuning::JointTuning;
use super::joint::undecoded_frame::UndecodedFrame;
use super::joint::{JointDecoder, UNDECODED_AGE_S};
use super::masking::{Cancelled, Mask};
use super::proof::TAG_LN_ODDS;
use super::statistics::Statistics;
use super::undecoded::UndecodedReason;
use super::undecoded_bursts::Sighting;
use crate::device::table::DeviceTable;
use crate::message::Decoder;
use crate::radio::bit_rate::BitRate;

/// The stages for one bit rate, in the order of the signal.
pub(super) struct Chain {
    bit_rate: BitRate,
    candidates: Candidates,
    /// How far the candidates have been gone through.
    round: Round,
    noise: NoiseFloor,
    synchronizer: Synchronizer,
    /// Hypotheses whose correlation is so much lower than the best are not tried.
    competing_distance: f64,
    bursts: Bursts,
    decoder: BurstDecoder,
    joint: JointDecoder,
    joint_tuning: JointTuning,
    containers: ContainerSearch,
    reporter: FrameReporter,
}

impl Chain {
    /// The chain of a receiver for one of its bit rates.
    pub(super) fn new(
        bit_rate: BitRate,
        grid: SubbandGrid,
        config: &ReceiverConfig,
        containers: ContainerSearch,
    ) -> Self {
        let symbol_rate_hz = f64::from(bit_rate.bits_per_s());
        let (max_drift, joint_tuning) = (config.limits.max_drift_hz_per_s, config.tuning.joint);
        let candidates =
            Candidates::new(bit_rate, grid, &config.carriers_hz(bit_rate), &config.tuning);
        Self {
            bit_rate,
            noise: NoiseFloor::new(grid.subbands, candidates.interval_s()),
            candidates,
            round: Round::default(),
            synchronizer: Synchronizer::new(
                (symbol_rate_hz, preamble()),
                &sync_words(),
                max_drift,
                config.tuning.min_correlation,
            )
            .tuned(config.tuning.synchronizer),
            competing_distance: config.tuning.competing_distance,
            bursts: Bursts::new(bit_rate, config.limits.max_bursts, &config.tuning),
            decoder: BurstDecoder::new(bit_rate, max_drift, &config.tuning),
            joint: JointDecoder::new(
                bit_rate,
                &config.limits,
                config.radio_configuration,
                joint_tuning,
            ),
            containers,
            reporter: FrameReporter::new(bit_rate, joint_tuning),
            joint_tuning,
        }
    }

    /// How long after a candidate in the sidelobes of a preamble the chain knows of the preamble too, in
    /// seconds.
    pub(super) fn detection_s(&self) -> f64 {
        self.candidates.detection_s()
    }

    /// Begins at a column of a longer stream.
    pub(super) fn begin_at(&mut self, column: u64) {
        self.candidates.begin_at(column);
    }

    /// Columns from one search to the next.
    pub(super) fn hop_columns(&self) -> u64 {
        self.candidates.hop_columns()
    }

    /// Sets the hold-off: candidates wait until all chains know of the bursts that may mask them.
    pub(super) fn set_hold_off(&mut self, hold_off_s: f64) {
        self.candidates.set_hold_off(hold_off_s);
    }

    /// How far back the chain looks, in seconds: a frame of the longest class, one that began before it, masks it and
    /// ends with it, and for each what comes until it is looked at, some 30 symbols: margins, and hops of the search.
    pub(super) fn lookback_s(bit_rate: BitRate) -> f64 {
        2.0 * longest_frame_s(bit_rate) + 60.0 * bit_rate.symbol_s()
    }

    /// How much silence after the end of the last symbol the chain needs to see all of it, in
    /// seconds. The detector needs none: it looks no further than the shortest frame goes on.
    pub(super) fn latency_s(&self) -> f64 {
        2.0 * self.bit_rate.symbol_s()
    }

    /// Looks for frames of these devices from now on.
    pub(super) fn set_devices(&mut self, devices: Arc<DeviceTable>) {
        self.containers.set_devices(devices);
    }

    /// The noise density of every subband, in (full scale)² per hertz; 0 before the first noise.
    pub(super) fn noise_densities(&self) -> Vec<f64> {
        self.noise.densities()
    }

    /// Whether candidates or bursts are left.
    pub(super) fn is_busy(&self) -> bool {
        !self.candidates.is_empty() || !self.bursts.is_empty()
    }

    /// Forgets what was decoded and what was not.
    pub(super) fn clear(&mut self) {
        self.candidates.clear();
        self.bursts.clear();
        self.joint.clear();
        self.reporter.clear();
    }

    fn forget(&mut self, now_s: f64) {
        let oldest_s = now_s - Self::lookback_s(self.bit_rate);
        self.candidates.forget(oldest_s);
        self.bursts.forget(oldest_s);
        self.joint.forget(now_s);
        self.reporter.forget(now_s - UNDECODED_AGE_S);
    }

    /// Detects: looks for preambles in what the newest column completes. Call it after every column.
    /// Returns whether a search took place.
    pub(super) fn detect(&mut self, context: &mut Context) -> bool {
        if !self.candidates.detect(&context.band, &mut context.statistics) {
            return false;
        }
        self.noise.update(self.candidates.densities());
        let now_s = context.band.now_s();
        self.containers.advance(now_s);
        self.forget(now_s);
        true
    }

    /// Detects again where a burst was cancelled: new candidates that it masked, and bursts that it
    /// corrupted.
    pub(super) fn detect_again(&mut self, cancelled: &Cancelled, context: &mut Context) {
        let Context { band, statistics, .. } = context;
        self.bursts.retry(&band.grid, cancelled);
        let density = self.noise.density(band.grid.nearest(cancelled.mask.frequency_hz));
        self.candidates.detect_again(band, cancelled, density, statistics);
    }

    /// The bursts of which it is certain that they are there.
    pub(super) fn masks(&self) -> impl Iterator<Item = Mask> {
        self.bursts.masks()
    }

    /// Begins to turn the candidates whose known symbols have passed into bursts, the strongest first.
    pub(super) fn start_round(&mut self, now_s: f64) {
        self.round = self.candidates.start_round(&self.synchronizer, now_s);
    }

    /// Turns the next candidate of the round into a burst; returns whether there was one. Those that a
    /// burst masks wait until it is cancelled or given up.
    pub(super) fn synchronize_next(
        &mut self,
        masks: &mut Vec<Mask>,
        context: &mut Context,
    ) -> bool {
        let grid = &context.band.grid;
        let Some(candidate) = self.candidates.next(&mut self.round, grid, masks) else {
            return false;
        };
        let Some(hypotheses) = self.hypotheses(&candidate, context) else {
            self.give_up_candidate(&candidate, context);
            return true;
        };
        masks.extend(self.bursts.mask(&hypotheses[0]));
        let min_due_s = self.candidates.held_off_until_s(&candidate);
        self.bursts.add(hypotheses, min_due_s, &mut context.statistics);
        true
    }

    /// Ends the round: gives up bursts if there are too many.
    pub(super) fn end_round(&mut self, context: &mut Context) {
        for burst in self.bursts.take_worst() {
            context.statistics.dropped_bursts += 1;
            self.give_up(&burst, UndecodedReason::TooMany, context);
        }
    }

    /// The frames that a candidate may be the start of, the best first, if there are any.
    fn hypotheses(&mut self, candidate: &Candidate, context: &Context) -> Option<Vec<Hypothesis>> {
        let band = &context.band;
        let density = self.noise.density(band.grid.nearest(candidate.frequency_hz));
        let found = self.synchronizer.search(&band.history, &band.grid, candidate, density);
        let best = found.first()?;
        let may_be =
            |other: &&Hypothesis| other.correlation >= best.correlation - self.competing_distance;
        Some(found.iter().filter(may_be).copied().collect())
    }

    /// Decodes the strongest burst that is due; returns whether there was one. Call it until it returns
    /// `false` or something is cancelled in the band.
    pub(super) fn decode_next(&mut self, context: &mut Context, now_s: f64) -> bool {
        let Some(burst) = self.bursts.take_due(now_s, &context.band.grid) else { return false };
        self.decode_burst(burst, context, now_s);
        true
    }

    /// Decodes a burst alone, else with others, else keeps it.
    fn decode_burst(&mut self, mut burst: Burst, context: &mut Context, now_s: f64) {
        let density = self.density_under(&burst, context);
        match self.decoder.decode(&mut burst, &mut self.containers, context, density, now_s) {
            Trial::Unfinished => self.bursts.wait(burst),
            Trial::Decoded(decision) if self.is_corrupted_sibling(&decision) => {
                burst.attempt.undecoded_frames.extend(decision.undecoded_frames);
                self.decode_with_others(burst, context);
            }
            Trial::Decoded(decision) => {
                self.report(decision, context);
                if !context.band.has_changed() {
                    // It may come out when something else has.
                    self.bursts.miss(burst);
                }
            }
            Trial::Failed => self.decode_with_others(burst, context),
        }
    }

    /// Decodes a burst, which did not alone, with others, else keeps it.
    fn decode_with_others(&mut self, mut burst: Burst, context: &mut Context) {
        let reason = burst.attempt.reason(&self.joint_tuning);
        if let Some(decision) = self.decode_jointly(&mut burst, context) {
            self.report(decision, context);
        } else {
            self.give_up(&burst, reason, context);
            self.bursts.miss(burst);
        }
    }

    /// Whether what was found far down a list is another frame of a message that is known, with wrong bits
    /// for which the check sum holds by chance: the same device does not use a number twice at a time.
    fn is_corrupted_sibling(&self, decision: &Decision) -> bool {
        let container = &decision.reading.container;
        let is_of = |undecoded: &UndecodedFrame, frame: &DecodedFrame| {
            let known = &frame.container;
            undecoded.may_follow(frame)
                && known.device_id() == container.device_id()
                && known.sequence_number() == container.sequence_number()
                && known != container
        };
        decision.reading.decoder == Decoder::List
            && decision
                .undecoded_frames
                .iter()
                .any(|part| self.reporter.recent().iter().any(|frame| is_of(part, frame)))
    }

    /// The noise density under a burst, in (full scale)² per hertz.
    fn density_under(&mut self, burst: &Burst, context: &Context) -> f64 {
        let best = burst.best();
        let subband = context.band.grid.nearest(best.carrier.frequency_hz);
        self.noise.density_under(subband, best.power * self.bit_rate.symbol_s())
    }

    /// Gives up a candidate at which no frame type fits.
    fn give_up_candidate(&self, candidate: &Candidate, context: &mut Context) {
        let sighting = Sighting::of_candidate(candidate, self.bit_rate);
        context.undecoded.add(sighting, &mut context.statistics);
    }

    /// Gives up a burst, for the time being.
    fn give_up(&mut self, burst: &Burst, reason: UndecodedReason, context: &mut Context) {
        let density = self.density_under(burst, context);
        let sighting = Sighting::of_burst(burst.best(), self.bit_rate, density, reason);
        context.undecoded.add(sighting, &mut context.statistics);
    }

    fn decode_jointly(&mut self, burst: &mut Burst, context: &mut Context) -> Option<Decision> {
        let undecoded_frames = std::mem::take(&mut burst.attempt.undecoded_frames);
        let recent = self.reporter.recent();
        self.joint.decode(undecoded_frames, recent, &mut self.containers, &mut context.statistics)
    }

    /// Reports the frames of a decision and with them the undecoded frames that prove to be of the same
    /// message. What is reported is cancelled in the band.
    fn report(&mut self, decision: Decision, context: &mut Context) {
        let mut decision = self.reconciled(decision, &mut context.statistics);
        let reading = &mut decision.reading;
        // What was found with the help of a key has been weighed with its tag.
        let is_blind = reading.decoder != Decoder::APriori;
        if is_blind && self.containers.is_verified(&reading.container) {
            reading.ln_odds += TAG_LN_ODDS;
        }
        let known = Reading { crc_ok: false, ln_odds: 0.0, ..reading.clone() };
        if !self.reporter.report(decision, &mut self.noise, context) {
            return;
        }
        let mut siblings = self.reporter.take_claimed();
        siblings.append(&mut self.joint.take_siblings(self.reporter.recent()));
        for undecoded in siblings {
            // One that was reported may leave no place for the next.
            if self.reporter.is_sibling(&undecoded, &known.container) {
                let decision =
                    Decision { reading: known.clone(), undecoded_frames: vec![undecoded] };
                self.reporter.report(decision, &mut self.noise, context);
            }
        }
    }

    /// What a single frame says, in the light of the messages that it may belong to: what it hardly says
    /// by itself yields to a well proven message of which it proves to be another frame, and with the frames
    /// of a weakly proven one it is read together, which tells more than either.
    fn reconciled(&mut self, decision: Decision, statistics: &mut Statistics) -> Decision {
        let [undecoded] = &decision.undecoded_frames[..] else { return decision };
        let own = &decision.reading;
        if let Some(reading) = self.reporter.overruling(undecoded, own) {
            statistics.contradictions += 1;
            return Decision { reading, ..decision };
        }
        let Some((container, siblings)) = self.reporter.doubtful_siblings(undecoded) else {
            return decision;
        };
        if own.crc_ok && own.container == *container {
            return decision;
        }
        let together = self.joint.read_with(&siblings, undecoded, &mut self.containers, statistics);
        let Some(together) = together else { return decision };
        if together.container == own.container {
            let ln_odds = together.ln_odds.max(own.ln_odds);
            let reading = Reading { ln_odds, ..own.clone() };
            return Decision { reading, ..decision };
        }
        if !self.reporter.outweighs(&together, 1 + siblings.len(), container) {
            return decision;
        }
        let mut undecoded_frames: Vec<UndecodedFrame> = siblings.into_iter().cloned().collect();
        undecoded_frames.extend(decision.undecoded_frames);
        undecoded_frames.sort_by_key(|part| part.frame_type.rank);
        Decision { reading: together, undecoded_frames }
    }
}
