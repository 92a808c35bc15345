//! From a decision to frames: measured, cancelled and reported once.

use nap_dsp::canceller::KnownBurst;
use nap_dsp::noise_floor::NoiseFloor;
use nap_dsp::subbands::SubbandGrid;

use super::context::Context;
use super::contradiction::claims_burst_of;
use super::decision::{Decision, Reading};
use super::decoded_frame::DecodedFrame;
use super::decoder::symbols::symbol_signs;
use super::frame_news::FrameNews;
use super::joint::tuning::JointTuning;
use super::joint::undecoded_frame::UndecodedFrame;
use super::masking::Mask;
use super::proof::Proof;
use super::recent_frames::RecentFrames;
use crate::radio::bit_rate::BitRate;
use crate::uplink::container::Container;

/// Doubtful frames that are kept; of more the oldest goes first.
const MAX_DOUBTFUL: usize = 16;

/// Reports the frames of one bit rate, and remembers them so that no signal is reported twice.
pub(super) struct FrameReporter {
    bit_rate: BitRate,
    tuning: JointTuning,
    recent: RecentFrames,
    /// Of the frames of weakly proven messages, what was received of them: they may turn out to be another
    /// message's.
    doubtful: Vec<Doubtful>,
}

/// A frame that may turn out to be another message's.
struct Doubtful {
    container: Container,
    undecoded: UndecodedFrame,
}

impl FrameReporter {
    /// A reporter that has reported nothing.
    pub(super) fn new(bit_rate: BitRate, tuning: JointTuning) -> Self {
        let doubtful = Vec::with_capacity(MAX_DOUBTFUL);
        Self { bit_rate, tuning, recent: RecentFrames::new(tuning), doubtful }
    }

    /// What the frames of weakly proven messages take, in bytes at most.
    pub(super) fn doubtful_bytes(grid: &SubbandGrid, bit_rate: BitRate) -> usize {
        let besides = size_of::<Doubtful>() - size_of::<UndecodedFrame>();
        MAX_DOUBTFUL * (besides + UndecodedFrame::memory_bytes(grid, bit_rate))
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.recent.clear();
        self.doubtful.clear();
    }

    /// Forgets frames that ended before `time_s`.
    pub(super) fn forget(&mut self, time_s: f64) {
        self.recent.forget(time_s);
        self.doubtful.retain(|doubtful| doubtful.undecoded.soft.start_s >= time_s);
    }

    /// The frames decoded lately.
    pub(super) fn recent(&self) -> &RecentFrames {
        &self.recent
    }

    /// Reports all frames of a decision. Returns whether any is news.
    pub(super) fn report(
        &mut self,
        decision: Decision,
        noise: &mut NoiseFloor,
        context: &mut Context,
    ) -> bool {
        let Decision { reading, undecoded_frames } = decision;
        let weight = self.proof_with(&reading, undecoded_frames.len()).weight();
        let mut is_news = false;
        for undecoded in undecoded_frames {
            is_news |= self.report_frame(undecoded, &reading, weight, noise, context);
        }
        is_news
    }

    /// Measures a frame that is now known to the last bit, cancels it in the band and reports it, unless
    /// that has been done before or its burst is that of a message for which there is more to be said than
    /// this. Returns whether it is news.
    fn report_frame(
        &mut self,
        undecoded: UndecodedFrame,
        reading: &Reading,
        weight: f64,
        noise: &mut NoiseFloor,
        context: &mut Context,
    ) -> bool {
        if let Some(competitor) = self.competitor(&undecoded, &reading.container) {
            context.statistics.contradictions += 1;
            if self.proof(&competitor).weight() >= weight {
                return false;
            }
            self.withdraw(&competitor, &undecoded, context);
        }
        let frame = self.measured(&undecoded, reading, noise, context);
        if self.recent.iter().any(|recent| undecoded.repeats(recent, &frame.container)) {
            return false;
        }
        context.news.push(FrameNews::Decoded(frame.clone()));
        self.recent.push(frame);
        if self.proof(&reading.container).is_weak() {
            self.doubt(Doubtful { container: reading.container.clone(), undecoded });
        } else {
            self.doubtful.retain(|doubtful| doubtful.container != reading.container);
        }
        true
    }

    /// Keeps what was received of a frame that may turn out to be another message's.
    fn doubt(&mut self, doubtful: Doubtful) {
        if self.doubtful.len() == MAX_DOUBTFUL {
            self.doubtful.remove(0);
        }
        self.doubtful.push(doubtful);
    }

    /// What proves a message, by its frames.
    fn proof(&self, container: &Container) -> Proof {
        Proof::of(self.recent.of_message(container))
    }

    /// What proves a message if so many frames with this reading come to it.
    fn proof_with(&self, reading: &Reading, frames: usize) -> Proof {
        let mut proof = self.proof(&reading.container);
        (0..frames).for_each(|_| proof.add(reading.crc_ok, reading.ln_odds));
        proof
    }

    /// Whether there is more to be said for a reading of so many frames than for a message.
    pub(super) fn outweighs(
        &self,
        reading: &Reading,
        frames: usize,
        competitor: &Container,
    ) -> bool {
        self.proof_with(reading, frames).weight() > self.proof(competitor).weight()
    }

    /// Another message that claims the same burst.
    fn competitor(&self, undecoded: &UndecodedFrame, container: &Container) -> Option<Container> {
        let is_competitor = |frame: &&DecodedFrame| {
            frame.container != *container && claims_burst_of(undecoded, frame)
        };
        self.recent.iter().find(is_competitor).map(|frame| frame.container.clone())
    }

    /// Takes a burst from a message. If none of its other frames has decoded alone, the message falls:
    /// what was decoded together is proven together only.
    fn withdraw(
        &mut self,
        container: &Container,
        undecoded: &UndecodedFrame,
        context: &mut Context,
    ) {
        let stands_alone = |frame: &DecodedFrame| {
            frame.container == *container && frame.crc_ok && !claims_burst_of(undecoded, frame)
        };
        let falls = !self.recent.iter().any(stands_alone);
        let is_withdrawn = |frame: &mut DecodedFrame| {
            frame.container == *container && (falls || claims_burst_of(undecoded, frame))
        };
        let withdrawn = self.recent.take(is_withdrawn);
        context.news.extend(withdrawn.map(FrameNews::Withdrawn));
        if falls {
            self.doubtful.retain(|doubtful| doubtful.container != *container);
        }
    }

    /// Takes out what was received of frames of weaker messages that prove to be of the newest frame's
    /// message.
    pub(super) fn take_claimed(&mut self) -> Vec<UndecodedFrame> {
        let Some(newest) = self.recent.newest() else { return Vec::new() };
        let weight = self.proof(&newest.container).weight();
        let recent = &self.recent;
        let is_claimed = |doubtful: &mut Doubtful| {
            let of_competitor = recent.of_message(&doubtful.container);
            doubtful.container != newest.container
                && recent.is_sibling(&doubtful.undecoded, newest)
                && Proof::of(of_competitor).weight() < weight
        };
        let claimed = self.doubtful.extract_if(.., is_claimed);
        claimed.map(|doubtful| doubtful.undecoded).collect()
    }

    /// Whether an undecoded frame proves to be another one of a message.
    pub(super) fn is_sibling(&self, undecoded: &UndecodedFrame, container: &Container) -> bool {
        let mut of_message = self.recent.of_message(container);
        of_message.any(|frame| self.recent.is_sibling(undecoded, frame))
    }

    /// The first weakly proven message of which this may be another frame, and what was received of its
    /// frames.
    pub(super) fn doubtful_siblings(
        &self,
        undecoded: &UndecodedFrame,
    ) -> Option<(&Container, Vec<&UndecodedFrame>)> {
        let may_be_sibling = |doubtful: &&Doubtful| {
            undecoded.pause_s(&doubtful.undecoded, self.bit_rate, &self.tuning).is_some()
        };
        let container = &self.doubtful.iter().find(may_be_sibling)?.container;
        let of_message = |doubtful: &&Doubtful| doubtful.container == *container;
        let mut siblings: Vec<&UndecodedFrame> = Vec::new();
        for Doubtful { undecoded, .. } in
            self.doubtful.iter().filter(of_message).filter(may_be_sibling)
        {
            if siblings.iter().all(|other| other.frame_type.rank != undecoded.frame_type.rank) {
                siblings.push(undecoded);
            }
        }
        Some((container, siblings))
    }

    /// The reading of a frame as that of a well proven message, if it proves to be another frame of one and
    /// what it says by itself is something else, and weakly proven.
    pub(super) fn overruling(&self, undecoded: &UndecodedFrame, own: &Reading) -> Option<Reading> {
        if !self.proof_with(own, 1).is_weak() {
            return None;
        }
        let overrules = |frame: &&DecodedFrame| {
            frame.container != own.container
                && self.recent.is_sibling(undecoded, frame)
                && !self.proof(&frame.container).is_weak()
        };
        self.recent.iter().find(overrules).map(Reading::of_sibling)
    }

    fn measured(
        &self,
        undecoded: &UndecodedFrame,
        reading: &Reading,
        noise: &mut NoiseFloor,
        context: &mut Context,
    ) -> DecodedFrame {
        let (frame_type, symbol_s) = (undecoded.frame_type, self.bit_rate.symbol_s());
        let signs = symbol_signs(&reading.container.bitstream(frame_type.rank));
        let measurement = undecoded.soft.measure(&signs);
        let subband = context.band.grid.nearest(measurement.carrier.frequency_hz);
        let symbol_energy = measurement.power * symbol_s;
        let density = noise.density_under(subband, symbol_energy);
        let eb_over_n0 =
            if density > 0.0 { symbol_energy / density } else { undecoded.soft.es_over_n0() };
        let track = &measurement.track;
        let burst = KnownBurst { signs: &signs, track, es_over_n0: eb_over_n0 };
        let mask = Mask::of_track(track, symbol_s, measurement.power);
        context.band.cancel(&burst, mask);
        context.undecoded.account_for(mask);
        DecodedFrame {
            frame_type,
            container: reading.container.clone(),
            bit_rate: self.bit_rate,
            decoder: reading.decoder,
            crc_ok: reading.crc_ok,
            ln_odds: reading.ln_odds,
            measurement,
            eb_over_n0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receiver::joint::undecoded_frame::heard::{GRID, container, frame};
    use crate::uplink::rank::Rank;

    #[test]
    fn doubtful_frames_take_what_is_counted_for_them() {
        let container = container(&[0; 12]);
        let mut reporter = FrameReporter::new(BitRate::Bps100, JointTuning::default());
        for n in 0..MAX_DOUBTFUL + 3 {
            let undecoded = frame(&container, Rank::First, n as f64);
            reporter.doubt(Doubtful { container: container.clone(), undecoded });
        }
        assert_eq!(reporter.doubtful[0].undecoded.soft.start_s.round(), 3.0);
        let taken = allocation_counter::measure(|| drop(std::mem::take(&mut reporter.doubtful)));
        let (taken, most) =
            (-taken.bytes_current, FrameReporter::doubtful_bytes(&GRID, BitRate::Bps100) as i64);
        assert!((most / 2..=most).contains(&taken), "{taken} of {most} bytes");
    }
}
