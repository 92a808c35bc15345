//! Points in time as rules and ledger reckon with them.

use jiff::Timestamp;

const US_PER_S: i64 = 1_000_000;
const US_PER_DAY: i64 = 86_400 * US_PER_S;

/// A point in time in UTC, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Utc(pub i64);

/// A date in UTC, in days since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i64);

impl Utc {
    /// From text, RFC 3339.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(|time: Timestamp| Self(time.as_microsecond()))
    }

    /// As text, RFC 3339 in UTC, to the microsecond.
    #[must_use]
    pub fn text(self) -> String {
        format!("{:.6}", self.timestamp())
    }

    /// As others reckon with it; 1970 where that goes too far.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_microsecond(self.0).unwrap_or_default()
    }

    /// The date.
    #[must_use]
    pub fn day(self) -> Day {
        Day(self.0.div_euclid(US_PER_DAY))
    }

    /// The number of the hour since 1970.
    #[must_use]
    pub fn hour(self) -> i64 {
        self.0.div_euclid(3600 * US_PER_S)
    }

    /// So many seconds later.
    #[must_use]
    pub fn plus_s(self, seconds: f64) -> Self {
        Self(self.0.saturating_add((seconds * US_PER_S as f64).round() as i64))
    }

    /// So many microseconds later.
    #[must_use]
    pub fn plus_us(self, microseconds: i64) -> Self {
        Self(self.0.saturating_add(microseconds))
    }

    /// How many microseconds after `earlier`; 0 if it is not.
    #[must_use]
    pub fn us_since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }

    /// How many seconds after `earlier`; negative if before.
    #[must_use]
    pub fn seconds_since(self, earlier: Self) -> f64 {
        self.0.saturating_sub(earlier.0) as f64 / US_PER_S as f64
    }
}

impl From<Timestamp> for Utc {
    fn from(time: Timestamp) -> Self {
        Self(time.as_microsecond())
    }
}

impl Day {
    /// Its first moment.
    #[must_use]
    pub fn start(self) -> Utc {
        Utc(self.0.saturating_mul(US_PER_DAY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_at_midnight() {
        let last = Utc::parse("2026-11-23T23:59:59.999999Z").unwrap();
        let first = last.plus_s(1e-6);
        assert_eq!(first.text(), "2026-11-24T00:00:00.000000Z");
        assert_eq!((first.day().0, first.day().start()), (last.day().0 + 1, first));
        assert_eq!((first.us_since(last), last.us_since(first)), (1, 0));
        assert_eq!(Utc(-1).day(), Day(-1));
        assert_eq!(Utc::parse("yesterday"), None);
    }
}
