//! How long frames are on the air.

use crate::radio::bit_rate::BitRate;
use crate::uplink::length_class::LengthClass;

impl LengthClass {
    /// Duration of a frame in seconds, without the ramps at its ends.
    #[must_use]
    pub fn airtime_s(self, bit_rate: BitRate) -> f64 {
        self.frame_bits() as f64 * bit_rate.symbol_s()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn airtimes() {
        let longest = LengthClass::NineToTwelveBytes;
        assert!((longest.airtime_s(BitRate::Bps100) - 2.08).abs() < 1e-12);
        assert!((longest.airtime_s(BitRate::Bps600) - 0.346_666_7).abs() < 1e-6);
    }
}
