//! What the carriers of frames tell of whether they are of one message.

use arrayvec::ArrayVec;

use crate::radio::access::Access;
use crate::radio::channel::MACRO_CHANNEL_WIDTH_HZ;
use crate::radio::configuration::RadioConfiguration;
use crate::radio::frequency_generator::FrequencyGenerator;
use crate::uplink::rank::Rank;

/// How far the carriers of a message that asks for a downlink may be from where its rule puts them, in
/// hertz: by drift and by a crystal's share of the distance.
const OFFSET_TOLERANCE_HZ: f64 = 10.0;
/// Share of the messages that ask for a downlink.
const BIDIRECTIONAL_SHARE: f64 = 0.1;
/// Share of the devices that choose their carriers as the official library does.
const GENERATOR_SHARE: f64 = 0.5;
/// How rarely the third of three carriers is where the generator puts it by chance.
const GENERATOR_CHANCE: f64 = 1.0 / 18_000.0;

/// The rank and the carrier of a frame, in hertz from any common frequency.
pub(crate) type RankedCarrier = (Rank, f64);

/// The rules by which devices choose the carriers of a message.
pub(crate) struct CarrierRules {
    /// Distance of frame 2 above and of frame 3 below frame 1 in messages that ask for a downlink.
    offsets_hz: ArrayVec<f64, 8>,
    /// One radio configuration of each raster.
    rasters: ArrayVec<RadioConfiguration, 8>,
}

impl CarrierRules {
    /// The rules of a radio configuration, or of all if it is not known.
    pub(crate) fn new(radio_configuration: Option<RadioConfiguration>) -> Self {
        let (mut offsets_hz, mut rasters) =
            (ArrayVec::new(), ArrayVec::<RadioConfiguration, 8>::new());
        for candidate in RadioConfiguration::ALL {
            if radio_configuration.is_some_and(|known| known != candidate) {
                continue;
            }
            let offset_hz = f64::from(candidate.access().bidirectional_offset_hz());
            if !offsets_hz.contains(&offset_hz) {
                offsets_hz.push(offset_hz);
            }
            let hops = matches!(candidate.access(), Access::FrequencyHopping { .. });
            if !hops && rasters.iter().all(|other| other.guard() != candidate.guard()) {
                rasters.push(candidate);
            }
        }
        Self { offsets_hz, rasters }
    }

    /// How many times likelier the carriers are in frames of one message than in frames of different
    /// ones: 1 if no rule tells, since not all devices follow one. Clock and place cancel, as only
    /// differences count.
    pub(crate) fn likelihood_ratio(&self, carriers: &[RankedCarrier]) -> f64 {
        self.bidirectional(carriers).max(self.generated(carriers)).max(1.0)
    }

    /// Whether the carriers are where they have to be in a message that asks for a downlink, to within so
    /// much.
    pub(crate) fn may_ask_for_downlink(
        &self,
        carriers: &[RankedCarrier],
        tolerance_hz: f64,
    ) -> bool {
        let fits = |&offset_hz: &f64| {
            let first_hz = |&(rank, carrier_hz): &RankedCarrier| match rank {
                Rank::First => carrier_hz,
                Rank::Second => carrier_hz - offset_hz,
                Rank::Third => carrier_hz + offset_hz,
            };
            let all_hz = || carriers.iter().map(first_hz);
            let (lowest_hz, highest_hz) = (
                all_hz().fold(f64::INFINITY, f64::min),
                all_hz().fold(f64::NEG_INFINITY, f64::max),
            );
            highest_hz - lowest_hz <= tolerance_hz
        };
        self.offsets_hz.iter().any(fits)
    }

    fn bidirectional(&self, carriers: &[RankedCarrier]) -> f64 {
        if carriers.len() < 2 || !self.may_ask_for_downlink(carriers, OFFSET_TOLERANCE_HZ) {
            return 0.0;
        }
        let chance = 2.0 * OFFSET_TOLERANCE_HZ / f64::from(MACRO_CHANNEL_WIDTH_HZ);
        let others = carriers.len() as i32 - 1;
        BIDIRECTIONAL_SHARE / (self.offsets_hz.len() as f64 * chance.powi(others))
    }

    fn generated(&self, carriers: &[RankedCarrier]) -> f64 {
        let of = |rank| carriers.iter().find(|(other, _)| *other == rank).map(|&(_, hz)| hz);
        let (Some(first), Some(second), Some(third)) =
            (of(Rank::First), of(Rank::Second), of(Rank::Third))
        else {
            return 0.0;
        };
        let fits =
            |&rc: &RadioConfiguration| FrequencyGenerator::may_follow(rc, [first, second, third]);
        if !self.rasters.iter().any(fits) {
            return 0.0;
        }
        GENERATOR_SHARE / (self.rasters.len() as f64 * GENERATOR_CHANCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::id::DeviceId;

    fn ranked(carriers_hz: impl IntoIterator<Item = f64>) -> Vec<RankedCarrier> {
        Rank::ALL.into_iter().zip(carriers_hz).collect()
    }

    #[test]
    fn carriers_of_the_official_library_speak_for_a_message_whatever_the_crystal() {
        let rules = CarrierRules::new(None);
        let mut generator = FrequencyGenerator::new(RadioConfiguration::Rc1, DeviceId(0x42), 7);
        for ppm in [-20.0, 0.0, 20.0] {
            let seen = |hz: u32| f64::from(hz) * (1.0 + ppm * 1e-6) - 868.13e6;
            for _ in 0..100 {
                let three = ranked(generator.uplink_hz(Rank::Third).into_iter().map(seen));
                assert!(rules.likelihood_ratio(&three) > 1e3, "{three:?}");
                let three = ranked(generator.bidirectional_hz(Rank::Third).into_iter().map(seen));
                assert!(rules.likelihood_ratio(&three) > 1e5, "{three:?}");
                for two in [[0, 1], [0, 2], [1, 2]] {
                    assert!(rules.likelihood_ratio(&two.map(|n| three[n])) > 100.0, "{three:?}");
                }
            }
        }
    }

    #[test]
    fn other_carriers_tell_nothing() {
        let rules = CarrierRules::new(Some(RadioConfiguration::Rc1));
        let mut places = (0u32..).map(|n| f64::from(n.wrapping_mul(2_654_435_761) >> 8) / 87.4);
        let by_chance = (0..1_000)
            .filter(|_| rules.likelihood_ratio(&ranked(places.by_ref().take(3))) > 1.0)
            .count();
        assert!(by_chance <= 2, "{by_chance} of 1000");
        assert_eq!(rules.likelihood_ratio(&ranked([100.0, 6_130.0])), 1.0);
    }
}
