//! How much memory a receiver may take.

use nap_dsp::subbands::{SubbandGrid, SubbandHistory};

use super::config::{Limits, ReceiverConfig};
use super::pipeline::lookback_columns;
use crate::error::Error;

/// What a receiver of one bit rate takes besides the subbands' last seconds, the bursts and the fragments: the
/// detectors' spectra, the tables of demodulator and decoder, and the lists of what was decoded lately.
const BASE_BYTES: u64 = 6 << 20;
/// What a burst takes that waits, with the frames that were read in it and did not decode: at most eight of its
/// length.
const BURST_BYTES: u64 = 300_000;
/// What a frame takes that is kept to be decoded with others.
const FRAGMENT_BYTES: u64 = 50_000;
/// What is known of a device.
const DEVICE_BYTES: u64 = 256;

/// The most that a receiver takes whose subbands lie in this grid, in bytes.
pub(super) fn bound_bytes(config: &ReceiverConfig, grid: &SubbandGrid) -> u64 {
    let Limits { most_bursts, most_fragments, .. } = config.limits;
    let columns = lookback_columns(config, grid);
    let history = SubbandHistory::memory_bytes(grid.subbands, columns) as u64;
    let bursts = BURST_BYTES.saturating_mul(most_bursts as u64);
    let fragments = FRAGMENT_BYTES.saturating_mul(most_fragments as u64);
    let chain = bursts.saturating_add(fragments).saturating_add(BASE_BYTES);
    let devices = DEVICE_BYTES.saturating_mul(config.devices.len() as u64);
    chain
        .saturating_mul(config.bit_rates.len() as u64)
        .saturating_add(history)
        .saturating_add(devices)
}

/// Checks that the limits keep within what the receiver may take.
pub(super) fn check(config: &ReceiverConfig, grid: &SubbandGrid) -> Result<(), Error> {
    let Some(max_bytes) = config.max_memory_bytes else { return Ok(()) };
    let needed_bytes = bound_bytes(config, grid);
    if needed_bytes > max_bytes {
        return Err(Error::MemoryBound { needed_bytes, max_bytes });
    }
    Ok(())
}
