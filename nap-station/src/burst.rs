//! How far a frame reaches in time and frequency.

use nap_phy::Message;

/// The extent of each frame of a message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extent {
    /// From the start of the reference symbol, which comes before the first bit, to the end of the
    /// last bit.
    pub duration_s: f64,
    /// Main lobe of the spectrum: twice the symbol rate.
    pub width_hz: f64,
}

impl Extent {
    /// That of the message's frames, which are all alike.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        let bit_rate = message.bit_rate;
        let class = message.uplink.content().class();
        Self {
            duration_s: class.airtime_s(bit_rate) + bit_rate.symbol_s(),
            width_hz: 2.0 * f64::from(bit_rate.bits_per_s()),
        }
    }
}
