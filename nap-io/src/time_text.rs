//! Times of day as programs and people write them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// More digits of a second than these are of no use to anybody.
const MAX_DIGITS: usize = 9;

/// A time as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WrittenTime {
    pub(crate) time: Timestamp,
    /// Whether nothing said how far from UTC it is, so that it was taken for UTC.
    pub(crate) is_zone_assumed: bool,
    /// Whether it has whole seconds only.
    pub(crate) is_whole_seconds: bool,
}

/// Reads a time: ISO 8601 with `Z`, with an offset, with both as some programs do, or with neither, which
/// is taken for UTC. `None` for anything else.
pub(crate) fn parse_time(text: &str) -> Option<WrittenTime> {
    let text = text.trim();
    let (text, has_fraction) = with_most_digits(text);
    let without_utc = ["UTC", "GMT"].iter().find_map(|zone| text.strip_suffix(zone));
    let text = without_utc.map_or(text.clone(), |text| format!("{}Z", text.trim_end()));
    // `datetime.isoformat() + "Z"` in Python gives an offset and a `Z`.
    let offset = text.strip_suffix(['Z', 'z']).unwrap_or(&text);
    let written = |time, is_zone_assumed| WrittenTime {
        time,
        is_zone_assumed,
        is_whole_seconds: !has_fraction,
    };
    if let Ok(time) = text.parse().or_else(|_| offset.parse()) {
        return Some(written(time, false));
    }
    // A date alone tells no time.
    let civil: DateTime = text.contains([':', 'T', 't', ' ']).then(|| text.parse().ok())??;
    Some(written(TimeZone::UTC.to_timestamp(civil).ok()?, true))
}

/// The text with no more digits after the decimal point than are understood, and whether there are any.
fn with_most_digits(text: &str) -> (String, bool) {
    let Some((whole, rest)) = text.split_once(['.', ',']) else {
        return (text.to_owned(), false);
    };
    let count = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, zone) = rest.split_at(count);
    if digits.is_empty() {
        return (text.to_owned(), false);
    }
    (format!("{whole}.{}{zone}", &digits[..count.min(MAX_DIGITS)]), true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_many_forms() {
        let expected: Timestamp = "2026-01-19T09:30:00.125Z".parse().unwrap();
        for text in [
            "2026-01-19T09:30:00.125Z",
            "2026-01-19 09:30:00.125Z",
            "2026-01-19T09:30:00,125Z",
            "2026-01-19T10:30:00.125+01:00",
            "2026-01-19T09:30:00.125+00:00Z",
            "2026-01-19T09:30:00.1250000000000000Z",
            "2026-01-19T09:30:00.125000000000 UTC",
        ] {
            let written = parse_time(text).unwrap();
            assert_eq!((written.time, written.is_zone_assumed), (expected, false), "{text}");
            assert!(!written.is_whole_seconds, "{text}");
        }
        let written = parse_time("2026-01-19T09:30:00.125").unwrap();
        assert_eq!((written.time, written.is_zone_assumed), (expected, true));
        assert!(parse_time("2026-01-19T09:30:00Z").unwrap().is_whole_seconds);
        for text in
            ["", "yesterday", "2026-01-19", "2026-13-19T09:30:00Z", "1768815000.5", "2026-01-19T.Z"]
        {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }
}
