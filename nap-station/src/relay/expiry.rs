//! Tells in time that a certificate ends.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::json;

use crate::relay::outbox::{Level, Report};
use crate::relay::tls::TlsFiles;

/// So many days before its end a certificate is told of, and how loudly.
const STEPS: [(i64, Level); 4] =
    [(0, Level::Alarm), (7, Level::Alarm), (30, Level::Warning), (60, Level::Info)];
const SECONDS_PER_DAY: i64 = 86_400;

/// What was told already.
#[derive(Debug, Default)]
pub struct Expiry {
    told: BTreeMap<PathBuf, (Timestamp, usize)>,
}

impl Expiry {
    /// Looks at certificates: each step is told once, of a renewed certificate again.
    pub fn look(&mut self, relay: &str, files: &TlsFiles, now: Timestamp) -> Vec<Report> {
        let ends = files.ends();
        ends.into_iter().filter_map(|(file, end)| self.step(relay, file, end, now)).collect()
    }

    fn step(
        &mut self,
        relay: &str,
        file: PathBuf,
        end: Timestamp,
        now: Timestamp,
    ) -> Option<Report> {
        let left_s = end.as_second() - now.as_second();
        let step = STEPS.iter().position(|(days, _)| left_s <= days * SECONDS_PER_DAY)?;
        match self.told.get(&file) {
            Some(&(told_end, told_step)) if told_end == end && told_step <= step => return None,
            _ => self.told.insert(file.clone(), (end, step)),
        };
        let days = left_s.div_euclid(SECONDS_PER_DAY);
        Some(Report {
            event_type: "certificate_expires",
            level: STEPS[step].1,
            detail: json!({"relay": relay, "file": file, "ends": end.to_string(), "days": days}),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(days: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + days * SECONDS_PER_DAY).unwrap()
    }

    #[test]
    fn a_certificate_is_told_of_at_60_30_and_7_days_and_at_its_end() {
        let mut expiry = Expiry::default();
        let mut told = Vec::new();
        for day in 0..=101 {
            let report = expiry.step("cloud", "client.pem".into(), at(100), at(day));
            told.extend(report.map(|report| (100 - day, report.level)));
        }
        let expected =
            [(60, Level::Info), (30, Level::Warning), (7, Level::Alarm), (0, Level::Alarm)];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_renewed_certificate_is_told_of_again() {
        let mut expiry = Expiry::default();
        let mut step = |end, now| expiry.step("cloud", "client.pem".into(), at(end), at(now));
        assert_eq!(step(10, 5).unwrap().detail["days"], 5);
        assert_eq!(step(10, 6), None);
        assert_eq!(step(200, 7), None);
        assert_eq!(step(200, 195).unwrap().level, Level::Alarm);
    }
}
