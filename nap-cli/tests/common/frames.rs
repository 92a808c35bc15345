//! The frames of `rc1_two_uplinks`, played over and over: those that were sent, and those that were found.

use super::live::Listening;
use super::truth;

/// After so long the recording starts again: a device does not send the same message again before the
/// last one is over.
pub const PERIOD_S: f64 = 14.0;

/// A frame: device, rank, time.
pub type Frame = (String, u64, f64);

/// All frames that were sent, and are over, between two times of the air.
pub fn sent(from_s: f64, to_s: f64) -> Vec<Frame> {
    let truth = truth("rc1_two_uplinks");
    let mut frames = Vec::new();
    for message in truth["messages"].as_array().unwrap() {
        for frame in message["frames"].as_array().unwrap() {
            for round in 0..=(to_s / PERIOD_S) as u32 {
                let time_s = frame["time_s"].as_f64().unwrap() + PERIOD_S * f64::from(round);
                // 12 bytes at 100 bit/s take 2.1 s.
                if time_s >= from_s && time_s + 2.1 <= to_s {
                    let id = message["device_id"].as_str().unwrap().to_owned();
                    frames.push((id, frame["rank"].as_u64().unwrap(), time_s));
                }
            }
        }
    }
    frames
}

/// All frames in results of `--report complete`.
pub fn found(listening: &Listening) -> Vec<Frame> {
    let mut found = Vec::new();
    for (_, message) in &listening.results {
        for frame in message["frames"].as_array().unwrap() {
            let id = message["device_id"].as_str().unwrap().to_owned();
            found.push((id, frame["rank"].as_u64().unwrap(), frame["time_s"].as_f64().unwrap()));
        }
    }
    found
}
