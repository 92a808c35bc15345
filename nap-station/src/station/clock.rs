//! The computer's clocks, and what a station goes by.

use std::fs;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::rules::clock::{ClockJudge, ClockName, ClockNews, Reading, RunningTime};
use crate::rules::utc::Utc;
use crate::station::gpsd::Gpsd;
use crate::station::synchronization::Synchronization;
use crate::station::uptime::Uptime;

/// No clock is right that is earlier, however the program was built. 1 November 2026.
const EARLIEST: Utc = Utc(1_793_491_200_000_000);

/// Now, by the computer's clock, right or wrong.
#[must_use]
pub fn now() -> Utc {
    Timestamp::now().into()
}

/// When the program was built: an earlier clock is wrong.
#[must_use]
pub fn built() -> Utc {
    let built_s: Option<i64> = env!("NAP_BUILT_S").parse().ok();
    built_s.map_or(EARLIEST, |seconds| Utc(seconds.saturating_mul(1_000_000)).max(EARLIEST))
}

/// Which start of the computer this is; nothing where the kernel does not say.
#[must_use]
pub fn boot_id() -> String {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    text.trim().to_owned()
}

/// A moment, as a station's rules reckon with it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// The time of day, or running time where nobody knows it.
    pub at: Utc,
    /// What the time goes by.
    pub clock: ClockName,
}

/// The clock of a station that receives by the clock.
#[derive(Debug)]
pub struct StationClock {
    uptime: Uptime,
    synchronization: Synchronization,
    gpsd: Option<Arc<Gpsd>>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    judge: ClockJudge,
    running: Option<RunningTime>,
}

impl StationClock {
    /// A clock that knows the last time that was saved while it was right, and a GPS receiver if there is one.
    #[must_use]
    pub fn new(saved: Option<Utc>, gpsd: Option<Arc<Gpsd>>) -> Self {
        let judge = ClockJudge::new(built(), saved);
        let clock = Self {
            uptime: Uptime::read(),
            synchronization: Synchronization::watch(),
            gpsd,
            state: Mutex::new(State { judge, running: None }),
        };
        clock.look();
        clock
    }

    /// Looks at the clocks; what there is to tell.
    pub fn look(&self) -> Vec<ClockNews> {
        let reading = self.reading();
        self.state().judge.look(reading)
    }

    /// What the clock goes by.
    #[must_use]
    pub fn name(&self) -> ClockName {
        self.state().judge.name()
    }

    /// The time to save for the next start, if it is right.
    #[must_use]
    pub fn to_save(&self) -> Option<Utc> {
        self.state().judge.to_save()
    }

    /// Seconds since the computer was started.
    #[must_use]
    pub fn uptime_s(&self) -> f64 {
        self.uptime.seconds()
    }

    /// Goes by running time where the time of day is not known; `None`: it is known.
    pub fn set_running(&self, running: Option<RunningTime>) {
        self.state().running = running;
    }

    /// Running time, where that is what the station goes by.
    #[must_use]
    pub fn running(&self) -> Option<RunningTime> {
        self.state().running
    }

    /// The time of day by what the clock goes by, right or wrong.
    #[must_use]
    pub fn utc(&self) -> Utc {
        let reading = self.reading();
        self.state().judge.utc(reading)
    }

    /// By how many microseconds that is later than the computer's clock.
    #[must_use]
    pub fn ahead_us(&self) -> i64 {
        let reading = self.reading();
        self.state().judge.utc(reading).0.saturating_sub(reading.utc.0)
    }

    /// What was so many seconds ago.
    #[must_use]
    pub fn ago(&self, age_s: f64) -> Moment {
        let reading = self.reading();
        let state = self.state();
        match state.running {
            Some(running) => {
                Moment { at: running.at(reading.uptime_s - age_s), clock: ClockName::None }
            }
            None => {
                Moment { at: state.judge.utc(reading).plus_s(-age_s), clock: state.judge.name() }
            }
        }
    }

    /// By how many microseconds running time is wrong, now that the time of day is known.
    #[must_use]
    pub fn offset_us(&self) -> Option<i64> {
        let reading = self.reading();
        let state = self.state();
        Some(state.running?.offset_us(state.judge.utc(reading), reading.uptime_s))
    }

    fn reading(&self) -> Reading {
        Reading {
            utc: now(),
            uptime_s: self.uptime_s(),
            is_synchronized: self.synchronization.is_kept(),
            gps: self.gpsd.as_ref().and_then(|gpsd| gpsd.utc()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time of day for a station, with a clock of its own if it receives by the clock.
#[must_use]
pub fn utc_by(clock: Option<&StationClock>) -> Utc {
    clock.map_or_else(now, StationClock::utc)
}
