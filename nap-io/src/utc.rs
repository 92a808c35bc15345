//! The time of day as text.

use jiff::{SignedDuration, Timestamp};

/// The time `time_s` seconds after `start`, RFC 3339 in UTC to 1 µs: `2026-11-23T06:16:00.123456Z`.
/// `None` if that is not before the year 10000.
#[must_use]
pub fn utc_text(start: Timestamp, time_s: f64) -> Option<String> {
    let since_start = SignedDuration::from_micros((time_s * 1e6).round() as i64);
    let time = start.checked_add(since_start).ok()?;
    Some(format!("{time:.6}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_microseconds() {
        let start: Timestamp = "2026-11-23T06:15:58.888889Z".parse().unwrap();
        assert_eq!(utc_text(start, 1.234_566_6).unwrap(), "2026-11-23T06:16:00.123456Z");
        assert_eq!(utc_text(start, 0.111_111).unwrap(), "2026-11-23T06:15:59.000000Z");
        assert_eq!(utc_text(Timestamp::MAX, 1.0), None);
    }
}
