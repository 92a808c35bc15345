//! Messages that contradict each other: one burst is of one message.

use super::decoded_frame::DecodedFrame;
use super::joint::undecoded_frame::UndecodedFrame;

/// Two views of one burst differ by no more than this: in the start, in symbols; in the carrier, in symbol
/// rates; in the level, in dB. Where two devices are as near to each other as that, neither decodes.
const SAME_START_SYMBOLS: f64 = 2.0;
const SAME_CARRIER_SYMBOL_RATES: f64 = 0.5;
const SAME_LEVEL_DB: f64 = 6.0;

/// Whether a frame that was decoded is the burst that an undecoded frame shows, by time, carrier and level.
pub(super) fn claims_burst_of(undecoded: &UndecodedFrame, frame: &DecodedFrame) -> bool {
    let (soft, measurement) = (&undecoded.soft, &frame.measurement);
    let symbol_s = frame.bit_rate.symbol_s();
    let distance_s = soft.start_s - measurement.track.start_s;
    let distance_hz = soft.carrier.frequency_hz - measurement.carrier.frequency_hz;
    let level_ratio = soft.amplitude.powi(2) / measurement.power.max(f64::MIN_POSITIVE);
    distance_s.abs() < SAME_START_SYMBOLS * symbol_s
        && distance_hz.abs() * symbol_s < SAME_CARRIER_SYMBOL_RATES
        && (10.0 * level_ratio.log10()).abs() < SAME_LEVEL_DB
}
