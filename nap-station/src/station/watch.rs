//! What a station does about its clock: looks at it, tells of it, and has message times put right.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::error::Error;
use crate::relay::outbox::Level;
use crate::rules::clock::{ClockName, ClockNews};
use crate::rules::utc::Utc;
use crate::station::clock::{StationClock, boot_id, built};
use crate::station::event::Event;
use crate::station::gpsd::Gpsd;
use crate::station::keeper::undated::Undated;
use crate::station::keeper::{Command, Keeper};
use crate::store::ledger::Ledger;

/// How often the clock is looked at.
const TICK: Duration = Duration::from_secs(1);
/// How often the time is saved while it is right.
const SAVE_TICK: Duration = Duration::from_secs(600);
const SAVED: &str = "clock_saved_us";

/// The clock of a station that receives by the clock, and when it was looked at.
#[derive(Debug)]
pub struct ClockWatch {
    clock: Arc<StationClock>,
    tick: Instant,
    save_tick: Option<Instant>,
    /// The newest time that is known to have been.
    newest: Utc,
}

impl ClockWatch {
    /// Looks at the clock for the first time.
    ///
    /// # Errors
    /// [`Error::Ledger`].
    pub fn new(ledger: &Ledger, gpsd: Option<Arc<Gpsd>>) -> Result<Self, Error> {
        let saved = ledger.setting(SAVED)?;
        let saved = saved.and_then(|text| text.parse().ok()).map(Utc);
        let clock = Arc::new(StationClock::new(saved, gpsd));
        let newest = ledger.newest_at()?.max(saved).unwrap_or(built()).max(built());
        Ok(Self { clock, tick: Instant::now(), save_tick: None, newest })
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<StationClock> {
        &self.clock
    }

    /// Goes on where the station was before it was started again.
    pub fn begin(&mut self, keeper: &mut Keeper, stored: Option<Undated>) {
        let stored = stored.filter(|stored| stored.boot_id == boot_id());
        if let Some(undated) = stored {
            self.clock.set_running(Some(undated.running()));
            keeper.undate(undated);
        } else if self.clock.name() == ClockName::None {
            keeper.undate(self.begin_running());
        }
        if let Some(command) = self.known() {
            keeper.command(command, self.clock.utc());
        }
        if self.clock.name().is_trusted() {
            keeper.command(Command::BringBack, self.clock.utc());
        }
    }

    /// Looks at the clock; what the one who writes has to do about it.
    pub fn look(&mut self) -> Vec<Command> {
        if self.tick.elapsed() < TICK {
            return Vec::new();
        }
        self.tick = Instant::now();
        let mut commands = Vec::new();
        for news in self.clock.look() {
            commands.extend(self.answer(news));
        }
        if self.clock.running().is_none() && self.clock.name().is_trusted() {
            self.newest = self.newest.max(self.clock.utc());
        }
        commands.extend(self.save());
        commands
    }

    fn answer(&mut self, news: ClockNews) -> Vec<Command> {
        let mut commands = Vec::new();
        match news {
            ClockNews::Changed { to: ClockName::None, .. } => {
                commands.push(Command::Undate(self.begin_running()));
            }
            ClockNews::Changed { .. } => commands.extend(self.known()),
            ClockNews::Stepped { by_s } if by_s < 0.0 && self.clock.running().is_none() => {
                commands.push(Command::BringBack);
            }
            ClockNews::Stepped { .. } | ClockNews::Overruled { .. } => {}
        }
        let (level, detail) = detail(news);
        commands.push(Command::Event(Event::new("clock_changed", level, self.clock.utc(), detail)));
        commands
    }

    fn begin_running(&self) -> Undated {
        let undated = Undated::begin(boot_id(), self.newest, self.clock.uptime_s());
        self.clock.set_running(Some(undated.running()));
        undated
    }

    /// The time of day is known, if it was not and is now.
    fn known(&self) -> Option<Command> {
        let clock = self.clock.name();
        let offset_us = self.clock.offset_us().filter(|_| clock.is_trusted())?;
        self.clock.set_running(None);
        Some(Command::Redate { offset_us, clock })
    }

    fn save(&mut self) -> Option<Command> {
        if self.save_tick.is_some_and(|tick| tick.elapsed() < SAVE_TICK) {
            return None;
        }
        let time = self.clock.to_save()?;
        self.save_tick = Some(Instant::now());
        Some(Command::Setting(SAVED, Some(time.0.to_string())))
    }
}

fn detail(news: ClockNews) -> (Level, Value) {
    match news {
        ClockNews::Changed { from, to } => {
            let level = if to.is_trusted() { Level::Info } else { Level::Warning };
            (level, json!({ "from": from.name(), "to": to.name() }))
        }
        ClockNews::Stepped { by_s } => (Level::Info, json!({ "stepped_s": by_s })),
        ClockNews::Overruled { saved } => (Level::Warning, json!({ "overruled": saved.text() })),
    }
}
