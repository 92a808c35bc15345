//! By which rules devices share a channel.
//!
//! The figures are those of sigfox-ep-lib 4.3 (`sigfox_rc.c`, `sigfox_types.h`) unless an item says
//! otherwise.

use crate::radio::hopping::HoppingRaster;

/// By which rule devices share a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// A device sends a small part of the time.
    DutyCycle {
        /// Greatest part of an hour that a device sends, percent. Not from the end-point library,
        /// which leaves it to the application: Sigfox's module table gives it for RC1 and RC7.
        max_percent: Option<u8>,
    },
    /// A device sends a small part of the time and pauses between frames.
    LowDutyCycle {
        /// Shortest pause between two frames, ms.
        min_pause_ms: u32,
        /// Longest that the frames of a message may last together if they are closer, ms.
        max_transmission_ms: u32,
    },
    /// A device listens before it sends.
    ListenBeforeTalk {
        /// Level below which the channel counts as free, dBm.
        threshold_dbm: i8,
        /// Bandwidth in which the device listens, Hz.
        sense_bandwidth_hz: u32,
        /// Shortest time that the device listens, ms.
        min_sense_ms: u32,
        /// Longest time that the first frame waits for a free channel, ms.
        max_wait_ms: u32,
        /// Longest time that the repeated frames take, with their pauses and the listening before
        /// each, up to the start of the last, ms. The first frame does not count.
        max_repetition_ms: u32,
    },
    /// A device sends each frame on another micro channel.
    FrequencyHopping {
        /// Longest time on one micro channel, ms (Sigfox module manuals).
        max_dwell_ms: u32,
        /// Shortest time from a message's last frame to the next message, ms.
        min_message_pause_ms: u32,
        /// The micro channels.
        raster: HoppingRaster,
    },
}

impl Access {
    pub(super) const LOW_DUTY_CYCLE: Self =
        Self::LowDutyCycle { min_pause_ms: 50, max_transmission_ms: 4000 };

    pub(super) const fn listen_before_talk(threshold_dbm: i8) -> Self {
        Self::ListenBeforeTalk {
            threshold_dbm,
            sense_bandwidth_hz: 200_000,
            min_sense_ms: 5,
            max_wait_ms: 5000,
            max_repetition_ms: 8000,
        }
    }

    pub(super) const fn hopping(raster: HoppingRaster) -> Self {
        Self::FrequencyHopping { max_dwell_ms: 400, min_message_pause_ms: 20_000, raster }
    }

    /// How far frame 2 is above and frame 3 below frame 1 in a message that asks for a downlink, Hz.
    #[must_use]
    pub const fn bidirectional_offset_hz(self) -> u32 {
        match self {
            Self::FrequencyHopping { .. } => HoppingRaster::MICRO_CHANNEL_WIDTH_HZ,
            _ => 6000,
        }
    }

    /// When a device listens for the downlink it asked for.
    #[must_use]
    pub const fn downlink_window(self) -> DownlinkWindow {
        match self {
            Self::DutyCycle { .. } | Self::FrequencyHopping { .. } => {
                DownlinkWindow { start_ms: 20_000, length_ms: 25_000 }
            }
            Self::ListenBeforeTalk { .. } | Self::LowDutyCycle { .. } => {
                DownlinkWindow { start_ms: 19_000, length_ms: 33_500 }
            }
        }
    }
}

/// When a device listens for a downlink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DownlinkWindow {
    /// From the end of frame 1 to the start of the window, ms.
    pub start_ms: u32,
    /// How long the window is open, ms.
    pub length_ms: u32,
}
