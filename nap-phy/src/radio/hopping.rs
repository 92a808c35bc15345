//! The grids of frequency hopping (sigfox-ep-lib 4.3, `sigfox_rc.c`).

/// The grid on which frequency-hopping devices send: nine macro channels of eight micro channels.
///
/// The outermost micro channels of each macro channel stay free, as do 2 kHz at each edge of a
/// micro channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HoppingRaster {
    /// Centre of macro channel 0, Hz.
    pub first_macro_channel_hz: u32,
    /// The macro channel that networks operate.
    pub operated_macro_channel: u8,
}

impl HoppingRaster {
    /// The grid of RC2, operated on 902.2 MHz.
    pub const RC2: Self = Self { first_macro_channel_hz: 902_200_000, operated_macro_channel: 0 };

    /// The grid of RC4, operated on 920.8 MHz.
    pub const RC4: Self = Self { first_macro_channel_hz: 920_200_000, operated_macro_channel: 2 };

    /// Macro channels of a grid.
    pub const MACRO_CHANNELS: u8 = 9;
    /// Distance between the centres of macro channels, Hz.
    pub const MACRO_CHANNEL_SPACING_HZ: u32 = 300_000;
    /// Width of a micro channel, Hz.
    pub const MICRO_CHANNEL_WIDTH_HZ: u32 = 25_000;
    /// Part of a micro channel at each edge that stays free, Hz.
    pub const MICRO_CHANNEL_GUARD_HZ: u32 = 2_000;
    /// Micro channels of a macro channel that devices use, numbered 0 to 5 here.
    pub const MICRO_CHANNELS: u8 = 6;

    /// From a macro channel's centre down to the lower edge of the first micro channel used, Hz.
    const SPAN_BELOW_CENTER_HZ: u32 =
        Self::MICRO_CHANNELS as u32 * Self::MICRO_CHANNEL_WIDTH_HZ / 2;

    /// Centre of a macro channel, Hz; `None` from 9 on.
    #[must_use]
    pub fn macro_channel_center_hz(self, macro_channel: u8) -> Option<u32> {
        (macro_channel < Self::MACRO_CHANNELS).then(|| {
            self.first_macro_channel_hz + u32::from(macro_channel) * Self::MACRO_CHANNEL_SPACING_HZ
        })
    }

    /// Centres of the micro channels used in a macro channel, Hz, lowest first; none from 9 on.
    pub fn micro_channel_centers_hz(self, macro_channel: u8) -> impl Iterator<Item = u32> {
        self.macro_channel_center_hz(macro_channel).into_iter().flat_map(|center_hz| {
            let lower_edge_hz = center_hz - Self::SPAN_BELOW_CENTER_HZ;
            (0..u32::from(Self::MICRO_CHANNELS)).map(move |micro_channel| {
                lower_edge_hz
                    + micro_channel * Self::MICRO_CHANNEL_WIDTH_HZ
                    + Self::MICRO_CHANNEL_WIDTH_HZ / 2
            })
        })
    }

    /// The micro channel of the operated macro channel, 0 to 5, in whose usable part
    /// `frequency_hz` is.
    #[must_use]
    pub fn usable_micro_channel(self, frequency_hz: u32) -> Option<u8> {
        let usable_half_hz = Self::MICRO_CHANNEL_WIDTH_HZ / 2 - Self::MICRO_CHANNEL_GUARD_HZ;
        (0..)
            .zip(self.micro_channel_centers_hz(self.operated_macro_channel))
            .find(|(_, center_hz)| center_hz.abs_diff(frequency_hz) <= usable_half_hz)
            .map(|(micro_channel, _)| micro_channel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn micro_channels() {
        let operated = |raster: HoppingRaster| {
            raster.micro_channel_centers_hz(raster.operated_macro_channel).collect::<Vec<_>>()
        };
        assert_eq!(
            operated(HoppingRaster::RC2),
            [902_137_500, 902_162_500, 902_187_500, 902_212_500, 902_237_500, 902_262_500]
        );
        assert_eq!(
            operated(HoppingRaster::RC4),
            [920_737_500, 920_762_500, 920_787_500, 920_812_500, 920_837_500, 920_862_500]
        );
        assert_eq!(HoppingRaster::RC2.micro_channel_centers_hz(8).last(), Some(904_662_500));
        assert_eq!(HoppingRaster::RC2.micro_channel_centers_hz(9).count(), 0);
        assert_eq!(HoppingRaster::RC4.macro_channel_center_hz(2), Some(920_800_000));
    }

    #[test]
    fn usable_parts_of_micro_channels() {
        let usable = |frequency_hz| HoppingRaster::RC2.usable_micro_channel(frequency_hz);
        assert_eq!(usable(902_126_999), None);
        assert_eq!(usable(902_127_000), Some(0));
        assert_eq!(usable(902_148_000), Some(0));
        assert_eq!(usable(902_148_001), None);
        assert_eq!(usable(902_262_500), Some(5));
        assert_eq!(usable(902_287_500), None);
    }
}
