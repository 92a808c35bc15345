//! Iterative detection and decoding: what the code says of the symbols of a group helps to follow their
//! carriers, and the carriers help to read the symbols.

use nap_dsp::demodulator::{IterativeDetector, Wander};

use super::fragment::Fragment;
use crate::receiver::decoder::code_extrinsic::CodeExtrinsic;
use crate::receiver::decoder::container_search::{ContainerSearch, SoftMessage};
use crate::receiver::decoder::list_decoder::Decoded;
use crate::receiver::decoder::soft_container::SoftContainer;
use crate::receiver::decoder::symbols::{SYNC_SYMBOLS, symbol_signs};
use crate::receiver::decoder::template::Template;
use crate::receiver::decoder::trellis::SoftPhases;
use crate::receiver::statistics::Statistics;
use crate::uplink::container::Container;

/// Rounds of detection and decoding.
const ROUNDS: usize = 4;
/// Share of what the code says that is taken over: its max-log form is too sure of itself.
const EXTRINSIC_SHARE: f32 = 0.7;

/// Decodes groups iteratively; its memory is kept from one to the next.
#[derive(Debug, Default)]
pub(super) struct Iterations {
    detector: IterativeDetector,
    code: CodeExtrinsic,
}

impl Iterations {
    /// The container that is common to a group's frames.
    pub(super) fn decode(
        &mut self,
        group: &[&Fragment],
        likelihood_ratio: f64,
        containers: &mut ContainerSearch,
        statistics: &mut Statistics,
    ) -> Option<Decoded> {
        let class = group.first()?.frame_type.class;
        let template = Template::of_class(class);
        let mut soft: Vec<SoftContainer> = group.iter().map(|part| part.container.clone()).collect();
        (0..ROUNDS).find_map(|_| {
            soft = self.pass(group, &soft, &template);
            let frames: Vec<&SoftContainer> = soft.iter().collect();
            let message = SoftMessage { class, frames: &frames, likelihood_ratio };
            let ln_ratio = |container: &Container| self.ln_ratio(group, container);
            containers.in_iterated_group(&message, ln_ratio, statistics)
        })
    }

    /// One round: the group's soft symbols with the help of the code.
    fn pass(
        &mut self,
        group: &[&Fragment],
        soft: &[SoftContainer],
        template: &Template,
    ) -> Vec<SoftContainer> {
        let phases: Vec<SoftPhases<'_>> = soft.iter().map(SoftContainer::soft_phases).collect();
        let extrinsic = self.code.run(&phases, template);
        let parts = group.iter().zip(extrinsic);
        let again = parts.map(|(part, extrinsic)| {
            let known = symbol_signs(&part.frame_type.sync_word().to_be_bytes());
            let last = known.last().copied().unwrap_or(1.0) as f32;
            let priors = extrinsic.iter().map(|value| EXTRINSIC_SHARE * last * value);
            let signs = self.detector.soft_signs(&part.soft, wander(part), &known, priors);
            SoftContainer::with_soft_signs(&part.soft, part.frame_type, signs)
        });
        again.collect()
    }

    /// The logarithm of how much likelier a group's frames are with a container's symbols than with any.
    fn ln_ratio(&mut self, group: &[&Fragment], container: &Container) -> f64 {
        let of_part = |part: &&Fragment| {
            let signs = symbol_signs(&container.bitstream(part.frame_type.rank));
            self.detector.ln_signs_ratio(&part.soft, wander(part), &signs, SYNC_SYMBOLS)
        };
        group.iter().map(of_part).sum()
    }
}

/// How a fragment's carrier is expected to wander.
fn wander(part: &Fragment) -> Wander {
    part.soft.wander
}
