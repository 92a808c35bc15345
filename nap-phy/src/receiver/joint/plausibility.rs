//! Whether a device that keeps the rules may have sent what frames say together.
//!
//! What was decoded from several frames has one check sum for all of them, which noise and interference
//! pass once in 65536 trials. But what it says binds the frames: a message that asks for a downlink has its
//! frames at fixed distances in time and frequency, and a confirmation of one is a single frame.

use super::carrier_plan::{CarrierRules, RankedCarrier};
use super::undecoded_frame::UndecodedFrame;
use crate::radio::bit_rate::BitRate;
use crate::radio::configuration::BIDIRECTIONAL_PAUSE_MS;
use crate::uplink::container::Container;
use crate::uplink::content::Content;
use crate::uplink::control::ControlMessage;
use crate::uplink::rank::Rank;

/// How far the pauses of a message that asks for a downlink may be from the half second that they have to
/// be, in seconds: the ramps at both ends, and what devices need to start.
const PAUSE_TOLERANCE_S: f64 = 0.1;
/// How far its carriers may be from their places, in hertz, if they hold still: carriers wander by some
/// ten hertz. What they drift comes on top.
const CARRIER_TOLERANCE_HZ: f64 = 40.0;

/// When and where a frame was seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct FramePlace {
    rank: Rank,
    start_s: f64,
    duration_s: f64,
    frequency_hz: f64,
    drift_hz_per_s: f64,
}

impl FramePlace {
    /// That of an undecoded frame.
    pub(super) fn of(undecoded: &UndecodedFrame, bit_rate: BitRate) -> Self {
        let carrier = &undecoded.soft.carrier;
        Self {
            rank: undecoded.frame_type.rank,
            start_s: undecoded.soft.start_s,
            duration_s: undecoded.duration_s(bit_rate),
            frequency_hz: carrier.frequency_hz,
            drift_hz_per_s: carrier.drift_hz_per_s,
        }
    }

    /// From the end of the earlier of two frames to the start of the later, for each step of rank.
    fn pause_s(&self, other: &Self) -> f64 {
        let steps = f64::from(self.rank.number()) - f64::from(other.rank.number());
        (self.start_s - other.start_s) / steps - self.duration_s
    }
}

/// Whether a device may have sent this container in these frames of different rank.
pub(super) fn is_plausible(
    container: &Container,
    frames: &[FramePlace],
    rules: &CarrierRules,
) -> bool {
    let is_confirmation = matches!(
        container.content(),
        Content::Control(ControlMessage::DownlinkConfirmation { .. })
    );
    if is_confirmation {
        return frames.len() == 1;
    }
    !container.bidirectional() || (are_in_time(frames) && are_in_place(frames, rules))
}

/// Whether the frames follow each other as those of a message have to that asks for a downlink.
fn are_in_time(frames: &[FramePlace]) -> bool {
    let Some((first, others)) = frames.split_first() else { return true };
    let pause_s = f64::from(BIDIRECTIONAL_PAUSE_MS) / 1000.0;
    others.iter().all(|other| (first.pause_s(other) - pause_s).abs() <= PAUSE_TOLERANCE_S)
}

/// Whether their carriers are where they have to be.
fn are_in_place(frames: &[FramePlace], rules: &CarrierRules) -> bool {
    let carriers = frames.iter().map(|frame| (frame.rank, frame.frequency_hz));
    let carriers: Vec<RankedCarrier> = carriers.collect();
    let fastest = frames.iter().map(|frame| frame.drift_hz_per_s.abs()).fold(0.0, f64::max);
    let starts = || frames.iter().map(|frame| frame.start_s);
    let span_s = starts().fold(f64::MIN, f64::max) - starts().fold(f64::MAX, f64::min);
    rules.may_ask_for_downlink(&carriers, CARRIER_TOLERANCE_HZ + fastest * span_s)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::id::DeviceId;
    use crate::device::key::Key;
    use crate::radio::configuration::RadioConfiguration;
    use crate::uplink::control::{DeviceRssi, Telemetry};
    use crate::uplink::message::Uplink;
    use crate::uplink::message_counter::MessageCounter;

    const DURATION_S: f64 = 1.12;

    fn container(content: Content, bidirectional: bool) -> Container {
        let uplink = Uplink::new(DeviceId(0x42), MessageCounter::new(7).unwrap(), content);
        uplink.with_bidirectional(bidirectional).unwrap().container(&Key::PUBLIC)
    }

    /// Frames with these pauses, and carriers relative to that of frame 1.
    fn places(pause_s: f64, offsets_hz: [f64; 3], drift_hz_per_s: f64) -> [FramePlace; 3] {
        let place = |rank: Rank| {
            let steps = f64::from(rank.number() - 1);
            let start_s = 3.0 + steps * (DURATION_S + pause_s);
            FramePlace {
                rank,
                start_s,
                duration_s: DURATION_S,
                frequency_hz: 900.0 + offsets_hz[rank.index()] + drift_hz_per_s * start_s,
                drift_hz_per_s,
            }
        };
        Rank::ALL.map(place)
    }

    fn asks(frames: &[FramePlace]) -> bool {
        let rules = CarrierRules::new(Some(RadioConfiguration::Rc1));
        is_plausible(&container(Content::Empty, true), frames, &rules)
    }

    #[test]
    fn frames_that_ask_for_a_downlink_keep_time_and_carrier() {
        let right = [0.0, 6_000.0, -6_000.0];
        assert!(asks(&places(0.5, right, 0.0)) && asks(&places(0.525, right, 30.0)));
        assert!(asks(&places(0.5, [0.0, 6_020.0, -6_010.0], 0.0)), "carriers wander");
        // Frames 1 and 3, of which the second is missing.
        let [first, second, third] = places(0.5, right, 0.0);
        assert!(asks(&[first, third]) && asks(&[third, second]));
        for wrong in [
            places(0.5, [0.0, 6_100.0, -6_000.0], 0.0),
            places(0.5, [0.0, -6_000.0, 6_000.0], 0.0),
            places(0.5, [0.0, 25_000.0, -25_000.0], 0.0),
            places(0.3, right, 0.0),
            places(1.2, right, 0.0),
        ] {
            assert!(!asks(&wrong), "{wrong:?}");
            assert!(!asks(&wrong[..2]), "{wrong:?}");
        }
    }

    #[test]
    fn without_a_known_configuration_the_offsets_of_all_are_right() {
        let rules = CarrierRules::new(None);
        for offset_hz in [6_000.0, 25_000.0] {
            let frames = places(0.5, [0.0, offset_hz, -offset_hz], 0.0);
            assert!(is_plausible(&container(Content::Empty, true), &frames, &rules));
        }
    }

    #[test]
    fn other_messages_are_free_and_a_confirmation_is_one_frame() {
        let rules = CarrierRules::new(Some(RadioConfiguration::Rc1));
        let frames = places(1.7, [0.0, 31_000.0, -77_000.0], 0.0);
        assert!(is_plausible(&container(Content::Bit(true), false), &frames, &rules));
        let telemetry =
            Telemetry { voltage_idle_mv: 3300, voltage_tx_mv: 3000, temperature_decidegree_c: 210 };
        let rssi = DeviceRssi::from_dbm(-120).unwrap();
        let confirmation = ControlMessage::DownlinkConfirmation { telemetry, rssi };
        let confirmation = container(Content::Control(confirmation), false);
        assert!(!is_plausible(&confirmation, &frames, &rules));
        assert!(is_plausible(&confirmation, &frames[..1], &rules));
    }
}
