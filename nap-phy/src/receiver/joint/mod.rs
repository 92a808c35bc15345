//! Frames of one message, decoded together.

pub(super) mod carrier_plan;
pub(super) mod fragment;
pub(super) mod groups;
mod iterations;
mod plausibility;

use crate::message::Decoder;
use crate::radio::bit_rate::BitRate;
use crate::radio::configuration::RadioConfiguration;
use crate::receiver::config::Limits;
use crate::receiver::decision::{Decision, Reading};
use crate::receiver::decoded_frame::DecodedFrame;
use crate::receiver::decoder::container_search::{ContainerSearch, SoftMessage};
use crate::receiver::decoder::list_decoder::Decoded;
use crate::receiver::decoder::soft_container::SoftContainer;
use crate::receiver::statistics::Statistics;
use carrier_plan::CarrierRules;
use fragment::Fragment;
use groups::{Fragments, Group};
use iterations::Iterations;

/// How long a fragment is kept: the other two frames and their pauses, in seconds.
pub(super) const FRAGMENT_AGE_S: f64 = 12.0;

/// Logarithm of the odds, by the first soft symbols, from which on a group is decoded iteratively.
const MIN_LN_GROUP_ODDS: f64 = -12.0;
/// Groups of a new fragment that are decoded iteratively, the likeliest.
const MAX_ITERATED_GROUPS: usize = 2;

/// Decodes the frames of one bit rate that did not decode alone.
pub(super) struct JointDecoder {
    fragments: Fragments,
    iterations: Iterations,
}

impl JointDecoder {
    /// A decoder for devices of a radio configuration, or of any if it is not known.
    pub(super) fn new(
        bit_rate: BitRate,
        limits: &Limits,
        radio_configuration: Option<RadioConfiguration>,
    ) -> Self {
        let rules = CarrierRules::new(radio_configuration);
        Self {
            fragments: Fragments::new(bit_rate, limits, rules),
            iterations: Iterations::default(),
        }
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.fragments.clear();
    }

    /// Forgets what starts too long before `now_s` to be of a message with what comes.
    pub(super) fn forget(&mut self, now_s: f64) {
        self.fragments.forget(now_s - FRAGMENT_AGE_S);
    }

    /// Takes out the fragments that prove to be of the decoded frame's message.
    pub(super) fn take_siblings(&mut self, frame: &DecodedFrame) -> Vec<Fragment> {
        self.fragments.take_of_message(frame)
    }

    /// What becomes of a burst that did not decode alone: another frame of a message that is known, or
    /// the frame of a known device, or a part of a message that decodes together with fragments kept, or
    /// fragments to keep. `recent` are the frames decoded lately.
    pub(super) fn decode(
        &mut self,
        fragments: Vec<Fragment>,
        recent: &[DecodedFrame],
        containers: &mut ContainerSearch,
        statistics: &mut Statistics,
    ) -> Option<Decision> {
        for fragment in fragments {
            if !fragment.is_clear() {
                continue;
            }
            let alone = as_sibling(&fragment, recent)
                .or_else(|| as_of_known_device(&fragment, containers, statistics));
            if let Some(reading) = alone {
                return Some(Decision { reading, fragments: vec![fragment] });
            }
            let groups = self.fragments.groups(&fragment, statistics);
            let mut read = |group: &Group| {
                let kept: Vec<&Fragment> = self.fragments.of_group(group).collect();
                self.read_with(&kept, &fragment, containers, statistics)
            };
            let together = groups.iter().find_map(|group| Some((group, read(group)?)));
            let together =
                together.or_else(|| self.iterate(&groups, &fragment, containers, statistics));
            if let Some((group, reading)) = together {
                return Some(Decision { reading, fragments: self.take(group, fragment) });
            }
            statistics.dropped_fragments += self.fragments.keep(fragment);
        }
        None
    }

    /// Reads a fragment together with others that may be of the same message.
    pub(super) fn read_with(
        &self,
        others: &[&Fragment],
        fragment: &Fragment,
        containers: &mut ContainerSearch,
        statistics: &mut Statistics,
    ) -> Option<Reading> {
        statistics.groups += 1;
        let parts: Vec<&Fragment> = others.iter().copied().chain([fragment]).collect();
        let frames: Vec<&SoftContainer> = parts.iter().map(|part| &part.container).collect();
        let message = SoftMessage {
            class: fragment.frame_type.class,
            frames: &frames,
            likelihood_ratio: self.fragments.likelihood_ratio(&parts),
        };
        let Some(found) = containers.in_group(&message, statistics) else {
            let Decoded { container, ln_odds, .. } =
                containers.of_known_device(&message, statistics)?;
            return Some(Reading { container, decoder: Decoder::APriori, crc_ok: false, ln_odds });
        };
        let Decoded { container, ln_odds, .. } = found;
        if !self.fragments.may_be(&container, &parts) {
            statistics.implausible_groups += 1;
            return None;
        }
        Some(Reading { container, decoder: Decoder::Joint, crc_ok: false, ln_odds })
    }

    /// Decodes a fragment iteratively with the groups that are likeliest to be of one message.
    fn iterate<'a>(
        &mut self,
        groups: &'a [Group],
        fragment: &Fragment,
        containers: &mut ContainerSearch,
        statistics: &mut Statistics,
    ) -> Option<(&'a Group, Reading)> {
        let likely = self.likely_groups(groups, fragment, containers);
        likely.into_iter().find_map(|group| {
            let parts: Vec<&Fragment> = self.fragments.of_group(group).chain([fragment]).collect();
            let ratio = self.fragments.likelihood_ratio(&parts);
            let found = self.iterations.decode(&parts, ratio, containers, statistics)?;
            let Decoded { container, ln_odds, .. } = found;
            if !self.fragments.may_be(&container, &parts) {
                statistics.implausible_groups += 1;
                return None;
            }
            Some((group, Reading { container, decoder: Decoder::Joint, crc_ok: false, ln_odds }))
        })
    }

    /// The groups that a fragment is likeliest of one message with, the likeliest first.
    fn likely_groups<'a>(
        &self,
        groups: &'a [Group],
        fragment: &Fragment,
        containers: &mut ContainerSearch,
    ) -> Vec<&'a Group> {
        let mut ln_odds = |group: &Group| {
            let parts: Vec<&Fragment> = self.fragments.of_group(group).chain([fragment]).collect();
            let frames: Vec<&SoftContainer> = parts.iter().map(|part| &part.container).collect();
            containers.ln_group_odds(&SoftMessage {
                class: fragment.frame_type.class,
                frames: &frames,
                likelihood_ratio: self.fragments.likelihood_ratio(&parts),
            })
        };
        let odds = groups.iter().map(|group| (ln_odds(group), group));
        let mut likely: Vec<(f64, &Group)> =
            odds.filter(|(ln_odds, _)| *ln_odds >= MIN_LN_GROUP_ODDS).collect();
        likely.sort_by(|a, b| b.0.total_cmp(&a.0));
        likely.into_iter().map(|(_, group)| group).take(MAX_ITERATED_GROUPS).collect()
    }

    /// Takes out a group's fragments, which come with a new one in the order of ranks.
    fn take(&mut self, group: &Group, fragment: Fragment) -> Vec<Fragment> {
        let mut all = self.fragments.take(group);
        all.push(fragment);
        all.sort_by_key(|part| part.frame_type.rank);
        all
    }
}

/// Reads a fragment as another frame of a message that is known.
fn as_sibling(fragment: &Fragment, recent: &[DecodedFrame]) -> Option<Reading> {
    recent.iter().find(|frame| fragment.is_sibling_of(frame)).map(Reading::of_sibling)
}

/// Reads a fragment as the frame of a known device.
fn as_of_known_device(
    fragment: &Fragment,
    containers: &mut ContainerSearch,
    statistics: &mut Statistics,
) -> Option<Reading> {
    let alone = SoftMessage {
        class: fragment.frame_type.class,
        frames: &[&fragment.container],
        likelihood_ratio: 1.0,
    };
    let Decoded { container, ln_odds, .. } = containers.of_known_device(&alone, statistics)?;
    Some(Reading { container, decoder: Decoder::APriori, crc_ok: true, ln_odds })
}
