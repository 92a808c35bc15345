//! Frames of one message, decoded together.

pub(super) mod carrier_plan;
pub(super) mod groups;
mod iterations;
mod plausibility;
pub(super) mod tuning;
pub(super) mod undecoded_frame;

use crate::message::Decoder;
use crate::radio::bit_rate::BitRate;
use crate::radio::configuration::RadioConfiguration;
use crate::receiver::config::Limits;
use crate::receiver::decision::{Decision, Reading};
use crate::receiver::decoder::container_search::{ContainerSearch, SoftMessage};
use crate::receiver::decoder::list_decoder::Decoded;
use crate::receiver::decoder::soft_container::SoftContainer;
use crate::receiver::recent_frames::RecentFrames;
use crate::receiver::statistics::Statistics;
use carrier_plan::CarrierRules;
use groups::{Group, UndecodedFrames};
use iterations::Iterations;
use tuning::JointTuning;
use undecoded_frame::UndecodedFrame;

/// How long an undecoded frame is kept: the other two frames and their pauses, in seconds.
pub(super) const UNDECODED_AGE_S: f64 = 12.0;

/// Decodes the frames of one bit rate that did not decode alone.
pub(super) struct JointDecoder {
    tuning: JointTuning,
    undecoded_frames: UndecodedFrames,
    iterations: Iterations,
}

impl JointDecoder {
    /// A decoder for devices of a radio configuration, or of any if it is not known.
    pub(super) fn new(
        bit_rate: BitRate,
        limits: &Limits,
        radio_configuration: Option<RadioConfiguration>,
        tuning: JointTuning,
    ) -> Self {
        let rules = CarrierRules::new(radio_configuration);
        Self {
            tuning,
            undecoded_frames: UndecodedFrames::new(bit_rate, limits, rules, tuning),
            iterations: Iterations::new(&tuning),
        }
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.undecoded_frames.clear();
    }

    /// Forgets what starts too long before `now_s` to be of a message with what comes.
    pub(super) fn forget(&mut self, now_s: f64) {
        self.undecoded_frames.forget(now_s - UNDECODED_AGE_S);
    }

    /// Takes out the undecoded frames that prove to be of the message of the newest frame decoded lately.
    pub(super) fn take_siblings(&mut self, recent: &RecentFrames) -> Vec<UndecodedFrame> {
        let Some(newest) = recent.newest() else { return Vec::new() };
        self.undecoded_frames.take_of_message(newest, recent)
    }

    /// What becomes of a burst that did not decode alone: another frame of a message that is known, or
    /// the frame of a known device, or a part of a message that decodes together with undecoded frames kept, or
    /// undecoded frames to keep. `recent` are the frames decoded lately.
    pub(super) fn decode(
        &mut self,
        undecoded_frames: Vec<UndecodedFrame>,
        recent: &RecentFrames,
        containers: &mut ContainerSearch,
        statistics: &mut Statistics,
    ) -> Option<Decision> {
        for undecoded in undecoded_frames {
            if !undecoded.is_clear(&self.tuning) {
                continue;
            }
            let alone = as_sibling(&undecoded, recent)
                .or_else(|| as_of_known_device(&undecoded, containers, statistics));
            if let Some(reading) = alone {
                return Some(Decision { reading, undecoded_frames: vec![undecoded] });
            }
            let groups = self.undecoded_frames.groups(&undecoded, statistics);
            let mut read = |group: &Group| {
                let kept: Vec<&UndecodedFrame> = self.undecoded_frames.of_group(group).collect();
                self.read_with(&kept, &undecoded, containers, statistics)
            };
            let together = groups.iter().find_map(|group| Some((group, read(group)?)));
            let together =
                together.or_else(|| self.iterate(&groups, &undecoded, containers, statistics));
            if let Some((group, reading)) = together {
                return Some(Decision { reading, undecoded_frames: self.take(group, undecoded) });
            }
            statistics.dropped_fragments += self.undecoded_frames.keep(undecoded);
        }
        None
    }

    /// Reads an undecoded frame together with others that may be of the same message.
    pub(super) fn read_with(
        &self,
        others: &[&UndecodedFrame],
        undecoded: &UndecodedFrame,
        containers: &mut ContainerSearch,
        statistics: &mut Statistics,
    ) -> Option<Reading> {
        statistics.groups += 1;
        let parts: Vec<&UndecodedFrame> = others.iter().copied().chain([undecoded]).collect();
        let frames: Vec<&SoftContainer> = parts.iter().map(|part| &part.container).collect();
        let message = SoftMessage {
            class: undecoded.frame_type.class,
            frames: &frames,
            likelihood_ratio: self.undecoded_frames.likelihood_ratio(&parts),
        };
        let Some(found) = containers.in_group(&message, statistics) else {
            let Decoded { container, ln_odds, .. } =
                containers.of_known_device(&message, statistics)?;
            return Some(Reading { container, decoder: Decoder::APriori, crc_ok: false, ln_odds });
        };
        let Decoded { container, ln_odds, .. } = found;
        if !self.undecoded_frames.may_be(&container, &parts) {
            statistics.implausible_groups += 1;
            return None;
        }
        Some(Reading { container, decoder: Decoder::Joint, crc_ok: false, ln_odds })
    }

    /// Decodes an undecoded frame iteratively with the groups that are likeliest to be of one message.
    fn iterate<'a>(
        &mut self,
        groups: &'a [Group],
        undecoded: &UndecodedFrame,
        containers: &mut ContainerSearch,
        statistics: &mut Statistics,
    ) -> Option<(&'a Group, Reading)> {
        let likely = self.likely_groups(groups, undecoded, containers);
        likely.into_iter().find_map(|group| {
            let parts: Vec<&UndecodedFrame> =
                self.undecoded_frames.of_group(group).chain([undecoded]).collect();
            let ratio = self.undecoded_frames.likelihood_ratio(&parts);
            let found = self.iterations.decode(&parts, ratio, containers, statistics)?;
            let Decoded { container, ln_odds, .. } = found;
            if !self.undecoded_frames.may_be(&container, &parts) {
                statistics.implausible_groups += 1;
                return None;
            }
            Some((group, Reading { container, decoder: Decoder::Joint, crc_ok: false, ln_odds }))
        })
    }

    /// The groups that an undecoded frame is likeliest of one message with, the likeliest first.
    fn likely_groups<'a>(
        &mut self,
        groups: &'a [Group],
        undecoded: &UndecodedFrame,
        containers: &mut ContainerSearch,
    ) -> Vec<&'a Group> {
        let mut ln_odds = |group: &Group| {
            let parts: Vec<&UndecodedFrame> =
                self.undecoded_frames.of_group(group).chain([undecoded]).collect();
            let ratio = self.undecoded_frames.likelihood_ratio(&parts);
            self.iterations.ln_odds(&parts, ratio, containers)
        };
        let odds = groups.iter().map(|group| (ln_odds(group), group));
        let mut likely: Vec<(f64, &Group)> =
            odds.filter(|(ln_odds, _)| *ln_odds >= self.tuning.min_ln_group_odds).collect();
        likely.sort_by(|a, b| b.0.total_cmp(&a.0));
        likely.into_iter().map(|(_, group)| group).take(self.tuning.max_iterated_groups).collect()
    }

    /// Takes out a group's undecoded frames, which come with a new one in the order of ranks.
    fn take(&mut self, group: &Group, undecoded: UndecodedFrame) -> Vec<UndecodedFrame> {
        let mut all = self.undecoded_frames.take(group);
        all.push(undecoded);
        all.sort_by_key(|part| part.frame_type.rank);
        all
    }
}

/// Reads an undecoded frame as another frame of a message that is known.
fn as_sibling(undecoded: &UndecodedFrame, recent: &RecentFrames) -> Option<Reading> {
    let mut known = recent.iter();
    known.find(|frame| recent.is_sibling(undecoded, frame)).map(Reading::of_sibling)
}

/// Reads an undecoded frame as the frame of a known device.
fn as_of_known_device(
    undecoded: &UndecodedFrame,
    containers: &mut ContainerSearch,
    statistics: &mut Statistics,
) -> Option<Reading> {
    let alone = SoftMessage {
        class: undecoded.frame_type.class,
        frames: &[&undecoded.container],
        likelihood_ratio: 1.0,
    };
    let Decoded { container, ln_odds, .. } = containers.of_known_device(&alone, statistics)?;
    Some(Reading { container, decoder: Decoder::APriori, crc_ok: true, ln_odds })
}
