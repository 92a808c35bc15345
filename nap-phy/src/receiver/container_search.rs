//! What is sought in soft symbols, on which terms, and at whose expense.

use std::sync::Arc;

use super::Statistics;
use super::evidence::FalseMessageBudget;
use super::frame_decoder::{Decoded, FrameDecoder, Search, SoftContainer, Terms};
use super::template::Template;
use crate::{Authentication, Container, DeviceTable, LengthClass};

/// Probability that frames which fit in class, time and level are of one message.
const GROUP_PRIOR: f64 = 1e-3;
/// Bits of the check sum.
const CRC_BITS: i32 = 16;

/// Looks for containers within a budget of false messages.
pub(super) struct ContainerSearch {
    decoder: FrameDecoder,
    budget: FalseMessageBudget,
    devices: Arc<DeviceTable>,
}

impl ContainerSearch {
    /// A search at the expense of this budget.
    pub(super) fn new(devices: Arc<DeviceTable>, budget: FalseMessageBudget) -> Self {
        Self { decoder: FrameDecoder::default(), budget, devices }
    }

    /// Tells the time, in seconds from the start of the stream.
    pub(super) fn advance(&mut self, time_s: f64) {
        self.budget.advance(time_s);
    }

    /// The container of a frame, whoever sent it. `share` is the probability that the frame is of this
    /// type and starts here, if a frame there is.
    pub(super) fn in_frame(
        &mut self,
        frame: &SoftContainer,
        class: LengthClass,
        share: f64,
        statistics: &mut Statistics,
    ) -> Search {
        self.of_anyone(&[frame], class, share * frame.sync_belief(), statistics)
    }

    /// The container that is common to frames of different ranks, whoever sent it.
    pub(super) fn in_group(
        &mut self,
        frames: &[&SoftContainer],
        class: LengthClass,
        statistics: &mut Statistics,
    ) -> Option<Decoded> {
        self.of_anyone(frames, class, GROUP_PRIOR, statistics).found
    }

    fn of_anyone(
        &mut self,
        frames: &[&SoftContainer],
        class: LengthClass,
        prior: f64,
        statistics: &mut Statistics,
    ) -> Search {
        let terms = Terms {
            template: Template::of_class(class),
            prior,
            least_odds: self.budget.least_odds(),
            check_bits: CRC_BITS,
        };
        // A tag that does not fit shows a decision to be wrong, unless that is the one frame as
        // received: it may be forged, which must be told.
        let accept = |container: &Container, index: usize| {
            let as_received = frames.len() == 1 && index == 0;
            as_received || self.devices.authenticate(container) != Authentication::Failed
        };
        let search = self.decoder.search(frames, class, &terms, accept);
        self.budget.charge(search.refuted);
        statistics.refuted_decisions += search.refuted;
        search
    }
}
