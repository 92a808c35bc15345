//! How far the computer's time of day can be trusted, and message time while it cannot.

use crate::rules::utc::Utc;

/// The time of day has jumped if it passes so much faster or slower than it should between two looks, in seconds.
const STEP_S: f64 = 2.0;
/// A synchronized clock that is earlier than a time that was saved wins after so long, in seconds.
const CONTRADICTS_S: f64 = 600.0;

/// What the time of day goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockName {
    /// The kernel says that a time service keeps it.
    Ntp,
    /// Nobody keeps it, but it may be right.
    Rtc,
    /// It cannot be right.
    None,
}

impl ClockName {
    /// The name in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ntp => "ntp",
            Self::Rtc => "rtc",
            Self::None => "none",
        }
    }

    /// Whether message times may go by it.
    #[must_use]
    pub fn is_trusted(self) -> bool {
        self != Self::None
    }
}

/// What the clocks say at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// The time of day, which may be wrong and may jump.
    pub utc: Utc,
    /// Seconds since the computer was started, which do neither.
    pub uptime_s: f64,
    /// Whether a time service keeps the time of day.
    pub is_synchronized: bool,
}

/// Something that is to be told of the clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ClockNews {
    /// It goes by something else.
    Changed {
        /// What it went by.
        from: ClockName,
        /// What it goes by.
        to: ClockName,
    },
    /// The time of day has jumped by so many seconds.
    Stepped {
        /// Negative if back.
        by_s: f64,
    },
    /// A time that was saved was wrong: a time service says another one, and nothing contradicts it.
    Overruled {
        /// The time that was saved.
        saved: Utc,
    },
}

/// Judges the computer's clock by floors: it cannot be earlier than the program, nor than a time when it was right.
#[derive(Debug, Clone)]
pub struct ClockJudge {
    built: Utc,
    saved: Option<Utc>,
    name: ClockName,
    last: Option<Reading>,
    /// Since when a time service contradicts what was saved, by the uptime in seconds.
    contradicts_since_s: Option<f64>,
}

impl ClockJudge {
    /// A judge who knows when the program was built, and the last time that was saved while the clock was right.
    #[must_use]
    pub fn new(built: Utc, saved: Option<Utc>) -> Self {
        Self { built, saved, name: ClockName::None, last: None, contradicts_since_s: None }
    }

    /// What the clock goes by.
    #[must_use]
    pub fn name(&self) -> ClockName {
        self.name
    }

    /// What was read last.
    #[must_use]
    pub fn last(&self) -> Option<Reading> {
        self.last
    }

    /// The time to save for the next start: only what a time service says.
    #[must_use]
    pub fn to_save(&self) -> Option<Utc> {
        self.last.filter(|_| self.name == ClockName::Ntp).map(|reading| reading.utc)
    }

    /// Looks at the clock, and returns what there is to tell; of the first look nothing.
    pub fn look(&mut self, reading: Reading) -> Vec<ClockNews> {
        let mut news = Vec::new();
        let step = self.last.and_then(|last| step(last, reading));
        if let Some(by_s) = step {
            news.push(ClockNews::Stepped { by_s });
            self.contradicts_since_s = None;
        }
        if let Some(saved) = self.overruled(reading) {
            news.push(ClockNews::Overruled { saved });
            self.saved = Some(reading.utc);
        }
        let (from, to) = (self.name, self.judge(reading));
        if from != to && self.last.is_some() {
            news.push(ClockNews::Changed { from, to });
        }
        self.name = to;
        self.last = Some(reading);
        if to == ClockName::Ntp {
            self.saved = self.saved.max(Some(reading.utc));
        }
        news
    }

    fn judge(&self, reading: Reading) -> ClockName {
        if reading.utc < self.built || self.saved.is_some_and(|saved| reading.utc < saved) {
            ClockName::None
        } else if reading.is_synchronized {
            ClockName::Ntp
        } else {
            ClockName::Rtc
        }
    }

    /// What was saved, if a time service has contradicted it for long enough.
    fn overruled(&mut self, reading: Reading) -> Option<Utc> {
        let saved = self.saved.filter(|saved| {
            reading.is_synchronized && reading.utc >= self.built && reading.utc < *saved
        });
        if saved.is_none() {
            self.contradicts_since_s = None;
        }
        let since_s = *saved.map(|_| self.contradicts_since_s.get_or_insert(reading.uptime_s))?;
        saved.filter(|_| reading.uptime_s - since_s >= CONTRADICTS_S)
    }
}

/// By how many seconds the time of day has jumped, if it has.
fn step(last: Reading, now: Reading) -> Option<f64> {
    let by_s = now.utc.seconds_since(last.utc) - (now.uptime_s - last.uptime_s);
    (by_s.abs() > STEP_S).then_some(by_s)
}

/// Message time while the time of day is not known: it counts on with the uptime from the beginning of a day that
/// comes after all that is known, so that this day has a budget of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunningTime {
    /// Where it begins.
    pub base: Utc,
    /// The uptime there, in seconds.
    pub since_s: f64,
}

impl RunningTime {
    /// Begins now, after the newest time that is known.
    #[must_use]
    pub fn after(newest: Utc, uptime_s: f64) -> Self {
        let mut day = newest.day();
        day.0 += 1;
        Self { base: day.start(), since_s: uptime_s }
    }

    /// The message time at an uptime; never before the base.
    #[must_use]
    pub fn at(&self, uptime_s: f64) -> Utc {
        self.base.plus_s((uptime_s - self.since_s).max(0.0))
    }

    /// By how many microseconds its times are wrong, as a reading of a clock that is right tells.
    #[must_use]
    pub fn offset_us(&self, right: Reading) -> i64 {
        right.utc.0.saturating_sub(self.base.plus_s(right.uptime_s - self.since_s).0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_S: f64 = 86_400.0;

    fn built() -> Utc {
        Utc::parse("2026-11-01T00:00:00Z").unwrap()
    }

    /// So many seconds after the program was built, at an uptime.
    fn reading(after_s: f64, uptime_s: f64, is_synchronized: bool) -> Reading {
        Reading { utc: built().plus_s(after_s), uptime_s, is_synchronized }
    }

    #[test]
    fn a_clock_below_its_floors_is_none() {
        let of = |saved: Option<f64>, after_s, is_synchronized| {
            let mut judge = ClockJudge::new(built(), saved.map(|at| built().plus_s(at)));
            assert_eq!(judge.look(reading(after_s, 0.0, is_synchronized)), []);
            judge.name()
        };
        assert_eq!(of(None, -1.0, false), ClockName::None);
        assert_eq!(of(None, -1.0, true), ClockName::None, "1024 weeks ago, whoever says so");
        assert_eq!(of(None, 0.0, false), ClockName::Rtc);
        assert_eq!(of(None, 0.0, true), ClockName::Ntp);
        assert_eq!(of(Some(DAY_S), 0.0, false), ClockName::None);
        assert_eq!(of(Some(DAY_S), DAY_S, false), ClockName::Rtc);
    }

    #[test]
    fn the_network_comes_later_and_goes_again() {
        let mut judge = ClockJudge::new(built(), None);
        judge.look(reading(-1e9, 5.0, false));
        assert_eq!(judge.to_save(), None);
        let news = judge.look(reading(100.0, 10.0, true));
        let changed = ClockNews::Changed { from: ClockName::None, to: ClockName::Ntp };
        assert_eq!(news, [ClockNews::Stepped { by_s: 1e9 + 95.0 }, changed]);
        assert_eq!(judge.to_save(), Some(built().plus_s(100.0)));
        assert_eq!(judge.look(reading(101.0, 11.0, true)), []);
        let changed = ClockNews::Changed { from: ClockName::Ntp, to: ClockName::Rtc };
        assert_eq!(judge.look(reading(102.0, 12.0, false)), [changed]);
        assert_eq!(judge.to_save(), None);
    }

    #[test]
    fn a_time_service_overrules_what_was_saved_after_ten_minutes() {
        let mut judge = ClockJudge::new(built(), Some(built().plus_s(900.0 * DAY_S)));
        judge.look(reading(DAY_S, 0.0, true));
        judge.look(reading(DAY_S + 599.0, 599.0, true));
        assert_eq!(judge.name(), ClockName::None);
        // Another time contradicts: ten minutes more.
        judge.look(reading(2.0 * DAY_S, 600.0, true));
        let until = judge.look(reading(2.0 * DAY_S + 599.0, 1199.0, true));
        assert_eq!((until, judge.name()), (vec![], ClockName::None));
        let news = judge.look(reading(2.0 * DAY_S + 600.0, 1200.0, true));
        let saved = built().plus_s(900.0 * DAY_S);
        assert_eq!(news[0], ClockNews::Overruled { saved });
        assert_eq!(judge.name(), ClockName::Ntp);
        // Nobody but a time service can: a clock that nobody keeps never does.
        let mut judge = ClockJudge::new(built(), Some(saved));
        judge.look(reading(DAY_S, 0.0, false));
        assert_eq!(judge.look(reading(DAY_S + 9000.0, 9000.0, false)), []);
    }

    #[test]
    fn time_that_runs_begins_a_day_and_can_be_corrected() {
        let newest = built().plus_s(3600.0);
        let running = RunningTime::after(newest, 50.0);
        assert_eq!(running.base, built().plus_s(DAY_S));
        assert_eq!(running.at(60.0), running.base.plus_s(10.0));
        assert_eq!(running.at(0.0), running.base);
        let right = reading(7200.0, 80.0, true);
        let corrected = Utc(running.at(60.0).0 + running.offset_us(right));
        assert_eq!(corrected, built().plus_s(7180.0));
    }
}
