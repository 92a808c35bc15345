//! How far the clocks can be trusted, and message time while none can.

use crate::rules::utc::Utc;

/// The time of day has jumped if it passes so much faster or slower than it should between two looks, in seconds;
/// it is before another one if it is earlier by more.
const STEP_S: f64 = 2.0;
/// A time service or a GPS receiver that is earlier than a time that was saved wins after so long, in seconds.
const CONTRADICTS_S: f64 = 600.0;

/// What the time of day goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockName {
    /// A GPS receiver with a valid fix says it.
    Gps,
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
            Self::Gps => "gps",
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

    /// Whether somebody keeps it.
    #[must_use]
    pub fn is_kept(self) -> bool {
        matches!(self, Self::Gps | Self::Ntp)
    }
}

/// What the clocks say at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// The computer's time of day, which may be wrong and may jump.
    pub utc: Utc,
    /// Seconds since the computer was started, which do neither.
    pub uptime_s: f64,
    /// Whether a time service keeps the computer's time of day.
    pub is_synchronized: bool,
    /// What a GPS receiver with a valid fix says.
    pub gps: Option<Utc>,
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
    /// A time that was saved was wrong: a time service or a GPS receiver says another one, and nothing contradicts it.
    Overruled {
        /// The time that was saved.
        saved: Utc,
    },
}

/// A time of day, and the uptime in seconds then.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Anchor {
    utc: Utc,
    uptime_s: f64,
}

impl Anchor {
    /// The time of day at another uptime, if it goes on as it should.
    fn at(self, uptime_s: f64) -> Utc {
        self.utc.plus_s(uptime_s - self.uptime_s)
    }

    /// By how many seconds a later one has jumped, if it has.
    fn step(self, now: Self) -> Option<f64> {
        let by_s = now.utc.seconds_since(self.at(now.uptime_s));
        (by_s.abs() > STEP_S).then_some(by_s)
    }
}

/// Judges the clocks by floors: none can be earlier than the program, nor than a time when one was right.
#[derive(Debug, Clone)]
pub struct ClockJudge {
    built: Utc,
    saved: Option<Utc>,
    name: ClockName,
    last: Option<Anchor>,
    /// What a GPS receiver said last, unless a time service has kept the computer's clock since: better than a
    /// clock that nobody keeps.
    held: Option<Anchor>,
    /// Since when what was saved is contradicted.
    contradiction: Option<Anchor>,
}

impl ClockJudge {
    /// A judge who knows when the program was built, and the last time that was saved while the clock was right.
    #[must_use]
    pub fn new(built: Utc, saved: Option<Utc>) -> Self {
        let name = ClockName::None;
        Self { built, saved, name, last: None, held: None, contradiction: None }
    }

    /// What the clock goes by.
    #[must_use]
    pub fn name(&self) -> ClockName {
        self.name
    }

    /// The time of day by what the clock goes by; as of the last look, but for time that has passed.
    #[must_use]
    pub fn utc(&self, reading: Reading) -> Utc {
        match self.name {
            ClockName::Gps => reading.gps.unwrap_or_else(|| self.unkept(reading)),
            ClockName::Rtc => self.unkept(reading),
            ClockName::Ntp | ClockName::None => reading.utc,
        }
    }

    /// The time to save for the next start: only what somebody keeps.
    #[must_use]
    pub fn to_save(&self) -> Option<Utc> {
        self.last.filter(|_| self.name.is_kept()).map(|last| last.utc)
    }

    /// Looks at the clocks, and returns what there is to tell; of the first look nothing.
    pub fn look(&mut self, reading: Reading) -> Vec<ClockNews> {
        let mut news = Vec::new();
        let overruled = self.overruled(reading);
        let (from, to) = (self.name, self.judge(reading));
        self.name = to;
        let now = Anchor { utc: self.utc(reading), uptime_s: reading.uptime_s };
        if let Some(by_s) = self.last.and_then(|last| last.step(now)) {
            news.push(ClockNews::Stepped { by_s });
        }
        news.extend(overruled.map(|saved| ClockNews::Overruled { saved }));
        if from != to && self.last.is_some() {
            news.push(ClockNews::Changed { from, to });
        }
        if to.is_kept() {
            self.held = (to == ClockName::Gps).then_some(now);
            self.saved = self.saved.max(Some(now.utc));
        }
        self.last = Some(now);
        news
    }

    fn judge(&self, reading: Reading) -> ClockName {
        let can_be = |utc: &Utc| self.can_be(*utc);
        if reading.gps.is_some_and(|utc| can_be(&utc)) {
            ClockName::Gps
        } else if reading.is_synchronized && can_be(&reading.utc) {
            ClockName::Ntp
        } else if can_be(&self.unkept(reading)) {
            ClockName::Rtc
        } else {
            ClockName::None
        }
    }

    /// The time of day where nobody keeps it: as a GPS receiver said it last, else the computer's.
    fn unkept(&self, reading: Reading) -> Utc {
        self.held.map_or(reading.utc, |held| held.at(reading.uptime_s))
    }

    fn can_be(&self, utc: Utc) -> bool {
        let is_before_saved = self.saved.is_some_and(|saved| utc.plus_s(STEP_S) < saved);
        utc >= self.built && !is_before_saved
    }

    /// Forgets what was saved, if it was contradicted for long enough by those who should know; returns it.
    fn overruled(&mut self, reading: Reading) -> Option<Utc> {
        let services = [reading.gps, reading.is_synchronized.then_some(reading.utc)];
        let mut services = services.into_iter().flatten().filter(|utc| *utc >= self.built);
        let first = services.clone().next();
        let utc = first.filter(|_| !services.any(|utc| self.can_be(utc)));
        let now = utc.map(|utc| Anchor { utc, uptime_s: reading.uptime_s });
        let since =
            self.contradiction.filter(|since| now.is_some_and(|now| since.step(now).is_none()));
        self.contradiction = since.or(now);
        let is_over = reading.uptime_s - self.contradiction?.uptime_s >= CONTRADICTS_S;
        let saved = self.saved.filter(|_| is_over)?;
        self.saved = None;
        self.contradiction = None;
        Some(saved)
    }
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

    /// By how many microseconds its times are wrong, as the right time at an uptime tells.
    #[must_use]
    pub fn offset_us(&self, right: Utc, uptime_s: f64) -> i64 {
        right.0.saturating_sub(self.base.plus_s(uptime_s - self.since_s).0)
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
        Reading { utc: built().plus_s(after_s), uptime_s, is_synchronized, gps: None }
    }

    /// The same of a clock that nobody keeps, with a GPS receiver's time.
    fn with_gps(after_s: f64, uptime_s: f64, gps_after_s: f64) -> Reading {
        Reading { gps: Some(built().plus_s(gps_after_s)), ..reading(after_s, uptime_s, false) }
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

    /// A truck without a network: its clock says 1970.
    #[test]
    fn a_gps_receiver_tells_the_time_of_day_and_it_goes_on_in_tunnels() {
        let mut judge = ClockJudge::new(built(), None);
        judge.look(reading(-1e9, 5.0, false));
        assert_eq!(judge.name(), ClockName::None);
        let heard = with_gps(-1e9 + 5.0, 10.0, 100.0);
        let changed = |from, to| ClockNews::Changed { from, to };
        let news = judge.look(heard);
        assert_eq!(news[1..], [changed(ClockName::None, ClockName::Gps)]);
        let right = built().plus_s(100.0);
        assert_eq!((judge.utc(heard), judge.to_save()), (right, Some(right)));
        // A tunnel: nobody keeps it, and it goes on.
        let tunnel = reading(-1e9 + 65.0, 70.0, false);
        assert_eq!(judge.look(tunnel), [changed(ClockName::Gps, ClockName::Rtc)]);
        assert_eq!((judge.utc(tunnel), judge.to_save()), (built().plus_s(160.0), None));
        // A time service that agrees, after a second of its own.
        let kept = reading(161.0, 70.0, true);
        assert_eq!(judge.look(kept), [changed(ClockName::Rtc, ClockName::Ntp)]);
        assert_eq!(judge.utc(kept), built().plus_s(161.0));
    }

    #[test]
    fn a_gps_receiver_that_goes_back_1024_weeks_is_not_believed() {
        let mut judge = ClockJudge::new(built(), None);
        judge.look(Reading { gps: Some(built().plus_s(10.0)), ..reading(10.0, 10.0, true) });
        assert_eq!(judge.name(), ClockName::Gps);
        let back = Some(built().plus_s(-1024.0 * 7.0 * DAY_S));
        judge.look(Reading { gps: back, ..reading(11.0, 11.0, true) });
        assert_eq!(judge.name(), ClockName::Ntp, "the computer's clock is right");
        let alone = Reading { gps: back, ..reading(12.0, 12.0, false) };
        let changed = ClockNews::Changed { from: ClockName::Ntp, to: ClockName::Rtc };
        assert_eq!((judge.look(alone), judge.utc(alone)), (vec![changed], alone.utc));
        // Nor does it overrule what was saved, however long it says so.
        let mut judge = ClockJudge::new(built(), Some(built()));
        for minute in 0..60 {
            let uptime_s = f64::from(minute) * 60.0;
            judge.look(Reading { gps: back, ..reading(-1e9 + uptime_s, uptime_s, false) });
            assert_eq!(judge.name(), ClockName::None);
        }
    }

    #[test]
    fn who_is_earlier_than_what_was_saved_wins_only_if_nobody_who_keeps_time_says_otherwise() {
        let mut judge = ClockJudge::new(built(), Some(built().plus_s(10.0 * DAY_S)));
        let both = |uptime_s: f64, is_synchronized| {
            let gps = Some(built().plus_s(3.0 * DAY_S + uptime_s));
            Reading { gps, ..reading(11.0 * DAY_S + uptime_s, uptime_s, is_synchronized) }
        };
        for uptime_s in [0.0, 600.0, 1200.0] {
            judge.look(both(uptime_s, true));
            assert_eq!(judge.name(), ClockName::Ntp, "{uptime_s}");
        }
        judge.look(both(1300.0, false));
        assert_eq!(judge.name(), ClockName::Rtc);
        judge.look(both(1899.0, false));
        let saved = built().plus_s(11.0 * DAY_S + 1200.0);
        let news = judge.look(both(1900.0, false));
        assert!(news.contains(&ClockNews::Overruled { saved }), "{news:?}");
        assert_eq!(judge.name(), ClockName::Gps);
    }

    #[test]
    fn time_that_runs_begins_a_day_and_can_be_corrected() {
        let newest = built().plus_s(3600.0);
        let running = RunningTime::after(newest, 50.0);
        assert_eq!(running.base, built().plus_s(DAY_S));
        assert_eq!(running.at(60.0), running.base.plus_s(10.0));
        assert_eq!(running.at(0.0), running.base);
        let offset_us = running.offset_us(built().plus_s(7200.0), 80.0);
        let corrected = Utc(running.at(60.0).0 + offset_us);
        assert_eq!(corrected, built().plus_s(7180.0));
    }
}
