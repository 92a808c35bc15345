//! Frames that did not decode alone, kept to be decoded together with their message's other frames.

use arrayvec::ArrayVec;
use nap_dsp::demodulator::SoftFrame;

use super::carrier_plan::{CarrierRules, RankedCarrier};
use crate::receiver::chain::DecodedFrame;
use crate::receiver::decoder::list_decoder::{SoftContainer, symbol_count};
use crate::receiver::{LONGEST_PAUSE_S, Limits, Statistics};
use crate::{BitRate, FrameType};

/// Fragments that may be paired with a new one, the clearest.
const MOST_PARTNERS: usize = 32;
/// Frames of one message come from one transmitter: levels differ by fading alone.
const LARGEST_LEVEL_RATIO_DB: f64 = 8.0;
/// Parity checks between two frames that must hold beyond chance, in standard deviations. At an
/// Es/N0 of 0 dB some six are expected.
const LEAST_KINSHIP: f64 = 3.0;
/// A device's pauses are equal to within this share of a frame.
const PAUSE_TOLERANCE: f64 = 0.05;

/// A frame of which the type is known, and its symbols.
#[derive(Debug, Clone)]
pub(crate) struct Fragment {
    pub(crate) frame_type: FrameType,
    pub(crate) soft: SoftFrame,
    pub(crate) container: SoftContainer,
}

impl Fragment {
    pub(crate) fn new(soft: SoftFrame, frame_type: FrameType) -> Self {
        Self { container: SoftContainer::new(&soft, frame_type), soft, frame_type }
    }

    fn rank(&self) -> f64 {
        f64::from(self.frame_type.rank.number())
    }

    fn carrier(&self) -> RankedCarrier {
        (self.frame_type.rank, self.soft.carrier.frequency_hz)
    }

    fn duration_s(&self, bit_rate: BitRate) -> f64 {
        symbol_count(self.frame_type) as f64 * bit_rate.symbol_s()
    }

    /// From the end of the earlier of two frames to the start of the later, for each step of rank
    /// between them; `None` if they cannot be of one message.
    fn pause_s(&self, other: &Self, bit_rate: BitRate) -> Option<f64> {
        let steps = self.rank() - other.rank();
        if self.frame_type.class != other.frame_type.class || steps == 0.0 {
            return None;
        }
        let level_ratio =
            (self.soft.amplitude / other.soft.amplitude.max(f64::MIN_POSITIVE)).log10();
        let duration_s = self.duration_s(bit_rate);
        let pause_s = (self.soft.start_s - other.soft.start_s) / steps - duration_s;
        let plausible = is_pause(pause_s, duration_s)
            && (20.0 * level_ratio).abs() <= LARGEST_LEVEL_RATIO_DB
            && self.container.kinship(&other.container) >= LEAST_KINSHIP;
        plausible.then_some(pause_s)
    }

    /// Whether the times fit another frame of the decoded frame's message.
    pub(crate) fn may_follow(&self, frame: &DecodedFrame) -> bool {
        let steps = self.rank() - f64::from(frame.frame_type.rank.number());
        let duration_s = self.duration_s(frame.bit_rate);
        let pause_s = (self.soft.start_s - frame.measurement.track.start_s) / steps - duration_s;
        self.frame_type.class == frame.frame_type.class
            && steps != 0.0
            && is_pause(pause_s, duration_s)
    }

    /// Whether this fragment is the other's frame seen once more.
    fn is_same_signal(&self, other: &Self, bit_rate: BitRate) -> bool {
        let symbol_s = bit_rate.symbol_s();
        self.frame_type == other.frame_type
            && (self.soft.start_s - other.soft.start_s).abs() < symbol_s
            && (self.soft.carrier.frequency_hz - other.soft.carrier.frequency_hz).abs()
                < 1.0 / symbol_s
    }
}

/// Whether a device may pause this long between frames of this duration.
fn is_pause(pause_s: f64, duration_s: f64) -> bool {
    (-PAUSE_TOLERANCE * duration_s..LONGEST_PAUSE_S).contains(&pause_s)
}

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
        self.kept.extract_if(.., |fragment| frame.has_sibling(fragment)).collect()
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
