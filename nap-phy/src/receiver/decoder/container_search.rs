//! What is sought in soft symbols: search parameters, and the budget of false messages that pays for it.

use std::f64::consts::LN_2;
use std::sync::Arc;

use super::false_message_budget::FalseMessageBudget;
use super::known_devices::KnownDevices;
use super::list_decoder::{Decoded, FrameDecoder, Search, SearchParameters};
use super::soft_container::{SoftContainer, phases_of};
use super::template::Template;
use super::tuning::DecoderTuning;
use crate::device::authentication::Authentication;
use crate::device::table::DeviceTable;
use crate::receiver::statistics::Statistics;
use crate::uplink::container::Container;
use crate::uplink::length_class::LengthClass;

/// Bits of the check sum, and of the shortest tag.
const CRC_BITS: i32 = 16;
const TAG_BITS: i32 = 16;

/// Soft frames that may be of one message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SoftMessage<'a> {
    /// The class that all of them have.
    pub(crate) class: LengthClass,
    /// Of different ranks.
    pub(crate) frames: &'a [&'a SoftContainer],
    /// What their carriers say for it, see
    /// [`CarrierRules`](crate::receiver::joint::carrier_plan::CarrierRules).
    pub(crate) likelihood_ratio: f64,
}

impl SoftMessage<'_> {
    /// Probability that the frames are of one message, or the one frame is there.
    fn prior(&self, tuning: &DecoderTuning) -> f64 {
        match self.frames {
            [frame] => frame.sync_posterior(),
            _ => {
                let odds = (tuning.group_odds * self.likelihood_ratio).min(tuning.max_group_odds);
                odds / (1.0 + odds)
            }
        }
    }
}

/// Looks for containers within a budget of false messages.
pub(crate) struct ContainerSearch {
    tuning: DecoderTuning,
    decoder: FrameDecoder,
    budget: FalseMessageBudget,
    devices: Arc<DeviceTable>,
    known: KnownDevices,
    max_known_devices: usize,
}

impl ContainerSearch {
    /// A search within this budget that looks for frames of `max_known_devices` devices
    /// with the help of their keys.
    pub(crate) fn new(
        devices: Arc<DeviceTable>,
        max_known_devices: usize,
        budget: FalseMessageBudget,
        tuning: DecoderTuning,
    ) -> Self {
        let known = KnownDevices::new(&devices, max_known_devices);
        let decoder = FrameDecoder::default();
        Self { tuning, decoder, budget, devices, known, max_known_devices }
    }

    /// Looks for frames of these devices from now on.
    pub(crate) fn set_devices(&mut self, devices: Arc<DeviceTable>) {
        self.known = KnownDevices::new(&devices, self.max_known_devices);
        self.devices = devices;
    }

    /// Tells the time, in seconds from the start of the stream.
    pub(crate) fn advance(&mut self, time_s: f64) {
        self.budget.advance(time_s);
    }

    /// Whether the key of a known device made the tag.
    pub(crate) fn is_verified(&self, container: &Container) -> bool {
        self.devices.authenticate(container) == Authentication::Verified
    }

    /// The container of a frame, whoever sent it. `share` is the probability that the frame is of this
    /// type and starts here, if a frame there is.
    pub(crate) fn in_frame(
        &mut self,
        frame: &SoftContainer,
        class: LengthClass,
        share: f64,
        statistics: &mut Statistics,
    ) -> Search {
        self.of_anyone(&[frame], class, share * frame.sync_posterior(), |_| true, statistics)
    }

    /// The container that is common to all frames of a message, whoever sent it.
    pub(crate) fn in_group(
        &mut self,
        message: &SoftMessage<'_>,
        statistics: &mut Statistics,
    ) -> Option<Decoded> {
        let SoftMessage { class, frames, .. } = *message;
        self.of_anyone(frames, class, message.prior(&self.tuning), |_| true, statistics).found
    }

    /// The same of frames whose soft symbols hold the code's own opinion, which proves nothing: `ln_ratio` is
    /// the logarithm of how much likelier the frames are with these phases of frame 1 than with any.
    pub(crate) fn in_iterated_group(
        &mut self,
        message: &SoftMessage<'_>,
        mut ln_ratio: impl FnMut(&[bool]) -> f64,
        statistics: &mut Statistics,
    ) -> Option<Decoded> {
        // 1. What a decision has for and against it before the carriers are asked: the bits that no check tells.
        let SoftMessage { class, frames, .. } = *message;
        let prior = message.prior(&self.tuning);
        let bits =
            Template::of_class(class).free_bits(class.container_bits()) - f64::from(CRC_BITS);
        let least = self.budget.min_odds().ln();
        let ln_prior_odds = (prior / (1.0 - prior)).ln() - bits * LN_2;
        // 2. The list by the iterated symbols; one with a right check sum has to be likely by the carriers.
        let mut ln_odds = f64::NEG_INFINITY;
        let confirm = |container: &Container| {
            ln_odds = ln_prior_odds + ln_ratio(&phases_of(container));
            ln_odds >= least
        };
        let found = self.of_anyone(frames, class, prior, confirm, statistics).found?;
        // 3. How likely it is among all that were tried, by the carriers too: the iterated symbols cannot rank them.
        let share = self.decoder.share_of_last(&mut ln_ratio);
        let ln_odds = ln_odds.min(share.ln() + f64::from(CRC_BITS) * LN_2);
        (ln_odds >= least - self.tuning.iterated_leeway).then_some(Decoded { ln_odds, ..found })
    }

    /// The logarithm of the odds that frames are of one message, whatever it is.
    pub(crate) fn ln_group_odds(&mut self, message: &SoftMessage<'_>) -> f64 {
        let prior = message.prior(&self.tuning);
        let template = Template::of_class(message.class);
        (prior / (1.0 - prior)).ln() + self.decoder.ln_factor(message.frames, &template)
    }

    /// The container of one or several frames, sent by a known device: with its identity given in
    /// advance, confirmed by its key.
    ///
    /// Check sum and tag together hold by chance once in 2³² decisions or more, which is next to
    /// nothing: it is not charged.
    pub(crate) fn of_known_device(
        &mut self,
        message: &SoftMessage<'_>,
        statistics: &mut Statistics,
    ) -> Option<Decoded> {
        let SoftMessage { class, frames, .. } = *message;
        let chosen = self.known.likeliest(frames);
        chosen.into_iter().find_map(|device_id| {
            statistics.a_priori_trials += 1;
            let parameters = SearchParameters {
                template: Template::of_class(class).sent_by(device_id),
                prior: message.prior(&self.tuning) * self.known.prior(),
                max_posterior: self.tuning.max_posterior,
                min_odds: self.budget.min_odds(),
                check_bits: CRC_BITS + TAG_BITS,
                max_decisions: self.tuning.max_decisions_with_key,
            };
            let accept = |container: &Container, _| {
                self.devices.authenticate(container) == Authentication::Verified
            };
            self.decoder.search(frames, class, &parameters, accept).found
        })
    }

    fn of_anyone(
        &mut self,
        frames: &[&SoftContainer],
        class: LengthClass,
        prior: f64,
        mut confirm: impl FnMut(&Container) -> bool,
        statistics: &mut Statistics,
    ) -> Search {
        let parameters = SearchParameters {
            template: Template::of_class(class),
            prior,
            max_posterior: self.tuning.max_posterior,
            min_odds: self.budget.min_odds(),
            check_bits: CRC_BITS,
            max_decisions: self.tuning.max_decisions,
        };
        // A tag that does not fit shows a decision to be wrong, unless it is the most likely one on a
        // single frame: that may be forged, which must be told.
        let accept = |container: &Container, index: usize| {
            let is_plain = frames.len() == 1 && index == 0;
            (is_plain || self.devices.authenticate(container) != Authentication::Failed)
                && confirm(container)
        };
        let search = self.decoder.search(frames, class, &parameters, accept);
        self.budget.charge(search.rejected);
        statistics.refuted_decisions += search.rejected;
        search
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha12Rng;

    use super::*;
    use crate::device::id::DeviceId;
    use crate::device::key::Key;
    use crate::device::table::Device;
    use crate::receiver::decoder::false_message_budget::BudgetShare;
    use crate::receiver::decoder::soft_container::ideal;
    use crate::uplink::content::Content;
    use crate::uplink::message::Uplink;
    use crate::uplink::message_counter::MessageCounter;
    use crate::uplink::payload::Payload;
    use crate::uplink::rank::Rank;

    const CLASS: LengthClass = LengthClass::NineToTwelveBytes;
    const DEVICES: u32 = 200;

    fn message<'a>(frames: &'a [&'a SoftContainer]) -> SoftMessage<'a> {
        SoftMessage { class: CLASS, frames, likelihood_ratio: 1.0 }
    }

    /// Random devices, the first of which sends.
    fn table(rng: &mut ChaCha12Rng) -> (DeviceTable, DeviceId, Key) {
        let mut table = DeviceTable::new();
        let mut devices = (0..DEVICES).map(|_| Device {
            key: Some(Key::from_bytes(rng.random())),
            ..Device::new(DeviceId(rng.random()))
        });
        let sender = devices.next().unwrap();
        table.insert(sender.clone()).unwrap();
        for device in devices {
            table.insert(device).unwrap();
        }
        (table, sender.id, sender.key.unwrap())
    }

    /// Messages of a known device that were lost, of `messages`: blindly, and with its key. All that
    /// decode do so to what was sent.
    fn losses(ranks: &[Rank], es_over_n0_db: f64, messages: u32) -> [u32; 2] {
        let mut rng = ChaCha12Rng::seed_from_u64(5);
        let (table, device_id, key) = table(&mut rng);
        let mut search = ContainerSearch::new(
            Arc::new(table),
            usize::MAX,
            FalseMessageBudget::new(1.0, BudgetShare::ALL),
            DecoderTuning::default(),
        );
        let mut lost = [0, 0];
        for _ in 0..messages {
            let payload: [u8; 12] = rng.random();
            let counter = MessageCounter::new(rng.random_range(0..4096)).unwrap();
            let content = Content::Bytes(Payload::new(&payload).unwrap());
            let sent = Uplink::new(device_id, counter, content).container(&key);
            let frames: Vec<SoftContainer> =
                ranks.iter().map(|&rank| ideal(&sent, rank, es_over_n0_db, &mut rng)).collect();
            let frames: Vec<&SoftContainer> = frames.iter().collect();
            let statistics = &mut Statistics::default();
            let blind = match frames[..] {
                [frame] => search.in_frame(frame, CLASS, 1.0, statistics).found,
                _ => search.in_group(&message(&frames), statistics),
            };
            let helped =
                blind.clone().or_else(|| search.of_known_device(&message(&frames), statistics));
            for (lost, found) in lost.iter_mut().zip([blind, helped]) {
                match found {
                    Some(found) => assert_eq!(found.container, sent),
                    None => *lost += 1,
                }
            }
        }
        lost
    }

    /// A key gives 0.8 dB in one frame and half a decibel in several: with it no more is lost than
    /// blindly at a level that much higher.
    #[test]
    fn a_known_device_is_heard_where_others_are_not() {
        for (ranks, low_db, advantage_db) in
            [(&Rank::ALL[..1], 3.5, 0.8), (&Rank::ALL[..2], -0.5, 0.5), (&Rank::ALL[..], -2.5, 0.5)]
        {
            let [blind, helped] = losses(ranks, low_db, 200);
            let [higher, _] = losses(ranks, low_db + advantage_db, 200);
            assert!(
                helped < blind && helped <= higher,
                "{} frames: {blind} blindly, {helped} with the key, {higher} {advantage_db} dB higher",
                ranks.len()
            );
        }
    }

    #[test]
    fn a_forged_frame_is_found_as_received_only() {
        let mut rng = ChaCha12Rng::seed_from_u64(6);
        let (table, device_id, _) = table(&mut rng);
        let content = Content::Bytes(Payload::new(b"not the key!").unwrap());
        let forged = Uplink::new(device_id, MessageCounter::new(1).unwrap(), content)
            .container(&Key::PUBLIC);
        let budget = FalseMessageBudget::new(1.0, BudgetShare::ALL);
        let mut search =
            ContainerSearch::new(Arc::new(table), usize::MAX, budget, DecoderTuning::default());
        let statistics = &mut Statistics::default();
        let [first, second] =
            [Rank::First, Rank::Second].map(|rank| ideal(&forged, rank, 12.0, &mut rng));
        let found = search.in_frame(&first, CLASS, 1.0, statistics).found.unwrap();
        assert_eq!((found.container, found.index), (forged, 0));
        assert_eq!(search.in_group(&message(&[&first, &second]), statistics), None);
        assert_eq!(search.of_known_device(&message(&[&first]), statistics), None);
        assert!(statistics.refuted_decisions > 0 && statistics.a_priori_trials > 0);
    }
}
