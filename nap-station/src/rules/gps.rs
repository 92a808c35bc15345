//! What a GPS receiver says, and how far it is believed.
//!
//! Receivers go on with the last fix without a sky, say 0,0 before the first, jump across a continent when
//! somebody plays them a recording, and go back 1024 weeks when their counter is full. Time is handed in.

use serde_json::{Value, json};

use crate::rules::utc::Utc;

/// A fix counts for so long after the receiver's time has last advanced, in seconds.
const AGE_S: f64 = 10.0;
/// Nothing that carries a station is faster, in metres a second.
const FASTEST_M_PER_S: f64 = 300.0;
/// So many fixes that agree replace a position that they contradict,
const CONTRARY_FIXES: u32 = 5;
/// over so many seconds.
const CONTRARY_S: f64 = 30.0;
/// Closer to where equator and prime meridian meet is no position but a receiver without one, in degrees.
const NULL_ISLAND_DEG: f64 = 1e-4;
/// Mean radius of the Earth, in metres (IUGG).
const EARTH_M: f64 = 6_371_009.0;
/// A receiver's time has jumped if it differs by more from what is known of it, in seconds.
const STEP_S: f64 = 2.0;
/// So much faster may the computer's uptime run than time, in seconds a second: crystals are better.
const DRIFT: f64 = 2e-4;

/// A place on the Earth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
}

impl Position {
    /// As records have it.
    #[must_use]
    pub fn json(self) -> Value {
        json!({ "latitude": self.latitude, "longitude": self.longitude })
    }

    /// The way to another one, in metres.
    #[must_use]
    pub fn distance_m(self, other: Self) -> f64 {
        let (from, to) = (self.latitude.to_radians(), other.latitude.to_radians());
        let east = (other.longitude - self.longitude).to_radians();
        let half =
            ((to - from) / 2.0).sin().powi(2) + from.cos() * to.cos() * (east / 2.0).sin().powi(2);
        2.0 * EARTH_M * half.sqrt().min(1.0).asin()
    }
}

/// What a receiver says at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Report {
    /// The time of day.
    pub time: Option<Utc>,
    /// 2 and more: it has a position.
    pub mode: u8,
    /// Degrees north and east.
    pub place: Option<(f64, f64)>,
    /// How far off the position may be, in metres.
    pub error_m: Option<f64>,
}

/// What counts of what a receiver says.
#[derive(Debug, Clone, Default)]
pub struct GpsJudge {
    /// What it has said last that the time is.
    told: Option<Utc>,
    fix: Option<Fix>,
    contrary: Option<Contrary>,
    /// Time of day less uptime, in microseconds, and the uptime of that.
    offset: Option<(i64, f64)>,
}

#[derive(Debug, Clone, Copy)]
struct Fix {
    position: Position,
    error_m: f64,
    uptime_s: f64,
}

/// Fixes that contradict the position that is known, and agree with each other.
#[derive(Debug, Clone, Copy)]
struct Contrary {
    last: Fix,
    since_s: f64,
    count: u32,
}

impl GpsJudge {
    /// Looks at what the receiver says.
    pub fn look(&mut self, report: &Report, uptime_s: f64) {
        let Some(time) = report.time else { return };
        // A time that was there already is that of an old fix, and so is one before it until it advances.
        let has_advanced = self.told.replace(time).is_none_or(|told| time > told);
        let Some(fix) = fix(report, uptime_s).filter(|_| has_advanced) else { return };
        if self.counts(fix) {
            self.fix = Some(fix);
            self.contrary = None;
            self.follow(time, uptime_s);
        }
    }

    /// Where the receiver is, if it knows.
    #[must_use]
    pub fn position(&self, uptime_s: f64) -> Option<Position> {
        Some(self.valid(uptime_s)?.position)
    }

    /// The time of day, if the receiver knows.
    #[must_use]
    pub fn utc(&self, uptime_s: f64) -> Option<Utc> {
        self.valid(uptime_s)?;
        let (offset_us, _) = self.offset?;
        Some(Utc(offset_us).plus_s(uptime_s))
    }

    fn valid(&self, uptime_s: f64) -> Option<Fix> {
        self.fix.filter(|fix| uptime_s - fix.uptime_s < AGE_S)
    }

    /// Whether a fix can be, after those before it.
    fn counts(&mut self, fix: Fix) -> bool {
        if self.fix.is_none_or(|known| can_follow(known, fix)) {
            return true;
        }
        let contrary = match self.contrary {
            Some(before) if can_follow(before.last, fix) => {
                Contrary { last: fix, count: before.count + 1, ..before }
            }
            _ => Contrary { last: fix, since_s: fix.uptime_s, count: 1 },
        };
        self.contrary = Some(contrary);
        contrary.count >= CONTRARY_FIXES && fix.uptime_s - contrary.since_s >= CONTRARY_S
    }

    /// What a receiver says of the time comes late, now more and now less: what comes earliest is right.
    fn follow(&mut self, time: Utc, uptime_s: f64) {
        let said_us = time.plus_s(-uptime_s).0;
        let known_us = self
            .offset
            .map(|(offset_us, since_s)| Utc(offset_us).plus_s(-DRIFT * (uptime_s - since_s)).0);
        let is_step = |known_us: &i64| Utc(said_us).seconds_since(Utc(*known_us)).abs() > STEP_S;
        let offset_us = known_us.filter(|known| !is_step(known)).unwrap_or(said_us).max(said_us);
        self.offset = Some((offset_us, uptime_s));
    }
}

/// The position in a report, if there is one to go by.
fn fix(report: &Report, uptime_s: f64) -> Option<Fix> {
    let (latitude, longitude) = report.place.filter(|_| report.mode >= 2)?;
    let is_place = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
    let is_null = latitude.abs() < NULL_ISLAND_DEG && longitude.abs() < NULL_ISLAND_DEG;
    let error_m = report.error_m.filter(|error_m| error_m.is_finite() && *error_m >= 0.0)?;
    let position = Position { latitude, longitude };
    (is_place && !is_null).then_some(Fix { position, error_m, uptime_s })
}

/// Whether a station can have gone from one fix to the next.
fn can_follow(before: Fix, next: Fix) -> bool {
    let reach_m = FASTEST_M_PER_S * (next.uptime_s - before.uptime_s).max(0.0);
    before.position.distance_m(next.position) <= reach_m + before.error_m + next.error_m
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MUNICH: (f64, f64) = (48.137, 11.575);
    const VIENNA: (f64, f64) = (48.208, 16.373);

    fn at(second: f64) -> Utc {
        Utc::parse("2026-11-28T12:00:00Z").unwrap().plus_s(second)
    }

    fn report(second: f64, place: (f64, f64)) -> Report {
        Report { time: Some(at(second)), mode: 3, place: Some(place), error_m: Some(5.0) }
    }

    /// A receiver that has been at a place for some seconds.
    fn judge_at(place: (f64, f64), seconds: u32) -> GpsJudge {
        let mut judge = GpsJudge::default();
        for second in 0..=seconds {
            judge.look(&report(second.into(), place), second.into());
        }
        judge
    }

    fn place(judge: &GpsJudge, uptime_s: f64) -> Option<(f64, f64)> {
        judge.position(uptime_s).map(|position| (position.latitude, position.longitude))
    }

    #[test]
    fn distances_are_those_of_the_earth() {
        let position = |(latitude, longitude)| Position { latitude, longitude };
        let between = |from, to| position(from).distance_m(position(to));
        assert!((between(MUNICH, VIENNA) - 355_500.0).abs() < 1500.0);
        // A degree of the equator, and the way over the antimeridian.
        assert!((between((0.0, 0.0), (0.0, 1.0)) - 111_195.0).abs() < 1.0);
        assert!((between((0.0, 179.5), (0.0, -179.5)) - 111_195.0).abs() < 1.0);
        assert!((between((90.0, 0.0), (-90.0, 0.0)) - std::f64::consts::PI * EARTH_M).abs() < 1.0);
    }

    #[test]
    fn a_fix_has_a_mode_an_error_and_a_place() {
        let good = report(0.0, MUNICH);
        let heard = |report: Report| {
            let mut judge = GpsJudge::default();
            judge.look(&report, 0.0);
            (place(&judge, 0.0), judge.utc(0.0))
        };
        assert_eq!(heard(good), (Some(MUNICH), Some(at(0.0))));
        for bad in [
            Report { mode: 1, ..good },
            Report { error_m: None, ..good },
            Report { error_m: Some(f64::NAN), ..good },
            Report { place: None, ..good },
            Report { time: None, ..good },
            Report { place: Some((0.0, 0.0)), ..good },
            Report { place: Some((91.0, 0.0)), ..good },
            Report { place: Some((f64::NAN, 0.0)), ..good },
        ] {
            assert_eq!(heard(bad), (None, None), "{bad:?}");
        }
    }

    #[test]
    fn an_old_fix_that_is_told_again_does_not_count() {
        let mut judge = judge_at(MUNICH, 5);
        for second in 6..60 {
            judge.look(&report(5.0, MUNICH), second.into());
        }
        assert_eq!(place(&judge, 14.9), Some(MUNICH));
        assert_eq!((place(&judge, 15.0), judge.utc(15.0)), (None, None));
        judge.look(&report(60.0, MUNICH), 60.0);
        assert_eq!((place(&judge, 60.0), judge.utc(60.0)), (Some(MUNICH), Some(at(60.0))));
    }

    /// The receiver's counter of weeks has ten bits.
    #[test]
    fn a_time_that_goes_back_1024_weeks_is_told_as_it_is_once_it_goes_on() {
        let mut judge = judge_at(MUNICH, 5);
        let back_s = -1024.0 * 7.0 * 86_400.0;
        judge.look(&report(6.0 + back_s, MUNICH), 6.0);
        assert_eq!(judge.utc(6.0), Some(at(6.0)), "one report alone changes nothing");
        judge.look(&report(7.0 + back_s, MUNICH), 7.0);
        assert_eq!(
            judge.utc(7.0),
            Some(at(7.0 + back_s)),
            "whether it can be says the clock's judge"
        );
        judge.look(&report(8.0, MUNICH), 8.0);
        assert_eq!(judge.utc(8.0), Some(at(8.0)));
    }

    #[test]
    fn a_jump_is_refused_until_five_fixes_over_half_a_minute_agree() {
        let mut judge = judge_at(MUNICH, 5);
        for second in 6..36 {
            judge.look(&report(second.into(), VIENNA), second.into());
            assert_ne!(place(&judge, second.into()), Some(VIENNA), "{second}");
        }
        assert_eq!(place(&judge, 35.0), None, "the position that they contradict is old");
        judge.look(&report(36.0, VIENNA), 36.0);
        assert_eq!(place(&judge, 36.0), Some(VIENNA));
        // Fixes all over the place agree on nothing, however long; those where it was count at once.
        for second in 37..200_u32 {
            let east = 20.0 + f64::from(second % 7) * 5.0;
            judge.look(&report(second.into(), (48.0, east)), second.into());
        }
        assert_eq!(place(&judge, 199.0), None);
        judge.look(&report(200.0, VIENNA), 200.0);
        assert_eq!(place(&judge, 200.0), Some(VIENNA));
    }

    #[test]
    fn what_was_far_off_for_hours_may_be_anywhere_near() {
        let mut judge = judge_at(MUNICH, 5);
        judge.look(&report(3600.0, VIENNA), 3600.0);
        assert_eq!(place(&judge, 3600.0), Some(VIENNA), "it took an hour");
    }

    /// Reports are up to half a second late; the time that is made of them is at most a few milliseconds so.
    #[test]
    fn time_is_smooth_though_reports_come_late() {
        let mut judge = GpsJudge::default();
        for second in 0..600_u32 {
            let delay_s = 0.02 + f64::from(second * 37 % 48) / 100.0;
            judge.look(&report(second.into(), MUNICH), f64::from(second) + delay_s);
            let wrong_s =
                judge.utc(f64::from(second) + 1.0).unwrap().seconds_since(at(second.into())) - 1.0;
            let max_s = if second < 50 { 0.5 } else { 0.035 };
            assert!((-max_s..=0.0).contains(&wrong_s), "{second}: {wrong_s}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_said_the_position_is_one(said in prop::collection::vec(
            (any::<i64>(), any::<u8>(), any::<(f64, f64)>(), any::<f64>()), 0..40)) {
            let mut judge = GpsJudge::default();
            for (second, (time, mode, place, error_m)) in said.into_iter().enumerate() {
                let report = Report { time: Some(Utc(time)), mode, place: Some(place), error_m: Some(error_m) };
                judge.look(&report, second as f64);
                if let Some(position) = judge.position(second as f64) {
                    prop_assert!(position.latitude.abs() <= 90.0 && position.longitude.abs() <= 180.0);
                }
                let _no_panic = judge.utc(second as f64);
            }
        }
    }
}
