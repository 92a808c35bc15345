//! Where a device sends next.

use arrayvec::ArrayVec;

use crate::device::id::DeviceId;
use crate::radio::access::Access;
use crate::radio::channel::MACRO_CHANNEL_WIDTH_HZ;
use crate::radio::configuration::RadioConfiguration;
use crate::uplink::rank::Rank;

/// Largest random value: they have 14 bits.
const MAX_RANDOM_VALUE: u16 = (1 << 14) - 1;

/// Multiplier of the congruential generator.
const MULTIPLIER: u16 = 61;

/// How far the difference of two frequencies may be off the raster, in steps: by a crystal's 20 ppm of
/// the largest difference and by what was rounded.
#[cfg(feature = "std")]
const RASTER_TOLERANCE: f64 = 0.45;

/// The generator by which a device chooses its frequencies (sigfox-ep-lib 4.3,
/// `sigfox_ep_frequency.c`).
///
/// It is a linear congruence of 14 bits whose increment depends on the low half of the device id,
/// so it is fully determined by one known value: `v ← 61 v + c (mod 2¹⁴)`. A value stands for a
/// frequency between the channel's guards. Values are drawn until one is allowed.
///
/// Frequencies are nominal: the device's crystal shifts all of them alike, by up to 20 ppm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrequencyGenerator {
    radio_configuration: RadioConfiguration,
    increment: u16,
    random_value: u16,
}

impl FrequencyGenerator {
    /// The generator of a device, continuing after `random_value`, of which the low 14 bits count.
    /// A new device starts from 0.
    #[must_use]
    pub fn new(
        radio_configuration: RadioConfiguration,
        device_id: DeviceId,
        random_value: u16,
    ) -> Self {
        let low_half = device_id.0 as u16;
        let increment = MULTIPLIER.wrapping_mul(low_half.wrapping_add(1)) & MAX_RANDOM_VALUE;
        Self {
            radio_configuration,
            // Odd, so that the generator goes through all values.
            increment: increment | 1,
            random_value: random_value & MAX_RANDOM_VALUE,
        }
    }

    /// The value drawn last, which a device keeps in non-volatile memory.
    #[must_use]
    pub const fn random_value(&self) -> u16 {
        self.random_value
    }

    /// The frequencies in Hz of a message that asks for no downlink and whose last frame has rank
    /// `last`.
    ///
    /// With frequency hopping no two frames of a message share a micro channel; the pause before
    /// the next message frees all of them.
    pub fn uplink_hz(&mut self, last: Rank) -> ArrayVec<u32, 3> {
        let mut frequencies_hz = ArrayVec::new();
        for _ in Rank::First.number()..=last.number() {
            let used_hz = frequencies_hz.clone();
            frequencies_hz.push(self.draw(|generator, frequency_hz| {
                generator.on_free_micro_channel(frequency_hz, &used_hz)
            }));
        }
        frequencies_hz
    }

    /// The frequencies in Hz of a message that asks for a downlink and whose last frame has rank
    /// `last`: the second above and the third below the first, by
    /// [`Access::bidirectional_offset_hz`].
    pub fn bidirectional_hz(&mut self, last: Rank) -> ArrayVec<u32, 3> {
        let offset_hz = self.radio_configuration.access().bidirectional_offset_hz();
        let above_hz = if last >= Rank::Second { offset_hz } else { 0 };
        let below_hz = if last >= Rank::Third { offset_hz } else { 0 };
        let first_hz = self.draw(|generator, frequency_hz| {
            generator.is_within_guards(frequency_hz - below_hz)
                && generator.is_within_guards(frequency_hz + above_hz)
                && generator.on_free_micro_channel(frequency_hz, &[])
        });
        [first_hz, first_hz + above_hz, first_hz - below_hz]
            .into_iter()
            .take(last.number().into())
            .collect()
    }

    /// Whether three successive frames of one device that asks for no downlink may have been sent on
    /// these frequencies in Hz, whatever its identity, its crystal and the value it started from. Without
    /// frequency hopping, where no value is passed over.
    ///
    /// From one frame to the next the value changes by 61 times as much as before, modulo 2¹⁴: so much is
    /// known without the increment. Of other frequencies one in 18 000 fits by chance.
    ///
    /// Needs the feature `std`, for the rounding of numbers.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn may_follow(radio_configuration: RadioConfiguration, frequencies_hz: [f64; 3]) -> bool {
        if let Access::FrequencyHopping { .. } = radio_configuration.access() {
            return false;
        }
        let (lowest_hz, highest_hz) = Self::new(radio_configuration, DeviceId(0), 0).limits_hz();
        let step_hz = f64::from(highest_hz - lowest_hz) / f64::from(MAX_RANDOM_VALUE);
        let [first_hz, second_hz, third_hz] = frequencies_hz;
        let change = (second_hz - first_hz) / step_hz;
        let next_change = (third_hz - second_hz) / step_hz;
        let period = f64::from(MAX_RANDOM_VALUE) + 1.0;
        let error = (next_change - f64::from(MULTIPLIER) * change.round()).rem_euclid(period);
        change.abs() < period && error.min(period - error) <= RASTER_TOLERANCE
    }

    /// Draws until a frequency is allowed. Some are in every radio configuration, and the
    /// generator goes through all values, so this ends.
    fn draw(&mut self, is_allowed: impl Fn(&Self, u32) -> bool) -> u32 {
        loop {
            let frequency_hz = self.step();
            if is_allowed(self, frequency_hz) {
                return frequency_hz;
            }
        }
    }

    /// Advances the generator and gives the frequency that its value stands for.
    fn step(&mut self) -> u32 {
        self.random_value = MULTIPLIER.wrapping_mul(self.random_value).wrapping_add(self.increment)
            & MAX_RANDOM_VALUE;
        let (lowest_hz, highest_hz) = self.limits_hz();
        lowest_hz
            + (highest_hz - lowest_hz) * u32::from(self.random_value) / u32::from(MAX_RANDOM_VALUE)
    }

    /// Lowest and highest frequency between the guards.
    fn limits_hz(&self) -> (u32, u32) {
        let center_hz = self.radio_configuration.uplink_center_hz();
        let half_width_hz =
            MACRO_CHANNEL_WIDTH_HZ / 2 - self.radio_configuration.guard().total_hz();
        (center_hz - half_width_hz, center_hz + half_width_hz)
    }

    fn is_within_guards(&self, frequency_hz: u32) -> bool {
        let (lowest_hz, highest_hz) = self.limits_hz();
        (lowest_hz..=highest_hz).contains(&frequency_hz)
    }

    /// Whether a frequency is in the usable part of a micro channel that none of `used_hz` is in.
    /// Without frequency hopping there are no micro channels and all is free.
    fn on_free_micro_channel(&self, frequency_hz: u32, used_hz: &[u32]) -> bool {
        let Access::FrequencyHopping { raster, .. } = self.radio_configuration.access() else {
            return true;
        };
        raster.usable_micro_channel(frequency_hz).is_some_and(|micro_channel| {
            used_hz
                .iter()
                .all(|&used_hz| raster.usable_micro_channel(used_hz) != Some(micro_channel))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::radio::hopping::HoppingRaster;
    use RadioConfiguration::*;

    fn generator(radio_configuration: RadioConfiguration) -> FrequencyGenerator {
        FrequencyGenerator::new(radio_configuration, DeviceId(0xfedc_ba98), 0)
    }

    /// Frequencies that the official library computed for device FEDCBA98 from the value 0.
    #[test]
    fn uplink_frequencies_of_the_official_library() {
        for (radio_configuration, expected_hz) in [
            (Rc1, [868_184_199, 868_169_427, 868_195_040]),
            (Rc2, [902_252_641, 902_238_294, 902_130_530]),
            (Rc3Lbt, [923_253_364, 923_238_820, 923_264_038]),
            (Rc3Ldc, [923_253_364, 923_238_820, 923_264_038]),
            (Rc4, [920_852_641, 920_838_294, 920_730_530]),
            (Rc5, [923_353_364, 923_338_820, 923_364_038]),
            (Rc6, [865_254_241, 865_239_458, 865_265_091]),
            (Rc7, [868_854_192, 868_839_422, 868_865_032]),
        ] {
            let frequencies_hz = generator(radio_configuration).uplink_hz(Rank::Third);
            assert_eq!(frequencies_hz[..], expected_hz, "{radio_configuration}");
        }
    }

    #[test]
    fn bidirectional_frequencies_of_the_official_library() {
        for (radio_configuration, expected_hz, downlink_hz) in [
            (Rc1, [868_184_199, 868_190_199, 868_178_199], 869_579_199.0),
            (Rc2, [902_238_294, 902_263_294, 902_213_294], 905_238_294.0),
            (Rc3Lbt, [923_253_364, 923_259_364, 923_247_364], 922_253_364.0),
            (Rc3Ldc, [923_253_364, 923_259_364, 923_247_364], 922_253_364.0),
            (Rc4, [920_838_294, 920_863_294, 920_813_294], 922_338_294.0),
            (Rc5, [923_353_364, 923_359_364, 923_347_364], 922_353_364.0),
            (Rc6, [865_254_241, 865_260_241, 865_248_241], 866_354_241.0),
            (Rc7, [868_854_192, 868_860_192, 868_848_192], 869_154_192.0),
        ] {
            let frequencies_hz = generator(radio_configuration).bidirectional_hz(Rank::Third);
            assert_eq!(frequencies_hz[..], expected_hz, "{radio_configuration}");
            assert_eq!(
                radio_configuration.downlink_frequency_hz(frequencies_hz[0].into()),
                downlink_hz
            );
        }
    }

    #[test]
    fn a_second_message_continues_the_first() {
        let mut rc1 = generator(Rc1);
        rc1.uplink_hz(Rank::Third);
        let mut resumed = FrequencyGenerator::new(Rc1, DeviceId(0xfedc_ba98), rc1.random_value());
        let expected_hz = [868_058_473, 868_068_174, 868_196_539];
        assert_eq!(rc1.uplink_hz(Rank::Third)[..], expected_hz);
        assert_eq!(resumed.uplink_hz(Rank::Third)[..], expected_hz);
    }

    #[test]
    fn frames_stay_between_the_guards() {
        for radio_configuration in RadioConfiguration::ALL {
            for device_id in [0, 0xffff, 0x1234_5678].map(DeviceId) {
                let mut generator = FrequencyGenerator::new(radio_configuration, device_id, 0);
                for _ in 0..500 {
                    for last in Rank::ALL {
                        let uplink_hz = generator.uplink_hz(last);
                        let bidirectional_hz = generator.bidirectional_hz(last);
                        assert_eq!(uplink_hz.len(), usize::from(last.number()));
                        assert_eq!(bidirectional_hz.len(), usize::from(last.number()));
                        let all_hz = uplink_hz.into_iter().chain(bidirectional_hz);
                        for frequency_hz in all_hz {
                            assert!(generator.is_within_guards(frequency_hz));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn hopping_frames_of_a_message_use_different_micro_channels() {
        for (radio_configuration, raster) in [(Rc2, HoppingRaster::RC2), (Rc4, HoppingRaster::RC4)]
        {
            let mut generator = generator(radio_configuration);
            for _ in 0..500 {
                for frequencies_hz in
                    [generator.uplink_hz(Rank::Third), generator.bidirectional_hz(Rank::Third)]
                {
                    let [a, b, c] = [0, 1, 2]
                        .map(|index| raster.usable_micro_channel(frequencies_hz[index]).unwrap());
                    assert!(a != b && b != c && c != a);
                }
            }
        }
    }
}
