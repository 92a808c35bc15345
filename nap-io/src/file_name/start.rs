//! Dates and times in names.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Finds the time of the first sample, if the name says that it is UTC or the program that made the name
/// always writes UTC. Local times are passed over: nobody knows whose.
pub(super) fn find(name: &str) -> Option<Timestamp> {
    let bytes = name.as_bytes();
    (0..bytes.len()).filter(|&at| at == 0 || !bytes[at - 1].is_ascii_digit()).find_map(|at| {
        let mut digits = Digits { rest: &bytes[at..] };
        let written = digits.date_time()?;
        is_utc(name, at, &written, digits.rest).then(|| written.timestamp()).flatten()
    })
}

/// A date and a time as they are written.
struct Written {
    date_time: DateTime,
    /// What stands between the two.
    between: u8,
    has_milliseconds: bool,
}

impl Written {
    fn timestamp(&self) -> Option<Timestamp> {
        TimeZone::UTC.to_timestamp(self.date_time).ok()
    }
}

/// Whether a time at this place is in UTC.
fn is_utc(name: &str, at: usize, written: &Written, rest: &[u8]) -> bool {
    // SDR#, HDSDR, SDRuno, hackrf_transfer, airspy_rx and ISO 8601.
    rest.first() == Some(&b'Z')
        // gqrx: the time follows its name.
        || name[..at].eq_ignore_ascii_case("gqrx_")
        // SDRangel: 2024-01-15T12_30_45_123.
        || (written.between == b'T' && written.has_milliseconds)
        // SatDump begins with the time and goes on with the rate.
        || (at == 0 && is_rate(rest))
}

/// Whether this is `_250000SPS...`.
fn is_rate(rest: &[u8]) -> bool {
    let Some(rest) = rest.strip_prefix(b"_") else { return false };
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    digits > 0 && rest[digits..].starts_with(b"SPS")
}

/// Reads digits with or without separators.
struct Digits<'a> {
    rest: &'a [u8],
}

impl Digits<'_> {
    /// `20240115_123045`, `2024-01-15_12-30-45`, `2024-01-15T12_30_45_123` and the like.
    fn date_time(&mut self) -> Option<Written> {
        let year = self.number(4)?;
        self.separator(b"-");
        let month = self.number(2)?;
        self.separator(b"-");
        let day = self.number(2)?;
        let between = self.separator(b"_T -").unwrap_or_default();
        let hour = self.number(2)?;
        self.separator(b"-_:");
        let minute = self.number(2)?;
        self.separator(b"-_:");
        let second = self.number(2)?;
        let milliseconds = self.milliseconds();
        let small = |value: u16| i8::try_from(value).ok();
        let date_time = DateTime::new(
            i16::try_from(year).ok()?,
            small(month)?,
            small(day)?,
            small(hour)?,
            small(minute)?,
            small(second)?,
            i32::from(milliseconds.unwrap_or_default()) * 1_000_000,
        );
        Some(Written {
            date_time: date_time.ok()?,
            between,
            has_milliseconds: milliseconds.is_some(),
        })
    }

    /// So many digits.
    fn number(&mut self, count: usize) -> Option<u16> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        let number = digits.iter().try_fold(0, |number, digit| {
            digit.is_ascii_digit().then(|| 10 * number + u16::from(digit - b'0'))
        })?;
        self.rest = rest;
        Some(number)
    }

    /// One of these characters, if it is there.
    fn separator(&mut self, separators: &[u8]) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        separators.contains(&first).then(|| {
            self.rest = rest;
            first
        })
    }

    /// A separator and exactly three digits, if they are there and of no longer number such as `868.13M` or `200k`.
    fn milliseconds(&mut self) -> Option<u16> {
        let mut digits = Digits { rest: self.rest };
        digits.separator(b"-_.")?;
        let number = digits.number(3)?;
        let is_all = match digits.rest {
            [b'.', next, ..] => !next.is_ascii_digit(),
            [next, ..] => *next == b'Z' || !next.is_ascii_alphanumeric(),
            [] => true,
        };
        is_all.then(|| {
            self.rest = digits.rest;
            number
        })
    }
}
