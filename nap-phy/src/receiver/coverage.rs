//! How much of a channel a band holds.

use std::fmt;

/// What of a channel is in the sampled band, and so is heard.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Coverage {
    /// The lowest frequency that is heard.
    pub lowest_hz: f64,
    /// The highest frequency that is heard.
    pub highest_hz: f64,
    /// Width of the whole channel.
    pub channel_width_hz: f64,
}

impl Coverage {
    /// Share of the channel that is heard, at most 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        ((self.highest_hz - self.lowest_hz) / self.channel_width_hz).min(1.0)
    }

    /// Whether all of the channel is heard, but for rounding.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.share() > 1.0 - 1e-6
    }
}

impl fmt::Display for Coverage {
    /// Says what is heard and how much that is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.6} to {:.6} MHz are heard, {:.3} of the channel's {} kHz ({:.1} %)",
            self.lowest_hz / 1e6,
            self.highest_hz / 1e6,
            (self.highest_hz - self.lowest_hz) / 1e3,
            self.channel_width_hz / 1e3,
            100.0 * self.share()
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::radio::configuration::RadioConfiguration::Rc1;
    use crate::receiver::config::ReceiverConfig;

    #[test]
    fn a_band_that_is_narrower_than_the_channel_holds_a_part_of_it() {
        let coverage = |sample_rate_hz, center_hz| {
            ReceiverConfig::new(sample_rate_hz, center_hz).with_radio_configuration(Rc1).coverage()
        };
        let part = coverage(12e3, 868.03e6);
        assert_eq!(
            part.to_string(),
            "868.034000 to 868.036000 MHz are heard, 2.000 of the channel's 192 kHz (1.0 %)"
        );
        assert!(!part.is_whole());
        for (sample_rate_hz, center_hz) in [(192e3, 868.13e6), (250e3, 868.13e6), (250e3, 868.2e6)]
        {
            assert!(coverage(sample_rate_hz, center_hz).is_whole());
        }
    }
}
