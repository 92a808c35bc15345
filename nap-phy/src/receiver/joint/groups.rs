//! Frames that did not decode alone, kept to be decoded together with their message's other frames.

use arrayvec::ArrayVec;

use super::carrier_plan::{CarrierRules, RankedCarrier};
use super::plausibility::{FramePlace, is_plausible};
use super::tuning::JointTuning;
use super::undecoded_frame::UndecodedFrame;
use crate::radio::bit_rate::BitRate;
use crate::receiver::config::Limits;
use crate::receiver::decoded_frame::DecodedFrame;
use crate::receiver::recent_frames::RecentFrames;
use crate::receiver::statistics::Statistics;
use crate::uplink::container::Container;

/// Undecoded frames that may be paired with a new one, the clearest.
const MAX_PARTNERS: usize = 32;

/// One or two of the undecoded frames kept that may be of the same message as a new one.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// Their places among those that are kept.
    members: ArrayVec<usize, 2>,
    /// What the carriers say for it.
    likelihood_ratio: f64,
}

/// An undecoded frame kept that may be of the same message as a new one.
#[derive(Debug, Clone, Copy)]
struct Partner {
    /// Its place among those that are kept.
    index: usize,
    /// The pause between the two frames, or half of the time if one is missing between them.
    pause_s: f64,
}

/// The undecoded frames of the last seconds.
pub(crate) struct UndecodedFrames {
    bit_rate: BitRate,
    most: usize,
    max_groups: usize,
    rules: CarrierRules,
    tuning: JointTuning,
    kept: Vec<UndecodedFrame>,
}

impl UndecodedFrames {
    pub(crate) fn new(
        bit_rate: BitRate,
        limits: &Limits,
        rules: CarrierRules,
        tuning: JointTuning,
    ) -> Self {
        let (most, max_groups) = (limits.max_undecoded_frames, limits.max_groups);
        Self { bit_rate, most, max_groups, rules, tuning, kept: Vec::new() }
    }

    /// Keeps an undecoded frame, of several views of one frame the clearest; the least clear one goes when
    /// there are too many. Returns how many went.
    pub(crate) fn keep(&mut self, undecoded: UndecodedFrame) -> u64 {
        let same = |other: &&mut UndecodedFrame| other.is_same_signal(&undecoded, self.bit_rate);
        if let Some(twin) = self.kept.iter_mut().find(same) {
            if undecoded.soft.es_over_n0() > twin.soft.es_over_n0() {
                *twin = undecoded;
            }
            return 0;
        }
        self.kept.push(undecoded);
        if self.kept.len() <= self.most {
            return 0;
        }
        let es_over_n0 = |&index: &usize| self.es_over_n0(index);
        let worst = (0..self.kept.len()).min_by(|a, b| es_over_n0(a).total_cmp(&es_over_n0(b)));
        if let Some(worst) = worst {
            self.kept.remove(worst);
        }
        1
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.kept.clear();
    }

    /// Forgets what starts before `time_s`.
    pub(crate) fn forget(&mut self, time_s: f64) {
        self.kept.retain(|undecoded| undecoded.soft.start_s >= time_s);
    }

    /// Takes out the other frames of a decoded frame's message, `recent` being those decoded lately.
    pub(crate) fn take_of_message(
        &mut self,
        frame: &DecodedFrame,
        recent: &RecentFrames,
    ) -> Vec<UndecodedFrame> {
        let is_other = |undecoded: &mut UndecodedFrame| recent.is_sibling(undecoded, frame);
        self.kept.extract_if(.., is_other).collect()
    }

    /// A group's undecoded frames.
    pub(crate) fn of_group(&self, group: &Group) -> impl Iterator<Item = &UndecodedFrame> {
        group.members.iter().filter_map(|&index| self.kept.get(index))
    }

    /// What the carriers of undecoded frames say for their being of one message.
    pub(crate) fn likelihood_ratio(&self, parts: &[&UndecodedFrame]) -> f64 {
        let carriers: Vec<RankedCarrier> = parts.iter().map(|part| part.carrier()).collect();
        self.rules.likelihood_ratio(&carriers)
    }

    /// Whether a device may have sent this container in these frames.
    pub(crate) fn may_be(&self, container: &Container, parts: &[&UndecodedFrame]) -> bool {
        let place = |part: &&UndecodedFrame| FramePlace::of(part, self.bit_rate);
        let places: Vec<FramePlace> = parts.iter().map(place).collect();
        is_plausible(container, &places, &self.rules)
    }

    /// Takes out the undecoded frames of a group.
    pub(crate) fn take(&mut self, group: &Group) -> Vec<UndecodedFrame> {
        let mut index = 0;
        let in_group = |_: &mut UndecodedFrame| {
            index += 1;
            group.members.contains(&(index - 1))
        };
        self.kept.extract_if(.., in_group).collect()
    }

    /// The pairs and triples that a new undecoded frame can form with those that are kept: those first for which
    /// their carriers say most, then triples before pairs, then the clearest.
    pub(crate) fn groups(&self, new: &UndecodedFrame, statistics: &mut Statistics) -> Vec<Group> {
        let mut groups: Vec<Group> = self
            .members(new)
            .into_iter()
            .map(|members| {
                let parts = members.iter().map(|&index| &self.kept[index]);
                let parts: Vec<&UndecodedFrame> = parts.chain([new]).collect();
                Group { members, likelihood_ratio: self.likelihood_ratio(&parts) }
            })
            .collect();
        let sum = |group: &Group| group.members.iter().map(|&m| self.es_over_n0(m)).sum::<f64>();
        groups.sort_by(|a, b| {
            let ratio = b.likelihood_ratio.total_cmp(&a.likelihood_ratio);
            let size = b.members.len().cmp(&a.members.len());
            ratio.then(size).then(sum(b).total_cmp(&sum(a)))
        });
        statistics.dropped_groups += groups.len().saturating_sub(self.max_groups) as u64;
        groups.truncate(self.max_groups);
        groups
    }

    /// The ones and twos among the partners of an undecoded frame that fit each other too.
    fn members(&self, new: &UndecodedFrame) -> Vec<ArrayVec<usize, 2>> {
        let partners = self.partners(new);
        let tolerance_s = self.tuning.pause_tolerance * new.duration_s(self.bit_rate);
        let rank = |partner: &Partner| self.kept[partner.index].frame_type.rank;
        let mut groups = Vec::new();
        for (place, first) in partners.iter().enumerate() {
            groups.push(ArrayVec::from_iter([first.index]));
            for second in &partners[place + 1..] {
                let fits = (first.pause_s - second.pause_s).abs() < tolerance_s;
                if fits && rank(first) != rank(second) {
                    groups.push(ArrayVec::from_iter([first.index, second.index]));
                }
            }
        }
        groups
    }

    /// The undecoded frames that may be of the same message as a new one, the clearest first.
    fn partners(&self, new: &UndecodedFrame) -> Vec<Partner> {
        let partner = |(index, other): (usize, &UndecodedFrame)| {
            let pause_s = new.pause_s(other, self.bit_rate, &self.tuning)?;
            Some(Partner { index, pause_s })
        };
        let mut partners: Vec<Partner> = self.kept.iter().enumerate().filter_map(partner).collect();
        partners.sort_by(|a, b| self.es_over_n0(b.index).total_cmp(&self.es_over_n0(a.index)));
        partners.truncate(MAX_PARTNERS);
        partners
    }

    fn es_over_n0(&self, index: usize) -> f64 {
        self.kept[index].soft.es_over_n0()
    }
}
