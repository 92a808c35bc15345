//! How far devices stay from a channel's edges (sigfox-ep-lib 4.3, `sigfox_rc.c`).

/// How far devices stay from a channel's edges, so that no oscillator's error takes them out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Guard {
    /// Room for the errors of two oscillators.
    Oscillators {
        /// The network's reference, 1.62 ppm, Hz.
        network_hz: u32,
        /// The device's crystal, 20 ppm, Hz.
        device_hz: u32,
    },
    /// An unused micro channel.
    MicroChannel {
        /// Its width, Hz.
        width_hz: u32,
    },
}

impl Guard {
    /// The whole guard at each edge, Hz.
    #[must_use]
    pub const fn total_hz(self) -> u32 {
        match self {
            Self::Oscillators { network_hz, device_hz } => network_hz + device_hz,
            Self::MicroChannel { width_hz } => width_hz,
        }
    }
}
