//! Which faults are worth a line, and how often the others came.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, Instant};

use nap_io::live::{Fault, FaultKind};

/// A fault that comes again within so much time is only counted, and told of in one line afterwards.
const QUIET: Duration = Duration::from_secs(30);
/// So many reasons why a source cannot be opened are told of, one after the other.
const MAX_REASONS: usize = 4;

/// Chooses what to tell people about a source's faults: what is wrong once, and then how often.
#[derive(Debug, Default)]
pub struct FaultLog {
    told: BTreeMap<FaultKind, Told>,
    /// Whether an outage was told of, so that its end is told of too.
    is_down: bool,
}

#[derive(Debug)]
struct Told {
    since: Instant,
    more: u64,
    /// What was told, without its numbers.
    reasons: BTreeSet<String>,
}

/// That a fault came again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repetition {
    /// What kind of fault.
    pub kind: FaultKind,
    /// How often, after the one that was told of.
    pub count: u64,
    /// Within which time.
    pub duration: Duration,
}

impl fmt::Display for Repetition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, seconds) = (self.kind.name(), self.duration.as_secs());
        write!(f, "{} more of the kind \"{name}\" in {seconds} s", self.count)
    }
}

impl FaultLog {
    /// Whether to tell of a fault: not if one of its kind was told of a moment ago, and not if it follows
    /// from one that was. That a source cannot be opened for another reason than before is news: a server that
    /// was not there is busy now.
    pub fn fault(&mut self, fault: &Fault, now: Instant) -> bool {
        let reason = fault.text.chars().filter(|letter| !letter.is_ascii_digit()).collect();
        if let Some(told) = self.told.get_mut(&fault.kind) {
            let may_tell = fault.kind == FaultKind::Open && told.reasons.len() < MAX_REASONS;
            let is_news = may_tell && told.reasons.insert(reason);
            told.more += u64::from(!is_news);
            return is_news;
        }
        if self.is_down && fault.kind.is_fatal() {
            return false;
        }
        let told = Told { since: now, more: 0, reasons: BTreeSet::from([reason]) };
        self.told.insert(fault.kind, told);
        self.is_down |= fault.kind.is_fatal();
        true
    }

    /// Whether to tell that the source works again: only if its outage was told of.
    pub fn recovered(&mut self) -> bool {
        std::mem::take(&mut self.is_down)
    }

    /// The faults that came again since they were told of, when it is time to say so. Call it now and
    /// then.
    pub fn repetitions(&mut self, now: Instant) -> Vec<Repetition> {
        let mut repetitions = Vec::new();
        self.told.retain(|&kind, told| {
            let duration = now.saturating_duration_since(told.since);
            if duration < QUIET {
                return true;
            }
            let count = std::mem::take(&mut told.more);
            told.since = now;
            if count > 0 {
                repetitions.push(Repetition { kind, count, duration });
            }
            count > 0
        });
        repetitions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: FaultKind) -> Fault {
        Fault { kind, text: kind.name().into() }
    }

    #[test]
    fn a_fault_is_told_once_and_then_counted() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut log = FaultLog::default();
        assert!(log.fault(&fault(FaultKind::Overflow), at(0)));
        assert!(!log.fault(&fault(FaultKind::Overflow), at(1)));
        assert!(!log.fault(&fault(FaultKind::Overflow), at(29)));
        assert!(log.fault(&fault(FaultKind::Gap), at(20)), "another kind");
        assert_eq!(log.repetitions(at(29)), []);
        let repeated = log.repetitions(at(31));
        let duration = Duration::from_secs(31);
        assert_eq!(repeated, [Repetition { kind: FaultKind::Overflow, count: 2, duration }]);
        assert_eq!(repeated[0].to_string(), "2 more of the kind \"overflow\" in 31 s");
        // It goes on in silence, and is news again after half a minute without.
        assert!(!log.fault(&fault(FaultKind::Overflow), at(40)));
        assert_eq!(log.repetitions(at(62)).len(), 1);
        assert_eq!(log.repetitions(at(93)), []);
        assert!(log.fault(&fault(FaultKind::Overflow), at(94)));
    }

    #[test]
    fn another_reason_why_a_source_cannot_be_opened_is_news() {
        let start = Instant::now();
        let mut log = FaultLog::default();
        let mut tell =
            |text: &str| log.fault(&Fault { kind: FaultKind::Open, text: text.into() }, start);
        assert!(tell("connection refused"));
        assert!(tell("no header within 10 s"));
        assert!(!tell("no header within 20 s"), "the same but for the number");
        assert!(!tell("connection refused"), "told before");
        let words = ["a", "b", "c", "d"];
        assert_eq!(words.map(&mut tell), [true, true, false, false]);
        let gap = |text: &str| Fault { kind: FaultKind::Gap, text: text.into() };
        assert!(log.fault(&gap("some are missing"), start));
        assert!(!log.fault(&gap("others are missing"), start), "happens again and again");
    }

    #[test]
    fn what_fails_while_the_source_is_down_follows_from_what_was_told() {
        let start = Instant::now();
        let mut log = FaultLog::default();
        assert!(!log.recovered(), "nothing was told");
        assert!(log.fault(&fault(FaultKind::Stall), start));
        assert!(!log.fault(&fault(FaultKind::Open), start));
        assert!(log.fault(&fault(FaultKind::Gap), start), "not fatal");
        assert!(log.recovered());
        assert!(!log.recovered());
        assert!(log.fault(&fault(FaultKind::Open), start));
    }
}
