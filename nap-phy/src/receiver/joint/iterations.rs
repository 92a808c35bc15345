//! Iterative detection and decoding: what the code says of the symbols of a group helps to follow their
//! carriers, and the carriers help to read the symbols.

use nap_dsp::demodulator::{IterativeDetector, SoftFrame, Wander};

use super::tuning::JointTuning;
use super::undecoded_frame::UndecodedFrame;
use crate::receiver::decoder::code_extrinsic::CodeExtrinsic;
use crate::receiver::decoder::container_search::{ContainerSearch, SoftMessage};
use crate::receiver::decoder::list_decoder::Decoded;
use crate::receiver::decoder::soft_container::SoftContainer;
use crate::receiver::decoder::symbols::{SYNC_SYMBOLS, frame_signs, sync_signs};
use crate::receiver::decoder::template::Template;
use crate::receiver::decoder::trellis::SoftPhases;
use crate::receiver::statistics::Statistics;

/// A frame of a group, and how its carrier is expected to wander.
type Part<'a> = (&'a UndecodedFrame, Wander);

/// Decodes groups iteratively; its memory is kept from one to the next.
#[derive(Debug)]
pub(super) struct Iterations {
    /// Share of what the code says of a symbol that the next round takes over.
    extrinsic_share: f32,
    /// Rounds of detection and decoding.
    rounds: usize,
    detector: IterativeDetector,
    code: CodeExtrinsic,
}

impl Iterations {
    pub(super) fn new(tuning: &JointTuning) -> Self {
        Self {
            extrinsic_share: tuning.extrinsic_share as f32,
            rounds: tuning.rounds,
            detector: IterativeDetector::default(),
            code: CodeExtrinsic::new(tuning.half_turn_cost as f32),
        }
    }

    /// The container that is common to a group's frames. `likelihood_ratio` is what their carriers say for
    /// it.
    pub(super) fn decode(
        &mut self,
        group: &[&UndecodedFrame],
        likelihood_ratio: f64,
        containers: &mut ContainerSearch,
        statistics: &mut Statistics,
    ) -> Option<Decoded> {
        // By itself a frame may have told too little of how its carrier wanders.
        [|frame: &SoftFrame| frame.wander, SoftFrame::wider].into_iter().find_map(|choose| {
            let wander = |part: &&UndecodedFrame| choose(&part.soft);
            let parts: Vec<Part<'_>> = group.iter().map(|part| (*part, wander(part))).collect();
            self.iterate(&parts, likelihood_ratio, containers, statistics)
        })
    }

    /// The logarithm of the odds that the frames of a group are of one message, whatever it is; where a carrier was
    /// lost, they may have gone on half a turn off.
    pub(super) fn ln_odds(
        &mut self,
        group: &[&UndecodedFrame],
        likelihood_ratio: f64,
        containers: &mut ContainerSearch,
    ) -> f64 {
        let Some(class) = group.first().map(|part| part.frame_type.class) else {
            return f64::NEG_INFINITY;
        };
        let soft: Vec<&SoftContainer> = group.iter().map(|part| part.decided()).collect();
        let straight = self.straighten(&soft, &Template::of_class(class));
        let frames: Vec<&SoftContainer> = straight.iter().collect();
        let message = SoftMessage { class, frames: &frames, likelihood_ratio };
        containers.ln_group_odds(&message) + self.code.ln_half_turns()
    }

    fn iterate(
        &mut self,
        group: &[Part<'_>],
        likelihood_ratio: f64,
        containers: &mut ContainerSearch,
        statistics: &mut Statistics,
    ) -> Option<Decoded> {
        let class = group.first()?.0.frame_type.class;
        let template = Template::of_class(class);
        let mut soft: Vec<SoftContainer> =
            group.iter().map(|(part, _)| part.decided().clone()).collect();
        (0..self.rounds).find_map(|_| {
            soft = self.pass(group, &soft, &template);
            let straight = self.straighten(&soft.iter().collect::<Vec<_>>(), &template);
            let frames: Vec<&SoftContainer> = straight.iter().collect();
            let message = SoftMessage { class, frames: &frames, likelihood_ratio };
            // Where phases recur, symbols left open are no match for them, interference is.
            let ln_periodic: f64 = straight.iter().map(SoftContainer::ln_periodic).sum();
            let ln_ratio = |phases: &[bool]| self.ln_ratio(group, phases) - ln_periodic;
            containers.in_iterated_group(&message, ln_ratio, statistics)
        })
    }

    /// One round: the group's soft symbols with the help of the code.
    fn pass(
        &mut self,
        group: &[Part<'_>],
        soft: &[SoftContainer],
        template: &Template,
    ) -> Vec<SoftContainer> {
        let phases: Vec<SoftPhases<'_>> = soft.iter().map(SoftContainer::soft_phases).collect();
        let extrinsic = self.code.run(&phases, template);
        let parts = group.iter().zip(extrinsic);
        let again = parts.map(|(&(part, wander), extrinsic)| {
            let known = sync_signs(part.frame_type);
            let last = known.last().copied().unwrap_or(1.0) as f32;
            let priors = extrinsic.iter().map(|value| self.extrinsic_share * last * value);
            let signs = self.detector.soft_signs(&part.soft, wander, &known, priors);
            let frame_priors = part.container.priors();
            SoftContainer::with_soft_signs(&part.soft, part.frame_type, signs, frame_priors)
        });
        again.collect()
    }

    /// The soft symbols without the half turns at which a carrier was lost.
    fn straighten(&mut self, soft: &[&SoftContainer], template: &Template) -> Vec<SoftContainer> {
        let phases: Vec<SoftPhases<'_>> = soft.iter().map(|soft| soft.soft_phases()).collect();
        self.code.find_path(&phases, template);
        let straight =
            |(frame, soft): (usize, &&SoftContainer)| soft.straightened(self.code.turned(frame));
        soft.iter().enumerate().map(straight).collect()
    }

    /// The logarithm of how much likelier a group's frames are with these phases of frame 1 than with any.
    fn ln_ratio(&mut self, group: &[Part<'_>], phases: &[bool]) -> f64 {
        let of_part = |&(part, wander): &Part<'_>| {
            let signs = frame_signs(part.frame_type, phases);
            self.detector.ln_signs_ratio(&part.soft, wander, &signs, SYNC_SYMBOLS)
        };
        group.iter().map(of_part).sum()
    }
}
