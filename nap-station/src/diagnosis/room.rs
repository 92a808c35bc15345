//! Whether a frame fits into a recording.

use nap_phy::{BitRate, LengthClass, ReceiverConfig};

/// What is too short in a recording of `duration_s` seconds for this receiver to hear anything, or one of its
/// bit rates; `None` if there is room for a frame at each.
#[must_use]
pub fn too_short(config: &ReceiverConfig, duration_s: f64) -> Option<String> {
    let (fitting, others): (Vec<BitRate>, Vec<BitRate>) =
        config.bit_rates.iter().partition(|rate| shortest_frame_s(**rate) <= duration_s);
    let text =
        |rate: BitRate| format!("{:.2} s at {} bit/s", shortest_frame_s(rate), rate.bits_per_s());
    let needed = others.iter().map(|&rate| text(rate)).collect::<Vec<_>>().join(" and ");
    if others.is_empty() {
        None
    } else if fitting.is_empty() {
        Some(format!("too short for a frame, which takes {needed} at least"))
    } else {
        Some(format!("too short for some frames, which take {needed} at least"))
    }
}

fn shortest_frame_s(rate: BitRate) -> f64 {
    let shortest = LengthClass::ALL.into_iter().map(LengthClass::frame_bits).min();
    shortest.unwrap_or(0) as f64 * rate.symbol_s()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_told() {
        let config = ReceiverConfig::new(250e3, 868.13e6);
        let text = |duration_s| too_short(&config, duration_s);
        assert_eq!(text(1.2), None);
        assert_eq!(
            text(0.26).unwrap(),
            "too short for some frames, which take 1.12 s at 100 bit/s at least"
        );
        assert_eq!(
            text(0.1).unwrap(),
            "too short for a frame, which takes 1.12 s at 100 bit/s and 0.19 s at 600 bit/s at least"
        );
    }
}
