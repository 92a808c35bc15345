//! How much memory a receiver may take.

use nap_dsp::subbands::{SubbandGrid, SubbandHistory};

use super::band::Band;
use super::bursts::Burst;
use super::config::{Limits, ReceiverConfig};
use super::decoder::known_devices::KnownDevices;
use super::frame_reporter::FrameReporter;
use super::joint::undecoded_frame::UndecodedFrame;
use super::pipeline::lookback_columns;
use crate::error::Error;
use crate::radio::bit_rate::BitRate;

/// What a receiver of one bit rate takes besides the subbands' last seconds, the bursts and the undecoded frames: the
/// detectors' spectra, the tables of synchronizer, demodulator and decoder, what they work on, and the lists of
/// what was decoded lately. `make memory` shows what is left of it in a crowd.
const STAGES_BYTES: u64 = 6 << 20;
/// What a table knows of a device.
const DEVICE_BYTES: u64 = 256;

/// The most memory that a receiver takes, by part, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryBound {
    /// The last seconds of all subbands.
    pub subbands_bytes: u64,
    /// Tables and work of the stages, of all bit rates.
    pub stages_bytes: u64,
    /// Bursts that wait for their ends, of all bit rates, each with the frames that were read in it, and those
    /// that may be tried again.
    pub bursts_bytes: u64,
    /// Of these, the largest burst.
    pub burst_bytes: u64,
    /// Frames that are kept to be decoded with others, of all bit rates.
    pub undecoded_frames_bytes: u64,
    /// Of these, the largest.
    pub undecoded_frame_bytes: u64,
    /// Frames of weakly proven messages that may turn out to be another message's, of all bit rates.
    pub doubtful_bytes: u64,
    /// Decoded bursts that wait until what masks them is cancelled.
    pub remaining_bytes: u64,
    /// What is known of devices.
    pub devices_bytes: u64,
}

impl MemoryBound {
    /// What a receiver takes at most whose subbands lie in this grid.
    pub(super) fn new(config: &ReceiverConfig, grid: &SubbandGrid) -> Self {
        let Limits { max_bursts, max_undecoded_frames, max_known_devices, .. } = config.limits;
        let (devices, bit_rates) = (config.devices.len(), config.bit_rates.len() as u64);
        let columns = lookback_columns(config, grid);
        let of_each = |bytes: fn(&SubbandGrid, BitRate) -> usize| {
            config.bit_rates.iter().map(move |&bit_rate| bytes(grid, bit_rate) as u64)
        };
        let largest =
            |bytes: fn(&SubbandGrid, BitRate) -> usize| of_each(bytes).max().unwrap_or_default();
        let burst_bytes = largest(Burst::memory_bytes);
        let undecoded_frame_bytes = largest(UndecodedFrame::memory_bytes);
        let known_device_bytes = KnownDevices::memory_bytes(1) as u64;
        // Lists have room for twice as many as they hold when they have grown.
        let missed_bytes = 2 * Burst::bare_bytes() as u64;
        let all =
            |count: usize, bytes: u64| bytes.saturating_mul(count as u64).saturating_mul(bit_rates);
        Self {
            subbands_bytes: SubbandHistory::memory_bytes(grid.subbands, columns) as u64,
            stages_bytes: STAGES_BYTES * bit_rates,
            bursts_bytes: all(max_bursts, burst_bytes + missed_bytes),
            burst_bytes,
            undecoded_frames_bytes: all(max_undecoded_frames, undecoded_frame_bytes),
            undecoded_frame_bytes,
            doubtful_bytes: of_each(FrameReporter::doubtful_bytes).sum(),
            remaining_bytes: Band::remaining_bytes() as u64,
            devices_bytes: DEVICE_BYTES
                .saturating_mul(devices as u64)
                .saturating_add(all(devices.min(max_known_devices), known_device_bytes)),
        }
    }

    /// All of it.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        [
            self.stages_bytes,
            self.bursts_bytes,
            self.undecoded_frames_bytes,
            self.doubtful_bytes,
            self.remaining_bytes,
            self.devices_bytes,
        ]
        .iter()
        .fold(self.subbands_bytes, |sum, &part| sum.saturating_add(part))
    }

    /// Checks that the limits keep within what the receiver may take.
    pub(super) fn check(&self, max_bytes: Option<u64>) -> Result<(), Error> {
        match (self.bytes(), max_bytes) {
            (needed_bytes, Some(max_bytes)) if needed_bytes > max_bytes => {
                Err(Error::MemoryBound { needed_bytes, max_bytes })
            }
            _ => Ok(()),
        }
    }
}
