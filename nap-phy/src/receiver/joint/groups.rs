//! Frames that did not decode alone, kept to be decoded together with their message's other frames.

use arrayvec::ArrayVec;

use super::carrier_plan::{CarrierRules, RankedCarrier};
use super::fragment::{Fragment, PAUSE_TOLERANCE};
use crate::BitRate;
use crate::receiver::config::Limits;
use crate::receiver::decoded_frame::DecodedFrame;
use crate::receiver::decoder::soft_container::SoftContainer;
use crate::receiver::statistics::Statistics;

/// Fragments that may be paired with a new one, the clearest.
const MOST_PARTNERS: usize = 32;

/// Places among the fragments kept, of one or two that may be of the same message.
pub(crate) type Group = ArrayVec<usize, 2>;

/// The fragments of the last seconds.
pub(crate) struct Fragments {
    bit_rate: BitRate,
    most: usize,
    most_groups: usize,
    rules: CarrierRules,
    kept: Vec<Fragment>,
}

impl Fragments {
    pub(crate) fn new(bit_rate: BitRate, limits: &Limits, rules: CarrierRules) -> Self {
        let (most, most_groups) = (limits.most_fragments, limits.most_groups);
        Self { bit_rate, most, most_groups, rules, kept: Vec::new() }
    }

    /// Keeps a fragment, of several views of one frame the clearest; the least clear one goes when
    /// there are too many. Returns how many went.
    pub(crate) fn keep(&mut self, fragment: Fragment) -> u64 {
        let same = |other: &&mut Fragment| other.is_same_signal(&fragment, self.bit_rate);
        if let Some(twin) = self.kept.iter_mut().find(same) {
            if fragment.soft.es_over_n0() > twin.soft.es_over_n0() {
                *twin = fragment;
            }
            return 0;
        }
        self.kept.push(fragment);
        if self.kept.len() <= self.most {
            return 0;
        }
        let clearness = |index: &usize| self.kept[*index].soft.es_over_n0();
        let worst = (0..self.kept.len()).min_by(|a, b| clearness(a).total_cmp(&clearness(b)));
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
        self.kept.retain(|fragment| fragment.soft.start_s >= time_s);
    }

    /// Takes out the other frames of a decoded frame's message.
    pub(crate) fn take_of_message(&mut self, frame: &DecodedFrame) -> Vec<Fragment> {
        self.kept.extract_if(.., |fragment| fragment.is_sibling_of(frame)).collect()
    }

    /// The containers of a group's fragments.
    pub(crate) fn containers(&self, group: &Group) -> impl Iterator<Item = &SoftContainer> {
        group.iter().filter_map(|&index| self.kept.get(index)).map(|kept| &kept.container)
    }

    /// Takes out the fragments of a group.
    pub(crate) fn take(&mut self, group: &Group) -> Vec<Fragment> {
        let mut index = 0;
        let in_group = |_: &mut Fragment| {
            index += 1;
            group.contains(&(index - 1))
        };
        self.kept.extract_if(.., in_group).collect()
    }

    /// The pairs and triples that a new fragment can form with those that are kept, and how much their
    /// carriers say for each: those first for which they say most, then triples before pairs, then the
    /// clearest.
    pub(crate) fn groups(&self, new: &Fragment, statistics: &mut Statistics) -> Vec<(Group, f64)> {
        let mut partners: Vec<(usize, f64)> = self
            .kept
            .iter()
            .enumerate()
            .filter_map(|(index, other)| Some((index, new.pause_s(other, self.bit_rate)?)))
            .collect();
        let clearness = |index: usize| self.kept[index].soft.es_over_n0();
        partners.sort_by(|a, b| clearness(b.0).total_cmp(&clearness(a.0)));
        partners.truncate(MOST_PARTNERS);
        let tolerance_s = PAUSE_TOLERANCE * new.duration_s(self.bit_rate);
        let mut groups: Vec<Group> = Vec::new();
        for (place, &(first, first_pause_s)) in partners.iter().enumerate() {
            groups.push(Group::from_iter([first]));
            for &(second, second_pause_s) in &partners[place + 1..] {
                let rank = |index: usize| self.kept[index].frame_type.rank;
                if rank(first) != rank(second)
                    && (first_pause_s - second_pause_s).abs() < tolerance_s
                {
                    groups.push(Group::from_iter([first, second]));
                }
            }
        }
        let weigh = |group: Group| {
            let carriers = group.iter().map(|&index| self.kept[index].carrier());
            let carriers: ArrayVec<RankedCarrier, 3> = carriers.chain([new.carrier()]).collect();
            let ratio = self.rules.likelihood_ratio(&carriers);
            (group, ratio)
        };
        let mut groups: Vec<(Group, f64)> = groups.into_iter().map(weigh).collect();
        let sum = |group: &Group| group.iter().map(|&index| clearness(index)).sum::<f64>();
        groups.sort_by(|(a, a_ratio), (b, b_ratio)| {
            let ratio = b_ratio.total_cmp(a_ratio);
            ratio.then(b.len().cmp(&a.len())).then(sum(b).total_cmp(&sum(a)))
        });
        statistics.dropped_groups += groups.len().saturating_sub(self.most_groups) as u64;
        groups.truncate(self.most_groups);
        groups
    }
}
